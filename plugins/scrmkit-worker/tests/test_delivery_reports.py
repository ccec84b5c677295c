"""What platforms say later: reports, in any order and more than once, and callbacks."""

from __future__ import annotations

import random

import pytest
from delivery_bench import START, phone
from structlog.testing import capture_logs

from scrmkit import failpoints
from scrmkit.domain.effects import Propose
from scrmkit.domain.ids import TenantId
from scrmkit.domain.kinds import MessageReceived
from scrmkit.domain.messages import Accepted, Delivered, Message, Refused, Report, TryLater, Undelivered, Unknown
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import CallbackRejectedError, StorageUnavailableError, UnknownNameError
from scrmkit.persistence import schema
from scrmkit.protocols import CallbackRequest, Inbound, Reply
from scrmkit.testing.fakes import FakeChannel, FakeText, Lose

ARRIVED = Delivered()
LOST = Undelivered(code="9", reason="switched off")


def accepted_one(bench, **message) -> str:
    """A message that the platform has taken, called p1 there; its key."""
    bench.sms.will(Accepted(provider_id="p1"))
    bench.say(**message)
    bench.run()
    return bench.rows()[-1].key


@pytest.mark.parametrize("outcome", [ARRIVED, LOST], ids=["arrived", "did not arrive"])
@pytest.mark.parametrize("by", ["key", "provider_id"])
def test_a_report_says_what_became_of_what_was_taken(make_bench, outcome, by):
    bench = make_bench()
    key = accepted_one(bench, box="b1", tell=True)
    named = {"key": key} if by == "key" else {"provider_id": "p1"}

    new = bench.engine.apply_reports("sms", [Report(outcome=outcome, **named)])

    status = "delivered" if outcome is ARRIVED else "undelivered"
    assert (new, bench.statuses, bench.log) == (1, [status], ["accepted", status])
    assert [one.payload.status for one in bench.box.told] == ["accepted", status]


@pytest.mark.parametrize(
    ("reports", "status"),
    [
        pytest.param([ARRIVED, ARRIVED], "delivered", id="twice"),
        pytest.param([ARRIVED, Accepted()], "delivered", id="the earlier state comes later"),
        pytest.param([ARRIVED, LOST], "delivered", id="another end comes later"),
        pytest.param([LOST, ARRIVED], "undelivered", id="the other way round"),
        pytest.param([Unknown(reason="?"), TryLater(reason="?")], "accepted", id="no news"),
    ],
)
def test_a_report_changes_nothing_that_is_final(make_bench, reports, status):
    bench = make_bench()
    key = accepted_one(bench)

    for outcome in reports:
        bench.engine.apply_reports("sms", [Report(outcome=outcome, key=key)])
    bench.engine.apply_reports("sms", [Report(outcome=outcome, key=key) for outcome in reports])

    assert bench.statuses == [status]
    assert len(bench.log) == (1 if status == "accepted" else 2)


def test_reports_in_any_order_come_to_the_same(make_quick_bench):
    ends = set()
    for seed in range(4):
        bench = make_quick_bench()
        key = accepted_one(bench)
        reports = [Report(outcome=one, key=key) for one in (Accepted(), ARRIVED, ARRIVED)]
        random.Random(seed).shuffle(reports)
        bench.engine.apply_reports("sms", reports)
        ends.add(bench.only.status)

    assert ends == {"delivered"}


def test_a_report_settles_what_is_unknown(make_bench):
    bench = make_bench()
    bench.mail.will(Lose())
    bench.say(channel="mail")
    bench.run()

    bench.engine.apply_reports("mail", [Report(outcome=ARRIVED, key=bench.only.key)])
    bench.run(60)

    assert (bench.statuses, bench.mail.asked) == (["delivered"], [])


def test_an_unknown_one_is_found_by_what_its_call_was_named(make_bench):
    bench = make_bench()
    bench.mail.will(Unknown(reason="timeout", provider_id="echo-1"))
    bench.say(channel="mail")
    bench.run()

    bench.engine.apply_reports("mail", [Report(outcome=ARRIVED, provider_id="echo-1")])

    assert bench.statuses == ["delivered"]


def test_messages_that_share_a_platforms_id_are_told_apart_by_their_address(make_bench):
    bench = make_bench()
    bench.sms.will(*[Accepted(provider_id="batch")] * 3)
    for who in (1, 2, 3):
        bench.say(who=who)
    bench.run()

    bench.engine.apply_reports(
        "sms",
        [
            Report(outcome=LOST, provider_id="batch", address=phone(2)),
            Report(outcome=ARRIVED, provider_id="batch", address=phone(3)),
            Report(outcome=LOST, provider_id="batch", address=phone(99)),
        ],
    )

    assert bench.statuses == ["accepted", "undelivered", "delivered"]


@pytest.mark.parametrize("address", [phone(1), None], ids=["with an address", "without one"])
@pytest.mark.parametrize("by", ["key", "provider_id"])
def test_a_report_that_is_faster_than_the_answer_is_not_lost(make_bench, by, address):
    class Fast(FakeChannel):
        def send(self, operation, batch):
            named = {"key": batch[0].key} if by == "key" else {"provider_id": "p1"}
            report = Report(outcome=ARRIVED, address=address, **named)
            bench.engine.apply_reports("sms", [report])
            return super().send(operation, batch)

    bench = make_bench(sms=Fast())
    accepted_one(bench)

    assert (bench.only.status, bench.only.provider_id) == ("delivered", "p1")
    assert bench.rows(schema.early_report) == []


def test_a_report_for_a_call_whose_worker_died_waits_until_the_platform_was_asked(make_bench):
    class Dying(FakeChannel):
        def send(self, operation, batch):
            super().send(operation, batch)
            report = Report(outcome=LOST, provider_id="p1", address=phone(1))
            bench.engine.apply_reports("mail", [report])
            raise ConnectionError

    bench = make_bench(mail=Dying(honours_keys=False))
    bench.mail.will(Accepted(provider_id="p1"))
    bench.say(channel="mail")
    bench.run()
    before = bench.statuses

    bench.run(60)

    assert (before, bench.statuses) == (["unknown"], ["undelivered"])


def test_reports_on_what_is_not_ours_are_dropped_after_a_while(make_bench):
    bench = make_bench()
    bench.engine.apply_reports(
        "sms",
        [
            Report(outcome=ARRIVED, key="nobody's"),
            Report(outcome=ARRIVED, provider_id="x", address=phone(77)),
            Report(outcome=ARRIVED, provider_id="y"),
        ],
    )
    kept = bench.rows(schema.early_report)

    bench.run(8 * 24 * 3600)
    bench.engine.apply_reports("sms", [Report(outcome=ARRIVED, provider_id="z")])

    assert [row.provider_id for row in kept] == ["y"]
    assert [row.provider_id for row in bench.rows(schema.early_report)] == ["z"]


def test_a_report_may_say_that_the_address_must_be_left_alone(make_bench):
    bench = make_bench()
    key = accepted_one(bench)
    outcome = Refused(code="T", reason="opted out", suppress=True)

    bench.engine.apply_reports("sms", [Report(outcome=outcome, key=key)])
    bench.say("again")
    bench.run()

    assert bench.statuses == ["refused", "suppressed"]


def test_a_channel_cannot_settle_what_another_has_sent(make_bench):
    bench = make_bench()
    key = accepted_one(bench)

    new = bench.engine.apply_reports("mail", [Report(outcome=ARRIVED, key=key)])

    assert (new, bench.statuses) == (0, ["accepted"])


def test_a_report_settles_the_message_of_its_own_tenant_alone(make_bench):
    bench = make_bench(tenants=["one", "two"])
    for tenant in ("one", "two"):
        bench.sms.will(Accepted(provider_id="p1"))
        message = Message(channel="sms", content=FakeText(text="hi"))
        bench.do(Propose(message=message, once="s"), tenant=tenant)
        bench.run()

    bench.engine.apply_reports("sms", [Report(outcome=ARRIVED, provider_id="p1")], tenant="two")

    assert {row.tenant: row.status for row in bench.rows()} == {"one": "accepted", "two": "delivered"}


def test_observers_hear_of_reports_that_say_something_new(make_bench):
    bench = make_bench()
    key = accepted_one(bench)

    for _ in range(2):
        bench.engine.apply_reports("sms", [Report(outcome=ARRIVED, key=key)])

    assert [outcome for _, outcome in bench.observer.delivered] == [Accepted(provider_id="p1"), ARRIVED]


@pytest.mark.parametrize("report", ["delivered", Report(outcome="fine", key="k")], ids=["no report", "no outcome"])
def test_what_is_no_report_counts_against_the_plugin(make_quick_bench, report):
    bench = make_quick_bench()

    assert bench.engine.apply_reports("sms", [report]) == 0
    assert [one.plugin for one in bench.observer.failures] == ["sms"]


# --- callbacks -----------------------------------------------------------------------------------


class Told(FakeChannel):
    """Reads every callback as what it was told."""

    inbound: object = Inbound()

    def receive(self, request):
        if isinstance(self.inbound, Exception):
            raise self.inbound
        return self.inbound


def written(text: str = "hi", *, key: str = "m1", kind: str = "message.received", **more):
    return Touchpoint(
        kind=kind, key=key, occurred_at=START, payload=MessageReceived(text=text), identities=(phone(5),), **more
    )


def receive(bench) -> Reply:
    return bench.engine.receive("sms", CallbackRequest(method="POST"))


def test_a_callback_is_answered_when_all_of_it_is_durable(make_bench):
    bench = make_bench(sms=Told())
    key = accepted_one(bench)
    bench.sms.inbound = Inbound(
        touchpoints=(written(), written("again", key="m2")),
        reports=(Report(outcome=ARRIVED, key=key),),
        reply=Reply(body=b"ok"),
    )

    reply = receive(bench)
    bench.restart()

    assert reply == Reply(body=b"ok")
    assert bench.statuses == ["delivered"]
    assert [row.key for row in bench.rows(schema.touchpoint, kind="message.received")][1:] == ["m1", "m2"]


def test_a_callback_that_comes_again_changes_nothing(make_bench):
    bench = make_bench(sms=Told())
    bench.sms.inbound = Inbound(touchpoints=(written(),))

    replies = [receive(bench) for _ in range(3)]

    assert [reply.status for reply in replies] == [200] * 3
    assert len(bench.rows(schema.touchpoint, kind="message.received")) == 1


def test_a_callback_that_is_not_authentic_gets_an_empty_403(make_quick_bench):
    bench = make_quick_bench(sms=Told(), calls={"quarantine_after": 3})
    bench.sms.inbound = CallbackRejectedError("secret text 13900000005", code="signature")

    with capture_logs() as logs:
        replies = [receive(bench) for _ in range(9)]

    assert replies == [Reply(status=403)] * 9
    assert (bench.observer.failures, len(logs)) == ([], 9)
    assert logs[0]["code"] == "signature"
    assert "13900000005" not in repr(logs)


@pytest.mark.parametrize("said", [RuntimeError("boom"), None, "hello"], ids=["raises", "nothing", "a text"])
def test_a_channel_that_breaks_on_a_callback_lets_the_platform_try_again(make_quick_bench, said):
    bench = make_quick_bench(sms=Told())
    bench.sms.inbound = said

    assert receive(bench) == Reply(status=503)
    assert [one.hook for one in bench.observer.failures] == ["receive"]


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(written(kind="message.recieved"), id="a kind that nobody knows"),
        pytest.param(written(kind="order.paid"), id="a payload of another kind"),
        pytest.param(written(tenant=TenantId("nobody")), id="a tenant that there is not"),
    ],
)
def test_what_cannot_be_recorded_is_put_aside_and_the_platform_does_not_come_again(make_bench, bad):
    bench = make_bench(sms=Told())
    bench.sms.inbound = Inbound(touchpoints=(bad, written(key="good")))

    reply = receive(bench)

    assert reply.status == 200
    assert [row.key for row in bench.rows(schema.touchpoint, kind="message.received")] == ["good"]
    assert [row.key for row in bench.rows(schema.parked)] == ["m1"]


def test_a_channel_of_one_tenant_speaks_for_it_alone(make_quick_bench):
    bench = make_quick_bench(sms=Told(), tenants=["one", "two"], tables={"sms": {"tenant": "two"}})
    bench.sms.inbound = Inbound(touchpoints=(written(), written(key="m2", tenant=TenantId("one"))))

    receive(bench)

    (row,) = bench.rows(schema.touchpoint, kind="message.received")
    assert (row.tenant, row.key) == ("two", "m1")


def test_while_the_database_is_away_a_callback_fails_and_can_come_again(make_quick_bench):
    bench = make_quick_bench(sms=Told())
    bench.sms.inbound = Inbound(touchpoints=(written(),))

    def away() -> None:
        raise StorageUnavailableError("the disk is full")

    failpoints.ARMED["intake.before_commit"] = away
    with pytest.raises(StorageUnavailableError):
        receive(bench)
    failpoints.ARMED.clear()

    assert receive(bench).status == 200
    assert len(bench.rows(schema.touchpoint, kind="message.received")) == 1


@pytest.mark.parametrize("name", ["nobody", "payments"], ids=["unknown", "no channel"])
def test_a_callback_to_nobody_is_an_error_of_the_caller(make_quick_bench, name):
    bench = make_quick_bench()

    with pytest.raises(UnknownNameError):
        bench.engine.receive(name, CallbackRequest(method="POST"))
