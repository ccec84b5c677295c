"""A local server that behaves like Dysmsapi."""

from __future__ import annotations

from scrmkit.clock import Clock
from scrmkit_sms.sandbox.server import AliyunSmsSandbox


def create(clock: Clock | None = None, *, seed: int = 0) -> AliyunSmsSandbox:
    """
    Make a sandbox of Dysmsapi, not yet listening.

    Args:
        clock: Its time, perhaps shared with an engine; without one the
            machine's, which control calls move.
        seed: Where its ids and keys come from.
    """
    return AliyunSmsSandbox(clock, seed)
