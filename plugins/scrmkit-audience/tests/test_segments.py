"""Segments through an engine: tenants, pages, refusals and days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from segment_makers import DAY, EQUAL, LESS, SEEN, VIP, bought, orders, tagged
from segment_world import NOW
from sqlalchemy import select

from scrmkit.engine import Engine
from scrmkit.errors import InvalidValueError, TenantRequiredError, UnknownKindError, UnknownNameError
from scrmkit.persistence import schema
from scrmkit_audience import Audience
from scrmkit_audience.expressions import ActivityIs, And, DaysSince, Measure, Not, Segment, StageIs
from scrmkit_audience.facts import Calendar
from scrmkit_audience.segments import Segments


def test_a_customer_is_somebody_of_one_tenant(engine: Engine):
    here = engine.record(attrs.evolve(tagged(1, NOW), tenant="north")).customer
    there = engine.record(attrs.evolve(SEEN, tenant="south")).customer

    assert list(Audience(engine).members("tagged")) == [here]
    assert list(Audience(engine).members(VIP, tenant="south")) == []
    assert list(Audience(engine).members(Not(VIP), tenant="south")) == [there]
    with pytest.raises(UnknownNameError, match="no customer"):
        Audience(engine).matches(VIP, there or 0, tenant="north")


def test_a_segment_of_another_tenant_is_refused(engine: Engine):
    segment = Segment(name="tagged", expression=VIP, tenant="north")

    with pytest.raises(TenantRequiredError, match="of tenant 'north'"):
        Audience(engine).count(segment, tenant="south")


def test_a_moment_may_be_named(engine: Engine):
    engine.record(attrs.evolve(bought(1, NOW - 5 * DAY), tenant="north"))
    expression = orders(EQUAL, 1, 2)

    assert Audience(engine).count(expression, tenant="north") == 0
    assert Audience(engine).count(expression, tenant="north", as_of=NOW - 4 * DAY) == 1


def test_members_come_by_id_and_once_over_several_pages(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("scrmkit_audience.segments.PAGE", 2)
    history = [attrs.evolve(bought(n, NOW, who=n), tenant="north") for n in range(5)]
    customers = {outcome.customer for outcome in engine.record_many(history)}

    assert list(Audience(engine).members(orders(EQUAL, 1), tenant="north")) == sorted(customers)


@pytest.mark.parametrize(
    ("segment", "error", "words"),
    [
        pytest.param("taged", UnknownNameError, "did you mean 'tagged'", id="an unknown segment"),
        pytest.param(
            DaysSince(kind="order.payed", comparison=LESS, days=1),
            UnknownKindError,
            "did you mean 'order.paid'",
            id="an unknown kind, deep inside",
        ),
        pytest.param(
            ActivityIs(kind="contact.added", measure=Measure.SUM, comparison=LESS, value=1),
            InvalidValueError,
            "no amount",
            id="the sum of what has no amount",
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_at_once(engine: Engine, segment: Any, error: type[Exception], words: str):
    asked = segment if isinstance(segment, str) else Not(And((VIP, segment)))

    with pytest.raises(error, match=words):
        Audience(engine).members(asked, tenant="north")


def test_a_stage_that_nobody_says_is_refused(engine: Engine):
    settings = attrs.evolve(engine.settings, stage_from=None)
    segments = Segments(engine.database, engine.plugins, settings)

    with pytest.raises(UnknownNameError, match="stage_from"):
        segments.count(StageIs(stages=("new",)), "north", NOW)


def test_people_may_stand_in_a_further_statement(engine: Engine):
    engine.record(attrs.evolve(tagged(1, NOW), tenant="north"))
    people = Segments(engine.database, engine.plugins, engine.settings).people(VIP, "north", NOW).subquery()
    table = schema.identity
    clause = select(table.c.kind).join(people, table.c.person == people.c.person)

    with engine.database.reading() as wire:
        rows = wire.rows(*engine.database.statements.bound(clause))

    assert [tuple(row) for row in rows] == [("phone",)]


@pytest.mark.parametrize(
    ("as_of", "zone", "offset", "first"),
    [
        pytest.param(
            "2026-03-08T12:00-04:00", "America/New_York", 1, "2026-03-09T04:00Z",
            id="the day after the clocks go on is reached an hour earlier",
        ),
        pytest.param(
            "2026-03-08T12:00-04:00", "America/New_York", 0, "2026-03-08T05:00Z",
            id="the day itself starts by the old clock",
        ),
        pytest.param(
            "2011-12-31T12:00+14:00", "Pacific/Apia", -1, "2011-12-30T10:00Z",
            id="a day that was left out is empty",
        ),
        pytest.param(
            "2011-12-31T12:00+14:00", "Pacific/Apia", 0, "2011-12-30T10:00Z",
            id="and the next starts where it would have",
        ),
        pytest.param(
            "2024-04-26T12:00+03:00", "Africa/Cairo", 0, "2024-04-25T22:00Z",
            id="where midnight is left out the day starts at one",
        ),
        pytest.param(
            "2024-10-31T23:30+02:00", "Africa/Cairo", 1, "2024-10-31T22:00Z",
            id="where the last hour comes twice the day ends after the second",
        ),
    ],
)  # fmt: skip
def test_a_day_starts(as_of: str, zone: str, offset: int, first: str):
    calendar = Calendar(datetime.fromisoformat(as_of), ZoneInfo(zone))

    assert calendar.day(offset) == datetime.fromisoformat(first)


def test_a_day_is_measured_in_universal_time():
    twice = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/New_York"))
    calendar = Calendar(twice.replace(fold=1), ZoneInfo("America/New_York"))

    assert calendar.day(1) - calendar.day(0) == timedelta(hours=25)
    assert calendar.end.tzinfo is UTC
