"""The fakes do what a test tells them to, and remember."""

from __future__ import annotations

import threading

import pytest

from scrmkit.domain.decisions import Decision
from scrmkit.domain.effects import AddTag
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.messages import Accepted, Delivered, Refund, Refused, TryLater, Undelivered, Unknown
from scrmkit.domain.profile import TagSource
from scrmkit.domain.reads import Activity, ActivityOf, Memo, Parts, PartsOf, Tags
from scrmkit.errors import CallbackRejectedError, UndeclaredReadError
from scrmkit.testing import (
    FakeChannel,
    FakeKnown,
    FakePayments,
    FakeRule,
    FakeText,
    Hang,
    Lose,
    Observer,
    make_context,
    make_identity,
    make_now,
    make_outgoing,
    make_touchpoint,
    nothing_known,
)
from scrmkit.testing.known import READS

ANN = CustomerId(1)


def text(number=1, words="hello"):
    return make_outgoing(FakeText(text=words), number=number)


def refund(number="r1", fen=100, order="o1"):
    return make_outgoing(Refund(order_no=order, refund_no=number, amount_fen=fen, reason="late"))


def test_a_channel_accepts_and_remembers():
    channel = FakeChannel(make_context("sms"))

    outcomes = channel.send("send", [text(1, "one"), text(2, "two")])

    assert outcomes == [Accepted(provider_id="sms-key-1"), Accepted(provider_id="sms-key-2")]
    assert channel.texts == ["one", "two"]
    assert channel.calls == [("send", ("key-1", "key-2"))]


def test_each_item_takes_the_next_act_of_the_script():
    channel = FakeChannel()
    refused, later = Refused(code="42", reason="no"), TryLater(reason="busy")
    channel.will(refused, Accepted(), later)

    outcomes = channel.send("send", [text(1), text(2), text(3), text(4)])

    assert outcomes == [refused, Accepted(), later, Accepted(provider_id="fake-key-4")]
    assert [item.key for item in channel.sent] == ["key-2", "key-4"]


@pytest.mark.parametrize(
    ("done", "found"),
    [
        pytest.param(True, Accepted(provider_id="fake-key-1"), id="done and not answered"),
        pytest.param(False, TryLater(reason="nothing was done"), id="never done"),
    ],
)
def test_a_lost_answer_can_be_asked_about(done, found):
    channel = FakeChannel()
    channel.will(Lose(done=done))

    assert channel.send("send", [text()]) == [Unknown(reason="the answer was lost")]
    assert channel.ask("send", [text()]) == [found]
    assert len(channel.sent) == done
    assert channel.asked == ["key-1"]


def test_an_exception_ends_the_call():
    channel = FakeChannel()
    channel.will(Accepted(), OSError("gone"))

    with pytest.raises(OSError, match="gone"):
        channel.send("send", [text(1), text(2)])

    assert [item.key for item in channel.sent] == ["key-1"]


def test_a_hanging_call_goes_on_when_it_is_let_go_and_others_do_not_wait():
    channel, event, outcomes = FakeChannel(), threading.Event(), []
    channel.will(Hang(until=event, then=Refused(code="1", reason="late")))
    hanging = threading.Thread(target=lambda: outcomes.extend(channel.send("send", [text(1)])))
    hanging.start()
    while not channel.calls:
        pass

    other = channel.send("send", [text(2)])
    event.set()
    hanging.join()

    assert other == [Accepted(provider_id="fake-key-2")]
    assert outcomes == [Refused(code="1", reason="late")]


@pytest.mark.parametrize("honours_keys", [True, False])
def test_a_repeated_key_is_done_again_only_where_keys_are_not_honoured(honours_keys):
    channel = FakeChannel(honours_keys=honours_keys)

    channel.send("send", [text()])
    channel.send("send", [text()])

    assert len(channel.sent) == (1 if honours_keys else 2)
    assert channel.operations["send"].idempotent is honours_keys


def test_a_channel_reads_its_own_callbacks():
    channel = FakeChannel(make_context("sms"))

    wrote = channel.receive(channel.callback(id="7", phone="+8613900000001", text="hi"))
    delivered = channel.receive(channel.callback(key="key-1", delivered=True))
    failed = channel.receive(channel.callback(key="key-1", delivered=False))

    (touchpoint,) = wrote.touchpoints
    assert (touchpoint.key, touchpoint.payload.text, touchpoint.source) == ("fake-7", "hi", "sms")
    assert [type(one.reports[0].outcome) for one in (delivered, failed)] == [Delivered, Undelivered]
    with pytest.raises(CallbackRejectedError):
        channel.receive(channel.callback(nothing="known"))


def test_one_refund_number_pays_back_once():
    payments = FakePayments()

    first, second = payments.send("refund", [refund()]), payments.send("refund", [refund()])

    assert first == second == [Delivered(provider_id="fake-r1", answer={"amount_fen": 100})]
    assert payments.refunds == {"r1": refund().body}
    assert len(payments.sent) == 1


@pytest.mark.parametrize(
    ("item", "code"),
    [
        pytest.param(refund(fen=101), "refund_no_used", id="another amount"),
        pytest.param(refund(order="o2"), "refund_no_used", id="another order"),
        pytest.param(refund(number="r2", fen=0), "amount", id="nothing to pay back"),
    ],
)
def test_payments_refuse(item, code):
    payments = FakePayments()
    payments.send("refund", [refund()])

    (outcome,) = payments.send("refund", [item])

    assert isinstance(outcome, Refused)
    assert outcome.code == code
    assert len(payments.sent) == 1


def test_a_refund_whose_answer_was_lost_is_paid_back_once():
    payments = FakePayments()
    payments.will(Lose(done=True))

    outcomes = [*payments.send("refund", [refund()]), *payments.send("refund", [refund()])]

    assert [type(outcome) for outcome in outcomes] == [Unknown, Delivered]
    assert len(payments.sent) == 1


def test_known_answers_what_is_declared_and_nothing_else():
    known = FakeKnown({Memo(ANN): {"seen": [1]}}, declared=[Memo(ANN), Tags(ANN)])

    assert known[Memo(ANN)] == {"seen": (1,)}
    assert known[Tags(ANN)] == {}
    assert known.asked == [Memo(ANN), Tags(ANN)]
    with pytest.raises(UndeclaredReadError, match="PartsOf"):
        known[PartsOf(ANN, "c1", "owner")]
    with pytest.raises(TypeError):
        known[Memo(ANN)]["seen"] = 2


def test_what_is_given_counts_as_declared():
    assert FakeKnown({Memo(ANN): None})[Memo(ANN)] is None
    with pytest.raises(UndeclaredReadError):
        FakeKnown()[Memo(ANN)]


def test_nothing_is_known_of_nobody():
    assert nothing_known(PartsOf(ANN, "c1", "owner")) == Parts(0, 0)
    assert nothing_known(ActivityOf(ANN, "order.paid")) == Activity(0, 0, None, None)


def test_every_read_of_the_engine_can_be_faked():
    from scrmkit.domain import reads

    declared = {
        each
        for each in vars(reads).values()
        if isinstance(each, type) and issubclass(each, reads.Read) and each is not reads.Read
    }

    assert set(READS) == declared


def test_a_rule_decides_what_it_is_told():
    decision = Decision(reason="because")
    told, asked = FakeRule("order.paid", decide=decision), FakeRule(decide=lambda t, k, n: n.at)

    assert told.decide(make_touchpoint(), FakeKnown(), make_now()) is decision
    assert asked.decide(make_touchpoint(), FakeKnown(), make_now()) == make_now().at
    assert [touchpoint.key for touchpoint in told.touchpoints] == ["t1"]
    assert told.kinds == {"order.paid"}


def test_fakes_are_plugins_of_an_engine(make_engine):
    tag = AddTag(group="orders", name="paid", source=TagSource.INTERACTION)
    rule = FakeRule("message.received", decide=Decision(reason="wrote", effects=(tag,)))
    observer = Observer()
    engine = make_engine({"rule.tagging": rule, "hooks.observer": observer})

    outcome = engine.record(make_touchpoint(identities=[make_identity()]))

    assert [said.effects for said in outcome.decisions] == [("add_tag",)]
    assert [touchpoint.key for touchpoint, _ in observer.committed] == ["t1"]
    assert observer.failures == []
    assert rule.touchpoints[0].customer == outcome.customer
