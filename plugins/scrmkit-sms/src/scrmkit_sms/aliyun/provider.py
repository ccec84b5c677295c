"""Dysmsapi as an SMS provider."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from scrmkit.clock import Clock
from scrmkit.domain.messages import Accepted, DeliveryOutcome, Refused, TryLater, Unknown
from scrmkit.errors import InvalidValueError, TryLaterError, UnknownOutcomeError
from scrmkit_sms.aliyun import callbacks
from scrmkit_sms.aliyun.client import Answer, Dysmsapi
from scrmkit_sms.aliyun.codes import BEIJING, judge
from scrmkit_sms.echoes import echo_of, is_echo_of
from scrmkit_sms.phones import bare, is_phone, read_phone
from scrmkit_sms.provider import Account, Found, Limits, NoTrace, Sent, Sms, SmsReply, SmsReport

MAX_BATCH = 100
CALLS_PER_S = 5_000.0
"""Of SendBatchSms. Source: Alibaba Cloud SMS, SendBatchSms, read 2026-11."""

PAGE = 50
"""Records of one QuerySendDetails. Source: Alibaba Cloud SMS, QuerySendDetails, read 2026-11."""

OLDEST = timedelta(days=30)
"""How far back QuerySendDetails looks. Source: as above."""


class AliyunProvider:
    """Alibaba Cloud SMS (阿里云短信), Dysmsapi 2017-05-25."""

    name = "aliyun"
    limits = Limits(max_batch=MAX_BATCH, calls_per_s=CALLS_PER_S, registered_texts=True)
    acknowledgement = b'{"code":0,"msg":"OK"}'

    def __init__(self, account: Account, clock: Clock, *, api: Dysmsapi | None = None) -> None:
        self._clock = clock
        self._api = api or Dysmsapi(account, clock)

    def send(self, batch: Sequence[Sms]) -> Sequence[DeliveryOutcome]:
        """
        Send each message once, by SendSms or, several, by SendBatchSms.

        Where one message brings a call down, the call is split until the
        others have passed: a refused call has sent nothing.
        """
        outcomes: dict[int, DeliveryOutcome] = {
            index: refusal for index, sms in enumerate(batch) if (refusal := _refusal(sms)) is not None
        }
        for call in _calls(batch, skip=outcomes):
            found = self._send([batch[index] for index in call])
            outcomes.update(zip(call, found, strict=True))
        return [outcomes[index] for index in range(len(batch))]

    def query(self, sent: Sequence[Sent]) -> Sequence[Found]:
        """Look each message up by its phone, its days and its echo (QuerySendDetails)."""
        return [self._look_up(each) for each in sent]

    def parse_reports(self, body: bytes) -> Sequence[SmsReport]:
        """Read a push of SmsReport."""
        return callbacks.parse_reports(body)

    def parse_replies(self, body: bytes) -> Sequence[SmsReply]:
        """Read a push of SmsUp."""
        return callbacks.parse_replies(body)

    def _send(self, items: Sequence[Sms]) -> list[DeliveryOutcome]:
        echo = echo_of([sms.key for sms in items])
        try:
            answer = self._call(items, echo)
        except TryLaterError as error:
            later = TryLater(reason=str(error), after=error.retry_after, lane=True)
            return [later] * len(items)
        except UnknownOutcomeError as error:
            return [Unknown(reason=str(error))] * len(items)
        if answer.code == "OK":
            biz_id = str(answer.data.get("BizId", ""))
            return [Accepted(provider_id=echo, answer={"biz_id": biz_id})] * len(items)
        verdict = judge(answer, self._clock.now())
        if verdict.of_one and len(items) > 1:
            middle = len(items) // 2
            return self._send(items[:middle]) + self._send(items[middle:])
        return [verdict.outcome] * len(items)

    def _call(self, items: Sequence[Sms], echo: str) -> Answer:
        query = {"TemplateCode": items[0].template, "OutId": echo}
        if len(items) == 1:
            (sms,) = items
            query |= {"PhoneNumbers": bare(sms.phone), "SignName": sms.sign}
            if sms.params:
                query["TemplateParam"] = _json(dict(sms.params))
            return self._api.call("SendSms", query)
        form = {
            "PhoneNumberJson": _json([bare(sms.phone) for sms in items]),
            "SignNameJson": _json([sms.sign for sms in items]),
        }
        if any(sms.params for sms in items):
            form["TemplateParamJson"] = _json([dict(sms.params) for sms in items])
        return self._api.call("SendBatchSms", query, form)

    def _look_up(self, sent: Sent) -> Found:
        if not is_phone(sent.phone):
            return NoTrace()
        try:
            for day in _days(sent.since, self._clock.now()):
                for record in self._records(sent.phone, day):
                    if _is_of(record, sent):
                        return _state(record)
        except (TryLaterError, UnknownOutcomeError) as error:
            return Unknown(reason=str(error))
        return NoTrace()

    def _records(self, phone: str, day: date) -> Iterator[Mapping[str, Any]]:
        for page in itertools.count(1):
            answer = self._api.call(
                "QuerySendDetails",
                {
                    "PhoneNumber": bare(phone),
                    "SendDate": day.strftime("%Y%m%d"),
                    "PageSize": str(PAGE),
                    "CurrentPage": str(page),
                },
            )
            if answer.code != "OK":
                raise UnknownOutcomeError(f"QuerySendDetails: {answer.code}")
            records = _listed(answer)
            yield from records
            if len(records) < PAGE:
                return


def _refusal(sms: Sms) -> Refused | None:
    """Why a message cannot even be asked for."""
    if not is_phone(sms.phone):
        return Refused(code="phone", reason="not a phone number", suppress=True)
    try:
        "".join((sms.sign, sms.template, *sms.params, *sms.params.values())).encode()
    except UnicodeEncodeError:
        return Refused(code="text", reason="half a character that no encoding can carry")
    return None


def _calls(batch: Sequence[Sms], *, skip: Mapping[int, object]) -> list[list[int]]:
    """Which messages share a call: one template, and each phone once, to tell reports apart."""
    calls: list[list[int]] = []
    open_calls: dict[tuple[str, int], list[int]] = {}
    times: dict[tuple[str, str], int] = {}
    for index, sms in enumerate(batch):
        if index in skip:
            continue
        turn = times.get((sms.template, sms.phone), 0)
        times[sms.template, sms.phone] = turn + 1
        call = open_calls.get((sms.template, turn))
        if call is None or len(call) == MAX_BATCH:
            call = open_calls[sms.template, turn] = []
            calls.append(call)
        call.append(index)
    return calls


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _days(since: datetime, now: datetime) -> Iterator[date]:
    """The days in Beijing from now back to *since*, as far as the platform remembers."""
    last = now.astimezone(BEIJING).date()
    first = max(since, now - OLDEST).astimezone(BEIJING).date()
    for back in range((last - first).days + 1):
        yield last - timedelta(days=back)


def _listed(answer: Answer) -> Sequence[Mapping[str, Any]]:
    try:
        records = answer.data["SmsSendDetailDTOs"]["SmsSendDetailDTO"]
    except (KeyError, TypeError):
        return ()
    return [record for record in records if isinstance(record, Mapping)]


def _is_of(record: Mapping[str, Any], sent: Sent) -> bool:
    try:
        same_phone = read_phone(str(record.get("PhoneNum", ""))) == sent.phone
    except InvalidValueError:
        return False
    same_template = record.get("TemplateCode") == sent.template
    return same_phone and same_template and is_echo_of(str(record.get("OutId", "")), sent.key)


def _state(record: Mapping[str, Any]) -> Found:
    """SendStatus: 1 waits for the carrier's receipt, 2 failed, 3 arrived."""
    echo = str(record.get("OutId", ""))
    match record.get("SendStatus"):
        case 1:
            return Accepted(provider_id=echo)
        case 2:
            code = str(record.get("ErrCode", ""))
            return callbacks.outcome_of(False, code, echo)
        case 3:
            return callbacks.outcome_of(True, "", echo)
        case _:
            return Unknown(reason="QuerySendDetails: an unknown SendStatus")
