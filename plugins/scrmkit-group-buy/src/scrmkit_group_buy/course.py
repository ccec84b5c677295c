"""How a group moves: seats are taken and freed, it opens, succeeds, fails."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import attrs

from scrmkit.domain.effects import (
    AddAlias,
    CancelTimer,
    CommitReservation,
    Effect,
    Join,
    Leave,
    ReleaseReservation,
    Request,
    Reserve,
    StartTimer,
)
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.messages import AnswerTo, Refund
from scrmkit_group_buy import kinds
from scrmkit_group_buy.rules import GRACE, GroupBuyRules
from scrmkit_group_buy.state import GroupBuy, Payback, Phase, Seat, SeatStatus
from scrmkit_group_buy.turn import Turn

STOCK = "stock"
MEMBER = "member"
DEADLINE_TIMER = "deadline"


def units_of(customer: CustomerId) -> str:
    """The resource that counts the units of one customer in a campaign."""
    return f"units/{customer}"


def open_of(customer: CustomerId) -> str:
    """The resource of which a customer in an open group holds the only one."""
    return f"open/{customer}"


def seats_of(key: str) -> str:
    """The resource that is a group's seats."""
    return f"seats/{key}"


def caught_up(turn: Turn, own: Callable[[Seat], bool] = lambda seat: False) -> Turn:
    """
    Do what is overdue by ``now.at``, so that no late timer makes a difference.

    A payment made before ``expires_at`` has ``GRACE`` to arrive; after that the
    group is settled, whether its timer has run or not.

    Args:
        own: Seats that are not freed for being overdue: a payment still takes
            a seat that nobody else got.
    """
    at = turn.now.at
    for seat in turn.state.of_status(SeatStatus.HELD):
        if at >= seat.pay_before + GRACE and not own(seat):
            turn = unseated(turn, seat, SeatStatus.GONE)
    turn = led(turn)
    expires_at = turn.state.expires_at
    if turn.state.phase is Phase.OPEN and expires_at is not None and at >= expires_at + GRACE:
        return settled(turn)
    return turn


# --- seats -------------------------------------------------------------------------------


def hold(turn: Turn, seat: Seat, alias: str) -> Turn:
    """
    Hold a seat, and the stock, for an order.

    The ``Join`` and the reservations keep what the checks have promised when
    two orders of one instant want the same.
    """
    until = seat.pay_before + GRACE if seat.status is SeatStatus.HELD else None
    return turn.seated(
        seat,
        AddAlias(kind=alias, value=seat.order_no),
        Join(role=MEMBER, data={"order": seat.order_no}, customer=seat.customer),
        *(attrs.evolve(reserve, expires_at=until) for reserve in _reservations(turn.rules, turn.ref.key, seat)),
        *_limits(turn.rules, seat),
    )


def pay(turn: Turn, seat: Seat, paid_fen: int) -> Turn:
    """Turn what is held for a seat into a use."""
    commits = [
        CommitReservation(resource=each.resource, reservation=each.reservation)
        for each in _reservations(turn.rules, turn.ref.key, seat)
    ]
    return turn.seated(attrs.evolve(seat, status=SeatStatus.PAID, paid_fen=paid_fen), *commits)


def unseated(turn: Turn, seat: Seat, status: SeatStatus, *, leave: bool = True) -> Turn:
    """Take a seat back with all that was held or used for it."""
    effects = releases(turn, seat)
    if leave and seat.customer is not None:
        effects.append(Leave(role=MEMBER, customer=seat.customer))
    return turn.seated(attrs.evolve(seat, status=status), *effects)


def releases(turn: Turn, seat: Seat) -> list[Effect]:
    """Give back all reservations of a seat."""
    rules, key = turn.rules, turn.ref.key
    return [
        ReleaseReservation(resource=each.resource, reservation=each.reservation, committed=True)
        for each in (*_reservations(rules, key, seat), *_limits(rules, seat))
    ]


def _reservations(rules: GroupBuyRules, key: str, seat: Seat) -> list[Reserve]:
    seats = Reserve(resource=seats_of(key), quantity=1, reservation=seat.order_no, capacity=rules.seats)
    if rules.stock is None:
        return [seats]
    stock = Reserve(resource=STOCK, quantity=seat.quantity, reservation=seat.order_no, capacity=rules.stock)
    return [seats, stock]


def _limits(rules: GroupBuyRules, seat: Seat) -> list[Reserve]:
    if seat.customer is None:
        return []
    units = Reserve(
        resource=units_of(seat.customer), quantity=seat.quantity, reservation=seat.order_no, capacity=rules.per_customer
    )
    if not rules.one_open:
        return [units]
    one = Reserve(resource=open_of(seat.customer), quantity=1, reservation=seat.order_no, capacity=1)
    return [units, one]


# --- money back --------------------------------------------------------------------------


def money_back(turn: Turn, seat: Seat, why: str) -> Turn:
    """Ask for all that a seat has paid and that is not on its way back yet."""
    fen = seat.left_fen
    seat = attrs.evolve(seat, status=SeatStatus.REFUNDING if fen else SeatStatus.REFUNDED)
    turn = asked(turn.seated(seat), seat, "all", fen, why)
    return turn.emit_seat(kinds.SEAT_RELEASED, seat, why, refund_fen=fen)


def asked(turn: Turn, seat: Seat, what: str, fen: int, why: str) -> Turn:
    """
    Ask the payment connector for one refund; nothing where there is nothing to give.

    Each is a request of its own, so that one that fails holds up no other.
    """
    if fen < 1:
        return turn
    payback = Payback(refund_no=f"{seat.order_no}-{what}", amount_fen=fen)
    body = Refund(order_no=seat.order_no, refund_no=payback.refund_no, amount_fen=fen, reason=why)
    request = Request(
        connector=turn.payments,
        operation="refund",
        body=body,
        once=payback.refund_no,
        answer_to=AnswerTo(ref=turn.ref, step=payback.refund_no),
        customer=seat.customer,
    )
    return turn.seated(attrs.evolve(seat, paybacks=(*seat.paybacks, payback)), request)


# --- the group ---------------------------------------------------------------------------


def opened(turn: Turn, paid_at: datetime) -> Turn:
    """The leader has paid: the window runs from that moment."""
    expires_at = paid_at + turn.rules.window
    turn = turn.then(StartTimer(key=DEADLINE_TIMER, due_at=expires_at + GRACE), phase=Phase.OPEN, expires_at=expires_at)
    return turn.emit_group(kinds.OPENED, price_fen=turn.rules.price_fen)


def led(turn: Turn) -> Turn:
    """
    Make sure that a running group has a leader.

    The earliest member who has paid takes over and keeps the group's end; with
    nobody left who has paid the group is cancelled.
    """
    state = turn.state
    if state.is_closed:
        return turn
    leader = state.seat(state.leader)
    if leader is not None and leader.status in {SeatStatus.HELD, SeatStatus.PAID}:
        return turn
    paying = state.of_status(SeatStatus.PAID)
    if paying:
        return turn.then(leader=paying[0].order_no)
    for seat in state.of_status(SeatStatus.HELD):
        turn = unseated(turn, seat, SeatStatus.GONE)
    turn = turn.then(CancelTimer(key=DEADLINE_TIMER), phase=Phase.CANCELLED)
    return turn.emit_group(kinds.CANCELLED)


def succeeded_if_full(turn: Turn) -> Turn:
    """End a group that has no seat left to be paid."""
    return succeeded(turn) if turn.state.paid >= turn.rules.seats else turn


def settled(turn: Turn) -> Turn:
    """End a group whose time is over."""
    real, rules = turn.state.paid, turn.rules
    if real >= rules.size:
        return succeeded(turn)
    if rules.may_fill(real):
        return succeeded(turn, virtual=rules.size - real)
    return failed(turn)


def succeeded(turn: Turn, virtual: int = 0) -> Turn:
    """Confirm every seat at the price that the members have reached."""
    rules, real = turn.rules, turn.state.paid
    price_fen = rules.price_for(real)
    for seat in turn.state.of_status(SeatStatus.HELD):
        turn = unseated(turn, seat, SeatStatus.GONE)
    turn = turn.then(
        CancelTimer(key=DEADLINE_TIMER), phase=Phase.SUCCEEDED, real=real, virtual=virtual, price_fen=price_fen
    )
    perk_fen = price_fen * rules.leader_perk_percent // 100
    turn = turn.emit_group(kinds.SUCCEEDED, price_fen=price_fen, leader_perk_fen=perk_fen)
    for seat in turn.state.of_status(SeatStatus.PAID):
        fen = min((rules.price_fen - price_fen) * seat.quantity, seat.left_fen)
        turn = asked(turn.then(*_free_to_go(turn, seat)), seat, "tier", fen, "tier")
        turn = turn.emit_seat(kinds.SEAT_CONFIRMED, seat, "succeeded", price_fen=price_fen, refund_fen=fen)
    return turn


def _free_to_go(turn: Turn, seat: Seat) -> list[Effect]:
    if seat.customer is None or not turn.rules.one_open:
        return []
    return [ReleaseReservation(resource=open_of(seat.customer), reservation=seat.order_no)]


def failed(turn: Turn) -> Turn:
    """Give everybody the money back, each by a request of its own."""
    turn = turn.then(CancelTimer(key=DEADLINE_TIMER)).emit_group(kinds.FAILED)
    for seat in turn.state.of_status(SeatStatus.HELD):
        turn = unseated(turn, seat, SeatStatus.GONE, leave=False)
    for seat in turn.state.of_status(SeatStatus.PAID):
        turn = money_back(turn.then(*releases(turn, seat)), seat, "failed")
    return turn.then(phase=Phase.FAILED)


def is_open_at(state: GroupBuy, turn: Turn) -> bool:
    """Whether a payment of this touchpoint counts for the group."""
    if state.phase is not Phase.OPEN or state.expires_at is None:
        return False
    return turn.now.counts_at < state.expires_at
