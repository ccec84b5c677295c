"""What a claim takes, and what of the table it looks at."""

from __future__ import annotations

import contextlib
import random
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from delivery_bench import MARKETING, START

from scrmkit.domain.messages import TryLater
from scrmkit.engine.outgoing import FOREVER, asleep_until
from scrmkit.engine.workset import WorkSet
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database, Wire, translated
from scrmkit.persistence.statements import Statement
from scrmkit.testing.fakes import FakeChannel
from scrmkit_worker import rows
from scrmkit_worker.rows import OutgoingRow

LANE = ("sms", "send")
SECOND = 1_000_000
HOUR = 3_600 * SECOND
NOW = 1_000 * HOUR
MINUTE = timedelta(minutes=1)


@pytest.fixture
def database(new_database) -> Iterator[Database]:
    made = Database(new_database(), durability="normal")
    yield made
    made.close()


def planned(
    id_: int, due_at: int = NOW, *, priority: int = 5, not_after: int = FOREVER, lane=LANE, tenant: str = "main"
) -> OutgoingRow:
    """A row as it was planned at ``NOW``."""
    return OutgoingRow(
        id=id_, tenant=tenant, key=str(id_), type="message", connector=lane[0], operation=lane[1], customer=1,
        person=1, plugin="rule", purpose="marketing", status="planned", code="ok", reason="", priority=priority,
        due_at=due_at, not_after=not_after, planned_at=NOW, settled_at=None, attempts=0,
        leased_until=asleep_until("planned", due_at, NOW), provider_id=None, address=None, slot=None,
        reply_to=None, touchpoint=1,
    )  # fmt: skip


def store(database: Database, these: list[OutgoingRow]) -> None:
    names = [column.name for column in schema.outgoing.columns]
    values = [[getattr(row, name) for name in names] for row in these]
    database.transaction(lambda wire: wire.many(wire.statements.insert(schema.outgoing), values), "test")


def claim(database: Database, at: int, limit: int, lane=LANE) -> list[int]:
    """Take what is due; the ids."""

    def work(wire: Wire) -> list[int]:
        return [row.id for row in rows.claim(WorkSet(wire), lane, at, at + HOUR, limit)]

    return database.transaction(work, "test")


# --- the order ---------------------------------------------------------------------------------


def test_claims_take_the_most_urgent_of_what_is_due_whenever_it_was_planned_for(database: Database):
    chance = random.Random(1)
    waiting = [
        planned(
            id_,
            NOW + chance.choice((0, 5 * SECOND, HOUR, 2 * HOUR)) + chance.randrange(3) * SECOND,
            priority=chance.choice((1, 5)),
            not_after=chance.choice((FOREVER, NOW + 5 * HOUR, NOW + 6 * HOUR)),
            tenant=chance.choice(("one", "two")),
        )
        for id_ in range(1, 121)
    ]
    store(database, waiting)

    for at in (NOW, NOW + 6 * SECOND, NOW + HOUR + SECOND, *[NOW + 3 * HOUR] * 6):
        ready = [row for row in waiting if row.due_at <= at]
        ready.sort(key=lambda row: (row.priority, row.not_after, row.id))
        assert claim(database, at, 20) == [row.id for row in ready[:20]]
        waiting = [row for row in waiting if row not in ready[:20]]

    assert waiting == []


def test_a_lane_takes_only_its_own(database: Database):
    store(database, [planned(1, lane=("sms", "code")), planned(2, NOW + HOUR, lane=("mail", "send")), planned(3)])

    assert [claim(database, NOW + HOUR, 9, lane) for lane in (LANE, ("mail", "send"))] == [[3], [2]]


def test_a_burst_that_wakes_holds_up_nothing_that_is_urgent(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rows, "MANY", 3)
    broadcast = [planned(id_, NOW + HOUR) for id_ in range(1, 9)]
    code = planned(10, NOW + HOUR, not_after=NOW + 2 * HOUR)
    store(database, [*broadcast, code])

    first = claim(database, NOW + HOUR + 2 * SECOND, 2)
    rest = [claim(database, NOW + HOUR + 2 * SECOND, 2) for _ in range(5)]

    assert first == [10, 1]
    assert [id_ for ids in rest for id_ in ids] == [2, 3, 4, 5, 6, 7, 8]


def test_what_is_tried_again_soon_waits_for_no_burst(make_quick_bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rows, "MANY", 1)
    bench = make_quick_bench(sms=FakeChannel(max_batch=1))
    for who in range(1, 5):
        bench.say(f"broadcast {who}", who=who, not_before=START + MINUTE)
    bench.run(timedelta(seconds=55))
    bench.sms.will(TryLater(reason="busy", after=timedelta(seconds=10)))
    bench.say("welcome", who=9, not_after=bench.clock.now() + timedelta(seconds=20))
    bench.run()

    bench.run(10)

    assert bench.sms.texts == ["welcome", *(f"broadcast {who}" for who in range(1, 5))]


def test_everything_of_a_burst_leaves(make_bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rows, "MANY", 2)
    bench = make_bench(sms=FakeChannel(max_batch=3))
    for who in range(1, 11):
        bench.say(who=who, not_before=START + 10 * MINUTE)

    early, done = bench.run(10 * MINUTE - timedelta(seconds=1)), bench.run(1)

    assert (early.sent, done.sent) == (0, 10)


def test_what_the_last_look_puts_off_sleeps_until_it_is_due(make_bench):
    bench = make_bench()
    bench.consent(1)
    bench.say(purpose=MARKETING)
    bench.run(timedelta(hours=10))  # in the quiet hours by now

    (row,) = bench.rows()

    assert (row.status, row.code, row.leased_until) == ("planned", "deferred", row.due_at)


# --- what is looked at -------------------------------------------------------------------------

_INDEX = "scrmkit_outgoing_lane_ix"


class Explaining(Wire):
    """Keeps the plan of each statement that it runs."""

    def __init__(self, database: Database) -> None:
        self._pooled = database.engine.raw_connection()
        self._raw: Any = self._pooled.driver_connection
        super().__init__(self._raw, database.statements)
        self._explain = "EXPLAIN QUERY PLAN" if database.dialect_name == "sqlite" else "EXPLAIN"
        self.plans: list[str] = []

    def close(self) -> None:
        self._pooled.close()

    def _note(self, statement: Statement, parameters: Any) -> None:
        with translated():
            cursor = self._raw.cursor()
            cursor.execute(f"{self._explain} {statement.sql}", tuple(parameters))
            self.plans.append("\n".join(str(row[-1]) for row in cursor.fetchall()))

    def rows(self, statement: Statement, parameters: Any = ()) -> list[Any]:
        self._note(statement, parameters)
        return super().rows(statement, parameters)

    def many(self, statement: Statement, rows: Any) -> int:
        self._note(statement, rows[0])
        return super().many(statement, rows)


@pytest.mark.parametrize(
    "others",
    [
        pytest.param({"due_at": NOW + 8 * HOUR}, id="put off until the morning"),
        pytest.param({"priority": 9}, id="due and less urgent"),
    ],
)
def test_a_claim_goes_through_the_index_of_its_lane_and_sorts_nothing(database: Database, others: dict[str, int]):
    store(database, [planned(id_, **others) for id_ in range(1, 20_001)])
    store(database, [planned(id_) for id_ in range(30_001, 30_101)])
    if database.dialect_name == "postgresql":
        with database.engine.begin() as connection:
            connection.exec_driver_sql(f"ANALYZE {schema.outgoing.name}")

    with contextlib.closing(Explaining(database)) as wire:
        taken = rows.claim(WorkSet(wire), LANE, NOW, NOW + HOUR, 100)

    assert [row.id for row in taken] == list(range(30_001, 30_101))
    for plan, part in zip(wire.plans, ("leased_until>? AND leased_until<?", "leased_until=?"), strict=True):
        assert not re.search(r"Seq Scan|TEMP B-TREE|SCAN \w*outgoing", plan), plan
        looked_at = f"USING COVERING INDEX {_INDEX} (status=? AND connector=? AND operation=? AND {part})"
        if database.dialect_name == "postgresql":
            looked_at = f"->  Index Scan using {_INDEX} on "
            assert "LockRows" in plan.split(looked_at)[0].splitlines()[-2], plan
        assert looked_at in plan, plan
