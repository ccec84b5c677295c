"""A thin asynchronous face of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from scrmkit.domain.decisions import Outcome
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.engine import Engine


class AsyncEngine:
    """
    The engine for asyncio programs: each call runs on a thread, and callers share commits.

    A cancelled call may have been recorded all the same: recording it again is
    harmless and returns its outcome.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def record(self, touchpoint: Touchpoint[Any]) -> Outcome:
        """As ``Engine.record``."""
        return await asyncio.to_thread(self.engine.record, touchpoint)

    async def record_many(self, touchpoints: Sequence[Touchpoint[Any]]) -> list[Outcome]:
        """As ``Engine.record_many``."""
        return await asyncio.to_thread(self.engine.record_many, touchpoints)

    async def ask(self, touchpoint: Touchpoint[Any]) -> Outcome:
        """As ``Engine.ask``."""
        return await asyncio.to_thread(self.engine.ask, touchpoint)
