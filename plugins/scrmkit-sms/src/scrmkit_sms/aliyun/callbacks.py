"""What Dysmsapi pushes: delivery reports (SmsReport) and replies (SmsUp)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from scrmkit.domain.messages import Delivered, Undelivered
from scrmkit.errors import CallbackRejectedError, InvalidValueError
from scrmkit_sms.aliyun.codes import BEIJING, meaning_of
from scrmkit_sms.echoes import echoed_key
from scrmkit_sms.phones import read_phone
from scrmkit_sms.provider import Meaning, SmsReply, SmsReport

T = TypeVar("T")

LONGEST_ID = 64


def parse_reports(body: bytes) -> tuple[SmsReport, ...]:
    """
    Read a push of SmsReport.

    Raises:
        CallbackRejectedError: It is no array of delivery reports.
    """
    return _each(body, _report)


def parse_replies(body: bytes) -> tuple[SmsReply, ...]:
    """
    Read a push of SmsUp.

    Raises:
        CallbackRejectedError: It is no array of replies.
    """
    return _each(body, _reply)


def outcome_of(success: bool, err_code: str, provider_id: str | None) -> Delivered | Undelivered:
    """A receipt as an outcome."""
    if success:
        return Delivered(provider_id=provider_id)
    return Undelivered(code=err_code or "unknown", reason=meaning_of(err_code).value)


def read_moment(text: str) -> datetime:
    """A moment as the platform writes it, Beijing time without a zone."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)


def _each(body: bytes, read: Callable[[Mapping[str, Any]], T]) -> tuple[T, ...]:
    try:
        items = json.loads(body)
        if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
            raise TypeError
        return tuple(read(item) for item in items)
    except (ValueError, TypeError, KeyError, InvalidValueError, RecursionError) as error:
        raise CallbackRejectedError(
            "not an array of what Dysmsapi pushes to this address; check that the reports and"
            " the replies each have their own",
            code="body",
        ) from error


def _report(item: Mapping[str, Any]) -> SmsReport:
    echo, success = _text(item, "out_id"), item["success"]
    if not isinstance(success, bool):
        raise TypeError
    err_code = _text(item, "err_code")
    return SmsReport(
        phone=read_phone(_text(item, "phone_number")),
        echo=echo,
        key=echoed_key(echo),
        provider_id=_text(item, "biz_id"),
        outcome=outcome_of(success, err_code, echo),
        meaning=Meaning.DELIVERED if success else meaning_of(err_code),
        reported_at=read_moment(_text(item, "report_time")),
        parts=int(_text(item, "sms_size") or 0),
    )


def _reply(item: Mapping[str, Any]) -> SmsReply:
    number = item["sequence_id"]
    if isinstance(number, bool) or not isinstance(number, int | str):
        raise TypeError
    if not 0 < len(str(number)) <= LONGEST_ID:
        raise ValueError
    return SmsReply(
        id=str(number),
        phone=read_phone(_text(item, "phone_number")),
        text=_text(item, "content").encode("utf-8", "replace").decode(),
        sign=_text(item, "sign_name"),
        replied_at=read_moment(_text(item, "send_time")),
    )


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError
    return value
