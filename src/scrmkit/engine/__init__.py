"""The engine: intake, deciding, planning, delivery, timers."""

from __future__ import annotations

from scrmkit.engine.asyncio_engine import AsyncEngine
from scrmkit.engine.broadcast import Broadcast
from scrmkit.engine.engine import Engine
from scrmkit.engine.joining import Joined
from scrmkit.engine.scoring import ScoringReport

__all__ = ["AsyncEngine", "Broadcast", "Engine", "Joined", "ScoringReport"]
