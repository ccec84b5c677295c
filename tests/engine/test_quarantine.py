"""What plugins do wrong is told, counted and, in a row, stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy
from broken_plugins import VIP, Make, decides, good, needs, raises
from engine_world import health, rows, says, scanned

from scrmkit.domain.decisions import Decision
from scrmkit.domain.effects import Emit
from scrmkit.domain.kinds import Nothing
from scrmkit.engine import Engine
from scrmkit.errors import LoopError
from scrmkit.hooks import hookimpl
from scrmkit.testing import FakeRule, Observer


def test_every_failure_is_told_once(engine_of: Make):
    observer = Observer()
    bad = decides(raises(ValueError("canary")))
    engine = engine_of({"rule.bad": bad, "hooks.observer": observer})
    engine.record_many([scanned(n) for n in range(3)])

    assert [(f.plugin, f.hook, f.quarantined) for f in observer.failures] == [("bad", "decide", False)] * 3
    assert all(f.error.startswith("ValueError at broken_plugins.py:") for f in observer.failures)


def test_a_plugin_that_breaks_while_told_of_a_failure_is_counted_and_no_more(engine_of: Make):
    class Deaf:
        @hookimpl
        def scrmkit_plugin_failed(self, failure: Any) -> None:
            raise RuntimeError("canary")

    bad = decides(raises(ValueError("canary")))
    engine = engine_of({"rule.bad": bad, "hooks.deaf": Deaf()})
    engine.record(scanned(1))

    assert health(engine, "deaf").failures == 1


@pytest.mark.parametrize("size", [pytest.param(1, id="one by one"), pytest.param(30, id="at once")])
@pytest.mark.parametrize(
    ("rule", "what"),
    [
        pytest.param(lambda: decides(raises(ValueError())), "decide", id="decide raises"),
        pytest.param(lambda: decides(lambda *a: 7), "decide", id="decide returns a number"),
        pytest.param(lambda: decides(says("vip")), "effects", id="an effect is none"),
        pytest.param(lambda: needs(raises(ValueError())), "needs", id="needs raises"),
        pytest.param(lambda: needs([7]), "needs", id="needs returns a number"),
    ],
)
def test_after_so_many_failures_in_a_row_a_plugin_is_asked_no_more(
    engine_on_sqlite: Make, size: int, rule: Callable[[], FakeRule], what: str
):
    engine = engine_on_sqlite({"rule.bad": rule(), "rule.good": good()}, quarantine_after=20)
    for start in range(0, 30, size):
        engine.record_many([scanned(n) for n in range(start, start + size)])

    found = health(engine, "bad")
    assert found.quarantined_at is not None
    assert (found.failures, found.in_a_row) == (20, 20)
    assert found.last_error.startswith(f"{what}: ")
    assert len(rows(engine, "tag")) == 30


@pytest.mark.parametrize("size", [pytest.param(1, id="one by one"), pytest.param(60, id="at once")])
@pytest.mark.parametrize("part", ["decide", "needs"])
def test_a_good_decision_ends_the_row(engine_on_sqlite: Make, size: int, part: str):
    """A failure at every second touchpoint never makes a row, whatever the batch."""

    def every_second(touchpoint: Any, *_: Any) -> Any:
        if int(touchpoint.key[1:]) % 2:
            raise ValueError("odd")
        return None if part == "decide" else ()

    rule = FakeRule("entrance.scanned", decide=every_second if part == "decide" else None)
    if part == "needs":
        rule.needs = every_second
    engine = engine_on_sqlite({"rule.bad": rule}, quarantine_after=5)
    for start in range(0, 60, size):
        engine.record_many([scanned(n) for n in range(start, start + size)])

    found = health(engine, "bad")
    assert (found.failures, found.in_a_row, found.quarantined_at) == (30, 1, None)


def test_a_slow_plugin_is_counted_and_stopped_and_its_decisions_stand(engine_on_sqlite: Make):
    def slow(*_: Any) -> Decision:
        time.sleep(0.02)
        return says(VIP)

    engine = engine_on_sqlite({"rule.slow": decides(slow)}, budget_ms=10, quarantine_after=3)
    engine.record_many([scanned(n) for n in range(5)])

    found = health(engine, "slow")
    assert (found.overruns, found.failures, found.in_a_row) == (3, 0, 3)
    assert found.quarantined_at is not None
    assert len(rows(engine, "tag")) == 3


def test_a_slow_need_makes_a_row_too(engine_on_sqlite: Make):
    rule = FakeRule("entrance.scanned", decide=says(VIP))
    rule.needs = lambda touchpoint: time.sleep(0.02) or ()
    engine = engine_on_sqlite({"rule.slow": rule}, budget_ms=10, quarantine_after=3)
    for number in range(5):
        engine.record(scanned(number))

    assert health(engine, "slow").overruns == 3
    assert health(engine, "slow").quarantined_at is not None


def test_quarantine_outlives_a_restart(database_url: str, engines: Callable[..., Engine]):
    bad = decides(raises(ValueError()))
    first = engines(database_url, {"rule.bad": bad}, quarantine_after=3)
    first.record_many([scanned(n) for n in range(3)])
    first.close()

    again = decides(says(VIP))
    second = engines(database_url, {"rule.bad": again}, quarantine_after=3)
    second.record(scanned(9))

    assert again.touchpoints == []
    assert health(second, "bad").failures == 3
    assert health(second, "bad").quarantined_at is not None


def test_two_processes_count_together(new_postgresql, engines: Callable[..., Engine]):
    url = new_postgresql()
    one, two = (engines(url, {"rule.bad": decides(raises(ValueError())), "rule.good": good()}) for _ in range(2))
    one.record_many([scanned(n) for n in range(3)])
    two.record_many([scanned(n) for n in range(3, 8)])

    assert rows(one, "plugin_health", "plugin", "failures") == [("bad", 8)]


def test_a_quarantine_by_one_process_is_not_lifted_by_another(new_postgresql, engines: Callable[..., Engine]):
    url = new_postgresql()
    broken = [True]

    def sometimes(*_: Any) -> Any:
        if broken[0]:
            raise ValueError("broken")

    one, two = (engines(url, {"rule.bad": decides(sometimes)}, quarantine_after=3) for _ in range(2))
    one.record_many([scanned(n) for n in range(3)])
    two.record(scanned(8))
    broken[0] = False
    two.record(scanned(9))

    assert rows(one, "plugin_health", "quarantined_at") != [(None,)]


def _loops(touchpoint: Any, known: Any, now: Any) -> Decision | None:
    """Never ends with the fifth touchpoint, nor with what that leads to."""
    again = (Emit(kind="entrance.scanned", step="again", payload=Nothing()),)
    endless = touchpoint.key not in {f"s{number}" for number in range(4)}
    return Decision(reason="again", effects=again) if endless else None


@pytest.mark.parametrize("poisoned", [False, True], ids=["all go in", "one is parked"])
def test_a_failure_counts_once_however_often_its_batch_runs(engine_on_sqlite: Make, poisoned: bool):
    """A batch with a touchpoint that cannot be recorded runs again by halves."""
    engine = engine_on_sqlite(
        {"rule.bad": decides(raises(ValueError())), "rule.loops": decides(_loops)}, quarantine_after=5
    )
    engine.record_many([scanned(number) for number in range(5 if poisoned else 4)])

    assert len(rows(engine, "parked")) == poisoned
    assert (health(engine, "bad").failures, health(engine, "bad").quarantined_at) == (4, None)


def test_a_failure_in_what_a_host_rolls_back_is_not_counted(engine_on_sqlite: Make):
    """The host may record the same again."""
    engine = engine_on_sqlite({"rule.bad": decides(raises(ValueError())), "rule.loops": decides(_loops)})
    host = sqlalchemy.create_engine(engine.settings.database.reveal())
    with host.begin() as connection, engine.joined(connection) as joined:
        with pytest.raises(LoopError):
            joined.record_many([scanned(number) for number in range(5)])
        assert health(engine, "bad").failures == 0
        joined.record_many([scanned(number) for number in range(4)])
    host.dispose()

    assert health(engine, "bad").failures == 4
