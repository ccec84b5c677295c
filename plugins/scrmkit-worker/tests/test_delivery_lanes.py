"""Lanes rest, are probed, and keep to their rate."""

from __future__ import annotations

from datetime import timedelta

from delivery_bench import START

from scrmkit.domain.messages import Refused, TryLater
from scrmkit.persistence import schema
from scrmkit.testing.fakes import FakeChannel

MINUTE = timedelta(minutes=1)


def test_a_lane_that_asks_for_rest_gets_it_and_no_other(make_bench):
    bench = make_bench(sms=FakeChannel(max_batch=1))
    bench.sms.will(TryLater(reason="over quota", after=10 * MINUTE, lane=True))
    bench.say(who=1)
    bench.say(who=2)
    bench.say(who=1, channel="mail")

    bench.run()

    assert bench.statuses == ["planned", "planned", "accepted"]
    assert (len(bench.sms.calls), bench.rows()[0].attempts) == (1, 0)


def test_a_lane_that_rested_is_tried_with_one_item_first(make_bench):
    bench = make_bench()
    bench.sms.will(*[TryLater(reason="over quota", after=MINUTE, lane=True)] * 4)
    for who in range(4):
        bench.say(who=who)
    bench.run()

    bench.run(MINUTE)

    assert [len(keys) for _, keys in bench.sms.calls] == [4, 1, 3]
    assert bench.statuses == ["accepted"] * 4


def test_a_probe_that_fails_lets_nobody_else_try(make_bench):
    bench = make_bench()
    bench.sms.will(*[TryLater(reason="over quota", after=MINUTE, lane=True)] * 5)
    for who in range(4):
        bench.say(who=who)
    bench.run()

    bench.run(MINUTE)

    assert [len(keys) for _, keys in bench.sms.calls] == [4, 1]
    assert bench.statuses == ["planned"] * 4


def test_the_lanes_own_trouble_costs_no_attempt(make_quick_bench):
    bench = make_quick_bench(sms=FakeChannel(max_attempts=2))
    bench.sms.will(*[TryLater(reason="no money", after=MINUTE, lane=True)] * 20)
    bench.say()

    for _ in range(20):
        bench.run(MINUTE)
    bench.run(MINUTE)

    assert bench.statuses == ["accepted"]


def test_a_lane_that_fails_again_and_again_rests(make_bench):
    bench = make_bench(sms=FakeChannel(max_batch=1, max_attempts=9))
    bench.sms.will(*[TryLater(reason="down")] * 100)
    for who in range(20):
        bench.say(who=who)

    bench.run()

    (lane,) = bench.rows(schema.lane, connector="sms")
    assert (len(bench.sms.calls), lane.failures, lane.reason) == (5, 5, "down")
    assert lane.closed_until > 0


def test_what_closed_a_lane_outlives_the_process(make_bench):
    bench = make_bench(sms=FakeChannel(max_batch=1, max_attempts=9))
    bench.sms.will(*[TryLater(reason="down")] * 5)
    for who in range(20):
        bench.say(who=who)
    bench.run()
    bench.restart()

    bench.run(1)
    rested = len(bench.sms.calls)
    bench.run(10 * MINUTE)

    assert (rested, bench.statuses) == (5, ["accepted"] * 20)
    assert bench.rows(schema.lane, connector="sms")[0].failures == 0


def test_what_is_of_no_use_any_more_ends_in_a_lane_that_rests(make_bench):
    bench = make_bench()
    bench.sms.will(TryLater(reason="down", lane=True, after=10 * MINUTE))
    bench.say("first")
    bench.run()
    bench.say("of use for a minute", who=2, not_after=START + MINUTE)
    bench.say("of use", who=3)

    done = bench.run(MINUTE)

    assert bench.statuses == ["planned", "expired", "planned"]
    assert (done.put_off, done.sent) == (1, 0)


def test_a_refusal_is_an_answer_and_no_failure_of_the_lane(make_quick_bench):
    bench = make_quick_bench(sms=FakeChannel(max_batch=1))
    bench.sms.will(*[Refused(code="1", reason="no")] * 8)
    for who in range(9):
        bench.say(who=who)

    bench.run()

    assert bench.statuses == ["refused"] * 8 + ["accepted"]


def test_calls_keep_to_the_rate_of_their_lane(make_quick_bench):
    bench = make_quick_bench(sms=FakeChannel(max_batch=1, rate_per_s=50))
    (lane,) = [lane for key, lane in bench.engine.worker.delivery.lanes.items() if key[0] == "sms"]
    slept: list[float] = []

    for _ in range(4):
        lane.pace(slept.append)

    assert 0.05 < max(slept) <= 0.06
