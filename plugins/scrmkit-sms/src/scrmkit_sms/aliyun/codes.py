"""
What Dysmsapi's codes mean for us.

Source: Alibaba Cloud SMS, API 错误码 and 短信状态错误码, read 2026-11.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import attrs

from scrmkit.domain.messages import Refused, TryLater, Unknown
from scrmkit_sms.aliyun.client import Answer
from scrmkit_sms.provider import Meaning

BEIJING = ZoneInfo("Asia/Shanghai")
"""The zone of every moment that Dysmsapi writes without one, and of its days."""

ACCOUNT_STOP = timedelta(hours=1)
"""How long a lane rests when its account cannot send at all: a person must act."""

STOPPED = frozenset(
    {
        "isv.AMOUNT_NOT_ENOUGH",
        "isv.OUT_OF_SERVICE",
        "isv.ACCOUNT_NOT_EXISTS",
        "isv.ACCOUNT_ABNORMAL",
        "isv.PRODUCT_UN_SUBSCRIPT",
        "isv.PRODUCT_UNSUBSCRIBE",
        "isv.DENY_IP_RANGE",
        "isp.RAM_PERMISSION_DENY",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "InvalidAccessKeyId.NotFound",
        "InvalidAccessKeyId.Inactive",
        "SignatureNonceUsed",
        "InvalidTimeStamp.Expired",
    }
)
"""The account, its key or our clock is at fault: no message will pass until that is mended."""

OF_ONE_MESSAGE = frozenset(
    {
        "isv.BUSINESS_LIMIT_CONTROL",
        "isv.MOBILE_NUMBER_ILLEGAL",
        "isv.DOMESTIC_NUMBER_NOT_SUPPORTED",
        "isv.SMS_SIGNATURE_ILLEGAL",
        "isv.SMS_SIGN_ILLEGAL",
        "isv.SIGN_STATE_ILLEGAL",
        "isv.SMS_SIGNATURE_SCENE_ILLEGAL",
        "isv.TEMPLATE_MISSING_PARAMETERS",
        "isv.TEMPLATE_PARAMS_ILLEGAL",
        "isv.INVALID_PARAMETERS",
        "isv.PARAM_LENGTH_LIMIT",
        "isv.PARAM_NOT_SUPPORT_URL",
        "isv.BLACK_KEY_CONTROL_LIMIT",
        "isv.SMS_CONTENT_ILLEGAL",
    }
)
"""One message of a call brings the whole call down; the others may pass without it."""

_SUPPRESSING = frozenset({"isv.MOBILE_NUMBER_ILLEGAL"})


@attrs.frozen(kw_only=True)
class Verdict:
    """
    What becomes of a call that was not answered OK.

    Attributes:
        of_one: Whether a single message may be the cause, nothing having been sent.
    """

    outcome: Refused | TryLater | Unknown
    of_one: bool = False


def judge(answer: Answer, now: datetime) -> Verdict:
    """Say what an answer other than OK means. *now* is timezone-aware."""
    code = answer.code
    if code == "isv.BUSINESS_LIMIT_CONTROL":
        after = _window_ends(answer.message, now)
        return Verdict(outcome=TryLater(reason=code, after=after), of_one=True)
    if code in STOPPED or code.startswith("Forbidden"):
        return Verdict(outcome=TryLater(reason=code, after=ACCOUNT_STOP, lane=True))
    if code == "isv.DAY_LIMIT_CONTROL":
        return Verdict(outcome=TryLater(reason=code, after=_to_next_day(now), lane=True))
    if code == "isv.MONTH_LIMIT_CONTROL":
        return Verdict(outcome=TryLater(reason=code, after=_to_next_month(now), lane=True))
    if code.startswith("Throttling"):
        return Verdict(outcome=TryLater(reason=code, after=answer.retry_after, lane=True))
    if code.startswith("isp.") or answer.status >= 500:
        # A fault on their side says nothing about what was done before it.
        return Verdict(outcome=Unknown(reason=code))
    refused = Refused(code=code, reason="Dysmsapi refused it", suppress=code in _SUPPRESSING)
    return Verdict(outcome=refused, of_one=code in OF_ONE_MESSAGE)


def _window_ends(message: str, now: datetime) -> timedelta:
    """How long until the flow control named in *message* lets this number through."""
    if "天级" in message:
        return timedelta(hours=24)
    window = timedelta(hours=1) if "小时级" in message else timedelta(minutes=1)
    midnight = now.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    return window - (now - midnight) % window


def _to_next_day(now: datetime) -> timedelta:
    local = now.astimezone(BEIJING)
    return local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1) - local


def _to_next_month(now: datetime) -> timedelta:
    local = now.astimezone(BEIJING)
    first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first + timedelta(days=32)).replace(day=1) - local


RECEIPTS = {
    "DELIVERED": Meaning.DELIVERED,
    "DELIVRD": Meaning.DELIVERED,
    "-95": Meaning.DEAD_NUMBER,
    "UNDELIV": Meaning.DEAD_NUMBER,
    "-37": Meaning.DEAD_NUMBER,
    "MBBLACK": Meaning.BLACKLISTED,
    "BLACK": Meaning.BLACKLISTED,
    "TUIDING": Meaning.OPTED_OUT,
    "TD:88": Meaning.OPTED_OUT,
    "GB:0008": Meaning.OPTED_OUT,
    "GX:1002": Meaning.OPTED_OUT,
    "GB:0001": Meaning.TOO_OFTEN,
    "GB:0002": Meaning.TOO_OFTEN,
    "GB:0003": Meaning.TOO_OFTEN,
    "LIMIT": Meaning.TOO_OFTEN,
    "BEYONDN": Meaning.TOO_OFTEN,
    "KEYWORD": Meaning.CONTENT,
    "GB:0010": Meaning.CONTENT,
    "SIGFAIL": Meaning.SIGNATURE,
    "R1:0210": Meaning.NO_OPT_OUT_TEXT,
    "YX:9420": Meaning.NIGHT,
    "YX:9421": Meaning.NIGHT,
    "AP:16": Meaning.NIGHT,
}
"""Receipt codes in capitals; carriers write some of them in small letters."""


def meaning_of(err_code: str) -> Meaning:
    """What a receipt's code says; a code that nobody documents is ``other``."""
    return RECEIPTS.get(err_code.strip().upper(), Meaning.OTHER)
