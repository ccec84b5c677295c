"""Chance: replayable, fair, and of no use to who only sees some draws."""

from __future__ import annotations

import copy
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit.domain.chance import Chance

SEED = (b"a secret", b"main", b"order.paid|1", b"bargain")


def draws(chance: Chance, *limits: int) -> list[int]:
    return [chance.randbelow(limit) for limit in limits]


def test_equal_seeds_draw_the_same():
    limits = (2, 10, 1_000, 10**30, 7)

    assert draws(Chance(*SEED), *limits) == draws(Chance(*SEED), *limits)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param((b"another secret", *SEED[1:]), id="secret"),
        pytest.param((SEED[0], b"branch", *SEED[2:]), id="tenant"),
        pytest.param((*SEED[:2], b"order.paid|2", SEED[3]), id="touchpoint"),
        pytest.param((*SEED[:3], b"group-buy"), id="plugin"),
    ],
)
def test_another_seed_draws_otherwise(other: tuple[bytes, ...]):
    assert Chance(*SEED).randbelow(2**64) != Chance(*other).randbelow(2**64)


def test_the_parts_of_a_seed_do_not_run_into_each_other():
    assert Chance(b"ab", b"c").randbelow(2**64) != Chance(b"a", b"bc").randbelow(2**64)


def test_one_chance_draws_anew_each_time():
    assert len(set(draws(Chance(*SEED), *[2**64] * 50))) == 50


@given(limit=st.integers(1, 2**200), seed=st.binary())
def test_a_draw_is_below_its_limit(limit: int, seed: bytes):
    assert 0 <= Chance(seed).randbelow(limit) < limit


@pytest.mark.parametrize("limit", [0, -1])
def test_there_is_nothing_to_draw_below_one(limit: int):
    with pytest.raises(ValueError, match="at least 1"):
        Chance(*SEED).randbelow(limit)


def test_every_value_comes_about_equally_often():
    chance = Chance(b"fair")
    counts = Counter(chance.randbelow(6) for _ in range(12_000))

    # Chi-squared with 5 degrees of freedom; the draws are fixed, so this never flickers.
    assert sum((count - 2_000) ** 2 / 2_000 for count in counts.values()) < 20.5
    assert sorted(counts) == list(range(6))


def test_the_repr_tells_nothing():
    assert repr(Chance(*SEED)) == "Chance(...)"


def test_a_copy_that_is_not_drawn_from_does_not_move_the_original():
    chance = Chance(*SEED)
    copy.copy(chance).randbelow(10)

    assert chance.randbelow(2**64) == Chance(*SEED).randbelow(2**64)
