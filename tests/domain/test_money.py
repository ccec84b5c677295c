"""Splitting money: nothing is lost, and nobody is treated better without need."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit.domain.money import split_fen
from scrmkit.errors import InvalidValueError

weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=30)
totals = st.integers(0, 10**12)


@pytest.mark.parametrize(
    ("total_fen", "given_weights", "shares"),
    [
        pytest.param(100, [1, 1, 1], [34, 33, 33], id="the earlier gets the odd fen"),
        pytest.param(10, [1, 2, 7], [1, 2, 7], id="exact shares stay exact"),
        pytest.param(5, [0, 0], [3, 2], id="only zero weights share equally"),
        pytest.param(7, [0, 5], [0, 7], id="a zero weight gets nothing"),
        pytest.param(0, [3, 4], [0, 0], id="nothing to split"),
        pytest.param(1, [1, 3], [0, 1], id="the largest remainder gets the odd fen"),
        pytest.param(9, [5], [9], id="one gets all"),
    ],
)
def test_a_total_is_split(total_fen: int, given_weights: list[int], shares: list[int]):
    assert split_fen(total_fen, given_weights) == shares


@given(totals, weights)
def test_the_shares_sum_to_the_total(total_fen: int, given_weights: list[int]):
    assert sum(split_fen(total_fen, given_weights)) == total_fen


@given(totals, weights)
def test_no_share_is_a_whole_fen_from_its_exact_part(total_fen: int, given_weights: list[int]):
    shares = split_fen(total_fen, given_weights)
    whole = sum(given_weights) or len(given_weights)
    parts = given_weights if sum(given_weights) else [1] * len(given_weights)

    for share, part in zip(shares, parts, strict=True):
        assert abs(share * whole - total_fen * part) < whole


@given(weights, st.data())
def test_no_share_is_above_its_weight_where_the_total_is_not(given_weights: list[int], data: st.DataObject):
    total_fen = data.draw(st.integers(0, max(sum(given_weights), 0)))
    shares = split_fen(total_fen, given_weights)

    assert all(share <= w for share, w in zip(shares, given_weights, strict=True))


@pytest.mark.parametrize(
    ("total_fen", "given_weights"),
    [
        pytest.param(-1, [1], id="a negative total"),
        pytest.param(1, [1, -1], id="a negative weight"),
        pytest.param(1, [], id="no weight"),
    ],
)
def test_what_cannot_be_split_is_refused(total_fen: int, given_weights: list[int]):
    with pytest.raises(InvalidValueError, match="split a total"):
        split_fen(total_fen, given_weights)
