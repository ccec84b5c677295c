"""Payments, cancellations, money back, and shipping."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import attrs

from scrmkit.domain.campaign import Campaign, InstanceRef
from scrmkit.domain.decisions import Step
from scrmkit.domain.effects import AddAlias, Emit
from scrmkit.domain.kinds import Answered, OrderPaid, OrderRefunded
from scrmkit.domain.messages import SENT, WAITING, Status
from scrmkit.domain.reads import ParticipantOf, Read
from scrmkit_group_buy import kinds
from scrmkit_group_buy.course import (
    MEMBER,
    caught_up,
    hold,
    is_open_at,
    led,
    money_back,
    opened,
    pay,
    releases,
    succeeded_if_full,
    unseated,
)
from scrmkit_group_buy.joining import ORDER_ALIAS, needs_of_order, refusal_to_order
from scrmkit_group_buy.kinds import Moved
from scrmkit_group_buy.rules import GroupBuyRules, Overflow
from scrmkit_group_buy.state import GroupBuy, PaybackStatus, Phase, Seat, SeatStatus
from scrmkit_group_buy.turn import Turn

MOVED_ALIAS = "moved"


def needs_of_payment(ref: InstanceRef, seat: Seat) -> Iterator[Read[Any]]:
    """What a payment reads about who takes the seat."""
    if seat.customer is not None:
        yield ParticipantOf(ref, MEMBER, seat.customer)
        yield from needs_of_order(ref.campaign, seat.customer)


def paid(turn: Turn, payload: OrderPaid) -> Step[GroupBuy] | None:
    """
    Take a payment; the last one that is missing makes the group succeed.

    A payment for a seat that is gone gets another one if there is one in time,
    else it follows the rules' ``overflow``.
    """
    seat = turn.state.seat(payload.order_no)
    if seat is None:
        seat = _forgotten(turn, payload)
    if seat.status is SeatStatus.MOVED:
        return None
    if seat.status not in {SeatStatus.HELD, SeatStatus.GONE}:
        return turn.step("this order was paid before", code="paid", order_no=seat.order_no)
    if payload.amount_fen < turn.rules.price_fen * seat.quantity:
        return _returned(turn, seat, payload.amount_fen, "underpaid")
    if seat.status is SeatStatus.HELD and turn.state.phase is Phase.PENDING:
        turn = opened(pay(turn, seat, payload.amount_fen), _paid_at(turn))
        return turn.step("the leader has paid: the group is open", order_no=seat.order_no)
    if not is_open_at(turn.state, turn):
        return _overflowed(turn, seat, payload)
    if seat.status is SeatStatus.GONE:
        if not _may_sit(turn, seat):
            return _overflowed(turn, seat, payload)
        turn = hold(turn, attrs.evolve(seat, status=SeatStatus.PAID), ORDER_ALIAS)
    turn = succeeded_if_full(pay(turn, seat, payload.amount_fen))
    return turn.step(f"{turn.state.paid} members have paid", order_no=seat.order_no)


def _paid_at(turn: Turn) -> datetime:
    """The platform's word, but never a moment to come."""
    return min(turn.now.counts_at, turn.now.at)


def _forgotten(turn: Turn, payload: OrderPaid) -> Seat:
    return Seat(
        order_no=payload.order_no,
        customer=None,
        quantity=max(1, payload.quantity),
        pay_before=turn.now.counts_at,
        status=SeatStatus.GONE,
    )


def _may_sit(turn: Turn, seat: Seat) -> bool:
    if seat.customer is None or turn.state.taken >= turn.rules.seats:
        return False
    if turn.known[ParticipantOf(turn.ref, MEMBER, seat.customer)] is not None:
        return False
    return _refusal(turn, seat) is None


def _refusal(turn: Turn, seat: Seat) -> tuple[str, str] | None:
    if seat.customer is None:
        return "no_customer", "nobody knows whose order this was"
    return refusal_to_order(turn, seat.customer, seat.quantity)


def _overflowed(turn: Turn, seat: Seat, payload: OrderPaid) -> Step[GroupBuy]:
    if turn.rules.overflow is Overflow.REFUND or seat.customer is None:
        return _returned(turn, seat, payload.amount_fen, "late")
    if seat.status is SeatStatus.HELD:
        turn = unseated(turn, seat, SeatStatus.GONE)
    return _moved_on(led(turn), seat, payload)


def _moved_on(turn: Turn, seat: Seat, payload: OrderPaid) -> Step[GroupBuy]:
    moved = Moved(
        campaign=turn.ref.campaign,
        group=f"late-{seat.order_no}",
        order_no=seat.order_no,
        quantity=seat.quantity,
        paid_fen=payload.amount_fen,
        paid_at=_paid_at(turn),
        source=turn.ref.key,
    )
    emit = Emit(kind=kinds.MOVED, payload=moved, step=kinds.MOVED, customer=seat.customer)
    turn = turn.seated(attrs.evolve(seat, status=SeatStatus.MOVED), emit)
    return turn.step(f"order {seat.order_no} opens a group of its own", code="moved")


def _returned(turn: Turn, seat: Seat, paid_fen: int, why: str) -> Step[GroupBuy]:
    if seat.status is SeatStatus.HELD:
        turn = unseated(turn, seat, SeatStatus.GONE)
    turn = money_back(turn, attrs.evolve(seat, paid_fen=paid_fen), why)
    reason = f"{paid_fen} fen of order {seat.order_no} go back: {why}"
    return led(turn).step(reason, code=why, order_no=seat.order_no)


def moved_here(turn: Turn, campaign: Campaign[GroupBuyRules], payload: Moved) -> Step[GroupBuy]:
    """Open a group with a leader who has paid elsewhere, or give the money back after all."""
    seat = turn.state.seats[0]
    in_time = turn.now.at < payload.paid_at + turn.rules.window
    paid_enough = payload.paid_fen >= turn.rules.price_fen * seat.quantity
    if not (campaign.is_open(turn.now.at) and in_time and paid_enough) or _refusal(turn, seat):
        turn = turn.then(AddAlias(kind=MOVED_ALIAS, value=seat.order_no), phase=Phase.CANCELLED)
        turn = money_back(turn, attrs.evolve(seat, paid_fen=payload.paid_fen), "late")
        return turn.step(f"no new group for order {seat.order_no}", code="late")
    turn = hold(turn, attrs.evolve(seat, status=SeatStatus.PAID), MOVED_ALIAS)
    turn = opened(pay(turn, seat, payload.paid_fen), payload.paid_at)
    return turn.step(f"a group for order {seat.order_no}", order_no=seat.order_no)


def cancelled(turn: Turn, order_no: str) -> Step[GroupBuy] | None:
    """An unpaid order is over: its seat is free."""
    seat = turn.state.seat(order_no)
    if seat is not None and seat.status is SeatStatus.MOVED:
        return None
    if seat is None or seat.status is not SeatStatus.HELD:
        return turn.step("this order does not wait for a payment", code="not_held")
    turn = led(unseated(turn, seat, SeatStatus.GONE))
    return turn.step(f"the seat of order {order_no} is free")


def refunded(turn: Turn, payload: OrderRefunded) -> Step[GroupBuy] | None:
    """
    Money went back, at our request or without.

    Before the success a seat that is refunded whole is free again; afterwards
    the group stands as it is, and only this order is not shipped. Not caught up
    first: a group that fails now must not give the same money back once more.
    """
    seat = turn.state.seat(payload.order_no)
    if seat is not None and seat.status is SeatStatus.MOVED:
        return None
    if seat is None or seat.status in {SeatStatus.HELD, SeatStatus.GONE}:
        return turn.step("nothing was paid for this order", code="unpaid")
    if payload.refund_no in {payback.refund_no for payback in seat.paybacks}:
        return _paid_back(turn, seat, payload.refund_no, PaybackStatus.DONE)
    fen = payload.amount_fen
    whole = seat.left_fen <= fen and seat.status is SeatStatus.PAID
    seat = attrs.evolve(seat, refunded_fen=seat.refunded_fen + fen)
    if not whole:
        turn = turn.seated(attrs.evolve(seat, status=_refund_status(seat)))
        return caught_up(turn).step(f"{fen} fen of order {seat.order_no} went back")
    if turn.state.phase is Phase.OPEN:
        turn = unseated(turn, seat, SeatStatus.REFUNDED)
    else:
        turn = turn.seated(attrs.evolve(seat, status=SeatStatus.REFUNDED), *releases(turn, seat))
    turn = turn.emit_seat(kinds.SEAT_RELEASED, seat, "refunded", refund_fen=fen)
    turn = caught_up(led(turn))
    return turn.step(f"{fen} fen of order {seat.order_no} went back: all of it")


def answered(turn: Turn, payload: Answered) -> Step[GroupBuy]:
    """What became of a refund that we asked for."""
    status = Status(payload.status)
    for seat in turn.state.seats:
        if payload.step in {payback.refund_no for payback in seat.paybacks}:
            if status in WAITING:
                break
            ended = PaybackStatus.DONE if status in SENT else PaybackStatus.FAILED
            return _paid_back(turn, seat, payload.step, ended)
    return turn.step("the answer changes nothing")


def _paid_back(turn: Turn, seat: Seat, refund_no: str, ended: PaybackStatus) -> Step[GroupBuy]:
    before = next(each for each in seat.paybacks if each.refund_no == refund_no)
    if before.status is ended or before.status is PaybackStatus.DONE:
        return turn.step("the answer changes nothing", order_no=seat.order_no)
    paybacks = tuple(
        attrs.evolve(each, status=ended) if each.refund_no == refund_no else each for each in seat.paybacks
    )
    seat = attrs.evolve(seat, paybacks=paybacks)
    turn = turn.seated(attrs.evolve(seat, status=_refund_status(seat)))
    if ended is PaybackStatus.FAILED:
        fen = before.amount_fen
        turn = turn.emit_seat(kinds.REFUND_FAILED, seat, "refund_failed", refund_fen=fen)
    return turn.step(f"refund {refund_no} is {ended}", order_no=seat.order_no)


def _refund_status(seat: Seat) -> SeatStatus:
    """Where a seat is once more of its money has arrived."""
    if seat.status is SeatStatus.REFUNDING and seat.back_fen >= seat.paid_fen:
        return SeatStatus.REFUNDED
    return seat.status


def shipment(turn: Turn, order_no: str) -> Step[GroupBuy] | None:
    """Let the goods out after the success, and only what is still paid."""
    seat = turn.state.seat(order_no)
    if seat is not None and seat.status is SeatStatus.MOVED:
        return None
    confirmed = seat is not None and seat.status is SeatStatus.PAID
    if seat is None or not confirmed or turn.state.phase is not Phase.SUCCEEDED:
        return turn.step("nothing is shipped before the success", code="blocked")
    turn = turn.seated(attrs.evolve(seat, shipped=True))
    return turn.step(f"order {order_no} may be shipped", order_no=order_no)
