"""Both signatures of Alibaba Cloud's RPC gateway: ACS3-HMAC-SHA256 and the older RPC v1."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

import attrs

ALGORITHM = "ACS3-HMAC-SHA256"

REQUIRED_HEADERS = frozenset({"host", "x-acs-action", "x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256"})
"""What an ACS3 signature must cover before we call it one; an SDK may sign more."""

Pairs = Sequence[tuple[str, str]]


@attrs.frozen(kw_only=True)
class Signable:
    """
    One HTTP request, as far as an ACS3 signature covers it.

    Attributes:
        query: Decoded names and values, in any order.
        headers: Lower-case names.
        body: The exact bytes sent.
    """

    method: str
    path: str
    query: Pairs
    headers: Mapping[str, str]
    body: bytes


@attrs.frozen(kw_only=True)
class Authorization:
    """The parts of an ACS3 ``Authorization`` header."""

    access_key_id: str
    signed_headers: tuple[str, ...]
    signature: str


def percent(text: str) -> str:
    """Percent-encode as RFC 3986 says: only letters, digits and ``-_.~`` stay."""
    return quote(text, safe="~")


def body_digest(body: bytes) -> str:
    """What ``x-acs-content-sha256`` says: the hexadecimal SHA-256 of the body."""
    return hashlib.sha256(body).hexdigest()


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values encoded, sorted by name and joined, blank values kept."""
    return "&".join(f"{key}={value}" for key, value in sorted(map(_percent_pair, pairs)))


def _percent_pair(pair: tuple[str, str]) -> tuple[str, str]:
    return percent(pair[0]), percent(pair[1])


def canonical_request(request: Signable, signed_headers: Iterable[str]) -> str:
    """The text whose digest an ACS3 signature covers."""
    names = tuple(signed_headers)
    return "\n".join(
        (
            request.method.upper(),
            request.path,
            canonical_query(request.query),
            *(f"{name}:{request.headers.get(name, '').strip()}" for name in names),
            "",
            ";".join(names),
            body_digest(request.body),
        )
    )


def string_to_sign(request: Signable, signed_headers: Iterable[str]) -> str:
    """The text that an ACS3 signature is the HMAC of."""
    canonical = canonical_request(request, signed_headers)
    return f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def acs3_signature(request: Signable, signed_headers: Iterable[str], secret: str) -> str:
    """The hexadecimal ACS3 signature of *request* over *signed_headers*."""
    text = string_to_sign(request, signed_headers)
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def authorize(request: Signable, *, access_key_id: str, secret: str) -> str:
    """
    The ``Authorization`` header that signs *request*.

    It covers ``host``, ``content-type`` and every ``x-acs-*`` header present.
    """
    names = sorted(name for name in request.headers if name in {"host", "content-type"} or name.startswith("x-acs-"))
    signature = acs3_signature(request, names, secret)
    return f"{ALGORITHM} Credential={access_key_id},SignedHeaders={';'.join(names)},Signature={signature}"


def read_authorization(header: str) -> Authorization | None:
    """Take an ``Authorization`` header apart; None where it is not one of ACS3."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme != ALGORITHM:
        return None
    fields = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if not {"Credential", "SignedHeaders", "Signature"} <= fields.keys():
        return None
    return Authorization(
        access_key_id=fields["Credential"],
        signed_headers=tuple(fields["SignedHeaders"].split(";")),
        signature=fields["Signature"],
    )


def acs3_matches(request: Signable, authorization: Authorization, secret: str) -> bool:
    """
    Whether *request* carries the signature that *secret* gives it.

    The request's own list of signed headers counts, as long as it holds
    ``REQUIRED_HEADERS``, and ``x-acs-content-sha256`` must be the body's digest.
    """
    if not REQUIRED_HEADERS.issubset(authorization.signed_headers):
        return False
    if request.headers.get("x-acs-content-sha256") != body_digest(request.body):
        return False
    expected = acs3_signature(request, authorization.signed_headers, secret)
    return hmac.compare_digest(expected.encode(), authorization.signature.encode())


def rpc_string_to_sign(method: str, params: Pairs) -> str:
    """The text of an RPC v1 signature: method, path and all params but ``Signature``."""
    query = canonical_query(pair for pair in params if pair[0] != "Signature")
    return f"{method.upper()}&%2F&{percent(query)}"


def rpc_signature(method: str, params: Pairs, secret: str) -> str:
    """The base64 RPC v1 signature (HMAC-SHA1) over the merged query and form params."""
    text = rpc_string_to_sign(method, params)
    digest = hmac.new(f"{secret}&".encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def rpc_matches(method: str, params: Pairs, secret: str) -> bool:
    """Whether *params* carry the RPC v1 signature that *secret* gives them."""
    given = dict(params).get("Signature", "")
    return hmac.compare_digest(rpc_signature(method, params, secret).encode(), given.encode())
