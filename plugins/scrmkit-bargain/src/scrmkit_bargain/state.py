"""Where one bargain stands."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from datetime import datetime

import attrs

from scrmkit.domain.ids import CustomerId
from scrmkit_bargain.rules import BargainRules, CutMode, CutStore, Success


class Phase(enum.StrEnum):
    """
    Where a bargain is.

    ``bargaining`` → ``won`` → ``ordered`` → ``paid`` → ``fulfilled``; an unpaid
    order leads back to ``won``. The others are ends without a sale.
    """

    BARGAINING = "bargaining"
    WON = "won"
    ORDERED = "ordered"
    PAID = "paid"
    FULFILLED = "fulfilled"
    EXPIRED = "expired"
    SOLD_OUT = "sold_out"
    FORFEITED = "forfeited"
    WITHDRAWN = "withdrawn"
    REFUNDED = "refunded"


RUNNING = frozenset({Phase.BARGAINING, Phase.WON, Phase.ORDERED})
SOLD = frozenset({Phase.PAID, Phase.FULFILLED})
LOCKED = frozenset({Phase.WON, Phase.ORDERED, Phase.FORFEITED, Phase.REFUNDED}) | SOLD


class OrderStatus(enum.StrEnum):
    """Where an order of a bargain is; ``lapsed`` was not paid in time."""

    OPEN = "open"
    LAPSED = "lapsed"
    PAID = "paid"
    REFUNDING = "refunding"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"


@attrs.frozen(kw_only=True)
class Order:
    """
    An order that the owner placed on a bargain.

    Attributes:
        price_fen: What it costs; never below 0.
        pay_before: First moment at which a payment is late.
        refunded_fen: What went back otherwise than at our request.
    """

    order_no: str
    price_fen: int
    pay_before: datetime
    status: OrderStatus = attrs.field(default=OrderStatus.OPEN, converter=OrderStatus)
    paid_fen: int = 0
    refunded_fen: int = 0

    @property
    def refund_no(self) -> str:
        """The number of the one refund that we ask for."""
        return f"{self.order_no}-refund"


@attrs.frozen(kw_only=True)
class Bargain:
    """
    One customer's bargain (砍价): friends help, and the price falls.

    Attributes:
        owner: Who started it; the customer's id as it was then.
        ends_at: First moment at which no help counts.
        cut_fen: Sum of the cuts so far, in fen.
        helps: How many cuts were handed out; a help of weight 2 is two.
        friends: How many friends helped; the owner is none.
        plan: All cuts in order, where they were drawn at the start.
        price_fen: The price that was won; None while bargaining.
        order_by: First moment at which it is too late to order; None before success.
        has_stock: Whether a unit is held or used.
        orders: In the order in which they were placed.
    """

    owner: CustomerId
    phase: Phase = attrs.field(default=Phase.BARGAINING, converter=Phase)
    ends_at: datetime
    cut_fen: int = 0
    helps: int = 0
    friends: int = 0
    plan: tuple[int, ...] = ()
    price_fen: int | None = None
    order_by: datetime | None = None
    has_stock: bool = False
    orders: tuple[Order, ...] = ()

    def order(self, order_no: str) -> Order | None:
        """The order of this number, None if it is not one of this bargain."""
        return next((order for order in self.orders if order.order_no == order_no), None)

    def with_order(self, order: Order) -> tuple[Order, ...]:
        """The orders with this one in its place, or at the end if it is new."""
        if self.order(order.order_no) is None:
            return (*self.orders, order)
        return tuple(order if old.order_no == order.order_no else old for old in self.orders)

    @property
    def open_order(self) -> Order | None:
        """The order that waits for its payment."""
        return next((order for order in self.orders if order.status is OrderStatus.OPEN), None)

    @property
    def is_closed(self) -> bool:
        """Whether it has come to an end, sold or not."""
        return self.phase not in RUNNING


def price_now(rules: BargainRules, state: Bargain) -> int:
    """The price that was won, or that the cuts so far have reached, in fen."""
    return rules.list_fen - state.cut_fen if state.price_fen is None else state.price_fen


def has_won(rules: BargainRules, state: Bargain) -> bool:
    """Whether the cuts so far are enough."""
    if state.cut_fen == rules.span_fen:
        return True
    return rules.success is Success.HELPERS_OR_FLOOR and state.helps >= rules.helpers


def violations(rules: BargainRules, state: Bargain) -> Iterator[str]:
    """Name every invariant that this state breaks."""
    yield from _cut_violations(rules, state)
    yield from _price_violations(rules, state)
    yield from _order_violations(state)
    if state.friends > state.helps:
        yield f"{state.friends} friends made only {state.helps} cuts"
    if state.phase in {Phase.WON, Phase.ORDERED} and state.order_by is None:
        yield f"{state.phase} without a moment to order by"
    if state.phase in SOLD and not state.has_stock:
        yield "sold without stock"
    if state.is_closed and state.phase not in SOLD and state.has_stock:
        yield f"{state.phase} and still holds stock"


def _cut_violations(rules: BargainRules, state: Bargain) -> Iterator[str]:
    if not 0 <= state.cut_fen <= rules.span_fen:
        yield f"the cuts sum to {state.cut_fen} fen of {rules.span_fen}"
    if rules.cut in {CutMode.DOUBLE_MEAN, CutMode.PERCENT}:
        if state.cut_fen < state.helps * rules.min_cut_fen:
            yield "a cut was below the least"
        if state.helps > rules.helpers:
            yield f"{state.helps} cuts where {rules.helpers} reach the floor"
    if rules.store is CutStore.PRE_SPLIT:
        if sum(state.plan) != rules.span_fen or min(state.plan, default=0) < 1:
            yield "the drawn cuts do not lead to the floor exactly"
        if state.cut_fen != sum(state.plan[: state.helps]):
            yield "the cuts made are not the cuts drawn"


def _price_violations(rules: BargainRules, state: Bargain) -> Iterator[str]:
    locked = state.price_fen is not None
    if locked != (state.phase in LOCKED) and state.phase is not Phase.WITHDRAWN:
        yield f"{state.phase} with the price {state.price_fen}"
    if not locked:
        return
    if state.price_fen != rules.list_fen - state.cut_fen:
        yield "the price won is not what the cuts reached"
    if not rules.buy_at_any_price and not has_won(rules, state):
        yield f"won at {state.price_fen} fen, above the floor"


def _order_violations(state: Bargain) -> Iterable[str]:
    by_status = [order.status for order in state.orders]
    if by_status.count(OrderStatus.OPEN) != (state.phase is Phase.ORDERED):
        yield f"{state.phase} with {by_status.count(OrderStatus.OPEN)} open orders"
    if by_status.count(OrderStatus.PAID) != (state.phase in SOLD):
        yield f"{state.phase} with {by_status.count(OrderStatus.PAID)} paid orders"
    for order in state.orders:
        if state.price_fen is None or not 0 <= order.price_fen <= state.price_fen:
            yield f"order {order.order_no} costs {order.price_fen} fen"
        if order.status is OrderStatus.PAID and order.paid_fen < order.price_fen:
            yield f"order {order.order_no} was paid with too little"
