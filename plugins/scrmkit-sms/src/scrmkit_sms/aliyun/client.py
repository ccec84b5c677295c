"""Signed calls to Dysmsapi over HTTP."""

from __future__ import annotations

import json
import secrets
import weakref
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
import httpx

from scrmkit.clock import Clock
from scrmkit.errors import InvalidValueError, TryLaterError, UnknownOutcomeError
from scrmkit_sms.aliyun.signing import Signable, authorize, body_digest, percent
from scrmkit_sms.provider import Account

ENDPOINT = "https://dysmsapi.aliyuncs.com"
VERSION = "2017-05-25"

_SIGN_AGAIN = frozenset({"SignatureNonceUsed", "InvalidTimeStamp.Expired"})
_CONNECT_TIMEOUT = timedelta(seconds=3)
_FORM = "application/x-www-form-urlencoded"

_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


@attrs.frozen(kw_only=True)
class Answer:
    """
    What the platform answered to one call.

    Attributes:
        code: ``OK``, a business code (``isv.…``, ``isp.…``) or one of the gateway.
        message: The platform's words; they may hold personal values.
        retry_after: How long the gateway asks to wait, if it does.
        data: The whole answer. Personal.
    """

    status: int
    code: str
    message: str = attrs.field(default="", repr=False)
    retry_after: timedelta | None = None
    data: Mapping[str, Any] = attrs.field(factory=dict, repr=False, hash=False)


class Dysmsapi:
    """
    The RPC gateway, asked with ACS3-HMAC-SHA256. Safe to use from several threads.

    Requests go straight to httpx's transport: its client would log each
    address, and the query holds phones.

    Args:
        nonces: Makes a string that was never used before.
    """

    def __init__(
        self,
        account: Account,
        clock: Clock,
        *,
        nonces: Callable[[], str] = lambda: secrets.token_hex(16),
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._account = account
        self._clock = clock
        self._nonces = nonces
        self._endpoint = (account.endpoint or ENDPOINT).rstrip("/")
        parts = urlsplit(self._endpoint)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
            raise InvalidValueError("endpoint: write it as https://host, without a path")
        self._transport = transport or httpx.HTTPTransport()
        # Nobody tells a channel that it is done with.
        weakref.finalize(self, self._transport.close)
        seconds = account.timeout.total_seconds()
        connect = min(seconds, _CONNECT_TIMEOUT.total_seconds())
        self._timeout = httpx.Timeout(seconds, connect=connect).as_dict()

    def call(self, action: str, query: Mapping[str, str], form: Mapping[str, str] | None = None) -> Answer:
        """
        Call *action* once; a nonce or date that is refused is replaced once.

        Raises:
            TryLaterError: No connection: nothing was sent.
            UnknownOutcomeError: The answer was lost, or cannot be read.
        """
        answer = self._attempt(action, query, form or {})
        if answer.code in _SIGN_AGAIN:
            answer = self._attempt(action, query, form or {})
        return answer

    def _attempt(self, action: str, query: Mapping[str, str], form: Mapping[str, str]) -> Answer:
        request = self._signed(action, query, form)
        try:
            response = self._transport.handle_request(request)
            try:
                body = response.read()
            finally:
                response.close()
        except _NOTHING_SENT as error:
            raise TryLaterError("no connection to Dysmsapi; nothing was sent") from error
        except httpx.HTTPError as error:
            raise UnknownOutcomeError(f"{action}: {type(error).__name__}") from error
        return _read(action, response, body)

    def _signed(self, action: str, query: Mapping[str, str], form: Mapping[str, str]) -> httpx.Request:
        body = _encoded(form).encode()
        headers = {
            "accept": "application/json",
            "x-acs-action": action,
            "x-acs-version": VERSION,
            "x-acs-date": self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "x-acs-signature-nonce": self._nonces(),
            "x-acs-content-sha256": body_digest(body),
        }
        if body:
            headers["content-type"] = _FORM
        request = httpx.Request(
            "POST",
            f"{self._endpoint}/?{_encoded(query)}",
            headers=headers,
            content=body,
            extensions={"timeout": self._timeout},
        )
        # What is signed is what httpx will send: it writes the host and may rewrite the query.
        sent_query = request.url.query.decode("ascii")
        signable = Signable(
            method=request.method,
            path=request.url.path,
            query=parse_qsl(sent_query, keep_blank_values=True),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )
        request.headers["authorization"] = authorize(
            signable, access_key_id=self._account.access_key_id, secret=self._account.access_key_secret
        )
        return request


def _encoded(params: Mapping[str, str]) -> str:
    return "&".join(f"{percent(name)}={percent(value)}" for name, value in params.items())


def _read(action: str, response: httpx.Response, body: bytes) -> Answer:
    try:
        data = json.loads(body)
    except ValueError:
        data = None
    code = data.get("Code") if isinstance(data, dict) else None
    if not isinstance(code, str):
        if response.status_code == 429:
            raise TryLaterError(f"{action}: HTTP 429", retry_after=_retry_after(response))
        if 400 <= response.status_code < 500:
            return Answer(status=response.status_code, code=f"http_{response.status_code}")
        raise UnknownOutcomeError(f"{action}: HTTP {response.status_code} without a code")
    return Answer(
        status=response.status_code,
        code=code,
        message=str(data.get("Message", "")),
        retry_after=_retry_after(response),
        data=data,
    )


def _retry_after(response: httpx.Response) -> timedelta | None:
    """The gateway's own header, in milliseconds."""
    text = response.headers.get("x-acs-retry-after", "")
    return timedelta(milliseconds=int(text)) if text.isdigit() and int(text) > 0 else None
