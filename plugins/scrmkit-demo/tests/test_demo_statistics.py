"""The report's counts equal numbers that were computed elsewhere, and say what they cannot know."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit.errors import InvalidValueError
from scrmkit_demo.orders import read_orders
from scrmkit_demo.report import statistics
from scrmkit_demo.report.data import Bin, Cohort, GridCell, Rate
from scrmkit_demo.report.statistics import Purchase

DATA = Path(__file__).parent / "data"
EXPECTED = json.loads((DATA / "cdnow_cohorts.json").read_text("utf-8"))
LAST_DAY = date(1998, 6, 30)
MONTHS = tuple(EXPECTED["monthly_active"])


def read_sample() -> list[Purchase]:
    lines = (DATA / "cdnow_sample_ids.txt").read_text("utf-8").splitlines()
    sampled = {int(line) for line in lines if not line.startswith("#")}
    return [
        Purchase(order.customer_id, order.ordered_on, order.amount_fen)
        for order in read_orders()
        if order.customer_id in sampled
    ]


SAMPLE = read_sample()
COHORTS = {cohort.month: cohort for cohort in statistics.cohorts(SAMPLE, LAST_DAY)}


@pytest.mark.parametrize("month", MONTHS)
def test_the_activity_of_a_cohort_equals_the_reference(month):
    expected = EXPECTED["monthly_active"][month]

    assert COHORTS[month].size == expected["size"]
    assert list(COHORTS[month].active[:7]) == expected["active_by_month_0..6"]


@pytest.mark.parametrize("month", MONTHS)
def test_the_spending_of_a_cohort_equals_the_reference(month):
    expected = EXPECTED["cumulative_revenue_cents"][month]

    assert list(COHORTS[month].spend_fen[: len(expected)]) == expected


def test_repurchase_equals_the_reference():
    assert statistics.repeat_buyers(SAMPLE) == Rate(customers=EXPECTED["repeat_buyers"], of=2_357)
    for days in (90, 365):
        customers, of = EXPECTED[f"repurchase_within_{days}d_of_first"]
        assert statistics.repurchased_within(SAMPLE, days, LAST_DAY) == Rate(customers=customers, of=of)


def test_months_beyond_the_data_are_unknown_and_not_zero():
    assert [COHORTS[month].active.count(None) for month in MONTHS] == [0, 1, 2]
    assert all(len(cohort.active) == 18 for cohort in COHORTS.values())


def test_a_month_that_has_not_wholly_passed_is_unknown():
    purchases = [Purchase(1, date(2026, 1, 5), 100), Purchase(1, date(2026, 2, 5), 50)]

    assert statistics.cohorts(purchases, date(2026, 2, 27)) == (
        Cohort(month="2026-01", size=1, active=(1,), spend_fen=(100,)),
    )
    assert statistics.cohorts(purchases, date(2026, 2, 28)) == (
        Cohort(month="2026-01", size=1, active=(1, 1), spend_fen=(100, 150)),
    )


def test_what_comes_after_the_last_day_does_not_count():
    purchases = [Purchase(1, date(2026, 1, 5), 100), Purchase(2, date(2026, 3, 1), 100)]

    assert [c.month for c in statistics.cohorts(purchases, date(2026, 1, 31))] == ["2026-01"]


def test_a_customer_whose_time_is_not_over_is_not_yet_counted():
    purchases = [
        Purchase(1, date(2026, 1, 1), 100),
        Purchase(1, date(2026, 1, 11), 100),
        Purchase(2, date(2026, 1, 2), 100),
    ]

    assert statistics.repurchased_within(purchases, 10, date(2026, 1, 11)) == Rate(customers=1, of=1)


def test_two_orders_of_one_day_are_no_repurchase():
    purchases = [Purchase(1, date(2026, 1, 1), 100), Purchase(1, date(2026, 1, 1), 200)]

    assert statistics.repeat_buyers(purchases) == Rate(customers=0, of=1)


def test_nobody_gives_no_cohorts_and_a_rate_of_zero():
    assert statistics.cohorts([], LAST_DAY) == ()
    assert statistics.repeat_buyers([]).percent == 0


@given(st.lists(st.integers(0, 10_000)))
def test_a_histogram_loses_no_value(values):
    bins = statistics.histogram(values, low=0, high=10_000, width=500)

    assert sum(bar.count for bar in bins) == len(values)
    for bar in bins:
        last = bar.high == 10_000
        inside = [v for v in values if bar.low <= v < bar.high or (last and v == bar.high)]
        assert bar.count == len(inside)


def test_the_highest_value_counts_in_the_last_bar():
    assert statistics.histogram([10], low=0, high=10, width=5) == (
        Bin(low=0, high=5, count=0),
        Bin(low=5, high=10, count=1),
    )


@pytest.mark.parametrize(
    ("values", "width"),
    [
        pytest.param([11], 5, id="a value above"),
        pytest.param([-1], 5, id="a value below"),
        pytest.param([], 3, id="bars that leave a rest"),
        pytest.param([], 0, id="bars of no width"),
    ],
)
def test_a_histogram_that_would_lie_is_refused(values, width):
    with pytest.raises(InvalidValueError):
        statistics.histogram(values, low=0, high=10, width=width)


def test_the_grid_has_every_cell_and_counts_each_customer_once():
    grid = statistics.rfm_grid([(5, 1, 300), (5, 1, 200), (1, 5, 900)])

    assert len(grid) == 25
    assert [cell for cell in grid if cell.customers] == [
        GridCell(r=1, f=5, customers=1, spend_fen=900),
        GridCell(r=5, f=1, customers=2, spend_fen=500),
    ]


def test_a_score_outside_one_to_five_is_refused():
    with pytest.raises(InvalidValueError, match="1 to 5"):
        statistics.rfm_grid([(0, 3, 100)])
