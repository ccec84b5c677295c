"""Counts over plain rows: cohorts, histograms, the RFM grid, repurchase. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import accumulate
from typing import NamedTuple

from scrmkit.errors import InvalidValueError
from scrmkit_demo.report.data import Bin, Cohort, GridCell, Rate

RFM_SCORES = range(1, 6)


class Purchase(NamedTuple):
    """One order line as a plain row; a tuple of the three does as well."""

    customer: int
    day: date
    amount_fen: int


def cohorts(purchases: Iterable[Purchase], last_day: date) -> tuple[Cohort, ...]:
    """
    Group customers by the calendar month of their first purchase.

    Args:
        last_day: The last day of which all purchases are known; what comes after
            it is left out. A month that had not wholly passed by then is None.

    Returns:
        By month, each as long as the oldest one needs.
    """
    known = [purchase for purchase in purchases if purchase.day <= last_day]
    joined: dict[int, int] = {}
    for customer, day, _ in known:
        month = _month(day)
        joined[customer] = min(joined.get(customer, month), month)

    active: defaultdict[int, set[tuple[int, int]]] = defaultdict(set)
    spend: Counter[tuple[int, int]] = Counter()
    for customer, day, amount_fen in known:
        cohort, age = joined[customer], _month(day) - joined[customer]
        active[cohort].add((age, customer))
        spend[cohort, age] += amount_fen

    passed = _month(last_day + timedelta(days=1))
    length = passed - min(active, default=passed)
    return tuple(_cohort(first, active[first], spend, passed, length) for first in sorted(active))


def _cohort(
    first: int, active: set[tuple[int, int]], spend: Counter[tuple[int, int]], passed: int, length: int
) -> Cohort:
    by_age = Counter(age for age, _ in active)
    total_fen = tuple(accumulate(spend[first, age] for age in range(length)))
    seen = range(passed - first)
    return Cohort(
        month=f"{first // 12:04d}-{first % 12 + 1:02d}",
        size=len({customer for _, customer in active}),
        active=tuple(by_age[age] if age in seen else None for age in range(length)),
        spend_fen=tuple(total_fen[age] if age in seen else None for age in range(length)),
    )


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


def histogram(values: Iterable[int], *, low: int, high: int, width: int) -> tuple[Bin, ...]:
    """
    Count *values* in bars of equal *width* from *low* to *high*; *high* counts in the last bar.

    Raises:
        InvalidValueError: The bars do not fit, or a value lies outside.
    """
    if width <= 0 or high <= low or (high - low) % width:
        raise InvalidValueError(f"bars of {width} do not fill {low} to {high} without a rest")
    bars = (high - low) // width
    counts: Counter[int] = Counter()
    for value in values:
        if not low <= value <= high:
            raise InvalidValueError(f"{value} is outside {low} to {high}; widen the histogram")
        counts[min((value - low) // width, bars - 1)] += 1
    return tuple(Bin(low=low + n * width, high=low + (n + 1) * width, count=counts[n]) for n in range(bars))


def rfm_grid(rows: Iterable[tuple[int, int, int]]) -> tuple[GridCell, ...]:
    """
    Count customers and add up their spending by R and F.

    Args:
        rows: Per customer the R score, the F score (each 1 to 5) and the spending in fen.

    Returns:
        All 25 cells, the empty ones too.

    Raises:
        InvalidValueError: A score is not from 1 to 5.
    """
    customers: Counter[tuple[int, int]] = Counter()
    spend: Counter[tuple[int, int]] = Counter()
    for r, f, spend_fen in rows:
        if r not in RFM_SCORES or f not in RFM_SCORES:
            raise InvalidValueError(f"R and F are scores from 1 to 5, not {r} and {f}")
        customers[r, f] += 1
        spend[r, f] += spend_fen
    return tuple(
        GridCell(r=r, f=f, customers=customers[r, f], spend_fen=spend[r, f]) for r in RFM_SCORES for f in RFM_SCORES
    )


def repeat_buyers(purchases: Iterable[Purchase]) -> Rate:
    """Customers who bought on two or more days (复购), of all who bought."""
    days = _days(purchases)
    return Rate(customers=sum(len(bought) > 1 for bought in days.values()), of=len(days))


def repurchased_within(purchases: Iterable[Purchase], days: int, last_day: date) -> Rate:
    """
    Customers who bought again on a later day, at most *days* after their first.

    Counts only those whose time was over by *last_day*: the rest may yet buy.
    """
    window = timedelta(days=days)
    whole = {customer: bought for customer, bought in _days(purchases).items() if min(bought) + window <= last_day}
    again = sum(any(min(bought) < day <= min(bought) + window for day in bought) for bought in whole.values())
    return Rate(customers=again, of=len(whole))


def _days(purchases: Iterable[Purchase]) -> dict[int, set[date]]:
    days: defaultdict[int, set[date]] = defaultdict(set)
    for customer, day, _ in purchases:
        days[customer].add(day)
    return days
