"""What expressions about shops and about what happened mean, in memory and in SQL."""

from __future__ import annotations

from typing import Any

import pytest
from segment_makers import (
    DAY,
    EQUAL,
    INSTANT,
    LEAST,
    LESS,
    MORE,
    OTHER,
    SEEN,
    TODAY,
    bought,
    check_meaning,
    orders,
    refunded,
    same_person,
    since,
    spent,
)
from segment_world import NOW

from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit_audience.expressions import ActivityIs, BrandIs, Expression, Measure, Not, Seen, ShopIs

CASES = {
    "the last shop": ([bought(1, NOW - DAY, shop="a"), bought(2, NOW, shop="b")], ShopIs(ids=("b",)), True),
    "a shop before the last": ([bought(1, NOW - DAY, shop="a"), bought(2, NOW, shop="b")], ShopIs(ids=("a",)), False),
    "any shop ever": (
        [bought(1, NOW - DAY, shop="a"), bought(2, NOW, shop="b")],
        ShopIs(ids=("a",), seen=Seen.ANY),
        True,
    ),
    "what names no shop leaves the last one": (
        [bought(1, NOW - DAY, shop="a"), bought(2, NOW)],
        ShopIs(ids=("a",)),
        True,
    ),
    "of one moment the greater kind and key is last": (
        [bought(10, NOW, shop="a"), bought(9, NOW, shop="b")],
        ShopIs(ids=("b",)),
        True,
    ),
    "the last brand": ([bought(1, NOW, brand="x")], BrandIs(ids=("x", "y")), True),
    "no brand": ([SEEN], BrandIs(ids=("x",)), False),
    # activity
    "two orders": ([bought(1, NOW), bought(2, NOW)], orders(EQUAL, 2), True),
    "no orders are fewer than three": ([SEEN], orders(LESS, 3), True),
    "no orders sum up to nothing": ([SEEN], spent(EQUAL, 0), True),
    "orders of merged customers count together": (
        [bought(1, NOW), bought(2, NOW, who=2), same_person(3, 1, 2)],
        orders(EQUAL, 2),
        True,
    ),
    "a window of one day starts with its first moment": ([bought(1, TODAY)], orders(EQUAL, 1, 1), True),
    "and not a moment earlier": ([bought(1, TODAY - INSTANT)], orders(EQUAL, 0, 1), True),
    "it ends with its last moment": ([bought(1, TODAY + DAY - INSTANT)], orders(EQUAL, 1, 1), True),
    "tomorrow is not seen": ([bought(1, TODAY + DAY)], orders(EQUAL, 0), True),
    "two days up to yesterday start": ([bought(1, TODAY - 2 * DAY)], orders(EQUAL, 1, 2, ago=1), True),
    "and end": ([bought(1, TODAY)], orders(EQUAL, 0, 2, ago=1), True),
    "nothing happens in an empty window": ([bought(1, NOW)], orders(EQUAL, 0, 0), True),
    "nothing is spent in an empty window": ([bought(1, NOW)], spent(EQUAL, 0, 0), True),
    "refunds leave the sum alone": ([bought(1, NOW, 300), refunded(2, NOW)], spent(EQUAL, 300), True),
    "but not the net sum": ([bought(1, NOW, 300), refunded(2, NOW)], spent(EQUAL, 200, net=True), True),
    "a refund counts when it happens": (
        [bought(1, NOW - 9 * DAY, 300), refunded(2, NOW, 300)],
        spent(EQUAL, -300, 7, net=True),
        True,
    ),
    "refunds have a sum of their own": (
        [refunded(2, NOW, 300)],
        ActivityIs(kind="order.refunded", measure=Measure.SUM, comparison=EQUAL, value=300),
        True,
    ),
    # days since
    "bought today is 0 days since": ([bought(1, TODAY)], since(EQUAL, 0), True),
    "the last moment of yesterday is 1 day since": ([bought(1, TODAY - INSTANT)], since(EQUAL, 1), True),
    "the first moment of yesterday too": ([bought(1, TODAY - DAY)], since(EQUAL, 1), True),
    "only the newest counts": ([bought(1, NOW - 9 * DAY), bought(2, NOW)], since(MORE, 3), False),
    "more than three days": ([bought(1, TODAY - 3 * DAY - INSTANT)], since(MORE, 3), True),
    "three days are not more than three": ([bought(1, TODAY - 3 * DAY)], since(MORE, 3), False),
    "at least three days": ([bought(1, TODAY - 3 * DAY)], since(LEAST, 3), True),
    "fewer than three days": ([bought(1, TODAY - 2 * DAY)], since(LESS, 3), True),
    "never is not more than three days": ([SEEN], since(MORE, 3), False),
    "never is not other than three days": ([SEEN], since(OTHER, 3), False),
    "not, of days since what never happened, is true": ([SEEN], Not(since(LESS, 3)), True),
}


@pytest.mark.parametrize(
    ("history", "expression", "is_in"), [pytest.param(*case, id=words) for words, case in CASES.items()]
)
def test_what_happened_means(engine: Engine, history: list[Touchpoint[Any]], expression: Expression, is_in: bool):
    check_meaning(engine, history, expression, is_in)
