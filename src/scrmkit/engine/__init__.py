"""The engine: intake, deciding, planning, delivery, timers."""

from __future__ import annotations

from scrmkit.engine.asyncio_engine import AsyncEngine
from scrmkit.engine.engine import Engine
from scrmkit.engine.joining import Joined

__all__ = ["AsyncEngine", "Engine", "Joined"]
