"""Timers fire once, in due order, also late, and to their owner alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from delivery_bench import START, Speaker, phone, run_at_once, run_until_cut

from scrmkit import failpoints
from scrmkit.domain.effects import CancelTimer, StartTimer
from scrmkit.domain.kinds import MessageReceived
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import StorageUnavailableError
from scrmkit.persistence import schema
from scrmkit_worker import timers

MINUTE = timedelta(minutes=1)


def timer(key: str = "wake", minutes: float = 1) -> StartTimer:
    return StartTimer(key=key, due_at=START + minutes * MINUTE)


def fired(touchpoints) -> list[str]:
    return [one.payload.key for one in touchpoints if one.kind == "timer.due"]


def test_a_rules_timer_comes_back_to_it_with_its_customer(make_bench):
    bench = make_bench()
    bench.do(timer(), who=3)
    customer = bench.rows(schema.customer)[0].id

    bench.run(59)
    before = fired(bench.speaker.heard)
    done = bench.run(1)

    (due,) = [one for one in bench.speaker.heard if one.kind == "timer.due"]
    assert (before, done.timers) == ([], 1)
    assert (due.payload.key, due.payload.due_at, due.customer) == ("wake", START + MINUTE, customer)
    assert (due.occurred_at, due.to) == (START + MINUTE, None)
    assert bench.rows(schema.timer) == []


def test_an_instances_timer_reaches_that_instance_alone(make_bench):
    bench = make_bench()
    bench.do(timer("a"), box="b1")
    bench.do(timer("b"), box="b2")

    bench.run(60)

    assert [(one.to.key, one.payload.key) for one in bench.box.told] == [("b1", "a"), ("b2", "b")]
    assert fired(bench.speaker.heard) == []


def test_timers_fire_in_due_order_also_when_all_are_late(make_bench):
    bench = make_bench()
    for minutes in (3, 1, 2):
        bench.do(timer(f"m{minutes}", minutes))

    bench.clock.advance(timedelta(days=3))
    bench.run()

    assert fired(bench.speaker.heard) == ["m1", "m2", "m3"]


def test_how_late_it_is_can_be_seen(make_bench):
    nows = []

    class Seeing(Speaker):
        def decide(self, touchpoint, known, now):
            nows.append((touchpoint.kind, now.at, now.counts_at))
            return super().decide(touchpoint, known, now)

    bench = make_bench()
    bench.close()
    bench.speaker = Seeing(bench)
    bench.engine = bench.another()
    bench.do(timer())

    bench.run(timedelta(days=1))

    late = START + timedelta(days=1)
    assert nows[-1] == ("timer.due", late, late)


def test_a_cancelled_timer_never_fires(make_bench):
    bench = make_bench()
    bench.do(timer())
    bench.do(CancelTimer(key="wake"))

    bench.run(60)

    assert fired(bench.speaker.heard) == []


def test_a_timer_that_is_started_anew_fires_at_its_new_time(make_bench):
    bench = make_bench()
    bench.do(timer(minutes=1))
    bench.do(timer(minutes=2))

    bench.run(60)
    before = fired(bench.speaker.heard)
    bench.run(60)

    assert (before, fired(bench.speaker.heard)) == ([], ["wake"])


def test_a_timer_may_start_the_next_one(make_bench):
    bench = make_bench()
    bench.effects["wake"] = (StartTimer(key="again", due_at=START + 2 * MINUTE),)
    bench.do(timer())

    bench.run(180)

    assert fired(bench.speaker.heard) == ["wake", "again"]


def test_a_timer_that_starts_itself_for_a_time_that_has_been_does_not_run_in_circles(make_bench):
    bench = make_bench()
    bench.effects["wake"] = (timer(),)
    bench.do(timer())

    done = bench.run(60)

    assert (done.timers, fired(bench.speaker.heard)) == (2, ["wake"])
    assert bench.rows(schema.timer) == []


def test_more_timers_than_one_transaction_takes_all_fire(make_quick_bench, monkeypatch):
    monkeypatch.setattr(timers, "MANY", 3)
    bench = make_quick_bench()
    for number in range(7):
        bench.do(timer(f"k{number}"), who=number)

    done = bench.run(60)

    assert (done.timers, len(fired(bench.speaker.heard))) == (7, 7)


def test_tenants_have_timers_of_the_same_name(make_bench):
    bench = make_bench(tenants=["one", "two"])
    for tenant in ("one", "two"):
        bench.do(timer(), tenant=tenant)

    bench.run(60)

    due = [one for one in bench.speaker.heard if one.kind == "timer.due"]
    assert sorted(one.tenant for one in due) == ["one", "two"]


def test_timers_survive_a_restart(make_bench):
    bench = make_bench()
    bench.do(timer())
    bench.restart()

    bench.run(60)

    assert fired(bench.speaker.heard) == ["wake"]


@pytest.mark.parametrize("place", ["timers.fire.before_commit", "timers.fire.after_commit"])
def test_a_power_cut_neither_loses_nor_doubles_a_timer(make_bench, place):
    bench = make_bench()
    for number in range(3):
        bench.do(timer(f"k{number}"))
    bench.clock.advance(MINUTE)
    run_until_cut(bench, place)
    bench.run()

    assert len(bench.rows(schema.touchpoint, kind="timer.due")) == 3
    assert bench.rows(schema.timer) == []


def test_while_the_database_is_away_nothing_fires_and_then_everything(make_bench):
    bench = make_bench()
    bench.do(timer())

    def away() -> None:
        raise StorageUnavailableError("the disk is full")

    failpoints.ARMED["timers.fire.before_commit"] = away
    with pytest.raises(StorageUnavailableError):
        bench.run(60)
    failpoints.ARMED.clear()
    bench.run()

    assert len(bench.rows(schema.touchpoint, kind="timer.due")) == 1


def test_a_timer_that_the_database_refuses_is_put_aside_and_the_others_fire(make_bench):
    bench = make_bench()
    for number in range(5):
        bench.do(timer(f"k{number}", minutes=number / 10))
    poison = "k2"
    record_in = bench.engine.intake.record_in

    def refusing(wire, touchpoints):
        if any(one.payload.key == poison for one in touchpoints):
            raise OverflowError
        return record_in(wire, touchpoints)

    bench.engine.intake.record_in = refusing
    bench.run(60)

    assert fired(bench.speaker.heard) == ["k0", "k1", "k3", "k4"]
    assert [row.kind for row in bench.rows(schema.parked)] == ["timer.due"]
    assert bench.rows(schema.timer) == []


def test_the_timers_of_a_plugin_that_is_gone_wait_for_it(make_bench):
    bench = make_bench()
    bench.do(timer(), box="b1")
    bench.close()
    box, bench.box = bench.box, None
    bench.engine = bench.another()

    bench.run(60)
    waiting = len(bench.rows(schema.timer))
    bench.close()
    bench.box = box
    bench.engine = bench.another()
    bench.run()

    assert (waiting, fired(bench.box.told)) == (1, ["wake"])


def test_the_timers_of_a_plugin_in_quarantine_wait_for_it(make_quick_bench):
    bench = make_quick_bench()
    bench.do(timer())
    bench.engine.calls.health["speaker"].quarantined_at = 1

    bench.run(60)
    bench.engine.calls.health["speaker"].quarantined_at = None
    waiting = len(bench.rows(schema.timer))
    bench.run()

    assert (waiting, fired(bench.speaker.heard)) == (1, ["wake"])


def test_two_processes_fire_each_timer_once(make_postgresql_bench):
    bench = make_postgresql_bench()
    for number in range(30):
        bench.do(timer(f"k{number}"), who=number)
    other = bench.another()
    bench.clock.advance(MINUTE)

    run_at_once(bench.engine, other)
    other.close()

    assert len(bench.rows(schema.touchpoint, kind="timer.due")) == 30


def test_a_timer_of_one_who_was_merged_still_finds_the_customer(make_bench):
    bench = make_bench()
    bench.do(timer(), who=1)
    bench.do(who=2)
    bench.engine.record(
        Touchpoint(
            kind="message.received", key="both", occurred_at=START,
            payload=MessageReceived(text="it is me"), identities=(phone(1), phone(2)),
        )
    )  # fmt: skip

    bench.run(60)

    (due,) = [one for one in bench.speaker.heard if one.kind == "timer.due"]
    assert due.customer == min(row.id for row in bench.rows(schema.customer))
    assert bench.rows(schema.timer) == []
