"""One customer in memory and all in SQL: the same answer to every expression."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from segment_expressions import (
    ATTRIBUTES,
    BANDS,
    BRANDS,
    CHANNELS,
    GROUPS,
    KINDS,
    PURPOSES,
    RFM,
    SHOPS,
    STAGES,
    TAGS,
    VALUES,
    expressions,
    plain,
)
from segment_world import NOW, happening, make_engine, note

from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit.persistence import schema
from scrmkit_audience.expressions import Expression, matches
from scrmkit_audience.segments import Segments, facts_of

TENANTS = [f"t{number}" for number in range(3_000)]
ZONES = [ZoneInfo(name) for name in ("Asia/Shanghai", "America/New_York", "Pacific/Apia")]
PEOPLE = 3
_fresh = itertools.count()


@pytest.fixture(scope="module")
def sqlite_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path: Path = tmp_path_factory.mktemp("segments") / "scrmkit.db"
    with make_engine(f"sqlite:///{path}", TENANTS) as engine:
        yield engine


@pytest.fixture
def postgresql_engine(postgresql_url: str) -> Iterator[Engine]:
    with make_engine(postgresql_url, TENANTS) as engine:
        yield engine


@attrs.frozen(kw_only=True)
class World:
    """What happened to a few people, and when and where somebody asks about it."""

    history: list[Touchpoint[Any]]
    as_of: datetime
    zone: ZoneInfo


def moments(zone: ZoneInfo) -> list[datetime]:
    """The midnights of a few days and the last moments before them: few, so that they meet."""
    days = [NOW.date() - timedelta(days=back) for back in range(-1, 4)]
    midnights = [datetime.combine(day, time(), tzinfo=zone).astimezone(UTC) for day in days]
    last = [midnight - timedelta(microseconds=1) for midnight in midnights]
    return [at for at in (NOW, *midnights, *last) if at < NOW + timedelta(hours=20)]


some = st.sampled_from
details = st.one_of(
    st.builds(lambda *x: {"tag": x}, some(GROUPS), some(TAGS), some([None, 0, 1, 2])),
    st.builds(lambda *x: {"untag": x}, some(GROUPS), some(TAGS)),
    st.builds(lambda *x: {"consent": x}, some(CHANNELS), some(PURPOSES), st.booleans()),
    st.builds(lambda *x: {"score": x}, st.integers(0, 2), some(BANDS), some(RFM), some(STAGES)),
    st.builds(lambda name, x: {name.partition(".")[2]: x}, some(ATTRIBUTES), some(VALUES)),
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Some of the people turn out to be one; two words may be of one moment."""
    zone = draw(some(ZONES))
    at = some(moments(zone))
    person = st.integers(0, PEOPLE - 1)
    who = st.one_of(*[person.map(lambda one: [one])] * 5, st.just([0, 1]), st.just([1, 2]))
    happened = st.tuples(some(KINDS), st.integers(0, 2), some((None, *SHOPS)), some((None, *BRANDS)))
    events = st.tuples(who, at, st.one_of(happened, details, details))
    history: list[Touchpoint[Any]] = []
    for number in range(draw(st.integers(1, 24))):
        people, moment, what = draw(events)
        if isinstance(what, dict):
            history.append(note(number, people, moment, **what))
        else:
            kind, amount, shop, brand = what
            fen = 50 * amount
            made = happening(number, kind, people, moment, fen=fen, shop=shop, brand=brand)
            history.append(made)
    return World(history=history, as_of=draw(at), zone=zone)


def people_of(engine: Engine, tenant: str) -> list[int]:
    """The canonical customers of a tenant."""
    table = schema.customer
    with engine.database.engine.connect() as connection:
        rows = connection.execute(table.select().where(table.c.tenant == tenant))
        return sorted({row.person for row in rows})


def check(engine: Engine, world: World, asked: list[Expression]) -> None:
    tenant = TENANTS[next(_fresh) % len(TENANTS)]
    outcomes = engine.record_many([attrs.evolve(one, tenant=tenant) for one in world.history])
    assert not any(outcome.parked for outcome in outcomes)
    with engine.database.reading() as wire:
        facts = [facts_of(engine, wire, tenant, person) for person in people_of(engine, tenant)]
    here = attrs.evolve(engine.settings, zone=world.zone)
    segments = Segments(engine.database, engine.plugins, here)

    for expression in asked:
        one_by_one = [one.customer.id for one in facts if matches(expression, one, world.as_of, world.zone)]
        assert list(segments.members(expression, tenant, world.as_of)) == one_by_one
    # The last of them stands for all: the same condition counts and lists.
    assert segments.count(asked[-1], tenant, world.as_of) == len(one_by_one)


several = st.builds(
    lambda simple, joined: [*simple, *joined],
    st.lists(plain, min_size=25, max_size=25),
    st.lists(expressions, max_size=2),
)


@settings(max_examples=70, deadline=None)
@given(world=worlds(), asked=several)
def test_sqlite_agrees_with_memory(sqlite_engine: Engine, world: World, asked: list[Expression]):
    check(sqlite_engine, world, asked)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(world=worlds(), asked=several)
def test_postgresql_agrees_with_memory(postgresql_engine: Engine, world: World, asked: list[Expression]):
    check(postgresql_engine, world, asked)
