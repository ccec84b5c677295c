"""A local server that behaves like WeCom's customer contact, for tests, demos and development."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scrmkit.clock import Clock
    from scrmkit_wecom.sandbox.server import WecomSandbox

__all__ = ["create"]


def create(clock: Clock | None = None, seed: int = 0) -> WecomSandbox:
    """
    Make a sandbox of one company with one self-built app and three members.

    Needs ``scrmkit[web]``.

    Args:
        clock: The sandbox's own time; None for the machine's, which control calls can move.
        seed: Where credentials and ids come from: equal seeds, equal ids.
    """
    from scrmkit_wecom.sandbox.server import WecomSandbox

    return WecomSandbox(clock, seed)
