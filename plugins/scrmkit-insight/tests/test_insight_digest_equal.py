"""Equal input gives equal digests, in whatever database, batches and order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from histories import histories, profiles, words
from hypothesis import given, settings
from hypothesis import strategies as st
from scripted import engine, phone, played, told

from scrmkit.errors import TenantRequiredError
from scrmkit_insight import Digest, Insight, digest


def fed(touchpoints: Sequence[Any], batch: int = 100, tenants: Sequence[str] = ("main",)) -> Digest:
    """The digest of a fresh database that took all of them."""
    with engine("sqlite:///:memory:", tenants=tenants) as made:
        for start in range(0, len(touchpoints), batch):
            outcomes = made.record_many(touchpoints[start : start + batch])
            assert not any(outcome.parked for outcome in outcomes)
        return digest(made.database)


def with_duplicates(touchpoints: list[Any], chance: random.Random) -> list[Any]:
    """The same with a fifth of it twice, in another order."""
    again = [*touchpoints, *chance.sample(touchpoints, len(touchpoints) // 5)]
    chance.shuffle(again)
    return again


@settings(max_examples=20, deadline=None)
@given(histories, st.sampled_from([1, 2, 3, 5]))
def test_the_size_of_a_batch_changes_nothing(touchpoints: list[Any], batch: int):
    assert fed(touchpoints, batch) == fed(touchpoints)


@pytest.mark.parametrize(
    "touchpoints",
    [
        pytest.param(
            [
                played("a", ["reserve", "seat", "x", 1, 5, 10]),
                played("a", ["release", "seat", "x"]),
                played("a", ["reserve", "seat", "x", 2, 5, 20]),
            ],
            id="a hold given back and taken again",
        ),
        pytest.param(
            [
                played("a", ["join", "player", 1]),
                played("a", ["join", "player", 2], who=[phone(2)]),
                played("a", ["leave", "player"]),
                played("a", ["join", "player", 3]),
            ],
            id="a player who comes back at the end",
        ),
        pytest.param(
            [
                played("a", ["join", "player", 1]),
                played("a", ["change", "player", 2]),
                played("a", ["leave", "player"]),
            ],
            id="a player who comes, changes and goes",
        ),
        pytest.param(
            [told(["post", "a", 5, None, "mine"]), told(["post", "b", -5, None, "mine"])], id="postings that cancel out"
        ),
        pytest.param(
            [told(["post", "a", 4, -5, "mine"]), told(["post", "b", 6, None, "mine"])],
            id="a debt after a posting with a floor",
        ),
        pytest.param(
            [played("a", ["say", "x", "service", None, None, True, 0]), played("a", who=[phone(2)])],
            id="an answer between two turns",
        ),
    ],
)
def test_one_batch_is_as_many_of_one_each(touchpoints: list[Any]):
    assert fed(touchpoints, 1) == fed(touchpoints)


@settings(max_examples=20, deadline=None)
@given(words, st.randoms(use_true_random=False))
def test_duplicates_and_order_change_nothing(touchpoints: list[Any], chance: random.Random):
    assert fed(with_duplicates(touchpoints, chance), 3) == fed(touchpoints)


@settings(max_examples=20, deadline=None)
@given(profiles, st.randoms(use_true_random=False))
def test_duplicates_and_order_change_no_profile_whoever_joins(touchpoints: list[Any], chance: random.Random):
    assert fed(with_duplicates(touchpoints, chance), 3).profile == fed(touchpoints).profile


def test_the_order_matters_where_the_first_one_wins():
    seats = [told(["reserve", "seat", name, 1, 1], who=[phone(number)]) for number, name in enumerate("ab")]

    one, other = fed(seats), fed(seats[::-1])

    assert one.value != other.value
    assert one.profile == other.profile


def test_the_digest_of_a_tenant_takes_no_notice_of_another():
    tenants = ("one", "two")
    acts = (["tag", "group", "name"], ["set", "name", "mine"], ["say", "hello"])
    own = [told(*acts, key="t1", tenant="one")]
    theirs = [told(*acts, ["tag", "group", "theirs"], key="t1", tenant="two")]

    alone, both = fed(own, tenants=tenants), fed([*own, *theirs], tenants=tenants)

    assert alone.tenants["one"] == both.tenants["one"]
    assert alone.tenants["two"] != both.tenants["two"]
    assert alone.value != both.value


def test_one_tenants_digest_can_be_asked_for(tmp_path: Path):
    with engine(f"sqlite:///{tmp_path / 'two.db'}", tenants=("one", "two")) as made:
        made.record(told(["tag", "group", "name"], tenant="one"))
        every, one = digest(made.database), digest(made.database, "one")

        assert Insight(made).digest() == every
        assert str(every) == every.value
        assert Insight(made).digest("one") == one
        assert one.value == every.tenants["one"]
        assert every.value != one.value
        with pytest.raises(TenantRequiredError):
            Insight(made).digest("three")


def test_equal_input_of_two_tenants_gives_them_equal_digests():
    touchpoints = [
        told(["tag", "group", "name"], ["remember", "mine"], key="t1", tenant=tenant) for tenant in ("one", "two")
    ]

    found = fed(touchpoints, tenants=("one", "two"))

    assert found.tenants["one"] == found.tenants["two"]


def test_asking_changes_nothing_and_answers_the_same(tmp_path: Path):
    with engine(f"sqlite:///{tmp_path / 'one.db'}") as made:
        made.record_many([played("one", ["join", "player"]), told(["say", "hello"])])

        assert digest(made.database) == digest(made.database)


def test_a_digest_shows_its_parts():
    found = fed([told(["tag", "group", "name"])])
    other = fed([told(["tag", "group", "other"], key="t")])

    assert {part for part in found.parts if found.parts[part] != other.parts[part]} == {"decision", "tag", "touchpoint"}
    assert attrs.evolve(found) == found
