"""What becomes of an accepted message: by number, by opt-out, by hour."""

from __future__ import annotations

from datetime import datetime

import attrs

from scrmkit_sms.aliyun.codes import BEIJING
from scrmkit_sms.sandbox.templates import Template
from scrmkit_sms.texts import OPT_OUT

LATE_SECONDS = 30.0
"""How late, in real seconds, the answer comes to a call with the ``late`` number."""

PROMOTION_FROM, PROMOTION_TO = 8, 22
"""The hours in Beijing in which carriers let promotions through, as ``[from, to)``.
Source: Tencent Cloud SMS, MarketingSendTimeConstraint, read 2026-11."""


@attrs.frozen(kw_only=True)
class Ending:
    """
    What becomes of a message.

    Attributes:
        err_code: The receipt's code, None for no receipt at all.
    """

    err_code: str | None
    about: str

    @property
    def is_success(self) -> bool:
        """Whether the phone has it."""
        return self.err_code == "DELIVERED"


DELIVERED = Ending(err_code="DELIVERED", about="arrives")
ONCE_BROKEN = "990003"
LATE = "990005"

BY_SUFFIX = {
    "990000": DELIVERED,
    "990001": Ending(err_code="UNDELIV", about="a dead number"),
    "990002": Ending(err_code="MBBLACK", about="black-listed by the carrier"),
    ONCE_BROKEN: Ending(err_code="DELIVERED", about="the first call fails with isp.SYSTEM_ERROR, then it arrives"),
    "990004": Ending(err_code=None, about="accepted, and no report ever"),
    LATE: Ending(err_code="DELIVERED", about=f"arrives, but the call is answered after {LATE_SECONDS:.0f} s"),
    "990006": Ending(err_code="SIGFAIL", about="the carrier does not know the signature"),
    "990007": Ending(err_code="KEYWORD", about="a forbidden word"),
}
"""Numbers that end so do not simply arrive. Six digits, so that few numbers do by chance."""

_OPTED_OUT = Ending(err_code="GB:0008", about="the customer has opted out")
_NO_WAY_OUT = Ending(err_code="R1:0210", about="a promotion without the opt-out text")
_NIGHT = Ending(err_code="YX:9420", about="a promotion at night")


def ending_of(phone: str, template: Template, *, opted_out: bool, at: datetime) -> Ending:
    """Say what becomes of a message accepted *at* this moment."""
    if template.type == "promotion":
        if opted_out:
            return _OPTED_OUT
        if not template.text.endswith(OPT_OUT):
            return _NO_WAY_OUT
        if not PROMOTION_FROM <= at.astimezone(BEIJING).hour < PROMOTION_TO:
            return _NIGHT
    return BY_SUFFIX.get(phone[-6:], DELIVERED)
