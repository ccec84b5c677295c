"""Named places where tests make this process die or a write fail."""

from __future__ import annotations

from collections.abc import Callable

_armed: dict[str, Callable[[], None]] = {}


def failpoint(name: str) -> None:
    """Do what a test armed this place with; nothing otherwise."""
    if name in _armed:
        _armed[name]()


def arm(name: str, action: Callable[[], None]) -> None:
    """From now on, do *action* whenever the place called *name* is reached."""
    _armed[name] = action


def disarm() -> None:
    """Forget every armed place."""
    _armed.clear()
