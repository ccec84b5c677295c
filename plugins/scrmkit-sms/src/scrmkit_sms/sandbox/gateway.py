"""The gateway in front of the service: who calls, when, and signed how."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import attrs

from scrmkit.clock import Clock
from scrmkit.testing.sandbox import Incoming, ShiftedClock
from scrmkit_sms.aliyun.client import VERSION
from scrmkit_sms.aliyun.signing import Signable, acs3_matches, read_authorization, rpc_matches
from scrmkit_sms.sandbox.errors import SmsApiError, mandatory

TOLERANCE = timedelta(minutes=15)
"""How far a request's date may be off.
Source: Alibaba Cloud, V3 版本请求体&签名机制, read 2026-11."""


@attrs.frozen(kw_only=True)
class Call:
    """A call that passed the gateway; *params* are query and form together."""

    action: str
    params: Mapping[str, str]


def action_of(incoming: Incoming) -> str:
    """What a request asks for, before anything is checked; empty if it does not say."""
    return incoming.headers.get("x-acs-action") or _params(incoming).get("Action", "")


class Gateway:
    """
    Checks both signatures, nonces and dates.

    A date is compared with the sandbox's clock and, where that is the
    machine's moved on by control calls, with the machine's as well: a client
    on this machine cannot know that the clock was moved.
    """

    def __init__(self, access_key_id: str, access_key_secret: str, clock: Clock) -> None:
        self._access_key_id = access_key_id
        self._secret = access_key_secret
        self._clock = clock
        self._nonces: set[str] = set()

    def admit(self, incoming: Incoming) -> Call:
        """
        Check everything about a request that is no matter of SMS.

        Raises:
            SmsApiError: It is not admitted; nothing has happened.
        """
        params = _params(incoming)
        if "x-acs-action" in incoming.headers or "authorization" in incoming.headers:
            self._check_acs3(incoming)
            action, version = (incoming.headers.get(f"x-acs-{n}", "") for n in ("action", "version"))
        else:
            self._check_rpc(incoming, params)
            action, version = params.get("Action", ""), params.get("Version", "")
        if version != VERSION:
            raise SmsApiError("InvalidVersion")
        return Call(action=action, params=params)

    def _check_acs3(self, incoming: Incoming) -> None:
        authorization = read_authorization(incoming.headers.get("authorization", ""))
        if authorization is None:
            raise SmsApiError("IncompleteSignature")
        self._check_key(authorization.access_key_id)
        self._check_date(incoming.headers.get("x-acs-date", ""))
        request = Signable(
            method=incoming.method,
            path=incoming.path,
            query=parse_qsl(incoming.raw_query, keep_blank_values=True),
            headers=incoming.headers,
            body=incoming.body,
        )
        if not acs3_matches(request, authorization, self._secret):
            raise SmsApiError("SignatureDoesNotMatch")
        self._use_nonce(incoming.headers.get("x-acs-signature-nonce", ""))

    def _check_rpc(self, incoming: Incoming, params: Mapping[str, str]) -> None:
        mandatory(params, "AccessKeyId", "SignatureNonce", "Timestamp", "Signature")
        if params.get("SignatureMethod") != "HMAC-SHA1":
            raise SmsApiError("IncompleteSignature")
        self._check_key(params["AccessKeyId"])
        self._check_date(params["Timestamp"])
        if not rpc_matches(incoming.method, list(params.items()), self._secret):
            raise SmsApiError("SignatureDoesNotMatch")
        self._use_nonce(params["SignatureNonce"])

    def _check_key(self, access_key_id: str) -> None:
        if access_key_id != self._access_key_id:
            raise SmsApiError("InvalidAccessKeyId.NotFound")

    def _check_date(self, text: str) -> None:
        try:
            date = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError as error:
            raise SmsApiError("InvalidTimeStamp.Format") from error
        clocks = [self._clock.now()]
        if isinstance(self._clock, ShiftedClock):
            clocks.append(datetime.now(UTC))
        if all(abs(now - date) > TOLERANCE for now in clocks):
            raise SmsApiError("InvalidTimeStamp.Expired")

    def _use_nonce(self, nonce: str) -> None:
        if not nonce or nonce in self._nonces:
            raise SmsApiError("SignatureNonceUsed")
        self._nonces.add(nonce)


def _params(incoming: Incoming) -> dict[str, str]:
    form = incoming.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    query = dict(parse_qsl(incoming.raw_query, keep_blank_values=True))
    return query | (incoming.form() if form else {})
