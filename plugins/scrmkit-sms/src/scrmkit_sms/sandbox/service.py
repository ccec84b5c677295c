"""The SMS service behind the gateway: accepts messages, and knows what became of them."""

from __future__ import annotations

import hashlib
import heapq
import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from scrmkit_sms.aliyun.codes import BEIJING
from scrmkit_sms.phones import region_of
from scrmkit_sms.sandbox import params as read
from scrmkit_sms.sandbox.errors import SmsApiError
from scrmkit_sms.sandbox.limits import FrequencyControl
from scrmkit_sms.sandbox.outcomes import LATE, ONCE_BROKEN, ending_of
from scrmkit_sms.sandbox.records import Record
from scrmkit_sms.sandbox.templates import SIGN, TEMPLATES, State, Template
from scrmkit_sms.segments import segment
from scrmkit_sms.texts import LONGEST, compose, fill


@attrs.frozen(kw_only=True)
class Accepted:
    """A call's messages are on their way; *late* is answered later than a client waits."""

    biz_id: str
    late: bool


class Service:
    """
    One account's state.

    Args:
        report_delay: How long a carrier takes to report.

    Attributes:
        balance: Messages that can still be billed, None for any number.
        opted_out: Numbers, E.164, whose owners replied that they want no more.
    """

    def __init__(self, report_delay: timedelta) -> None:
        self.report_delay = report_delay
        self.signs: dict[str, State] = {SIGN: "approved"}
        self.templates = {template.code: template for template in TEMPLATES}
        self.frequency = FrequencyControl()
        self.opted_out: set[str] = set()
        self.balance: int | None = None
        self.records: list[Record] = []
        self._of_phone: defaultdict[str, list[Record]] = defaultdict(list)
        self._waiting: list[tuple[datetime, int, Record]] = []
        self._turns = itertools.count()
        self._broken_once: set[str] = set()

    def send_sms(self, params: Mapping[str, str], now: datetime) -> Accepted:
        """
        SendSms.

        Raises:
            SmsApiError: Refused; nothing was sent.
        """
        return self._submit(read.read_send_sms(params), now)

    def send_batch_sms(self, params: Mapping[str, str], now: datetime) -> Accepted:
        """
        SendBatchSms.

        Raises:
            SmsApiError: Refused; nothing was sent.
        """
        return self._submit(read.read_send_batch(params), now)

    def query_send_details(self, params: Mapping[str, str], now: datetime) -> dict[str, Any]:
        """
        QuerySendDetails, the newest first.

        Raises:
            SmsApiError: Refused.
        """
        question = read.read_query(params, now)
        found = [
            record
            for record in reversed(self._of_phone[question.phone])
            if record.sent_at.astimezone(BEIJING).date() == question.day and question.biz_id in ("", record.biz_id)
        ]
        start = (question.page - 1) * question.page_size
        page = found[start : start + question.page_size]
        return {
            "TotalCount": str(len(found)),
            "SmsSendDetailDTOs": {"SmsSendDetailDTO": [record.detail() for record in page]},
        }

    def take_receipts(self, now: datetime) -> list[Record]:
        """The messages whose receipts have come since the last time, oldest first."""
        due = []
        while self._waiting and self._waiting[0][0] <= now:
            _, _, record = heapq.heappop(self._waiting)
            record.reported_at = record.due_at
            if self.balance is not None and record.ending.is_success:
                self.balance = max(self.balance - record.parts, 0)
            due.append(record)
        return due

    def _submit(self, submission: read.Submission, now: datetime) -> Accepted:
        template = self._template(submission.template_code)
        for item in submission.items:
            self._check_sign(item.sign)
            read.check_values(template, item.params)
        phones = [read.read_number(item.phone, template) for item in submission.items]
        self._break_once(phones)
        wanted = [(item.sign, phone) for item, phone in zip(submission.items, phones, strict=True)]
        limit = self.frequency.refusal(wanted, template, now)
        if limit:
            raise SmsApiError("isv.BUSINESS_LIMIT_CONTROL", limit)
        biz_id = self._biz_id(submission, phones[0], now)
        records = [
            self._record(submission, item, phone, template, biz_id, now)
            for item, phone in zip(submission.items, phones, strict=True)
        ]
        if self.balance is not None and sum(record.parts for record in records) > self.balance:
            raise SmsApiError("isv.AMOUNT_NOT_ENOUGH")
        self.frequency.count(wanted, template, now)
        for record in records:
            self._keep(record)
        return Accepted(biz_id=biz_id, late=any(phone.endswith(LATE) for phone in phones))

    def _template(self, code: str) -> Template:
        template = self.templates.get(code)
        if template is None or template.state != "approved":
            raise SmsApiError("isv.SMS_TEMPLATE_ILLEGAL")
        return template

    def _check_sign(self, sign: str) -> None:
        if sign not in self.signs:
            raise SmsApiError("isv.SMS_SIGNATURE_ILLEGAL")
        if self.signs[sign] != "approved":
            raise SmsApiError("isv.SIGN_STATE_ILLEGAL")

    def _break_once(self, phones: Sequence[str]) -> None:
        fresh = {p for p in phones if p.endswith(ONCE_BROKEN)} - self._broken_once
        if fresh:
            self._broken_once |= fresh
            raise SmsApiError("isp.SYSTEM_ERROR")

    def _record(
        self, submission: read.Submission, item: read.Wanted, phone: str, template: Template, biz_id: str, now: datetime
    ) -> Record:
        content = compose(fill(template.text, item.params), sign=item.sign, purpose=None)
        if len(content) > LONGEST:
            raise SmsApiError("isv.PARAM_LENGTH_LIMIT")
        return Record(
            sent_at=now,
            phone=phone,
            sign=item.sign,
            template=template,
            params=dict(item.params),
            content=content,
            parts=segment(content, region=region_of(phone)).parts,
            out_id=submission.out_id,
            biz_id=biz_id,
            extension=submission.extension,
            ending=ending_of(phone, template, opted_out=phone in self.opted_out, at=now),
            due_at=now + self.report_delay,
        )

    def _keep(self, record: Record) -> None:
        self.records.append(record)
        self._of_phone[record.phone].append(record)
        if record.ending.err_code is not None:
            heapq.heappush(self._waiting, (record.due_at, next(self._turns), record))

    def _biz_id(self, submission: read.Submission, phone: str, now: datetime) -> str:
        """Eighteen digits, the same whatever the order in which concurrent calls arrive."""
        seed = f"{now.isoformat()}|{phone}|{submission.out_id}|{len(self._of_phone[phone])}"
        digest = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big")
        return f"{10**17 + digest % (9 * 10**17)}^0"
