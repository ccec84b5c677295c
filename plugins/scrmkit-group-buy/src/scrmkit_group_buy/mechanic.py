"""The mechanic: which touchpoint concerns which group, and who takes it in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import attrs

from scrmkit.domain.campaign import Campaign, Instance, InstanceRef
from scrmkit.domain.decisions import Now, Step
from scrmkit.domain.kinds import Answered, CustomerMerged, OrderCancelled, OrderPaid, OrderRefunded
from scrmkit.domain.reads import Known, ParticipantOf, Read
from scrmkit.domain.touchpoint import Touchpoint, TouchpointKind
from scrmkit.errors import InvalidValueError
from scrmkit.protocols import Address, Alias, NewInstance, OpenInstances, PluginContext
from scrmkit_group_buy import joining, paying
from scrmkit_group_buy.course import MEMBER, caught_up
from scrmkit_group_buy.kinds import (
    JOINED,
    KINDS,
    LEFT,
    MOVED,
    SHIPMENT,
    STARTED,
    GroupBuyAnswer,
    Moved,
    SeatOrder,
    Shipment,
)
from scrmkit_group_buy.rules import GroupBuyRules
from scrmkit_group_buy.state import GroupBuy, Seat, SeatStatus, violations
from scrmkit_group_buy.turn import Turn

ORDER_KINDS = frozenset({"order.paid", "order.cancelled", "order.refunded", SHIPMENT})
OPENING = frozenset({STARTED, MOVED})
CALLS = frozenset({JOINED, LEFT})
MERGED = "customer.merged"


def _named(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not value.strip():
        raise InvalidValueError("payments names the connector that refunds, such as 'payments'")


@attrs.frozen(kw_only=True)
class GroupBuySettings:
    """
    The plugin's settings.

    Attributes:
        payments: The configured connector whose operation ``refund`` gives money back.
    """

    payments: str = attrs.field(validator=_named)


class GroupBuyMechanic:
    """Runs group-buys; ``GroupBuyRules`` says what a campaign can set."""

    Settings: ClassVar[type] = GroupBuySettings
    Rules: ClassVar[type] = GroupBuyRules
    State: ClassVar[type] = GroupBuy
    kinds: frozenset[str] = ORDER_KINDS | OPENING | CALLS | {MERGED}
    touchpoint_kinds: ClassVar[tuple[TouchpointKind[Any], ...]] = KINDS

    def __init__(self, context: PluginContext[GroupBuySettings]) -> None:
        self._name = context.name
        self._payments = context.settings.payments

    def address(self, touchpoint: Touchpoint[Any]) -> Iterable[Address]:
        """The group that is named, opened, known by the order, or has the merged customer."""
        payload = touchpoint.payload
        if touchpoint.kind in OPENING:
            yield NewInstance(campaign=payload.campaign, key=payload.group)
        elif touchpoint.kind in CALLS:
            yield InstanceRef(plugin=self._name, campaign=payload.campaign, key=payload.group)
        elif touchpoint.kind in ORDER_KINDS:
            yield Alias(kind=joining.ORDER_ALIAS, value=payload.order_no)
            yield Alias(kind=paying.MOVED_ALIAS, value=payload.order_no)
        elif touchpoint.kind == MERGED:
            yield OpenInstances(customer=payload.kept, role=MEMBER)

    def needs(
        self, touchpoint: Touchpoint[Any], instance: Instance[GroupBuyRules, GroupBuy] | None
    ) -> Iterator[Read[Any]]:
        """How often and where the customer takes part, and what is left."""
        payload, customer = touchpoint.payload, touchpoint.customer
        if instance is None:
            if customer is not None:
                yield from joining.needs_of_order(payload.campaign, customer)
        elif isinstance(payload, OrderPaid):
            seat = instance.state.seat(payload.order_no)
            if seat is not None:
                yield from paying.needs_of_payment(instance.ref, seat)
        elif touchpoint.kind in {JOINED, STARTED} and customer is not None:
            yield ParticipantOf(instance.ref, MEMBER, customer)
            yield from joining.needs_of_order(instance.ref.campaign, customer)
        elif touchpoint.kind in {LEFT, MERGED}:
            yield joining.needs_of_members(instance.ref)

    def open(
        self, ref: InstanceRef, campaign: Campaign[GroupBuyRules], touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> Step[GroupBuy] | None:
        """Open a group for a leader who orders, or for a payment that found no seat."""
        payload, customer = touchpoint.payload, touchpoint.customer
        state = GroupBuy(leader=payload.order_no)
        turn = Turn(
            ref=ref,
            rules=campaign.rules,
            was=None,
            state=state,
            touchpoint=touchpoint,
            known=known,
            now=now,
            payments=self._payments,
        )
        if isinstance(payload, Moved):
            seat = Seat(
                order_no=payload.order_no,
                customer=customer,
                quantity=payload.quantity,
                pay_before=payload.paid_at,
                status=SeatStatus.GONE,
            )
            return paying.moved_here(turn.seated(seat), campaign, payload)
        if customer is None:
            return _not_opened("no_customer", "nobody knows who starts this group")
        refused = joining.refusal_to_start(turn, campaign, payload, customer)
        if refused is not None:
            return _not_opened(*refused)
        return joining.started(turn, payload, customer)

    def act(
        self, instance: Instance[GroupBuyRules, GroupBuy], touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> Step[GroupBuy] | None:
        """Take a call, an order's news, a merge or an answer into a group."""
        turn = self._turn(instance, touchpoint, known, now)
        payload = touchpoint.payload
        if isinstance(payload, Moved):
            return None
        if isinstance(payload, OrderPaid):
            no = payload.order_no
            return paying.paid(caught_up(turn, lambda seat: seat.order_no == no), payload)
        if isinstance(payload, OrderRefunded):
            return paying.refunded(turn, payload)
        if isinstance(payload, SeatOrder):
            turn = caught_up(turn, lambda seat: seat.customer == touchpoint.customer)
            if touchpoint.kind == STARTED:
                return joining.started_again(turn, payload)
            return joining.joined(turn, payload)
        turn = caught_up(turn)
        match payload:
            case OrderCancelled():
                return paying.cancelled(turn, payload.order_no)
            case Shipment():
                return paying.shipment(turn, payload.order_no)
            case Answered():
                return paying.answered(turn, payload)
            case CustomerMerged():
                return joining.merged(turn, payload)
        return joining.left(turn) if touchpoint.kind == LEFT else _moved_on(turn)

    def due(
        self,
        instance: Instance[GroupBuyRules, GroupBuy],
        timer: str,
        touchpoint: Touchpoint[Any],
        known: Known,
        now: Now,
    ) -> Step[GroupBuy] | None:
        """Do what is overdue; nothing where something else came first."""
        return _moved_on(caught_up(self._turn(instance, touchpoint, known, now)))

    def violations(self, rules: GroupBuyRules, state: GroupBuy) -> Iterable[str]:
        """Name every invariant that this state breaks."""
        return violations(rules, state)

    def _turn(
        self, instance: Instance[GroupBuyRules, GroupBuy], touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> Turn:
        return Turn(
            ref=instance.ref,
            rules=instance.rules,
            was=instance.state,
            state=instance.state,
            touchpoint=touchpoint,
            known=known,
            now=now,
            payments=self._payments,
        )


def _moved_on(turn: Turn) -> Step[GroupBuy] | None:
    return turn.step(f"time has passed: {turn.state.phase}") if turn.effects else None


def _not_opened(code: str, reason: str) -> Step[GroupBuy]:
    return Step(reason=reason, code=code, answer=GroupBuyAnswer(code=code))
