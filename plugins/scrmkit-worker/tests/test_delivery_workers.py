"""Delivery on threads: at once, lanes apart, a stop that loses nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from delivery_bench import START, Bench, phone, run_at_once
from sqlalchemy import create_engine
from structlog.testing import capture_logs

from scrmkit import failpoints
from scrmkit.domain.effects import StartTimer
from scrmkit.domain.kinds import MessageReceived
from scrmkit.domain.messages import Accepted
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import StorageUnavailableError
from scrmkit.persistence import schema
from scrmkit.testing.fakes import FakeChannel, Hang
from scrmkit_worker import running

_PATIENCE_S = 30


def eventually(said: Callable[[], object]) -> None:
    """Wait until *said* is true; a test that waits for the whole patience has failed."""
    until = time.monotonic() + _PATIENCE_S
    while not said():
        assert time.monotonic() < until, "this never came true"
        time.sleep(0.005)


@contextmanager
def workers(bench: Bench, threads: int = 2) -> Iterator[None]:
    """Workers that run until the block ends."""
    bench.engine.start(threads=threads)
    try:
        yield
    finally:
        assert bench.engine.stop()


def test_what_is_planned_leaves_without_anybody_asking(make_bench):
    bench = make_bench()
    with workers(bench):
        bench.say()
        eventually(lambda: bench.statuses == ["accepted"])

    assert len(bench.sms.sent) == 1


def test_a_commit_wakes_its_lane_and_nobody_polls_for_it(make_quick_bench, monkeypatch):
    monkeypatch.setattr(running, "_POLL_S", 10_000.0)
    bench = make_quick_bench()
    with workers(bench):
        for number in range(5):
            bench.say(who=number)
            eventually(lambda number=number: len(bench.sms.sent) == number + 1)

    assert bench.statuses == ["accepted"] * 5


def test_what_becomes_due_leaves_by_itself(make_bench):
    bench = make_bench()
    bench.say(not_before=START + timedelta(hours=1))
    bench.do(StartTimer(key="wake", due_at=START + timedelta(hours=1)))
    with workers(bench):
        bench.clock.advance(timedelta(hours=1))
        eventually(lambda: bench.statuses == ["accepted"])
        eventually(lambda: bench.rows(schema.timer) == [])


def test_a_lane_that_hangs_holds_up_no_other(make_quick_bench):
    free = threading.Event()
    bench = make_quick_bench()
    bench.sms.will(Hang(until=free))
    bench.say()
    with workers(bench, threads=1):
        eventually(lambda: bench.sms.calls)
        bench.say(channel="mail")
        eventually(lambda: bench.rows()[1].status == "accepted")
        held = bench.rows()[0].status
        free.set()

    assert (held, bench.statuses) == ("sending", ["accepted", "accepted"])


def test_a_lane_has_several_threads(make_quick_bench):
    free = threading.Event()
    bench = make_quick_bench(sms=FakeChannel(max_batch=1))
    bench.sms.will(Hang(until=free), Hang(until=free))
    with workers(bench, threads=3):
        for who in range(3):
            bench.say(who=who)
        eventually(lambda: len(bench.sms.sent) == 1)
        free.set()

    assert bench.statuses == ["accepted"] * 3


def test_a_stop_waits_for_what_is_being_sent_and_writes_it_down(make_bench):
    free = threading.Event()
    bench = make_bench()
    bench.sms.will(Hang(until=free, then=Accepted(provider_id="p")))
    bench.say()
    bench.engine.start()
    eventually(lambda: bench.sms.calls)
    in_time = bench.engine.stop(timedelta(milliseconds=20))
    free.set()

    assert not in_time
    assert bench.engine.stop()
    assert (bench.only.status, bench.only.provider_id) == ("accepted", "p")


def test_workers_can_be_started_again(make_quick_bench):
    bench = make_quick_bench()
    for number in range(2):
        with workers(bench):
            bench.engine.start()  # twice is once
            bench.say(who=number)
            eventually(lambda number=number: len(bench.sms.sent) == number + 1)


def test_closing_the_engine_stops_its_workers(make_quick_bench):
    bench = make_quick_bench()
    bench.engine.start()

    bench.engine.close()

    assert not [one for one in threading.enumerate() if one.name.startswith("scrmkit-")]


def test_while_the_database_is_away_workers_wait_and_then_go_on(make_quick_bench, monkeypatch):
    monkeypatch.setattr(running, "_POLL_S", 0.01)
    left = [3]

    def away() -> None:
        if left[0]:
            left[0] -= 1
            raise StorageUnavailableError("the disk is full")

    bench = make_quick_bench()
    bench.mail.will(Accepted(provider_id="p1"))
    failpoints.ARMED["delivery.write.before_commit"] = away
    with capture_logs() as logs, workers(bench):
        bench.say(channel="mail")
        eventually(lambda: bench.statuses == ["accepted"])

    assert (len(bench.mail.sent), bench.only.provider_id) == (1, "p1")
    assert {"delivery_interrupted"} == {one["event"] for one in logs}


def test_an_outcome_that_could_not_be_written_is_written_by_the_next_run(make_quick_bench):
    bench = make_quick_bench()
    bench.say(channel="mail")
    left = [1]

    def away() -> None:
        if left:
            left.pop()
            raise StorageUnavailableError("the disk is full")

    failpoints.ARMED["delivery.write.before_commit"] = away
    for _ in range(2):
        try:
            bench.run()
        except StorageUnavailableError:
            assert bench.statuses == ["sending"]

    assert (bench.statuses, len(bench.mail.calls)) == (["accepted"], 1)


def test_a_defect_in_a_worker_is_logged_without_values_and_the_worker_goes_on(make_quick_bench, monkeypatch):
    monkeypatch.setattr(running, "_POLL_S", 0.01)
    left = [1]

    def breaks() -> None:
        if left:
            left.pop()
            raise ValueError("+8613900000005 said hello")

    bench = make_quick_bench()
    failpoints.ARMED["delivery.sent"] = breaks
    with capture_logs() as logs, workers(bench):
        bench.say(who=1)
        eventually(lambda: not left)
        bench.say(who=2)
        eventually(lambda: "accepted" in bench.statuses)

    assert "13900000005" not in repr(logs)
    assert "ValueError" in repr(logs)


def test_many_callers_and_many_workers_send_everything_once(make_bench):
    bench = make_bench(sms=FakeChannel(honours_keys=False, max_batch=3))
    with workers(bench, threads=3):
        callers = [threading.Thread(target=bench.say, kwargs={"who": who}) for who in range(24)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        eventually(lambda: bench.statuses == ["accepted"] * 24)

    assert len({item.key for item in bench.sms.sent}) == len(bench.sms.sent) == 24


def test_two_processes_send_everything_once(make_postgresql_bench):
    bench = make_postgresql_bench(sms=FakeChannel(honours_keys=False, max_batch=2))
    for who in range(30):
        bench.say(who=who)
    other = bench.another()

    run_at_once(bench.engine, other)
    other.close()

    assert len({item.key for item in bench.sms.sent}) == len(bench.sms.sent) == 30
    assert bench.statuses == ["accepted"] * 30


def test_two_processes_let_one_message_of_a_person_through_a_cap(make_postgresql_bench):
    bench = make_postgresql_bench(policy={"caps": [{"purpose": "service", "limit": 1, "days": 1}], "consent": []})
    bench.say(who=1)
    bench.say(who=1, channel="mail", not_before=START + timedelta(days=2))
    with bench.engine.database.engine.begin() as connection:
        connection.execute(schema.outgoing.update().values(due_at=0, leased_until=0, status="planned"))
    other = bench.another()

    barrier = threading.Barrier(2)

    def run(engine, name) -> None:
        (lane,) = [lane for key, lane in engine.worker.delivery.lanes.items() if key[0] == name]
        barrier.wait()
        engine.worker.delivery.work(lane)

    threads = [threading.Thread(target=run, args=pair) for pair in ((bench.engine, "sms"), (other, "mail"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()

    assert sorted(row.code for row in bench.rows()) == ["capped", "ok"]


def test_delivery_starts_only_after_the_host_has_committed(make_quick_bench, monkeypatch):
    monkeypatch.setattr(running, "_POLL_S", 10_000.0)
    bench = make_quick_bench()
    key = "joined"
    bench.say()
    bench.run()
    (bench.effects[key],) = bench.effects.values()
    touchpoint = Touchpoint(
        kind="message.received", key=key, occurred_at=START, payload=MessageReceived(text="hi"), identities=(phone(9),)
    )
    host = create_engine(bench.url)
    with workers(bench):
        with host.connect() as connection:
            with bench.engine.joined(connection) as joined:
                joined.record(touchpoint)
            before = len(bench.sms.calls)
            connection.commit()
        eventually(lambda: len(bench.sms.sent) == 2)
    host.dispose()

    assert before == 1
