"""Counts what was recorded, for a dashboard that may miss one after a crash."""

from __future__ import annotations

from collections import Counter
from typing import Any

from scrmkit import PluginContext, Touchpoint, hookimpl


class Meter:
    """Counts touchpoints by kind."""

    def __init__(self, context: PluginContext[Any]) -> None:
        self.counts: Counter[str] = Counter()

    @hookimpl
    def scrmkit_committed(self, touchpoint: Touchpoint[Any]) -> None:
        self.counts[touchpoint.kind] += 1
