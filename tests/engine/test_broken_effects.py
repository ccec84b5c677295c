"""An effect that cannot be loses its whole decision, and nothing else is lost."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from broken_plugins import NAIVE, VIP, Make, good
from engine_world import Toy, health, rows, says, scanned, text

from scrmkit.domain import effects as e
from scrmkit.domain.ids import CampaignId, CustomerId
from scrmkit.domain.kinds import Noted
from scrmkit.domain.profile import Score, TagSource
from scrmkit.testing import NOON, FakeChannel, FakeRule, FakeText

NOT_JSON = {"at": object()}
SCORE = Score(scorer="s", hundredths=1, band="b", as_of=NOON)


def posting(amount: Any) -> e.Post:
    legs = (e.Leg(owner="a", amount=amount), e.Leg(owner="b", amount=-amount))
    return e.Post(ledger="l", once="1", legs=legs)


BROKEN_EFFECTS = [
    pytest.param(e.AddTag(group=7, name="n", source=TagSource.TIME), id="a number for a tag group"),
    pytest.param(e.AddTag(group="", name="n", source=TagSource.TIME), id="an empty tag group"),
    pytest.param(e.AddTag(group="g" * 65, name="n", source=TagSource.TIME), id="a long tag group"),
    pytest.param(e.AddTag(group="g", name="n\x00", source=TagSource.TIME), id="a tag with NUL"),
    pytest.param(e.AddTag(group="g", name="\ud800", source=TagSource.TIME), id="half a tag"),
    pytest.param(e.AddTag(group="g", name="n", source="rumour"), id="an unknown source"),
    pytest.param(
        e.AddTag(group="g", name="n", source=TagSource.TIME, expires_at=NAIVE), id="a naive expiry"
    ),
    pytest.param(e.RemoveTag(group="g", name=None), id="removes no tag"),
    pytest.param(e.SetAttribute(name="x" * 128, value=1), id="a long attribute"),
    pytest.param(e.SetAttribute(name="", value=1), id="an attribute without a name"),
    pytest.param(e.SetAttribute(name="n", value=[1]), id="an attribute that is a list"),
    pytest.param(e.SetAttribute(name="n", value=float("inf")), id="an attribute without end"),
    pytest.param(e.SetAttribute(name="n", value="\ud800"), id="half an attribute"),
    pytest.param(e.Remember(value=NOT_JSON), id="remembers an object"),
    pytest.param(e.Remember(value=[1]), id="remembers a list"),
    pytest.param(e.Remember(value={"n": float("nan")}), id="remembers no number"),
    pytest.param(e.Remember(value={"n": "\ud800"}), id="remembers half a character"),
    pytest.param(e.SetScore(score="high"), id="a word for a score"),
    pytest.param(e.SetScore(score=attrs.evolve(SCORE, band="b" * 33)), id="a long band"),
    pytest.param(e.SetScore(score=attrs.evolve(SCORE, hundredths=1.5)), id="a broken score"),
    pytest.param(e.SetScore(score=attrs.evolve(SCORE, as_of=NAIVE)), id="a naive score"),
    pytest.param(
        e.RecordConsent(channel="sms", purpose="fun", granted=True), id="an unknown purpose"
    ),
    pytest.param(e.Propose(message="hello", once="1"), id="a word for a message"),
    pytest.param(e.Propose(message=text(channel="fax"), once="1"), id="an unknown channel"),
    pytest.param(e.Propose(message=text(operation="fax"), once="1"), id="an unknown operation"),
    pytest.param(e.Propose(message=text(content="hello"), once="1"), id="another body"),
    pytest.param(
        e.Propose(message=text(content=FakeText(text="\ud800")), once="1"), id="half a message"
    ),
    pytest.param(e.Propose(message=text(), once="1", slot="x" * 200), id="a long slot"),
    pytest.param(
        e.Propose(message=text(), once="1", slot="s", slot_closes_at=NAIVE), id="a naive slot"
    ),
    pytest.param(
        e.Request(connector="sms", operation="send", body="hello", once="1"), id="another's body"
    ),
    pytest.param(
        e.Request(connector="bank", operation="pay", body=FakeText(text=""), once="1"),
        id="an unknown connector",
    ),
    pytest.param(
        e.Request(
            connector="sms", operation="send", body=FakeText(text=""), once="1", not_after=NAIVE
        ),
        id="a naive request",
    ),
    pytest.param(e.StartTimer(key="t", due_at=NAIVE), id="a naive timer"),
    pytest.param(e.StartTimer(key="t" * 129, due_at=NOON), id="a long timer"),
    pytest.param(e.StartTimer(key="t", due_at="soon"), id="a timer that is due soon"),
    pytest.param(e.CancelTimer(key=7), id="a timer that is a number"),
    pytest.param(e.OpenInstance(campaign=CampaignId("spring"), key="k", state=1), id="opens"),
    pytest.param(e.AddAlias(kind="order", value="1"), id="names no instance"),
    pytest.param(e.Join(role="helper"), id="joins no instance"),
    pytest.param(e.Leave(role="helper"), id="leaves no instance"),
    pytest.param(e.ChangeParticipant(role="helper", data={}), id="changes no instance"),
    pytest.param(
        e.Reserve(resource="r" * 200, quantity=1, reservation="1", capacity=1), id="a long resource"
    ),
    pytest.param(
        e.Reserve(resource="r", quantity=2**70, reservation="1", capacity=2**71), id="all there is"
    ),
    pytest.param(e.Reserve(resource="r", quantity=1, reservation="1", capacity="a"), id="a word"),
    pytest.param(
        e.Reserve(resource="r", quantity=1, reservation="1", capacity=1, expires_at=NAIVE),
        id="a naive hold",
    ),
    pytest.param(
        e.Post(ledger="l", once="1", legs=(e.Leg(owner=7, amount=0),)), id="an owner without a name"
    ),
    pytest.param(posting(0.5), id="half a fen"),
    pytest.param(posting(2**80), id="all the money there is"),
    pytest.param(e.Emit(kind="toy.played", payload=1, step="1"), id="emits another payload"),
    pytest.param(e.Emit(kind="toy.plaid", payload=1, step="1"), id="emits an unknown kind"),
    pytest.param(
        e.Emit(kind="platform.noted", payload=Noted(what="x", detail=NOT_JSON), step="1"),
        id="emits an object",
    ),
    pytest.param(
        e.Emit(kind="platform.noted", payload=Noted(what="\ud800"), step="1"), id="emits half"
    ),
    pytest.param(attrs.evolve(VIP, customer=CustomerId(404)), id="tags nobody"),
    pytest.param(attrs.evolve(VIP, customer="ann"), id="tags a word"),
    pytest.param(attrs.evolve(VIP, customer=CustomerId(2**70)), id="tags a number too large"),
]  # fmt: skip


@pytest.mark.parametrize("effect", BROKEN_EFFECTS)
def test_a_broken_effect_loses_its_whole_decision(engine_of: Make, effect: Any):
    reserve = e.Reserve(resource="stock", quantity=1, reservation="1", capacity=5)
    before = e.SetAttribute(name="before", value=1)
    rule = FakeRule("entrance.scanned", decide=says(reserve, before, effect))
    engine = engine_of({"rule.bad": rule, "rule.good": good(), "channel.sms": FakeChannel(), "mechanic.toy": Toy()})

    outcome = engine.record(scanned(1))

    assert outcome.parked is None
    assert [(said.plugin, said.code) for said in outcome.decisions] == [("bad", "failed"), ("good", "ok")]
    assert [row[2:4] for row in rows(engine, "tag")] == [("level", "vip")]
    for name in ("attribute", "resource", "reservation", "entry", "outgoing", "timer", "memo"):
        assert rows(engine, name) == []
    assert health(engine, "bad").failures == 1
    assert len(rows(engine, "touchpoint")) == 1


def test_a_timer_about_nobody_loses_its_whole_decision(engine_of: Make):
    reserve = e.Reserve(resource="stock", quantity=1, reservation="1", capacity=5)
    timer = e.StartTimer(key="later", due_at=NOON)
    engine = engine_of({"rule.bad": FakeRule("entrance.scanned", decide=says(reserve, timer))})

    outcome = engine.record(attrs.evolve(scanned(1), identities=()))

    assert [(said.plugin, said.code) for said in outcome.decisions] == [("bad", "failed")]
    for name in ("resource", "reservation", "timer"):
        assert rows(engine, name) == []
