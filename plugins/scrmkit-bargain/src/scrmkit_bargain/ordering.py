"""Ordering at the price won, paying, cancelling, and money back."""

from __future__ import annotations

import attrs

from scrmkit.domain.decisions import Step
from scrmkit.domain.effects import AddAlias, CancelTimer, Request, StartTimer
from scrmkit.domain.kinds import Answered, OrderPaid, OrderRefunded
from scrmkit.domain.messages import SENT, WAITING, AnswerTo, Refund, Status
from scrmkit.domain.reads import ParticipantOf, PartsOf
from scrmkit_bargain import kinds
from scrmkit_bargain.course import (
    ORDER_TIMER,
    OWNER,
    PAY_TIMER,
    WINNER,
    caught_up,
    drop_stock,
    failed,
    hold_stock,
    lapsed,
    sold,
    stock_free,
    won,
)
from scrmkit_bargain.rules import GRACE, StockHold
from scrmkit_bargain.state import SOLD, Bargain, Order, OrderStatus, Phase, price_now
from scrmkit_bargain.turn import Turn

ORDER_ALIAS = "order"


def ordered(turn: Turn, payload: kinds.Ordered) -> Step[Bargain]:
    """Let the owner order; at any price where the rules allow it, which locks the price."""
    if not _is_owner(turn):
        return turn.step("only the owner can order", code="not_owner")
    placed = turn.state.order(payload.order_no)
    if placed is not None and placed.status is OrderStatus.OPEN:
        return turn.step("this order is placed already")
    refused = _refusal_to_order(turn, payload)
    if refused is not None:
        return turn.step(refused[1], code=refused[0])
    if turn.state.phase is Phase.BARGAINING:
        turn = won(turn, turn.now.at)
        if turn.state.phase is not Phase.WON:
            return turn.step("the stock is gone", code="sold_out")
    turn = _placed(turn, payload)
    return turn.step(f"order {payload.order_no} placed")


def _refusal_to_order(turn: Turn, payload: kinds.Ordered) -> tuple[str, str] | None:
    state, rules = turn.state, turn.rules
    if turn.state.order(payload.order_no) is not None:
        return "used_order_no", "this order number was used before; take a new one"
    if state.phase is Phase.ORDERED:
        return "ordered", "there is an open order already"
    if state.phase is Phase.BARGAINING and not rules.buy_at_any_price:
        return "not_won", "the price has not reached the floor yet"
    if state.phase not in {Phase.WON, Phase.BARGAINING}:
        return "over", f"the bargain is {state.phase}"
    if payload.discount_fen:
        return "discount", "no coupon or points on a bargain's order"
    if rules.stock_hold is StockHold.AT_ORDER and stock_free(turn) < 1:
        return "sold_out", "the stock is gone"
    return None


def _placed(turn: Turn, payload: kinds.Ordered) -> Turn:
    price_fen = price_now(turn.rules, turn.state)
    if payload.shop_price_fen is not None:
        price_fen = min(price_fen, payload.shop_price_fen)
    pay_before = turn.now.at + turn.rules.pay_within
    order = Order(order_no=payload.order_no, price_fen=price_fen, pay_before=pay_before)
    turn = turn.then(
        AddAlias(kind=ORDER_ALIAS, value=order.order_no),
        CancelTimer(key=ORDER_TIMER),
        StartTimer(key=PAY_TIMER, due_at=pay_before + GRACE),
        phase=Phase.ORDERED,
        orders=turn.state.with_order(order),
    )
    if turn.rules.stock_hold is StockHold.AT_ORDER:
        return hold_stock(turn, pay_before + GRACE)
    return turn


def _is_owner(turn: Turn) -> bool:
    customer = turn.customer
    return customer is not None and turn.known[ParticipantOf(turn.ref, OWNER, customer)] is not None


def paid(turn: Turn, payload: OrderPaid) -> Step[Bargain]:
    """
    Take a payment, late ones too while there is stock; money for nothing goes back.

    Not caught up first: while a unit is still held for the owner, the payment
    counts more than the timer that should have run.
    """
    order = turn.state.order(payload.order_no)
    if order is None:
        return turn.step("this order is none of the bargain's", code="unknown_order")
    if order.status not in {OrderStatus.OPEN, OrderStatus.LAPSED}:
        return turn.step("this order was paid before", code="paid")
    if payload.amount_fen < order.price_fen:
        return _money_back(turn, order, payload.amount_fen, "underpaid")
    if not _may_still_buy(turn, order):
        return _money_back(turn, order, payload.amount_fen, "late")
    if not turn.state.has_stock:
        if stock_free(turn) < 1:
            return _money_back(turn, order, payload.amount_fen, "sold_out")
        turn = hold_stock(turn, None)
    return sold(turn, order, payload.amount_fen).step(f"order {order.order_no} is paid")


def _may_still_buy(turn: Turn, order: Order) -> bool:
    open_order = turn.state.open_order
    if open_order is not None:
        return open_order.order_no == order.order_no
    if turn.state.phase is Phase.FORFEITED:
        wins = turn.known[PartsOf(turn.state.owner, turn.ref.campaign, WINNER)]
        return wins.open + wins.closed < turn.rules.wins_per_customer
    return turn.state.phase is Phase.WON


def _money_back(turn: Turn, order: Order, paid_fen: int, why: str) -> Step[Bargain]:
    if turn.state.open_order == order:
        turn = lapsed(turn)
    status = OrderStatus.REFUNDING if paid_fen else OrderStatus.REFUNDED
    back = attrs.evolve(order, status=status, paid_fen=paid_fen)
    turn = turn.then(orders=turn.state.with_order(back))
    if paid_fen:
        turn = turn.then(_refund(turn, back, why))
    return caught_up(turn).step(f"{paid_fen} fen of order {order.order_no} go back: {why}", code=why)


def _refund(turn: Turn, order: Order, why: str) -> Request:
    return Request(
        connector=turn.payments,
        operation="refund",
        body=Refund(order_no=order.order_no, refund_no=order.refund_no, amount_fen=order.paid_fen, reason=why),
        once=order.refund_no,
        answer_to=AnswerTo(ref=turn.ref, step=order.refund_no),
        customer=turn.customer or turn.state.owner,
    )


def cancelled(turn: Turn, order_no: str) -> Step[Bargain]:
    """An unpaid order is over; before ``order_by`` the owner may order again."""
    order = turn.state.open_order
    if order is None or order.order_no != order_no:
        return turn.step("this order does not wait for a payment", code="not_open")
    return caught_up(lapsed(turn)).step(f"order {order_no} is over")


def refunded(turn: Turn, payload: OrderRefunded) -> Step[Bargain]:
    """Money went back: all of what bought the bargain returns the stock, a part does not."""
    order = turn.state.order(payload.order_no)
    if order is None or order.status in {OrderStatus.OPEN, OrderStatus.LAPSED}:
        return turn.step("nothing was paid for this order", code="unpaid")
    ours = payload.refund_no == order.refund_no and order.status is not OrderStatus.PAID
    back_fen = order.refunded_fen if ours else order.refunded_fen + payload.amount_fen
    whole = ours or back_fen >= order.paid_fen
    bought = order.status is OrderStatus.PAID and turn.state.phase in SOLD
    status = OrderStatus.REFUNDED if whole else order.status
    after = attrs.evolve(order, refunded_fen=back_fen, status=status)
    turn = turn.then(orders=turn.state.with_order(after))
    if bought and whole:
        turn = drop_stock(turn).then(phase=Phase.REFUNDED).emit(kinds.REFUNDED, order.order_no)
    return turn.step(f"{payload.amount_fen} fen of order {order.order_no} went back")


def answered(turn: Turn, payload: Answered) -> Step[Bargain]:
    """What became of a refund that we asked for."""
    order = next((each for each in turn.state.orders if each.refund_no == payload.step), None)
    waits = {OrderStatus.REFUNDING, OrderStatus.REFUND_FAILED}
    status = Status(payload.status)
    if order is None or order.status not in waits or status in WAITING:
        return turn.step("the answer changes nothing")
    if status in SENT:
        done = attrs.evolve(order, status=OrderStatus.REFUNDED)
        return turn.then(orders=turn.state.with_order(done)).step("the money went back")
    stuck = attrs.evolve(order, status=OrderStatus.REFUND_FAILED)
    turn = turn.then(orders=turn.state.with_order(stuck))
    return turn.emit(kinds.REFUND_FAILED, order.order_no).step(
        f"the refund of order {order.order_no} ended {status} {payload.code}".rstrip()
    )


def delivered(turn: Turn, order_no: str) -> Step[Bargain]:
    """The goods arrived."""
    order = turn.state.order(order_no)
    if turn.state.phase is not Phase.PAID or order is None or order.status is not OrderStatus.PAID:
        return turn.step("there is nothing to deliver", code="not_paid")
    return turn.then(phase=Phase.FULFILLED).step(f"order {order_no} was delivered")


def withdrawn(turn: Turn) -> Step[Bargain]:
    """The owner or an operator ends a bargain that is not ordered."""
    if turn.state.phase not in {Phase.BARGAINING, Phase.WON}:
        return turn.step(f"the bargain is {turn.state.phase}", code="over")
    return failed(turn, Phase.WITHDRAWN, None).step("withdrawn")
