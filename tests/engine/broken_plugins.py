"""Plugins that break their contract, in all sorts of ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from engine_world import says

from scrmkit.domain import effects as e
from scrmkit.domain.decisions import Decision
from scrmkit.domain.profile import TagSource
from scrmkit.engine import Engine
from scrmkit.testing import FakeRule

VIP = e.AddTag(group="level", name="vip", source=TagSource.MANUAL)
Make = Callable[..., Engine]
NAIVE = datetime(2026, 3, 1)  # noqa: DTZ001 - that is the mistake


def good() -> FakeRule:
    return FakeRule("entrance.scanned", "platform.noted", "toy.played", decide=says(VIP))


def raises(error: BaseException) -> Callable[..., Any]:
    def do(*_: Any, **__: Any) -> Any:
        raise error

    return do


def yields(*_: Any) -> Iterator[Any]:
    yield says(VIP)


async def awaits(*_: Any) -> Decision:
    return says(VIP)


class Unlistable:
    """Raises when it is looked through."""

    def __iter__(self) -> Iterator[Any]:
        raise RuntimeError("canary")


class Alien(BaseException):
    """What no ``except Exception`` catches."""


def decides(answer: Any) -> FakeRule:
    return FakeRule("entrance.scanned", decide=answer)


def needs(answer: Any) -> FakeRule:
    rule = FakeRule("entrance.scanned", decide=says(e.SetAttribute(name="bad", value=1)))
    rule.needs = answer if callable(answer) else lambda t: answer
    return rule
