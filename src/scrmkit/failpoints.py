"""Named places where tests make this process die or a write fail."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

_armed: dict[str, Callable[[], None]] = {}


def failpoint(name: str) -> None:
    """Do what a test armed this place with; nothing otherwise."""
    if _armed:
        action = _armed.get(name)
        if action is not None:
            action()


def arm(name: str, action: Callable[[], None]) -> None:
    """From now on, do *action* whenever the place called *name* is reached."""
    _armed[name] = action


def disarm() -> None:
    """Forget every armed place."""
    _armed.clear()


def arm_from(environ: str) -> None:
    """Arm ``name`` or ``name:n``: kill this process, as a power cut would, at the *n*-th time."""
    name, _, count = environ.partition(":")
    left = [int(count or 1)]

    def die() -> None:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    arm(name, die)
