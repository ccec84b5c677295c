"""Short ways to write histories and expressions for tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
from segment_world import NOW, happening, note

from scrmkit.domain.messages import Purpose
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit_audience import Audience
from scrmkit_audience.expressions import ActivityIs, DaysSince, Expression, HasAttribute, HasConsent, HasTag, Measure
from scrmkit_audience.facts import Comparison

SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = datetime(2026, 3, 10, tzinfo=SHANGHAI)
"""The first moment of the day that ``NOW`` lies in."""
DAY, INSTANT = timedelta(days=1), timedelta(microseconds=1)
LESS, MORE, EQUAL = Comparison.BELOW, Comparison.ABOVE, Comparison.EQUAL
LEAST, OTHER = Comparison.AT_LEAST, Comparison.DIFFERENT
MARKETING = Purpose.MARKETING


def bought(number: int, at: datetime, fen: int = 100, who: int = 1, **more: Any) -> Touchpoint[Any]:
    return happening(number, "order.paid", [who], at, fen=fen, **more)


def refunded(number: int, at: datetime, fen: int = 100) -> Touchpoint[Any]:
    return happening(number, "order.refunded", [1], at, fen=fen)


def same_person(number: int, *people: int) -> Touchpoint[Any]:
    return happening(number, "contact.added", people, NOW)


def orders(comparison: Comparison, value: int, days: int | None = None, **more: Any) -> ActivityIs:
    return ActivityIs(kind="order.paid", comparison=comparison, value=value, days=days, **more)


def spent(comparison: Comparison, fen: int, days: int | None = None, **more: Any) -> ActivityIs:
    return orders(comparison, fen, days, measure=Measure.SUM, **more)


def since(comparison: Comparison, days: int) -> DaysSince:
    return DaysSince(kind="order.paid", comparison=comparison, days=days)


def size(comparison: Comparison, value: Any) -> HasAttribute:
    return HasAttribute(name="note.size", comparison=comparison, value=value)


def may(channel: str, *, granted: bool = True) -> HasConsent:
    return HasConsent(channel=channel, purpose=MARKETING, granted=granted)


SEEN = happening(1, "contact.added", [1], NOW)
VIP: Expression = HasTag(group="g", name="vip")
PART_OF_G = HasTag(group="g")


def tagged(number: int, at: datetime, days: int | None = None, who: int = 1) -> Touchpoint[Any]:
    return note(number, [who], at, tag=["g", "vip", days])


def untagged(number: int, at: datetime, who: int = 1) -> Touchpoint[Any]:
    return note(number, [who], at, untag=["g", "vip"])


def scored(number: int, at: datetime, *score: Any, who: int = 1) -> Touchpoint[Any]:
    return note(number, [who], at, score=list(score))


def check_meaning(engine: Engine, history: list[Touchpoint[Any]], expression: Expression, is_in: bool) -> None:
    """One customer in memory, and the only one in SQL."""
    outcomes = engine.record_many([attrs.evolve(one, tenant="north") for one in history])
    customer = outcomes[0].customer
    assert customer is not None
    audience = Audience(engine)
    assert audience.matches(expression, customer, tenant="north") is is_in
    assert list(audience.members(expression, tenant="north")) == [customer] * is_in
    assert audience.count(expression, tenant="north") == is_in
