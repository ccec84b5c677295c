"""A mechanic with one instance that everybody joins, while there are seats."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, ClassVar

import attrs

from benchmarks.shop import START
from scrmkit.domain.campaign import Campaign, Instance, InstanceRef
from scrmkit.domain.decisions import Now, Step
from scrmkit.domain.effects import Join, Reserve
from scrmkit.domain.identity import PHONE, Identity
from scrmkit.domain.ids import CampaignId, CustomerId, TenantId
from scrmkit.domain.reads import Known, ParticipantOf, Read, StockOf
from scrmkit.domain.touchpoint import Touchpoint, TouchpointKind
from scrmkit.protocols import Address, NewInstance, PluginContext

CAMPAIGN = CampaignId("hot")
PLUGIN, ROLE, SEATS = "seats", "guest", "seat"


@attrs.frozen(kw_only=True)
class SeatRules:
    """How many can join."""

    capacity: int


@attrs.frozen(kw_only=True)
class Guests:
    """How many have joined."""

    count: int = 0


@attrs.frozen(kw_only=True)
class Asked:
    """A customer wants to join."""

    campaign: CampaignId


@attrs.frozen(kw_only=True)
class Answer:
    """Which guest the customer is, 0 for none."""

    number: int


class Seats:
    """Lets each customer join once, and no more than there are seats."""

    Rules: ClassVar[type] = SeatRules
    State: ClassVar[type] = Guests
    kinds = frozenset({"campaign.activated", "seats.asked"})
    touchpoint_kinds = (TouchpointKind(name="seats.asked", payload=Asked),)

    def __init__(self, context: PluginContext[Any]) -> None:
        self.name = context.name

    def address(self, touchpoint: Touchpoint[Any]) -> Iterable[Address]:
        """The campaign's only instance."""
        return (NewInstance(campaign=touchpoint.payload.campaign, key=""),)

    def needs(self, touchpoint: Touchpoint[Any], instance: Instance[SeatRules, Guests] | None) -> Iterable[Read[Any]]:
        """The customer's part, and what is free."""
        if instance is None or touchpoint.customer is None:
            return ()
        return (_part(instance.ref, touchpoint.customer), StockOf(CAMPAIGN, SEATS))

    def open(
        self, ref: InstanceRef, campaign: Campaign[SeatRules], touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> Step[Guests]:
        """Open it empty."""
        return Step(state=Guests(), reason="open")

    def act(
        self, instance: Instance[SeatRules, Guests], touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> Step[Guests] | None:
        """Join, or say why not."""
        customer, state = touchpoint.customer, instance.state
        if customer is None:
            return None
        if known[_part(instance.ref, customer)] is not None:
            return Step(reason="is a guest already", code="joined", answer=Answer(number=0))
        stock = known[StockOf(CAMPAIGN, SEATS)]
        if stock is not None and stock.free < 1:
            return Step(reason="no seat is free", code="full", answer=Answer(number=0))
        number = state.count + 1
        seat = Reserve(resource=SEATS, quantity=1, reservation=str(customer), capacity=instance.rules.capacity)
        return Step(
            state=Guests(count=number),
            effects=(Join(role=ROLE), seat),
            reason=f"guest {number}",
            answer=Answer(number=number),
        )

    def due(
        self, instance: Instance[SeatRules, Guests], timer: str, touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> None:
        """It starts no timers."""

    def violations(self, rules: SeatRules, state: Guests) -> Iterable[str]:
        """More guests than seats."""
        if state.count > rules.capacity:
            yield "there are more guests than seats"


def _part(ref: InstanceRef, customer: CustomerId) -> ParticipantOf:
    return ParticipantOf(ref, ROLE, customer)


def campaign_for(capacity: int) -> Campaign[SeatRules]:
    """A campaign with so many seats."""
    return Campaign(
        id=CAMPAIGN,
        mechanic=PLUGIN,
        rules=SeatRules(capacity=capacity),
        starts_at=START,
        ends_at=START + timedelta(days=30),
    )


def asks(count: int) -> list[Touchpoint[Asked]]:
    """So many customers who each want to join."""
    return [
        Touchpoint(
            kind="seats.asked",
            key=f"A{number:08}",
            tenant=TenantId("main"),
            occurred_at=START + timedelta(milliseconds=number),
            payload=Asked(campaign=CAMPAIGN),
            identities=(Identity(kind=PHONE, value=f"+86138{number:08}"),),
        )
        for number in range(count)
    ]
