"""Named places where tests make this process die or a write fail."""

from __future__ import annotations

from collections.abc import Callable

ARMED: dict[str, Callable[[], None]] = {}
"""What tests do at which places; empty outside them."""


def failpoint(name: str) -> None:
    """Do what a test armed this place with; nothing otherwise."""
    if name in ARMED:
        ARMED[name]()
