"""How large the cuts are, against numbers measured elsewhere."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrmkit.domain.chance import Chance
from scrmkit.errors import InvalidValueError
from scrmkit_bargain import BargainRules, CutMode
from scrmkit_bargain.cuts import split_all

SPAN_FEN, HELPERS = 9_000, 10


def make_rules(**changes):
    return BargainRules(**{"list_fen": 9_900, "floor_fen": 900, "stock": 5, **changes})


def split_often(rules, runs):
    return [split_all(rules, Chance(seed.to_bytes(4, "big"))) for seed in range(runs)]


def test_double_mean_is_exact_and_fair_to_every_position():
    runs = split_often(make_rules(), 4_000)

    assert {sum(cuts) for cuts in runs} == {SPAN_FEN}
    assert {len(cuts) for cuts in runs} == {HELPERS}
    assert min(min(cuts) for cuts in runs) >= 1
    for position in range(HELPERS):
        mine = [cuts[position] for cuts in runs]
        assert statistics.fmean(mine) == pytest.approx(SPAN_FEN / HELPERS, rel=0.04)


def test_double_mean_spreads_wider_towards_the_end():
    # Of 20,000 measured splits: 518 fen at the first position, 690 at the last.
    runs = split_often(make_rules(), 4_000)

    assert statistics.pstdev(cuts[0] for cuts in runs) == pytest.approx(518, rel=0.05)
    assert statistics.pstdev(cuts[-1] for cuts in runs) == pytest.approx(690, rel=0.08)


def test_percent_is_exact_and_gives_the_first_friends_most():
    # The means of a measured simulation of the same rule.
    expected = [3132.1, 2057.1, 1328.3, 868.7, 561.2, 366.2, 238.3, 155.7, 101.3, 191.3]
    runs = split_often(make_rules(cut=CutMode.PERCENT), 4_000)

    assert {sum(cuts) for cuts in runs} == {SPAN_FEN}
    means = [statistics.fmean(cuts[position] for cuts in runs) for position in range(HELPERS)]
    assert means == pytest.approx(expected, rel=0.06)


@given(
    span=st.integers(1, 2_000),
    helpers=st.integers(2, 40),
    least=st.integers(1, 20),
    mode=st.sampled_from([CutMode.DOUBLE_MEAN, CutMode.PERCENT]),
    seed=st.binary(max_size=8),
)
def test_any_split_is_exact_and_no_cut_is_below_the_least(span, helpers, least, mode, seed):
    if helpers * least > span:
        with pytest.raises(InvalidValueError, match="do not fit"):
            make_rules(list_fen=span + 5, floor_fen=5, helpers=helpers, min_cut_fen=least, cut=mode)
        return
    rules = make_rules(list_fen=span + 5, floor_fen=5, helpers=helpers, min_cut_fen=least, cut=mode)

    cuts = split_all(rules, Chance(seed))

    assert (sum(cuts), len(cuts)) == (span, helpers)
    assert min(cuts) >= least


@given(low=st.integers(9, 5_000), width=st.integers(0, 5_000), seed=st.binary(max_size=8))
def test_a_range_stays_in_its_bounds_and_ends_on_the_floor(low, width, seed):
    rules = make_rules(cut=CutMode.RANGE, range_low_fen=low, range_high_fen=low + width)

    cuts = split_all(rules, Chance(seed))

    assert sum(cuts) == SPAN_FEN
    assert all(low <= cut <= low + width for cut in cuts[:-1])
    assert 1 <= cuts[-1] <= low + width


@pytest.mark.parametrize(
    ("fixed_fen", "expected"),
    [
        pytest.param(3_000, (3_000,) * 3, id="the floor is a multiple"),
        pytest.param(4_000, (4_000, 4_000, 1_000), id="the last one is shortened"),
        pytest.param(20_000, (9_000,), id="one cut past the floor is shortened"),
    ],
)
def test_a_fixed_cut(fixed_fen, expected):
    rules = make_rules(cut=CutMode.FIXED, fixed_fen=fixed_fen)

    assert split_all(rules, Chance(b"")) == expected


@settings(max_examples=20)
@given(seed=st.binary(min_size=1, max_size=8))
def test_equal_seeds_split_equally(seed):
    assert split_all(make_rules(), Chance(seed)) == split_all(make_rules(), Chance(seed))
