"""What becomes of what was sent: outcomes, retries, lanes that rest, connectors that break."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from delivery_bench import MARKETING, START

from scrmkit import failpoints
from scrmkit.domain.effects import Propose
from scrmkit.domain.messages import Accepted, Delivered, Message, Refund, Refused, TryLater, Undelivered, Unknown
from scrmkit.persistence import schema
from scrmkit.testing.fakes import FakeChannel, FakeText

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("outcome", "status", "code", "reason"),
    [
        pytest.param(Accepted(provider_id="p1"), "accepted", "ok", "", id="taken"),
        pytest.param(Delivered(provider_id="p1"), "delivered", "ok", "", id="arrived"),
        pytest.param(Undelivered(code="7", reason="off"), "undelivered", "7", "off", id="not arrived"),
        pytest.param(Refused(code="41", reason="no"), "refused", "41", "no", id="refused"),
        pytest.param(TryLater(reason="busy"), "planned", "try_later", "busy", id="later"),
        pytest.param(Unknown(reason="lost"), "unknown", "unknown", "lost", id="nobody knows"),
    ],
)
def test_each_outcome_is_written_down_with_its_reason(make_bench, outcome, status, code, reason):
    bench = make_bench()
    bench.mail.will(outcome)
    bench.say(channel="mail")

    bench.run()

    row, (attempt,) = bench.only, bench.rows(schema.attempt)
    assert (row.status, row.code, row.reason) == (status, code, reason)
    assert (attempt.status, attempt.code, attempt.reason) == (status, code, reason)
    assert attempt.outgoing == row.id
    assert row.provider_id == getattr(outcome, "provider_id", None)
    assert (row.settled_at is None) == (status in ("planned", "unknown"))


def test_one_batch_may_end_in_many_ways(make_bench):
    bench = make_bench()
    bench.sms.will(Accepted(), Refused(code="1", reason="no"), TryLater(reason="busy"), Delivered())
    for who in range(4):
        bench.say(who=who)

    bench.run()

    assert bench.statuses == ["accepted", "refused", "planned", "delivered"]


@pytest.mark.parametrize(
    "outcome",
    [Refused(code="b", reason="blocked", suppress=True), Undelivered(code="b", reason="blocked", suppress=True)],
    ids=["refused", "undelivered"],
)
def test_an_address_that_must_not_be_written_to_again_is_not(make_bench, outcome):
    bench = make_bench()
    bench.sms.will(outcome)
    bench.say()
    bench.run()

    bench.say("again")
    bench.say("another channel", channel="mail")
    bench.run()

    assert bench.statuses[1:] == ["suppressed", "accepted"]
    assert [row.code for row in bench.rows()][1] == "suppressed"
    assert bench.rows(schema.suppression)[0].reason == "b: blocked"


# --- again ---------------------------------------------------------------------------------------


def test_waits_grow_from_attempt_to_attempt_and_end_in_a_dead_letter(make_quick_bench):
    bench = make_quick_bench(sms=FakeChannel(max_attempts=4))
    bench.sms.will(*[TryLater(reason="busy")] * 4)
    bench.say()

    waits = []
    while bench.only.status == "planned":
        waits.append(bench.due_in().total_seconds())
        bench.run(bench.due_in())

    assert waits == [0, 2, 8, 32]
    assert (bench.only.status, bench.only.code, bench.only.attempts) == ("dead", "exhausted", 4)
    assert bench.log == ["planned"] * 3 + ["dead"]


def test_a_platform_says_itself_when_to_come_again(make_bench):
    bench = make_bench()
    bench.sms.will(TryLater(reason="busy", after=17 * MINUTE))
    bench.say()

    bench.run()

    assert bench.due_in() == 17 * MINUTE


def test_each_attempt_carries_the_same_key_and_its_number(make_quick_bench):
    seen = []

    class Seeing(FakeChannel):
        def send(self, operation, batch):
            seen.extend((item.key, item.attempt) for item in batch)
            return super().send(operation, batch)

    bench = make_quick_bench(sms=Seeing())
    bench.sms.will(TryLater(reason="busy"), TryLater(reason="busy"))
    bench.say()

    bench.run()
    bench.run(2)
    bench.run(8)

    assert seen == [(bench.only.key, 1), (bench.only.key, 2), (bench.only.key, 3)]


def test_what_would_come_too_late_expires_at_once(make_bench):
    bench = make_bench()
    bench.sms.will(TryLater(reason="busy", after=MINUTE))
    bench.say(not_after=START + timedelta(seconds=20))

    bench.run()

    assert bench.only.status == "expired"
    assert "busy" in bench.only.reason


# --- connectors that break their contract --------------------------------------------------------


class Broken(FakeChannel):
    """Returns, or raises, what it was given instead of outcomes."""

    def __init__(self, answer, **options):
        super().__init__(**options)
        self._answer = answer

    def send(self, operation, batch):
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


BROKEN = pytest.mark.parametrize(
    "answer",
    [
        RuntimeError("boom"),
        None,
        "accepted",
        [Accepted()],
        [Accepted(), Accepted(), Accepted()],
        [Accepted(), "accepted"],
        [Accepted(), Accepted(answer={"x": object()})],
        [Accepted(), TryLater(reason="r", after=5)],
    ],
    ids=[
        "an exception", "nothing", "a text", "too few", "too many", "a wrong type", "no JSON",
        "a number for a length of time",
    ],
)  # fmt: skip


@BROKEN
def test_without_keys_a_broken_answer_leaves_everything_unknown(make_quick_bench, answer):
    bench = make_quick_bench(mail=Broken(answer, honours_keys=False))
    bench.say(who=1, channel="mail")
    bench.say(who=2, channel="mail")

    bench.run()

    assert bench.statuses == ["unknown", "unknown"]
    assert [(failure.plugin, failure.hook) for failure in bench.observer.failures] == [("mail", "send")]


@BROKEN
def test_with_keys_a_broken_answer_is_tried_again(make_quick_bench, answer):
    bench = make_quick_bench(sms=Broken(answer))
    bench.say(who=1)
    bench.say(who=2)

    bench.run()

    assert bench.statuses == ["planned", "planned"]
    assert len(bench.observer.failures) == 1


def test_a_connector_in_quarantine_is_left_alone(make_bench):
    bench = make_bench(sms=Broken(RuntimeError("boom"), max_attempts=9), calls={"quarantine_after": 2})
    bench.say()
    for _ in range(4):
        bench.run(MINUTE)
    failures = len(bench.observer.failures)

    bench.restart()
    bench.run(MINUTE)

    assert (failures, len(bench.observer.failures)) == (2, 2)
    assert bench.observer.failures[-1].quarantined
    assert bench.statuses == ["planned"]


def test_an_answer_that_no_column_holds_is_cut_and_kept(make_bench):
    bench = make_bench()
    bench.sms.will(Refused(code="c" * 100, reason="nul \x00 and " + "long" * 200))
    bench.say()

    bench.run()

    assert bench.only.code == "c" * 64
    assert bench.only.reason.startswith("nul  and long")
    assert len(bench.only.reason) == 300


# --- who is told ---------------------------------------------------------------------------------


def test_the_instance_that_asked_hears_of_its_messages_end(make_bench):
    bench = make_bench()
    bench.sms.will(TryLater(reason="busy"))
    bench.say(box="b1", tell=True)
    bench.say(who=2, box="b2")

    bench.run()
    before = list(bench.box.told)
    bench.run(2)

    (told,) = bench.box.told
    assert before == []
    assert (told.kind, told.to.key) == ("message.settled", "b1")
    assert (told.payload.status, told.payload.key) == ("accepted", bench.rows()[0].key)
    assert told.payload.once == "say-1"


def test_the_instance_hears_why_its_message_never_left(make_bench):
    bench = make_bench()
    bench.say(box="b1", tell=True, not_after=START + timedelta(seconds=20))

    bench.run(60)

    (told,) = bench.box.told
    assert (told.payload.status, told.payload.reason) == ("expired", "its use was over")


def test_the_instance_that_asked_gets_the_connectors_answer(make_bench):
    bench = make_bench()
    bench.refund("r7", box="b1")

    bench.run()

    (told,) = bench.box.told
    assert (told.kind, told.to.key) == ("request.answered", "b1")
    assert (told.payload.step, told.payload.status) == ("r7", "delivered")
    assert dict(told.payload.answer) == {"amount_fen": 100}
    assert json.loads(bench.rows(schema.attempt)[0].answer) == {"amount_fen": 100}


def test_what_an_answer_leads_to_leaves_in_the_same_run(make_bench):
    bench = make_bench()
    message = Message(channel="sms", content=FakeText(text="your money is back"))
    bench.refund("r7", box="b1")
    # At an answer there is no customer: the box names one.
    customer = bench.rows(schema.customer)[0].id
    bench.effects[""] = (Propose(message=message, once="told", customer=customer),)

    bench.run()

    assert bench.payments.refunds == {"r7": Refund(order_no="o1", refund_no="r7", amount_fen=100, reason="test")}
    assert bench.sms.texts == ["your money is back"]


def test_what_cannot_be_told_does_not_undo_what_happened(make_bench):
    bench = make_bench()
    bench.refund("r7", box="b1")
    failpoints.ARMED["delivery.write.before_commit"] = once_raise(ValueError("poison"))

    bench.run()

    assert bench.statuses == ["delivered"]
    assert {one.kind for one in bench.box.told} == {"request.answered"}
    assert len(bench.rows(schema.touchpoint, kind="request.answered")) == 1


def once_raise(error):
    """Raise at the first call alone."""
    left = [error]

    def act():
        if left:
            raise left.pop()

    return act


def test_observers_hear_of_every_outcome_of_a_message(make_bench):
    bench = make_bench()
    bench.sms.will(TryLater(reason="busy"), Accepted(provider_id="p"))
    bench.consent(1)
    bench.say("hello", purpose=MARKETING)
    bench.refund()

    bench.run()
    bench.run(2)

    outcomes = [outcome for _, outcome in bench.observer.delivered]
    sending = bench.observer.delivered[0][0]
    assert outcomes == [TryLater(reason="busy"), Accepted(provider_id="p")]
    assert (sending.plugin, sending.customer) == ("speaker", bench.rows(type="message")[0].person)
    assert (sending.message.channel, sending.message.purpose) == ("sms", MARKETING)
    assert sending.message.content == FakeText(text="hello")


def test_a_request_reaches_its_connector_without_an_address(make_bench):
    bench = make_bench()
    bench.refund("r1")

    bench.run()

    (sent,) = bench.payments.sent
    assert (sent.address, sent.purpose) == (None, None)
