"""The lifecycle stage and the band."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from scrmkit_value_score.settings import Bands, Stages


class Stage(enum.StrEnum):
    """
    Where a customer is in the lifecycle (生命周期).

    Without a new order a customer only moves on: from new or returned to
    active, silent, dormant and lost. A lead has no order.
    """

    LEAD = "lead"
    NEW = "new"
    RETURNED = "returned"
    ACTIVE = "active"
    SILENT = "silent"
    DORMANT = "dormant"
    LOST = "lost"


def stage_of(order_days: Sequence[int], as_of_day: int, stages: Stages) -> Stage:
    """
    The stage from the days of the orders that stand.

    Args:
        order_days: Rising, each once, none after *as_of_day*.
    """
    if not order_days:
        return Stage.LEAD
    if as_of_day - order_days[0] <= stages.new_days:
        return Stage.NEW
    since = as_of_day - order_days[-1]
    if since <= stages.active_days:
        return Stage.RETURNED if _came_back(order_days, as_of_day, stages) else Stage.ACTIVE
    if since <= stages.silent_days:
        return Stage.SILENT
    return Stage.DORMANT if since <= stages.dormant_days else Stage.LOST


def _came_back(order_days: Sequence[int], as_of_day: int, stages: Stages) -> bool:
    for at in range(len(order_days) - 1, 0, -1):
        if as_of_day - order_days[at] > stages.returned_days:
            return False
        if order_days[at] - order_days[at - 1] > stages.silent_days:
            return True
    return False


BANDS = ("D", "C", "B", "A", "S")
"""The bands, the lowest first."""


def band_of(hundredths: int, previous: str | None, bands: Bands) -> str:
    """
    The band of a score; a band is kept until the score is clearly below its edge.

    Args:
        previous: The band so far, None where there is none.
    """
    edges = [100 * edge for edge in (bands.c, bands.b, bands.a, bands.s)]
    plain = sum(hundredths >= edge for edge in edges)
    if previous not in BANDS:
        return BANDS[plain]
    lowered = sum(hundredths >= edge - 100 * bands.hysteresis for edge in edges)
    return BANDS[max(plain, min(lowered, BANDS.index(previous)))]
