"""Lifecycle stages and bands."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit_value_score import BANDS, Bands, Stage, Stages, band_of, stage_of

TODAY = 738_000
RETAIL = Stages()
RISING = [Stage.LEAD, Stage.NEW, Stage.RETURNED, Stage.ACTIVE, Stage.SILENT, Stage.DORMANT, Stage.LOST]


@pytest.mark.parametrize(
    ("days_ago", "expected"),
    [
        pytest.param([], Stage.LEAD, id="no order"),
        pytest.param([0], Stage.NEW, id="a first order today"),
        pytest.param([30], Stage.NEW, id="thirty days after the first order"),
        pytest.param([31], Stage.ACTIVE, id="a day later"),
        pytest.param([200, 90], Stage.ACTIVE, id="ninety days are active"),
        pytest.param([200, 91], Stage.SILENT, id="ninety-one are silent"),
        pytest.param([400, 181], Stage.DORMANT, id="half a year is dormant"),
        pytest.param([800, 365], Stage.DORMANT, id="a year is dormant"),
        pytest.param([800, 366], Stage.LOST, id="longer is lost"),
        pytest.param([211, 30], Stage.RETURNED, id="back after dormancy"),
        pytest.param([212, 31], Stage.ACTIVE, id="returned for thirty days only"),
        pytest.param([210, 30], Stage.ACTIVE, id="silence is nothing to return from"),
        pytest.param([500, 20, 5], Stage.RETURNED, id="a second order since the return"),
        pytest.param([500, 40, 5], Stage.ACTIVE, id="a second order long since the return"),
    ],
)
def test_the_stage_follows_from_the_days_of_orders(days_ago, expected):
    assert stage_of([TODAY - days for days in days_ago], TODAY, RETAIL) is expected


def test_stages_can_be_those_of_food_and_beverage():
    food = Stages(new_days=14, active_days=30, silent_days=60, dormant_days=180)

    found = [stage_of([TODAY - days], TODAY, food) for days in (30, 60, 180, 181)]

    assert found == [Stage.ACTIVE, Stage.SILENT, Stage.DORMANT, Stage.LOST]


@given(days_ago=st.sets(st.integers(0, 900), max_size=6), idle=st.integers(min_value=0, max_value=900))
def test_without_a_new_order_a_stage_only_moves_on(days_ago, idle):
    order_days = sorted(TODAY - days for days in days_ago)

    now, later = (stage_of(order_days, TODAY + days, RETAIL) for days in (0, idle))

    assert RISING.index(later) >= RISING.index(now)


@pytest.mark.parametrize(
    ("hundredths", "previous", "expected"),
    [
        pytest.param(7_500, None, "S", id="the edge belongs to the band"),
        pytest.param(7_499, None, "A", id="below the edge"),
        pytest.param(0, None, "D", id="nothing"),
        pytest.param(7_499, "S", "S", id="just below the edge the band is kept"),
        pytest.param(7_300, "S", "S", id="two points below it is still kept"),
        pytest.param(7_299, "S", "A", id="clearly below it is left"),
        pytest.param(5_900, "S", "A", id="a long fall ends in the first band that keeps"),
        pytest.param(1_000, "S", "D", id="a free fall"),
        pytest.param(6_000, "B", "A", id="upwards the edge decides"),
        pytest.param(5_999, "B", "B", id="below the edge nobody rises"),
        pytest.param(6_000, "111", "A", id="another scorer's band says nothing"),
    ],
)
def test_a_band_is_kept_until_clearly_left_below(hundredths, previous, expected):
    assert band_of(hundredths, previous, Bands()) == expected


@given(hundredths=st.integers(0, 10_000), previous=st.sampled_from(BANDS))
def test_a_band_that_was_just_given_is_stable(hundredths, previous):
    given_now = band_of(hundredths, previous, Bands())

    assert band_of(hundredths, given_now, Bands()) == given_now
