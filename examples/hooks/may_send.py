"""No marketing on days that the business keeps quiet: a day of mourning, a stocktaking."""

from __future__ import annotations

from datetime import date

import attrs

from scrmkit import Deny, Now, PluginContext, Purpose, Sending, hookimpl


@attrs.frozen(kw_only=True)
class QuietDaysSettings:
    """Settings of ``hooks.quiet-days``: days on the shop's calendar."""

    days: tuple[date, ...]


class QuietDays:
    """Refuses marketing on quiet days; what is owed to the customer still goes."""

    Settings = QuietDaysSettings

    def __init__(self, context: PluginContext[QuietDaysSettings]) -> None:
        self.days = frozenset(context.settings.days)

    @hookimpl
    def scrmkit_may_send(self, sending: Sending, now: Now) -> Deny | None:
        if sending.message.purpose is Purpose.MARKETING and now.local.date() in self.days:
            return Deny(code="quiet_day", reason="the business keeps quiet today")
        return None
