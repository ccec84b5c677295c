"""How a bargain moves by itself: it is won, it runs out, its order lapses."""

from __future__ import annotations

from datetime import datetime

import attrs

from scrmkit.domain.effects import CancelTimer, CommitReservation, Join, Leave, ReleaseReservation, Reserve, StartTimer
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.reads import StockOf
from scrmkit_bargain import kinds
from scrmkit_bargain.rules import GRACE, StockHold
from scrmkit_bargain.state import Order, OrderStatus, Phase, price_now
from scrmkit_bargain.turn import Turn

STOCK = "stock"
OWNER = "owner"
HELPER = "helper"
WINNER = "winner"
DEADLINE_TIMER = "deadline"
ORDER_TIMER = "order"
PAY_TIMER = "pay"


def counter(name: str, limit: int, customer: CustomerId) -> str:
    """
    The resource that counts what one customer may do.

    It keeps the limit when two touchpoints race past the check. The limit is
    part of the name because a resource keeps the capacity of its first use.
    """
    return f"{name}-{limit}/{customer}"


def caught_up(turn: Turn) -> Turn:
    """
    Do what is overdue by ``now.at``, so that no late timer makes a difference.

    A moment that has passed counts as passed whether its timer has run or not.
    """
    while (moved := _overdue(turn)) is not None:
        turn = moved
    return turn


def _overdue(turn: Turn) -> Turn | None:
    state, at = turn.state, turn.now.at
    if state.phase is Phase.BARGAINING and at >= state.ends_at:
        if turn.rules.buy_at_any_price:
            return won(turn, state.ends_at)
        return failed(turn, Phase.EXPIRED, kinds.EXPIRED)
    if state.phase is Phase.WON and state.order_by is not None and at >= state.order_by:
        return failed(turn, Phase.FORFEITED, kinds.FORFEITED)
    order = state.open_order
    if order is not None and at >= order.pay_before + GRACE:
        return lapsed(turn)
    return None


def stock_free(turn: Turn) -> int:
    """Units that can still be held."""
    stock = turn.known[StockOf(turn.ref.campaign, STOCK)]
    return turn.rules.stock if stock is None else stock.free


def hold_stock(turn: Turn, until: datetime | None) -> Turn:
    """Hold one unit; the core takes it back at *until*."""
    reserve = Reserve(resource=STOCK, quantity=1, reservation=turn.ref.key, capacity=turn.rules.stock, expires_at=until)
    return turn.then(reserve, has_stock=True)


def drop_stock(turn: Turn) -> Turn:
    """Give the unit back, held or used; nothing where there is none."""
    if not turn.state.has_stock:
        return turn
    release = ReleaseReservation(resource=STOCK, reservation=turn.ref.key, committed=True)
    return turn.then(release, has_stock=False)


def won(turn: Turn, at: datetime) -> Turn:
    """Lock the price; where the last unit is gone the bargain ends ``sold_out`` instead."""
    rules, owner = turn.rules, turn.state.owner
    at_success = rules.stock_hold is StockHold.AT_SUCCESS
    if at_success and stock_free(turn) < 1:
        return failed(turn, Phase.SOLD_OUT, kinds.SOLD_OUT)
    order_by = at + rules.order_within
    turn = turn.then(
        CancelTimer(key=DEADLINE_TIMER),
        StartTimer(key=ORDER_TIMER, due_at=order_by),
        Join(role=WINNER, customer=owner),
        phase=Phase.WON,
        price_fen=price_now(rules, turn.state),
        order_by=order_by,
    )
    if at_success:
        # The last order may be placed just before order_by; the hold outlives it.
        turn = hold_stock(turn, order_by + rules.pay_within + GRACE)
    return turn.emit(kinds.WON)


def failed(turn: Turn, phase: Phase, kind: str | None) -> Turn:
    """End it without a sale: the stock, the owner's turn and the timers are given back."""
    rules, owner, key = turn.rules, turn.state.owner, turn.ref.key
    winner = turn.state.phase is not Phase.BARGAINING
    turn = drop_stock(turn).then(
        *([Leave(role=WINNER, customer=owner)] if winner else []),
        ReleaseReservation(resource=counter("wins", rules.wins_per_customer, owner), reservation=key),
        phase=phase,
    )
    turn = _ended(turn)
    return turn if kind is None else turn.emit(kind)


def sold(turn: Turn, order: Order, paid_fen: int) -> Turn:
    """The owner has paid: the stock is used, and the owner may start anew."""
    paid = attrs.evolve(order, status=OrderStatus.PAID, paid_fen=paid_fen)
    if turn.state.phase is Phase.FORFEITED:
        turn = turn.then(Join(role=WINNER, customer=turn.state.owner))
    turn = turn.then(
        CommitReservation(resource=STOCK, reservation=turn.ref.key),
        phase=Phase.PAID,
        orders=turn.state.with_order(paid),
    )
    return _ended(turn).emit(kinds.BOUGHT, order.order_no)


def lapsed(turn: Turn) -> Turn:
    """The open order is over unpaid: back to ``won``, so that the owner may order again."""
    order = turn.state.open_order
    if order is None or turn.state.order_by is None:
        return turn
    turn = turn.then(
        CancelTimer(key=PAY_TIMER),
        StartTimer(key=ORDER_TIMER, due_at=turn.state.order_by),
        phase=Phase.WON,
        orders=turn.state.with_order(attrs.evolve(order, status=OrderStatus.LAPSED)),
    )
    return drop_stock(turn) if turn.rules.stock_hold is StockHold.AT_ORDER else turn


def _ended(turn: Turn) -> Turn:
    owner, key, limit = turn.state.owner, turn.ref.key, turn.rules.open_per_customer
    return turn.then(
        ReleaseReservation(resource=counter("open", limit, owner), reservation=key),
        CancelTimer(key=DEADLINE_TIMER),
        CancelTimer(key=ORDER_TIMER),
        CancelTimer(key=PAY_TIMER),
    )
