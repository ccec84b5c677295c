"""The size of a batch changes nothing, and neither does the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy
from engine_stories import TWO_A_DAY, Case, Scene, plugins_of, stories, touchpoints_of
from engine_world import engine_at, spring, state_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrmkit.domain.decisions import Outcome
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.persistence import schema

quick = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
Story = tuple[list[Case], list[Scene]]


def batches(touchpoints: Sequence[Any], cuts: Sequence[int]) -> Iterator[Sequence[Any]]:
    """Parts of the sizes *cuts*, over and over."""
    start = 0
    while start < len(touchpoints):
        for size in cuts:
            yield touchpoints[start : start + size]
            start += size


def plain(outcome: Outcome) -> Any:
    """An outcome without ids."""
    said = [(d.plugin, d.instance, d.code, d.reason, d.effects) for d in outcome.decisions]
    return outcome.parked, outcome.duplicate, dict(outcome.answers), said


def told(url: str, cases: Sequence[Case], parts: Any) -> tuple[list[Any], list[Any]]:
    """What was answered, and what is there, after a story was recorded in parts."""
    with engine_at(url, plugins_of(cases), policy=TWO_A_DAY) as engine:
        engine.publish(spring())
        outcomes = [plain(one) for part in parts for one in engine.record_many(part)]
        found = [engine.calls.health[name].last_error for name in ("tells", "toy")]
        return [*outcomes, *found], state_of(engine)


def emptied(url: str) -> str:
    """A database with nothing in it."""
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        names = ", ".join(schema.metadata.tables)
        connection.execute(sqlalchemy.text(f"TRUNCATE {names}"))
    engine.dispose()
    return url


cuts = st.lists(st.integers(1, 6), min_size=1, max_size=4)


@settings(quick, max_examples=60)
@given(stories(), cuts)
def test_a_batch_of_any_size_ends_the_same(
    new_sqlite: Callable[[], str], story: Story, sizes: list[int]
):
    cases, scenes = story
    touchpoints = touchpoints_of(scenes)

    one_by_one = told(new_sqlite(), cases, batches(touchpoints, [1]))
    in_parts = told(new_sqlite(), cases, batches(touchpoints, sizes))

    assert in_parts == one_by_one


@settings(quick, max_examples=25)
@given(stories(), cuts)
def test_both_databases_end_the_same(
    new_sqlite: Callable[[], str], pg_url: str, story: Story, sizes: list[int]
):
    cases, scenes = story
    touchpoints = touchpoints_of(scenes)

    here = told(new_sqlite(), cases, batches(touchpoints, [len(touchpoints)]))
    there = told(emptied(pg_url), cases, batches(touchpoints, sizes))

    assert there == here


@pytest.fixture
def pg_url(new_postgresql: Callable[[], str]) -> str:
    return new_postgresql()


# --- the order of what happened ----------------------------------------------------------


@settings(quick, max_examples=40)
@given(stories(joining=False), st.randoms(use_true_random=False), cuts)
def test_the_profile_is_the_same_in_whatever_order_it_arrives(
    new_sqlite: Callable[[], str], story: Story, random: Any, sizes: list[int]
):
    """Tags, attributes, consents and scores: the newest word wins, not the last one heard."""
    cases, scenes = story
    touchpoints = [profile_only(t) for t in touchpoints_of(scenes)]
    shuffled = list(touchpoints)
    random.shuffle(shuffled)

    in_order = profile(new_sqlite(), cases, batches(touchpoints, [1]))
    out_of_order = profile(new_sqlite(), cases, batches(shuffled, sizes))

    assert out_of_order == in_order


def profile_only(touchpoint: Touchpoint[Any]) -> Touchpoint[Any]:
    """Without a draw of the order in it: each at its own moment or with its own key."""
    return touchpoint


def profile(url: str, cases: Sequence[Case], parts: Any) -> dict[str, list[Any]]:
    """What is known of customers by their names, after a story."""
    without = [Case(profile=case.profile) for case in cases]
    with engine_at(url, plugins_of(without), policy=TWO_A_DAY) as engine:
        for part in parts:
            engine.record_many(part)
        tables = ("tag", "attribute", "consent", "score")
        found: dict[str, list[Any]] = {name: [] for name in tables}
        for _, part, row in state_of(engine):
            if part in found:
                found[part].append(row)
        return found
