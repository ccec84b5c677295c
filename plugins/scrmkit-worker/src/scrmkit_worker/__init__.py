"""Does what is due, on threads of the engine's own process."""

from __future__ import annotations

from scrmkit_worker.worker import ThreadWorker

__all__ = ["ThreadWorker"]
