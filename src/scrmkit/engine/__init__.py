"""The engine: intake, deciding, planning, delivery, timers."""

from __future__ import annotations

from scrmkit.engine.engine import Engine, Joined

__all__ = ["Engine", "Joined"]
