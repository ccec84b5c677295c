"""What an account has registered: signatures and templates."""

from __future__ import annotations

from typing import Literal

import attrs

TemplateType = Literal["code", "notice", "promotion", "international"]
State = Literal["approved", "waiting", "rejected"]

SIGN = "半城云"


@attrs.frozen(kw_only=True)
class Template:
    """
    A registered text (短信模板).

    Attributes:
        code: ``SMS_`` and digits.
        text: Without signature; its variables are written ``${name}``.
    """

    code: str
    text: str
    type: TemplateType = "notice"
    state: State = "approved"


NOTICE = Template(code="SMS_154950909", text="您的会员权益已更新，详情请到店咨询。")
"""Needs no variable, so that any client can send it."""

TEMPLATES = (
    NOTICE,
    Template(code="SMS_154950910", text="您的验证码为${code}，五分钟内有效，请勿告诉他人。", type="code"),
    Template(code="SMS_154950911", text="${name}，您预订的${item}已到店。"),
    Template(code="SMS_154950912", text="会员日全场八折，欢迎光临！拒收请回复R", type="promotion"),
    Template(code="SMS_154950913", text="会员日全场八折，欢迎光临！", type="promotion"),
    Template(code="SMS_154950914", text="Your order has shipped.", type="international"),
    Template(code="SMS_154950915", text="审核中的模板。", state="waiting"),
    Template(code="SMS_154950916", text="未通过的模板。", state="rejected"),
)
"""What a fresh sandbox knows. The second promotion lacks the opt-out text, as carriers mind."""
