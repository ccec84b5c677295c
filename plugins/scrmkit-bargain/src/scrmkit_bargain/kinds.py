"""What the shop tells a bargain, what a bargain tells, and what it answers."""

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


def _not_negative(instance: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and value < 0:
        raise InvalidValueError(f"{attribute.name} is 0 or more; it is {value}")


@attrs.frozen(kw_only=True)
class Call:
    """
    Which bargain is meant.

    Attributes:
        bargain: The shop's own number for it, unique within the campaign.
    """

    campaign: CampaignId
    bargain: str = attrs.field(validator=_name)


@attrs.frozen(kw_only=True)
class Ordered(Call):
    """
    The owner orders at the price that was won.

    Attributes:
        order_no: By which payment, cancellation and refund find the bargain.
        shop_price_fen: What the shop asks of everybody now, if that may be less
            than the price won.
        discount_fen: Taken off by coupons or points; must be 0.
    """

    order_no: str = attrs.field(validator=_name)
    shop_price_fen: int | None = attrs.field(default=None, validator=_not_negative)
    discount_fen: int = attrs.field(default=0, validator=_not_negative)


@attrs.frozen(kw_only=True)
class Delivered:
    """The goods of an order have reached the customer."""

    order_no: str


@attrs.frozen(kw_only=True)
class Result(Call):
    """
    What became of a bargain; the customer is its owner.

    Attributes:
        price_fen: Where the price stood.
        friends: How many helped. Who they are says ``Participants`` with the role ``helper``.
    """

    price_fen: int
    friends: int
    order_no: str = ""


@attrs.frozen(kw_only=True)
class BargainAnswer:
    """
    What ``record`` hands back to who started, helped or ordered.

    Attributes:
        code: ``ok``, or why it was refused.
        phase: Where the bargain is now; empty where none was opened.
        price_fen: The price now, or of the order.
        cut_fen: By how much this start or help lowered it.
        cuts_left: How many more cuts lead to the floor, None where that is open.
        pay_before: First moment at which a payment of the order is late.
    """

    code: str
    phase: str = ""
    price_fen: int | None = None
    cut_fen: int = 0
    cuts_left: int | None = None
    ends_at: datetime | None = None
    order_by: datetime | None = None
    pay_before: datetime | None = None


STARTED = "bargain.started"
HELPED = "bargain.helped"
ORDERED = "bargain.ordered"
DELIVERED = "bargain.delivered"
WITHDRAWN = "bargain.withdrawn"
WON = "bargain.won"
EXPIRED = "bargain.expired"
SOLD_OUT = "bargain.sold_out"
FORFEITED = "bargain.forfeited"
BOUGHT = "bargain.bought"
REFUNDED = "bargain.refunded"
REFUND_FAILED = "bargain.refund_failed"


def _kinds(payload: type, *names: str) -> tuple[TouchpointKind[Any], ...]:
    return tuple(TouchpointKind(name=name, payload=payload) for name in names)


KINDS: tuple[TouchpointKind[Any], ...] = (
    *_kinds(Call, STARTED, HELPED, WITHDRAWN),
    *_kinds(Ordered, ORDERED),
    *_kinds(Delivered, DELIVERED),
    *_kinds(Result, WON, EXPIRED, SOLD_OUT, FORFEITED, BOUGHT, REFUNDED, REFUND_FAILED),
)
