"""What leaves, when, in which order, and what is held back at the last moment."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from delivery_bench import MARKETING, START, Bench, at, phone
from sqlalchemy import update

from scrmkit.domain.decisions import Deny
from scrmkit.domain.effects import Propose
from scrmkit.domain.kinds import MessageReceived
from scrmkit.domain.messages import Message, Operation, Purpose
from scrmkit.domain.organisation import Shop
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.hooks import hookimpl
from scrmkit.persistence import schema
from scrmkit.testing.fakes import FakeChannel, FakeText
from scrmkit.worker import Done


def test_what_is_planned_leaves_with_its_content_and_its_address(make_bench):
    bench = make_bench()
    bench.say("hello", who=7, purpose=Purpose.TRANSACTIONAL)

    done = bench.run()

    (sent,) = bench.sms.sent
    assert (sent.body, sent.address) == (FakeText(text="hello"), phone(7))
    assert (sent.key, sent.attempt, sent.purpose) == (bench.only.key, 1, Purpose.TRANSACTIONAL)
    assert sent.planned_at == START
    assert (done.sent, bench.statuses, bench.log) == (1, ["accepted"], ["accepted"])


def test_a_second_run_finds_nothing_to_do(make_bench):
    bench = make_bench()
    bench.say()
    bench.run()

    assert bench.run() == Done()
    assert len(bench.sms.sent) == 1


def test_what_is_of_use_for_a_shorter_time_leaves_first(make_quick_bench):
    bench = make_quick_bench(sms=FakeChannel(max_batch=1))
    bench.say("broadcast 1", who=1)
    bench.say("broadcast 2", who=2)
    bench.say("late", who=3, not_after=START + timedelta(minutes=5))
    bench.say("urgent", who=4, not_after=START + timedelta(seconds=20))

    bench.run()

    assert bench.sms.texts == ["urgent", "late", "broadcast 1", "broadcast 2"]


def test_the_more_urgent_lane_goes_first(make_quick_bench):
    log: list[str] = []

    class Noting(FakeChannel):
        def send(self, operation, batch):
            log.append(operation)
            return super().send(operation, batch)

    channel = Noting()
    channel.operations = {"mass": Operation(body=FakeText, priority=9), "welcome": Operation(body=FakeText, priority=1)}
    bench = make_quick_bench(sms=channel)
    bench.say(operation="mass")
    bench.say(operation="welcome")

    bench.run()

    assert log == ["welcome", "mass"]


def test_a_call_carries_no_more_than_its_operation_allows(make_bench):
    bench = make_bench(sms=FakeChannel(max_batch=3))
    for who in range(7):
        bench.say(who=who)

    bench.run()

    assert [len(keys) for _, keys in bench.sms.calls] == [3, 3, 1]


def test_nothing_leaves_before_its_time(make_bench):
    bench = make_bench()
    bench.say(not_before=START + timedelta(minutes=10))

    bench.run(599)
    before = list(bench.sms.sent)
    bench.run(1)

    assert (before, len(bench.sms.sent)) == ([], 1)


def test_each_tenant_sends_its_own(make_bench):
    bench = make_bench(tenants=["one", "two"])
    bench.do(*[], tenant="one", key="none")
    for tenant in ("one", "two"):
        bench.effects["same"] = bench_say(bench)
        bench.do(*bench_say(bench), tenant=tenant, key="same")

    bench.run()

    assert sorted(item.tenant for item in bench.sms.sent) == ["one", "two"]


def bench_say(bench: Bench):
    from scrmkit.domain.effects import Propose
    from scrmkit.domain.messages import Message

    return (Propose(message=Message(channel="sms", content=FakeText(text="hi")), once="s"),)


# --- the last look -----------------------------------------------------------------------------


def planned_for_later(bench: Bench, **message) -> None:
    """A marketing message with every consent, planned in the quiet hours for the morning."""
    bench.clock.move_to(at("22:00"))
    bench.consent(1)
    bench.say(purpose=MARKETING, **message)
    assert bench.only.status == "planned"


def test_a_consent_withdrawn_after_planning_stops_the_message(make_bench):
    bench = make_bench()
    planned_for_later(bench)
    bench.consent(1, granted=False)

    bench.clock.move_to(at("09:00", day=3))
    done = bench.run()

    assert bench.sms.sent == []
    assert (bench.only.status, bench.only.code, bench.log) == ("suppressed", "withdrawn", ["suppressed"])
    assert (done.sent, done.put_off) == (0, 1)


def test_a_suppression_made_after_planning_stops_the_message(make_bench):
    bench = make_bench()
    planned_for_later(bench)
    row = bench.only
    with bench.engine.database.engine.begin() as connection:
        connection.execute(
            schema.suppression.insert().values(
                tenant="main", channel="sms", identity=row.address, reason="opted out", at=1
            )
        )

    bench.clock.move_to(at("09:00", day=3))
    bench.run()

    assert (bench.only.status, bench.only.reason) == ("suppressed", "opted out")


def test_quiet_hours_that_have_come_defer_the_message_again(make_bench):
    bench = make_bench()
    planned_for_later(bench)

    bench.clock.move_to(at("21:30", day=3))
    bench.run()
    deferred = bench.only
    bench.clock.move_to(at("09:00", day=4))
    bench.run()

    assert (deferred.status, deferred.code, deferred.attempts) == ("planned", "deferred", 0)
    assert bench.log == ["planned", "accepted"]


def test_the_quiet_hours_are_those_of_the_shop_also_after_a_restart(make_bench):
    bench = make_bench()
    bench.engine.organisation.put("main", Shop(id="paris", name="Paris", zone="Europe/Paris"))
    bench.clock.move_to(at("22:00"))
    bench.consent(1)
    bench.do(
        *[bench_marketing(bench)], shop="paris"
    )  # 15:00 in Paris: may leave at once, were it not for the worker that is down
    bench.clock.move_to(at("08:00", day=3))  # 01:00 in Paris
    bench.restart()

    bench.run()

    assert (bench.only.status, bench.only.code) == ("planned", "deferred")
    assert bench.due_in() == timedelta(hours=8)


def bench_marketing(bench: Bench):
    (effect,) = bench_say(bench)
    import attrs

    return attrs.evolve(effect, message=attrs.evolve(effect.message, purpose=MARKETING))


def test_a_message_whose_use_is_over_expires(make_bench):
    bench = make_bench()
    bench.say(not_after=START + timedelta(seconds=20))

    bench.run(20)

    assert bench.sms.sent == []
    assert (bench.only.status, bench.log) == ("expired", ["expired"])


def test_a_request_whose_use_is_over_expires(make_bench):
    bench = make_bench()
    bench.refund(not_after=START + timedelta(seconds=20))

    bench.run(20)

    assert (bench.only.status, bench.payments.sent) == ("expired", [])


class Gatekeeper:
    """Objects once it is told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.objects = False

    @hookimpl
    def scrmkit_may_send(self, sending, facts, now):
        self.asked += 1
        return Deny(code="mood", reason="not today") if self.objects else None


def test_a_plugin_is_asked_again_when_a_message_leaves(make_bench):
    gate = Gatekeeper()
    bench = make_bench(plugins={"hooks.gate": gate})
    bench.say()
    gate.objects = True

    bench.run()

    assert (gate.asked, bench.sms.sent) == (2, [])
    assert (bench.only.status, bench.only.code, bench.only.reason) == ("suppressed", "mood", "gate: not today")


def test_what_was_sent_counts_after_another_message_of_the_same_batch(make_bench):
    bench = make_bench()
    bench.consent(1)
    bench.say("yesterday's offer", purpose=MARKETING)
    service = Message(channel="sms", content=FakeText(text="told of"), tell=True)
    offer = attrs.evolve(service, purpose=MARKETING, tell=False)
    bench.effects = {"a": (Propose(message=service, once="a"),), "b": (Propose(message=offer, once="b"),)}
    bench.boxed["a"] = "b1"

    bench.engine.record_many(
        [
            Touchpoint(
                kind="message.received", key=key, occurred_at=START,
                payload=MessageReceived(text="hello"), identities=(phone(1),),
            )
            for key in ("a", "b")
        ]
    )  # fmt: skip

    assert [row.code for row in bench.rows()] == ["ok", "ok", "capped"]


def test_a_message_does_not_count_against_its_own_cap(make_bench):
    bench = make_bench()
    bench.consent(1)
    bench.say(purpose=MARKETING)

    bench.run()

    assert bench.statuses == ["accepted"]


def test_of_two_that_a_cap_lets_through_one_at_a_time_one_leaves(make_bench):
    bench = make_bench()
    bench.consent(1)
    bench.say("first", purpose=MARKETING)
    bench.say("second", purpose=MARKETING, not_before=START + timedelta(days=2))
    with bench.engine.database.engine.begin() as connection:
        connection.execute(update(schema.outgoing).values(status="planned", due_at=0, leased_until=0))

    bench.run()

    assert bench.sms.texts == ["first"]
    assert [(row.status, row.code) for row in bench.rows()] == [("accepted", "ok"), ("suppressed", "capped")]


def test_a_platform_quota_holds_at_the_last_moment_too(make_bench):
    bench = make_bench(sms=FakeChannel(quota=1))
    bench.say("first")
    bench.say("tomorrow", not_before=START + timedelta(days=1))
    with bench.engine.database.engine.begin() as connection:
        connection.execute(update(schema.outgoing).values(status="planned", due_at=0, leased_until=0))

    bench.run()

    assert [row.code for row in bench.rows()] == ["ok", "quota"]


@pytest.mark.parametrize("restarts", [False, True], ids=["at once", "after a restart"])
def test_what_was_erased_is_not_sent(make_bench, restarts):
    bench = make_bench()
    bench.say()
    with bench.engine.database.engine.begin() as connection:
        connection.execute(update(schema.personal).where(schema.personal.c.id == bench.only.id).values(data=None))
    if restarts:
        bench.restart()

    bench.run()

    assert (bench.only.status, bench.only.code) == ("suppressed", "erased")


def test_a_body_that_its_connector_no_longer_reads_is_a_dead_letter(make_bench):
    bench = make_bench()
    bench.say()
    with bench.engine.database.engine.begin() as connection:
        connection.execute(
            update(schema.personal).where(schema.personal.c.id == bench.only.id).values(data='{"text":5}')
        )

    bench.run()

    assert (bench.only.status, bench.only.code) == ("dead", "unreadable")
    assert "text" in bench.only.reason


def test_what_a_channel_that_is_gone_should_send_waits_for_it(make_bench):
    bench = make_bench()
    bench.say()
    with bench.engine.database.engine.begin() as connection:
        connection.execute(update(schema.outgoing).values(connector="gone"))

    bench.run()

    assert bench.statuses == ["planned"]
