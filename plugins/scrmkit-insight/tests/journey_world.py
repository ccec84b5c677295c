"""A small shop whose rules leave something of everything that a journey tells."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs

from scrmkit.clock import VirtualClock
from scrmkit.domain.decisions import Decision
from scrmkit.domain.effects import AddTag, Emit, Propose, RecordConsent, RemoveTag, Request, SetAttribute
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.kinds import ConsentChanged
from scrmkit.domain.messages import Message, Purpose, Refund
from scrmkit.domain.profile import TagSource
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.testing import (
    NOON,
    FakeChannel,
    FakePayments,
    FakeRule,
    FakeScorer,
    FakeText,
    engine_in,
    make_identity,
    make_order_paid,
    make_touchpoint,
)
from scrmkit_insight import Insight

ANN, BEA = "+8613900000001", "+8613900000002"
SECRET_WORDS = "meet me at the blue door"
HOUR = timedelta(hours=1)


class OrderScorer(FakeScorer):
    """A point for each order; two make band A."""

    def __init__(self, context: Any) -> None:
        super().__init__(context, band=lambda count, most: "A" if count > 1 else "B")


def tagger(touchpoint: Touchpoint[Any], known: Any, now: Any) -> Decision:
    card = {"group": "source", "name": "table card"}
    if touchpoint.kind == "contact.removed":
        return Decision(reason="the contact is gone", effects=(RemoveTag(**card),))
    expires = now.at + timedelta(days=30)
    tag = AddTag(**card, source=TagSource.SOURCE, expires_at=expires)
    return Decision(reason="the entrance names it", effects=(tag, SetAttribute(name="n", value=1)))


def welcome(reason: str) -> Decision:
    message = Message(channel="sms", content=FakeText(text=SECRET_WORDS))
    proposal = Propose(message=message, once="welcome", slot="welcome")
    return Decision(reason=reason, effects=(proposal,))


def news(touchpoint: Touchpoint[Any], known: Any, now: Any) -> Decision:
    content = FakeText(text=SECRET_WORDS)
    message = Message(channel="sms", content=content, purpose=Purpose.MARKETING)
    return Decision(
        reason="whoever buys hears of more",
        effects=(
            Propose(message=message, once=touchpoint.key),
            Emit(kind="consent.granted", payload=ConsentChanged(channel="mail"), step="mail"),
        ),
    )


def refund(touchpoint: Touchpoint[Any], known: Any, now: Any) -> Decision:
    body = Refund(order_no="o1", refund_no="r1", amount_fen=100, reason="sorry")
    request = Request(connector="payments", operation="refund", body=body, once="r1")
    return Decision(reason="the customer asked", effects=(request,))


class JourneyWorld:
    """The engine with the plugins as they are configured, in this order."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock(NOON)
        self.sms, self.payments = FakeChannel(), FakePayments()
        self.friend = FakeRule("message.received", decide=self._befriend)
        self.befriended: CustomerId | None = None
        added = ("contact.added", "contact.removed")
        self.engine = engine_in(
            folder,
            {
                "rule.tagger": FakeRule(*added, decide=tagger),
                "rule.greeter": FakeRule("contact.added", decide=welcome("a new friend")),
                "rule.club": FakeRule("contact.added", decide=welcome("the club says hello")),
                "rule.news": FakeRule("order.paid", decide=news),
                "rule.care": FakeRule("order.refunded", decide=refund),
                "rule.friend": self.friend,
                "channel.sms": self.sms,
                "connector.payments": self.payments,
                "scorer.value": OrderScorer,
            },
            clock=self.clock,
            tenants=["north", "south"],
            stage_from="value",
        )
        self.insight = Insight(self.engine)

    def _befriend(self, touchpoint: Touchpoint[Any], known: Any, now: Any) -> Decision | None:
        if self.befriended is None:
            return None
        tag = AddTag(group="friend", name="of many", source=TagSource.INTERACTION, customer=self.befriended)
        said = RecordConsent(channel="sms", purpose=Purpose.SERVICE, granted=False, customer=self.befriended)
        return Decision(reason="a friend wrote for her", effects=(tag, said), answer={"seen": True})

    def happen(self, kind: str, payload: Any, *phones: str, key: str = "1", tenant: str = "north") -> CustomerId:
        """Record a touchpoint of now; the customer that it was about."""
        touchpoint = make_touchpoint(kind, payload, key=key, at=self.clock.now(), identities=map(make_identity, phones))
        return self._record(touchpoint, tenant)

    def buy(self, order_no: str, phone: str = ANN, tenant: str = "north") -> CustomerId:
        """Record an order of now; the customer that it was about."""
        at, who = self.clock.now(), (make_identity(phone),)
        return self._record(make_order_paid(order_no, at=at, identities=who), tenant)

    def _record(self, touchpoint: Touchpoint[Any], tenant: str) -> CustomerId:
        outcome = self.engine.record(attrs.evolve(touchpoint, tenant=tenant))
        assert outcome.parked is None
        assert outcome.customer is not None
        return outcome.customer
