"""The size of a batch changes nothing, and neither does the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy
from engine_stories import TWO_A_DAY, Case, Scene, plugins_of, stories, touchpoints_of
from engine_world import PLAYED, Played, Toy, engine_at, marketing, played, says, spring, state_of, text
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrmkit.domain import effects as e
from scrmkit.domain.decisions import Outcome
from scrmkit.domain.reads import Attributes
from scrmkit.engine import Engine
from scrmkit.persistence import schema
from scrmkit.testing import FakeRule

quick = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
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


# --- what once came out otherwise --------------------------------------------------------

NOTHING = Case()
JOINS = Case(moves=(e.Join(role="guest"),))
JOINS_AS_TWO = Case(moves=(e.Join(role="guest", data={"n": 2}),))
JOINS_LATER = Case(moves=(e.Emit(kind=PLAYED.name, step="x", payload=Played(case=0)),))
LEAVES = Case(moves=(e.Leave(role="guest"),))
IS_REFUSED = Case(moves=(*LEAVES.moves, e.CommitReservation(resource="stock", reservation="x")))


def writes(once: str, *, tell: bool = False) -> Case:
    """A message: one that must count, or one whose end is told and that no cap counts."""
    message = text(tell=True) if tell else marketing()
    return Case(moves=(e.Propose(message=message, once=once),))


@pytest.mark.parametrize(
    ("cases", "scenes", "cuts"),
    [
        pytest.param(
            [JOINS, JOINS_LATER, NOTHING], [((0,), 2), ((0,), 1), ((1,), 0)], [1, 2],
            id="the order of who joins through what is emitted",
        ),
        pytest.param(
            [JOINS, JOINS_AS_TWO, IS_REFUSED, LEAVES, NOTHING],
            [((0,), 0), ((1,), 1), ((0, 1), 4), ((0,), 2), ((0,), 3)], [1, 1, 1, 2],
            id="which part of a merged customer is left after a refusal",
        ),
        pytest.param(
            [writes("a")], [((2,), 0), ((2, 0), 0)], [2],
            id="the address of a message that is asked for again",
        ),
        pytest.param(
            [writes("a"), writes("b"), writes("c"), writes("d", tell=True)],
            [((0,), 0), ((0,), 1), ((0,), 3), ((0,), 2)], [1, 1, 2],
            id="a cap after a message that counts for none",
        ),
    ],
)  # fmt: skip
def test_a_batch_changes_nothing_about(
    new_sqlite: Callable[[], str], cases: list[Case], scenes: list[Any], cuts: list[int]
):
    story = [Scene(names=names, key="one", minutes=0, case=case) for names, case in scenes]
    touchpoints = touchpoints_of(story)

    one_by_one = told(new_sqlite(), cases, batches(touchpoints, [1]))
    in_parts = told(new_sqlite(), cases, batches(touchpoints, cuts))

    assert in_parts == one_by_one


def test_what_is_known_comes_in_one_order(engine_of: Callable[..., Engine]):
    rule = FakeRule(
        PLAYED.name,
        needs=lambda t: [Attributes(t.customer)],
        decide=lambda t, known, now: says(
            e.SetAttribute(name=t.payload.key, value=1), answer={"names": list(known[Attributes(t.customer)])}
        ),
    )
    engine = engine_of({"rule.tells": rule, "mechanic.toy": Toy(address=lambda t: ())})

    *_, last = engine.record_many([played(n, key) for n, key in enumerate("bac")])

    assert last.answers["tells"]["names"] == ["tells.a", "tells.b"]


# --- any story ---------------------------------------------------------------------------


@settings(quick, max_examples=40)
@given(stories(), cuts)
def test_a_batch_of_any_size_ends_the_same(new_sqlite: Callable[[], str], story: Story, sizes: list[int]):
    cases, scenes = story
    touchpoints = touchpoints_of(scenes)

    one_by_one = told(new_sqlite(), cases, batches(touchpoints, [1]))
    in_parts = told(new_sqlite(), cases, batches(touchpoints, sizes))

    assert in_parts == one_by_one


@settings(quick, max_examples=10)
@given(stories(), cuts)
def test_both_databases_end_the_same(new_sqlite: Callable[[], str], pg_url: str, story: Story, sizes: list[int]):
    cases, scenes = story
    touchpoints = touchpoints_of(scenes)

    here = told(new_sqlite(), cases, batches(touchpoints, [len(touchpoints)]))
    there = told(emptied(pg_url), cases, batches(touchpoints, sizes))

    assert there == here


@pytest.fixture
def pg_url(new_postgresql: Callable[[], str]) -> str:
    return new_postgresql()


# --- the order of what happened ----------------------------------------------------------


@settings(quick, max_examples=20)
@given(stories(joining=False), st.randoms(use_true_random=False), cuts)
def test_the_profile_is_the_same_in_whatever_order_it_arrives(
    new_sqlite: Callable[[], str], story: Story, random: Any, sizes: list[int]
):
    """Tags, attributes, consents and scores: the newest word wins, not the last one heard."""
    cases, scenes = story
    touchpoints = touchpoints_of(scenes)
    shuffled = list(touchpoints)
    random.shuffle(shuffled)

    in_order = profile(new_sqlite(), cases, batches(touchpoints, [1]))
    out_of_order = profile(new_sqlite(), cases, batches(shuffled, sizes))

    assert out_of_order == in_order


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
