"""Reading a call's parameters, with the platform's limits."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import attrs

from scrmkit.errors import InvalidValueError
from scrmkit_sms.aliyun.codes import BEIJING
from scrmkit_sms.phones import read_phone
from scrmkit_sms.sandbox.errors import SmsApiError, mandatory
from scrmkit_sms.sandbox.templates import Template
from scrmkit_sms.texts import variables

MOST_NUMBERS = 1_000
MOST_OF_BATCH = 100
LONGEST_OUT_ID = 255
LONGEST_VALUE = 20
LARGEST_PAGE = 50
OLDEST = timedelta(days=30)
"""Source: Alibaba Cloud SMS, SendSms, SendBatchSms, QuerySendDetails, read 2026-11."""

_URL = re.compile(r"https?://|www\.|[a-z0-9-]+\.(?:com|cn|net|org|top|vip|cc)\b", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class Wanted:
    """One message that a call asks for; *phone* as it was written."""

    phone: str
    sign: str
    params: Mapping[str, str]


@attrs.frozen(kw_only=True)
class Submission:
    """What SendSms or SendBatchSms asks for."""

    template_code: str
    out_id: str
    extension: str
    items: tuple[Wanted, ...]


@attrs.frozen(kw_only=True)
class Question:
    """What QuerySendDetails asks for; *phone* is E.164, *day* one in Beijing."""

    phone: str
    day: date
    page: int
    page_size: int
    biz_id: str


def read_send_sms(params: Mapping[str, str]) -> Submission:
    """
    Read SendSms.

    Raises:
        SmsApiError: A parameter is missing or breaks its limit.
    """
    mandatory(params, "PhoneNumbers", "SignName", "TemplateCode")
    phones = [phone.strip() for phone in params["PhoneNumbers"].split(",")]
    if len(phones) > MOST_NUMBERS:
        raise SmsApiError("isv.MOBILE_COUNT_OVER_LIMIT")
    values = _values(_json(params.get("TemplateParam") or "{}"))
    return Submission(
        template_code=params["TemplateCode"],
        out_id=_out_id(params),
        extension=_extension(params.get("SmsUpExtendCode", "")),
        items=tuple(Wanted(phone=p, sign=params["SignName"], params=values) for p in phones),
    )


def read_send_batch(params: Mapping[str, str]) -> Submission:
    """
    Read SendBatchSms.

    Raises:
        SmsApiError: A parameter is missing or breaks its limit.
    """
    mandatory(params, "PhoneNumberJson", "SignNameJson", "TemplateCode")
    phones = _texts(params["PhoneNumberJson"])
    signs = _texts(params["SignNameJson"])
    given = _list(params.get("TemplateParamJson") or json.dumps([{}] * len(phones)))
    extensions = _texts(params.get("SmsUpExtendCodeJson") or json.dumps([""] * len(phones)))
    if len(phones) > MOST_OF_BATCH:
        raise SmsApiError("isv.MOBILE_COUNT_OVER_LIMIT")
    if not phones or {len(signs), len(given), len(extensions)} != {len(phones)}:
        raise SmsApiError("isv.INVALID_PARAMETERS")
    for extension in extensions:
        _extension(extension)
    return Submission(
        template_code=params["TemplateCode"],
        out_id=_out_id(params),
        extension=extensions[0],
        items=tuple(
            Wanted(phone=phone.strip(), sign=sign, params=_values(values))
            for phone, sign, values in zip(phones, signs, given, strict=True)
        ),
    )


def read_query(params: Mapping[str, str], now: datetime) -> Question:
    """
    Read QuerySendDetails.

    Raises:
        SmsApiError: A parameter is missing or breaks its limit.
    """
    mandatory(params, "PhoneNumber", "SendDate", "PageSize", "CurrentPage")
    try:
        day = datetime.strptime(params["SendDate"], "%Y%m%d").replace(tzinfo=BEIJING).date()
        page_size, page = int(params["PageSize"]), int(params["CurrentPage"])
    except ValueError as error:
        raise SmsApiError("isv.INVALID_PARAMETERS") from error
    today = now.astimezone(BEIJING).date()
    in_time = today - OLDEST <= day <= today
    if not in_time or not 1 <= page_size <= LARGEST_PAGE or page < 1:
        raise SmsApiError("isv.INVALID_PARAMETERS")
    phone = _number(params["PhoneNumber"])
    return Question(phone=phone, day=day, page=page, page_size=page_size, biz_id=params.get("BizId", ""))


def check_values(template: Template, values: Mapping[str, str]) -> None:
    """
    Check the values of a template's variables; those of others do not matter.

    Raises:
        SmsApiError: One is missing, empty, too long or an address.
    """
    names = variables(template.text)
    if names - values.keys():
        raise SmsApiError("isv.TEMPLATE_MISSING_PARAMETERS")
    for value in (values[name] for name in names):
        if not value:
            raise SmsApiError("isv.TEMPLATE_PARAMS_ILLEGAL")
        if len(value) > LONGEST_VALUE:
            raise SmsApiError("isv.PARAM_LENGTH_LIMIT")
        if _URL.search(value):
            raise SmsApiError("isv.PARAM_NOT_SUPPORT_URL")


def read_number(text: str, template: Template) -> str:
    """
    A number in any form of the platform's, as E.164.

    Raises:
        SmsApiError: It is none, or not one that the template may go to.
    """
    phone = _number(text)
    is_mainland = phone.startswith("+86")
    if is_mainland and template.type == "international":
        raise SmsApiError("isv.DOMESTIC_NUMBER_NOT_SUPPORTED")
    if not is_mainland and template.type != "international":
        raise SmsApiError("isv.MOBILE_NUMBER_ILLEGAL")
    return phone


def _number(text: str) -> str:
    try:
        return read_phone(text)
    except InvalidValueError as error:
        raise SmsApiError("isv.MOBILE_NUMBER_ILLEGAL") from error


def _out_id(params: Mapping[str, str]) -> str:
    out_id = params.get("OutId", "")
    if len(out_id) > LONGEST_OUT_ID:
        raise SmsApiError("isv.INVALID_PARAMETERS")
    return out_id


def _extension(code: str) -> str:
    if code and not (code.isascii() and code.isdigit()):
        raise SmsApiError("isv.EXTEND_CODE_ERROR")
    return code


def _json(text: str) -> Any:
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()  # half a character is no text
    except (ValueError, RecursionError) as error:
        raise SmsApiError("isv.INVALID_JSON_PARAM") from error
    return value


def _list(text: str) -> Sequence[Any]:
    value = _json(text)
    if not isinstance(value, list):
        raise SmsApiError("isv.INVALID_JSON_PARAM")
    return value


def _texts(text: str) -> Sequence[str]:
    values = _list(text)
    if not all(isinstance(value, str) for value in values):
        raise SmsApiError("isv.INVALID_JSON_PARAM")
    return values


def _values(given: Any) -> dict[str, str]:
    """Template values: an object of strings; a number is refused, as the platform does."""
    if isinstance(given, str):
        given = _json(given or "{}")
    if not isinstance(given, dict) or not all(isinstance(v, str) for v in given.values()):
        raise SmsApiError("isv.INVALID_JSON_PARAM")
    return given
