"""Counts what platforms refuse, so that a template which was taken back is noticed the same day."""

from __future__ import annotations

from collections import Counter
from typing import Any

from scrmkit import DeliveryOutcome, PluginContext, Refused, Sending, hookimpl


class Refusals:
    """Counts refusals by channel and the platform's code."""

    def __init__(self, context: PluginContext[Any]) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    @hookimpl
    def scrmkit_delivered(self, sending: Sending, outcome: DeliveryOutcome) -> None:
        if isinstance(outcome, Refused):
            self.counts[sending.message.channel, outcome.code] += 1
