"""What the sandbox keeps of each accepted message, and how it shows it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from scrmkit_sms.aliyun.codes import BEIJING
from scrmkit_sms.phones import bare
from scrmkit_sms.sandbox.outcomes import Ending
from scrmkit_sms.sandbox.templates import Template

WAITING, FAILED, ARRIVED = 1, 2, 3

_ERR_MSG: Mapping[str, str] = {
    "DELIVERED": "用户接收成功",
    "UNDELIV": "号码状态异常，如空号",
    "MBBLACK": "运营商黑名单",
    "GB:0008": "用户已退订",
    "R1:0210": "模板未含退订内容",
    "YX:9420": "夜间禁发营销短信",
    "SIGFAIL": "签名未报备",
    "KEYWORD": "内容含关键字",
}


@attrs.define(kw_only=True)
class Record:
    """
    One message to one number.

    Attributes:
        phone: E.164.
        content: The whole text as the phone shows it.
        due_at: When the carrier's receipt comes.
        reported_at: When it came, None before.
    """

    sent_at: datetime
    phone: str
    sign: str
    template: Template
    params: Mapping[str, str]
    content: str
    parts: int
    out_id: str
    biz_id: str
    extension: str
    ending: Ending
    due_at: datetime
    reported_at: datetime | None = None

    @property
    def status(self) -> int:
        """SendStatus: 1 waits for the receipt, 2 failed, 3 arrived."""
        if self.reported_at is None:
            return WAITING
        return ARRIVED if self.ending.is_success else FAILED

    def detail(self) -> dict[str, Any]:
        """The message as QuerySendDetails lists it."""
        shown: dict[str, Any] = {
            "PhoneNum": bare(self.phone),
            "SendStatus": self.status,
            "TemplateCode": self.template.code,
            "Content": self.content,
            "SendDate": beijing(self.sent_at),
        }
        if self.out_id:
            shown["OutId"] = self.out_id
        if self.reported_at is not None:
            shown["ErrCode"] = self.ending.err_code
            shown["ReceiveDate"] = beijing(self.reported_at)
        return shown

    def report(self) -> dict[str, Any]:
        """The receipt as SmsReport pushes it."""
        code = self.ending.err_code or ""
        shown: dict[str, Any] = {
            "phone_number": bare(self.phone),
            "send_time": beijing(self.sent_at),
            "report_time": beijing(self.reported_at or self.due_at),
            "success": self.ending.is_success,
            "err_code": code,
            "err_msg": _ERR_MSG.get(code, ""),
            "sms_size": str(self.parts),
            "biz_id": self.biz_id,
        }
        return shown | ({"out_id": self.out_id} if self.out_id else {})

    def received(self) -> dict[str, Any]:
        """The message as the control API lists it."""
        return {
            "phone": bare(self.phone),
            "content": self.content,
            "sign_name": self.sign,
            "template_code": self.template.code,
            "template_param": dict(self.params),
            "parts": self.parts,
            "out_id": self.out_id,
            "biz_id": self.biz_id,
            "extension": self.extension,
            "sent_at": self.sent_at.isoformat(),
            "status": {WAITING: "waiting", FAILED: "failed", ARRIVED: "delivered"}[self.status],
            "err_code": self.ending.err_code if self.reported_at is not None else None,
        }


def beijing(moment: datetime) -> str:
    """A moment as Dysmsapi writes it: Beijing time, without a zone."""
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")
