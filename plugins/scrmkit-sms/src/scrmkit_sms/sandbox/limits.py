"""
How often one number may be written to.

Source: Alibaba Cloud SMS, 短信发送频率限制, read 2026-11.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta

from scrmkit_sms.aliyun.codes import BEIJING
from scrmkit_sms.sandbox.templates import Template

_DAY = timedelta(days=1)

CODES_A_MINUTE = 1
CODES_AN_HOUR = 5
CODES_A_DAY = 10
CODES_A_DAY_OF_ALL = 40
OTHERS_A_DAY = 50


class FrequencyControl:
    """
    Counts accepted messages to each number (流控).

    Minutes and hours are natural ones in Beijing, a day is the 24 hours after
    a message. Numbers in *whitelist* are not counted.
    """

    def __init__(self) -> None:
        self.whitelist: set[str] = set()
        self._sent: defaultdict[Hashable, list[datetime]] = defaultdict(list)

    def refusal(self, wanted: Iterable[tuple[str, str]], template: Template, at: datetime) -> str:
        """
        Say which limit a call breaks, in the platform's words; empty for none.

        Args:
            wanted: Each signature and number of the call.
        """
        extra: defaultdict[Hashable, int] = defaultdict(int)
        for sign, phone in wanted:
            if phone in self.whitelist:
                continue
            for key, window, limit, name in _rules(sign, phone, template, at):
                earlier = sum(1 for moment in self._sent[key] if moment > window)
                extra[key, name] += 1
                if earlier + extra[key, name] > limit:
                    return f"触发{name}级流控Permits:{limit}"
        return ""

    def count(self, wanted: Iterable[tuple[str, str]], template: Template, at: datetime) -> None:
        """Remember an accepted call."""
        for sign, phone in wanted:
            keys = {key for key, *_ in _rules(sign, phone, template, at)}
            for key in keys:
                fresh = [moment for moment in self._sent[key] if moment > at - _DAY]
                self._sent[key] = [*fresh, at]


def _rules(sign: str, phone: str, template: Template, at: datetime) -> list[tuple[Hashable, datetime, int, str]]:
    """Each limit that applies: what it counts by, after which moment, how many, its name."""
    a_day_ago = at - _DAY
    if template.type == "international":
        return []
    if template.type != "code":
        return [((sign, template.code, phone), a_day_ago, OTHERS_A_DAY, "天")]
    local = at.astimezone(BEIJING)
    minute = local.replace(second=0, microsecond=0)
    # Counted are the moments after the window's start: one microsecond earlier takes it in.
    instant = timedelta(microseconds=1)
    own, everywhere = (sign, phone), phone
    return [
        (own, minute - instant, CODES_A_MINUTE, "分钟"),
        (own, minute.replace(minute=0) - instant, CODES_AN_HOUR, "小时"),
        (own, a_day_ago, CODES_A_DAY, "天"),
        (everywhere, a_day_ago, CODES_A_DAY_OF_ALL, "天"),
    ]
