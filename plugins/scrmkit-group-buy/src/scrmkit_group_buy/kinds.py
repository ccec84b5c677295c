"""What the shop tells a group, what a group tells, and what it answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs

from scrmkit.domain.ids import CampaignId
from scrmkit.domain.touchpoint import TouchpointKind
from scrmkit.errors import InvalidValueError


def _name(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not 1 <= len(value) <= 64 or "\x00" in value:
        raise InvalidValueError(f"{attribute.name} has 1 to 64 characters and no NUL; it has {len(value)}")


def _at_least(least: int) -> Any:
    def check(instance: object, attribute: attrs.Attribute[int], value: int) -> None:
        if value < least:
            raise InvalidValueError(f"{attribute.name} is {least} or more; it is {value}")

    return check


@attrs.frozen(kw_only=True)
class Call:
    """
    Which group is meant.

    Attributes:
        group: The shop's own number for it, unique within the campaign.
    """

    campaign: CampaignId
    group: str = attrs.field(validator=_name)


@attrs.frozen(kw_only=True)
class SeatOrder(Call):
    """
    A customer orders: with ``group-buy.started`` a new group, with ``group-buy.joined`` a seat.

    Attributes:
        order_no: By which payment, cancellation and refund find the group.
        quantity: Units.
        discount_fen: Taken off by coupons or points; must be 0.
    """

    order_no: str = attrs.field(validator=_name)
    quantity: int = attrs.field(default=1, validator=_at_least(1))
    discount_fen: int = attrs.field(default=0, validator=_at_least(0))


@attrs.frozen(kw_only=True)
class Shipment:
    """The shop wants to ship an order; the answer's code says whether it may."""

    order_no: str


@attrs.frozen(kw_only=True)
class Moved(Call):
    """
    A payment without a seat opens a group of its own; a group tells it to the new one.

    Attributes:
        paid_at: When it was paid, by the platform's word.
        source: The group that it comes from.
    """

    order_no: str
    quantity: int
    paid_fen: int
    paid_at: datetime
    source: str


@attrs.frozen(kw_only=True)
class GroupResult(Call):
    """
    What became of a group; the customer is its leader.

    Attributes:
        real: Members who paid.
        virtual: Members made up, 0 unless the rules allow them.
        price_fen: What a unit costs.
        leader_perk_fen: What the leader is owed for it.
    """

    real: int
    virtual: int = 0
    price_fen: int = 0
    leader_perk_fen: int = 0


@attrs.frozen(kw_only=True)
class SeatResult(Call):
    """
    What became of one member's order; the customer is the member.

    Attributes:
        price_fen: What a unit costs the member, 0 where the order is over.
        refund_fen: What goes back.
        commission: Whether the order earns commission.
        why: ``succeeded``, ``failed``, ``left``, ``late``, ``underpaid``,
            ``merged``, ``refunded`` or ``refund_failed``.
    """

    order_no: str
    quantity: int
    price_fen: int = 0
    refund_fen: int = 0
    commission: bool = False
    why: str


@attrs.frozen(kw_only=True)
class GroupBuyAnswer:
    """
    What ``record`` hands back.

    Attributes:
        code: ``ok``, or why it was refused.
        phase: Where the group is now; empty where none was opened.
        seat: The member's place in it, counted from 1; 0 for none.
        price_fen: What the order costs, or a unit where there is no order.
        missing: Members who must still pay for a success.
        pay_before: First moment at which a payment of the order is late.
        expires_at: First moment at which no payment counts.
    """

    code: str
    phase: str = ""
    seat: int = 0
    price_fen: int | None = None
    missing: int | None = None
    pay_before: datetime | None = None
    expires_at: datetime | None = None


STARTED = "group-buy.started"
JOINED = "group-buy.joined"
LEFT = "group-buy.left"
SHIPMENT = "group-buy.shipment_requested"
MOVED = "group-buy.moved"
OPENED = "group-buy.opened"
SUCCEEDED = "group-buy.succeeded"
FAILED = "group-buy.failed"
CANCELLED = "group-buy.cancelled"
SEAT_CONFIRMED = "group-buy.seat_confirmed"
SEAT_RELEASED = "group-buy.seat_released"
REFUND_FAILED = "group-buy.refund_failed"


def _kinds(payload: type, *names: str) -> tuple[TouchpointKind[Any], ...]:
    return tuple(TouchpointKind(name=name, payload=payload) for name in names)


KINDS: tuple[TouchpointKind[Any], ...] = (
    *_kinds(SeatOrder, STARTED, JOINED),
    *_kinds(Call, LEFT),
    *_kinds(Shipment, SHIPMENT),
    *_kinds(Moved, MOVED),
    *_kinds(GroupResult, OPENED, SUCCEEDED, FAILED, CANCELLED),
    *_kinds(SeatResult, SEAT_CONFIRMED, SEAT_RELEASED, REFUND_FAILED),
)
