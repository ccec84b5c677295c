"""One call of the API: token, request, reply, and every failure as one of our errors."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_address
from time import monotonic
from typing import Any

import attrs
import httpx

from scrmkit.clock import Clock
from scrmkit.errors import InvalidValueError, RefusedError, ScrmkitError, TryLaterError, UnknownOutcomeError
from scrmkit_wecom import errcodes
from scrmkit_wecom.tokens import AccessToken, AccessTokens

BASE_URL = "https://qyapi.weixin.qq.com"
"""Source: WeCom API, 开发前必读 (path/90664), read 2026-11."""

TIMEOUT = timedelta(seconds=5)
MAX_REPLY_BYTES = 32 << 20
_NO_NUMBER = -(10**18)
_SECRET_PARAMETERS = ("access_token", "corpsecret")
_ARRIVED_NOWHERE = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

Json = dict[str, Any]


class WelcomeExpiredError(RefusedError):
    """The welcome code is unknown or older than 20 s (41050); no welcome can be sent."""


class AlreadyWelcomedError(RefusedError):
    """The customer was welcomed already, or the chat has begun (41051)."""


class AnotherAppWelcomesError(TryLaterError):
    """Another app is sending a welcome right now (41096); if it fails, ours may pass."""


class RateLimitedError(TryLaterError):
    """Too many calls (45009, 45033); all others of this kind would fail as well."""


class LostReplyError(TryLaterError):
    """The reply was lost; it may have been done, but doing it again does no harm."""


class WrongSetupError(RefusedError):
    """The app's credentials, permissions or trusted addresses are wrong: every call fails."""


_REFUSALS: dict[int, type[RefusedError]] = {
    errcodes.WELCOME_EXPIRED: WelcomeExpiredError,
    errcodes.ALREADY_WELCOMED: AlreadyWelcomedError,
}


@attrs.frozen(kw_only=True)
class Credentials:
    """
    Who calls: one app (应用) of one company.

    Attributes:
        corp_id: The company's id, such as ``ww…``.
        secret: The app's secret.
    """

    corp_id: str
    secret: str = attrs.field(repr=False)


class Api:
    """
    The API of one app; safe to use from any number of threads.

    Nothing is tried again but once with a new token, where the platform says
    that it did nothing for want of a valid one.
    """

    def __init__(
        self, credentials: Credentials, clock: Clock, *, base_url: str = BASE_URL, timeout: timedelta = TIMEOUT
    ) -> None:
        """
        Args:
            clock: What tokens age by.
            base_url: Another address, such as the sandbox's; https but on loopback.
            timeout: For connecting, for each read, and for a whole reply.
        """
        _quieten_httpx()
        self._credentials = credentials
        self._seconds = timeout.total_seconds()
        url = checked_address(base_url)
        is_local = _is_loopback(url.host)
        # A proxy of the environment cannot reach our loopback.
        self._http = httpx.Client(
            base_url=url,
            timeout=self._seconds,
            trust_env=not is_local,
            # Reading the certificates takes longer than most calls; http needs none.
            verify=url.scheme == "https",
        )
        self._tokens = AccessTokens(self._fetch_token, clock)

    def close(self) -> None:
        """Close the connections; the object is of no use afterwards."""
        self._http.close()

    def get(self, path: str, **parameters: str) -> Json:
        """Read something; *path* follows ``/cgi-bin/``."""
        return self._call(path, parameters, None, repeatable=True)

    def post(self, path: str, body: Mapping[str, Any], *, repeatable: bool) -> Json:
        """
        Ask with a JSON body.

        Args:
            repeatable: Whether doing it twice is the same as once. If not, a
                lost reply is an `UnknownOutcomeError`.

        Raises:
            RefusedError: The platform refused.
            TryLaterError: Nothing was done, or nothing that must not be done twice.
            UnknownOutcomeError: It may have been done.
        """
        return self._call(path, {}, body, repeatable=repeatable)

    def _call(
        self, path: str, parameters: Mapping[str, str], body: Mapping[str, Any] | None, *, repeatable: bool
    ) -> Json:
        token = self._tokens.get()
        reply, code = self._exchange(path, {**parameters, "access_token": token}, body, repeatable)
        if code in errcodes.TOKEN_CODES:
            token = self._tokens.renew(token)
            reply, code = self._exchange(path, {**parameters, "access_token": token}, body, repeatable)
        if code != errcodes.OK:
            raise error_of(path, code)
        return reply

    def _fetch_token(self) -> AccessToken:
        path = "gettoken"
        parameters = {"corpid": self._credentials.corp_id, "corpsecret": self._credentials.secret}
        reply, code = self._exchange(path, parameters, None, repeatable=True)
        if code != errcodes.OK:
            raise error_of(path, code)
        value, seconds = reply.get("access_token"), whole_number(reply.get("expires_in"))
        if not isinstance(value, str) or not value or seconds < 1:
            raise TryLaterError("WeCom's reply to gettoken holds no token")
        return AccessToken(value=value, lasts=timedelta(seconds=min(seconds, 86_400)))

    def _exchange(
        self, path: str, parameters: Mapping[str, str], body: Mapping[str, Any] | None, repeatable: bool
    ) -> tuple[Json, int]:
        """The reply and its errcode; a reply that is none is an error."""
        lost = LostReplyError if repeatable else UnknownOutcomeError
        failure: ScrmkitError
        try:
            status, retry_after, content = self._send(path, parameters, body)
        except _ARRIVED_NOWHERE as error:
            failure = TryLaterError(f"WeCom cannot be reached ({type(error).__name__})")
        except httpx.HTTPError as error:
            failure = lost(f"WeCom's reply to {path} was lost ({type(error).__name__})")
        else:
            return _understand(path, status, retry_after, content, lost)
        # Outside the except: what httpx raised knows the address and so the token.
        raise failure

    def _send(self, path: str, parameters: Mapping[str, str], body: Mapping[str, Any] | None) -> tuple[int, str, bytes]:
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        request = self._http.build_request(
            "GET" if body is None else "POST",
            f"/cgi-bin/{path}",
            params=dict(parameters),
            content=content,
            headers=headers,
        )
        deadline = monotonic() + self._seconds
        received = bytearray()
        response = self._http.send(request, stream=True)
        try:
            for chunk in response.iter_bytes():
                received += chunk
                if monotonic() > deadline or len(received) > MAX_REPLY_BYTES:
                    raise httpx.ReadTimeout("the reply does not end")
        finally:
            response.close()
        return response.status_code, response.headers.get("Retry-After", ""), bytes(received)


def error_of(path: str, code: int) -> RefusedError | TryLaterError:
    """The error for a code other than 0."""
    text = f"WeCom answered {path} with {code}: {errcodes.meaning(code)}"
    if code == errcodes.WELCOME_IN_PROGRESS:
        return AnotherAppWelcomesError(text, retry_after=timedelta(seconds=1))
    if code == errcodes.RATE_LIMITED:
        return RateLimitedError(text, retry_after=errcodes.MINUTE_BLOCK)
    if code == errcodes.CONCURRENCY_LIMITED:
        return RateLimitedError(text)
    if code in errcodes.BUSY_CODES:
        return TryLaterError(text)
    refusal = WrongSetupError if code in errcodes.SETUP_CODES else _REFUSALS.get(code, RefusedError)
    return refusal(text, code=str(code))


def whole_number(value: object, default: int = 0) -> int:
    """*value* as an int, also where the platform writes it as a string; else *default*."""
    if isinstance(value, bool):
        return default
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) <= 18:
        return int(value)
    return default


def _understand(
    path: str, status: int, retry_after: str, content: bytes, lost: type[LostReplyError | UnknownOutcomeError]
) -> tuple[Json, int]:
    if status >= 500 or status == 429:
        text = f"WeCom answered {path} with HTTP status {status}"
        seconds = whole_number(retry_after, -1)
        after = timedelta(seconds=min(seconds, 3_600)) if seconds >= 0 else None
        if status == 429:
            raise RateLimitedError(text, retry_after=after)
        # A gateway's 5xx says nothing about what stands behind it.
        if lost is UnknownOutcomeError:
            raise UnknownOutcomeError(text)
        raise LostReplyError(text, retry_after=after)
    if not 200 <= status < 300:
        raise RefusedError(f"WeCom answered {path} with HTTP status {status}", code=f"http-{status}")
    reply = _json_object(content)
    # A success may come without an errcode.
    code = None if reply is None else whole_number(reply.get("errcode", errcodes.OK), _NO_NUMBER)
    if reply is None or code is None or code == _NO_NUMBER:
        raise lost(f"WeCom's reply to {path} cannot be read")
    return reply, code


def _json_object(content: bytes) -> Json | None:
    try:
        reply = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return reply if isinstance(reply, dict) else None


def checked_address(text: str) -> httpx.URL:
    """
    *text* as an address that secrets may be sent to.

    Raises:
        InvalidValueError: It is none; secrets travel in the query.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise InvalidValueError("base_url is not an address such as https://…") from error
    is_safe = url.scheme == "https" or (url.scheme == "http" and _is_loopback(url.host))
    if not (is_safe and url.host):
        raise InvalidValueError(
            "base_url must start with https://, since tokens travel in the address; http:// is for loopback only"
        )
    return url


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _NoSecretAddresses(logging.Filter):
    """httpx logs whole addresses, and ours carry secrets: cut those off at the query."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_without_secrets(argument) for argument in record.args)
        return True


def _without_secrets(argument: object) -> object:
    if isinstance(argument, httpx.URL) and any(p in argument.params for p in _SECRET_PARAMETERS):
        return argument.copy_with(query=None)
    return argument


_FILTER = _NoSecretAddresses()


def _quieten_httpx() -> None:
    """Adding a filter twice keeps it once."""
    logging.getLogger("httpx").addFilter(_FILTER)
