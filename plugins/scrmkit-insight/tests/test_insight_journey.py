"""A customer's journey: everything, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import pytest
from journey_world import ANN, BEA, HOUR, SECRET_WORDS, JourneyWorld

from scrmkit.domain.kinds import ContactAdded, MessageReceived, OrderRefunded
from scrmkit.domain.messages import TryLater
from scrmkit_audience import Audience
from scrmkit_insight import DecisionEntry, Entry, MergeEntry, OutgoingEntry, ScoreEntry, TouchpointEntry


def told(entries: Sequence[Entry]) -> list[str]:
    """What each entry is, and its words."""
    return [f"{entry.what}: {entry.words}" for entry in entries]


def test_a_journey_is_told_in_order(shop: JourneyWorld):
    shop.happen("contact.added", ContactAdded(account="zoe"), ANN)
    shop.clock.advance(HOUR)
    ann = shop.buy("o1")

    assert told(shop.insight.journey(ann, tenant="north")) == [
        "touchpoint: contact.added",
        "decision: tagger: the entrance names it",
        "decision: greeter: a new friend",
        "decision: club: the club says hello",
        "message: sms.send by greeter: planned, the contact policy allows it",
        "message: sms.send by club: suppressed, greeter won the slot",
        "touchpoint: order.paid",
        "decision: news: whoever buys hears of more",
        "message: sms.send by news: suppressed, the customer never consented to marketing by sms",
        "touchpoint: consent.granted from news",
        "decision: core: the customer granted it",
    ]


def test_a_message_has_its_reason_its_verdict_and_its_attempts(shop: JourneyWorld):
    shop.sms.will(TryLater(reason="busy"))
    ann = shop.happen("contact.added", ContactAdded(), ANN)
    shop.engine.run_once()
    shop.clock.advance(HOUR)
    shop.engine.run_once()

    greeting, other = (entry for entry in shop.insight.journey(ann, tenant="north") if isinstance(entry, OutgoingEntry))

    assert greeting.because == "a new friend"
    assert greeting.verdict is not None
    assert greeting.verdict.code == "ok"
    assert greeting.status == "accepted"
    assert [attempt.status for attempt in greeting.attempts][-1] == "accepted"
    assert "busy" in greeting.attempts[0].reason
    assert other.verdict is not None
    assert (other.verdict.send_at, other.verdict.code) == (None, "slot_lost")


def test_a_request_is_told_like_a_message(shop: JourneyWorld):
    payload = OrderRefunded(order_no="o1", refund_no="r1", amount_fen=100)
    ann = shop.happen("order.refunded", payload, ANN)
    shop.engine.run_once()

    (request,) = (e for e in shop.insight.journey(ann, tenant="north") if e.what == "request")

    assert isinstance(request, OutgoingEntry)
    assert (request.because, request.status) == ("the customer asked", "delivered")


def test_scores_tell_where_they_were_before(shop: JourneyWorld):
    shop.buy("o1")
    shop.clock.advance(HOUR)
    Audience(shop.engine).score("value", tenant="north")
    shop.clock.advance(HOUR)
    shop.buy("o2")
    ann = shop.buy("o3")
    shop.clock.advance(HOUR)
    Audience(shop.engine).score("value", tenant="north")

    journey = shop.insight.journey(ann, tenant="north")
    last = [entry for entry in journey if isinstance(entry, ScoreEntry)][-1]
    banded = [e for e in journey if isinstance(e, TouchpointEntry) and e.kind == "score.banded"]

    assert (last.hundredths, last.band) == (300, "A")
    assert [dict(one.payload) for one in banded] == [{"scorer": "value", "before": "B", "after": "A"}]


def test_what_somebody_elses_touchpoint_did_is_told_without_the_rest(shop: JourneyWorld):
    ann = shop.buy("o1")
    shop.befriended = ann
    shop.happen("message.received", MessageReceived(text=SECRET_WORDS), BEA)

    journey = shop.insight.journey(ann, tenant="north")
    (decision,) = (e for e in journey if isinstance(e, DecisionEntry) and e.plugin == "friend")

    assert [effect["type"] for effect in decision.effects] == ["add_tag", "record_consent"]
    assert decision.answer is None
    assert "message.received" not in [e.kind for e in journey if isinstance(e, TouchpointEntry)]


def test_a_merge_joins_two_journeys_and_undoing_it_parts_them(shop: JourneyWorld):
    shop.buy("o1", ANN)
    bea = shop.buy("o2", BEA)
    kept = shop.happen("contact.added", ContactAdded(), ANN, BEA)
    joined = shop.insight.journey(kept, tenant="north")
    (merge,) = (entry for entry in joined if isinstance(entry, MergeEntry))

    shop.engine.undo_merge(merge.kept, merge.moved, tenant="north")
    parted = shop.insight.journey(bea, tenant="north")
    (undone,) = (entry for entry in shop.insight.journey(kept, tenant="north") if isinstance(entry, MergeEntry))

    assert orders_in(joined) == ["o1", "o2"]
    assert (merge.kept, merge.moved, merge.undone_at) == (kept, bea, None)
    assert orders_in(parted) == ["o2"]
    assert undone.undone_at == shop.clock.now()


def orders_in(journey: Sequence[Entry]) -> list[str]:
    """The numbers of the orders in a journey."""
    return [
        entry.payload["order_no"]
        for entry in journey
        if isinstance(entry, TouchpointEntry) and entry.kind == "order.paid"
    ]


@pytest.mark.parametrize("tenant", ["north", "south"])
def test_journeys_of_two_tenants_keep_apart(shop: JourneyWorld, tenant: str):
    ann = {name: shop.buy(f"o-{name}", tenant=name) for name in ("north", "south")}

    assert orders_in(shop.insight.journey(ann[tenant], tenant=tenant)) == [f"o-{tenant}"]


def test_nothing_personal_is_in_a_journey(shop: JourneyWorld):
    shop.happen("contact.added", ContactAdded(name="Ann Blue", welcome_code="w-1"), ANN)
    ann = shop.happen("message.received", MessageReceived(text=SECRET_WORDS), ANN)

    text = repr(shop.insight.journey(ann, tenant="north"))

    assert not [word for word in ("Ann Blue", "w-1'", SECRET_WORDS, ANN) if word in text]


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        pytest.param("", "payments.refund by care: delivered", id="none where all went well"),
        pytest.param("busy", "payments.refund by care: delivered, busy", id="one that was given"),
    ],
)
def test_a_request_tells_a_reason_where_there_is_one(shop: JourneyWorld, reason: str, words: str):
    payload = OrderRefunded(order_no="o1", refund_no="r1", amount_fen=100)
    ann = shop.happen("order.refunded", payload, ANN)
    shop.engine.run_once()

    (request,) = (e for e in shop.insight.journey(ann, tenant="north") if e.what == "request")

    assert attrs.evolve(request, reason=reason).words == words
