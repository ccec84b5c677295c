"""Starting a group, joining it, leaving it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from scrmkit.domain.campaign import Campaign, InstanceRef
from scrmkit.domain.decisions import Step
from scrmkit.domain.ids import CampaignId, CustomerId
from scrmkit.domain.kinds import CustomerMerged
from scrmkit.domain.reads import ParticipantOf, Participants, PartsOf, Read, StockOf
from scrmkit_group_buy.course import MEMBER, STOCK, hold, led, money_back, units_of, unseated
from scrmkit_group_buy.kinds import SeatOrder
from scrmkit_group_buy.rules import MAX_SEATS, GroupBuyRules
from scrmkit_group_buy.state import GroupBuy, Phase, Seat, SeatStatus
from scrmkit_group_buy.turn import Turn

ORDER_ALIAS = "order"
_EVERYBODY = 2 * MAX_SEATS
"""Members to read at most; merged customers can have two parts on one seat."""

Refusal = tuple[str, str]
"""A code and the reason in words."""

NO_DISCOUNT = ("discount", "no coupon or points on a group-buy's order")


def needs_of_order(campaign: CampaignId, customer: CustomerId) -> Iterator[Read[Any]]:
    """What ``refusal_to_order`` reads."""
    yield PartsOf(customer, campaign, MEMBER)
    yield StockOf(campaign, units_of(customer))
    yield StockOf(campaign, STOCK)


def refusal_to_order(turn: Turn, customer: CustomerId, quantity: int) -> Refusal | None:
    """Why this customer may not have a seat, whichever group it is in."""
    campaign, rules, known = turn.ref.campaign, turn.rules, turn.known
    if quantity > rules.per_order:
        return "order_limit", f"one order has at most {rules.per_order} units"
    units = known[StockOf(campaign, units_of(customer))]
    if units is not None and units.held + units.used + quantity > rules.per_customer:
        return "customer_limit", f"one customer has at most {rules.per_customer} units"
    if rules.one_open and known[PartsOf(customer, campaign, MEMBER)].open:
        return "other_group", "this customer is in an open group already"
    stock = known[StockOf(campaign, STOCK)]
    if rules.stock is not None and (rules.stock if stock is None else stock.free) < quantity:
        return "sold_out", "the stock is gone"
    return None


def refusal_to_start(
    turn: Turn, campaign: Campaign[GroupBuyRules], payload: SeatOrder, customer: CustomerId
) -> Refusal | None:
    """Why this customer may not start a group."""
    if not campaign.is_open(turn.now.at):
        return "closed", "the campaign is not open"
    if payload.discount_fen:
        return NO_DISCOUNT
    return refusal_to_order(turn, customer, payload.quantity)


def seat_for(payload: SeatOrder, customer: CustomerId, pay_before: datetime) -> Seat:
    """A seat that waits for its payment."""
    return Seat(order_no=payload.order_no, customer=customer, quantity=payload.quantity, pay_before=pay_before)


def started(turn: Turn, payload: SeatOrder, customer: CustomerId) -> Step[GroupBuy]:
    """Open a group that waits for its leader's payment."""
    seat = seat_for(payload, customer, turn.now.at + turn.rules.pay_within)
    turn = hold(turn, seat, ORDER_ALIAS)
    return turn.step("a group that waits for its leader's payment", order_no=seat.order_no)


def started_again(turn: Turn, payload: SeatOrder) -> Step[GroupBuy]:
    """The same number once more: the leader gets the same group, nobody else does."""
    customer = turn.customer
    known = customer is not None and _is_member(turn, customer)
    if known and turn.state.leader == payload.order_no:
        return turn.step("started already", order_no=payload.order_no)
    return turn.step("another customer's group has this number", code="exists")


def joined(turn: Turn, payload: SeatOrder) -> Step[GroupBuy]:
    """Hold a seat for a customer who orders."""
    state, customer = turn.state, turn.customer
    if customer is None:
        return turn.step("nobody knows who joins", code="no_customer")
    there = state.seat(payload.order_no)
    if there is not None and there.status is SeatStatus.HELD and _is_member(turn, customer):
        return turn.step("this seat is held already", order_no=payload.order_no)
    refused = _refusal_to_join(turn, payload, customer)
    if refused is not None:
        code, reason = refused
        return turn.step(reason, code=code)
    at, rules = turn.now.at, turn.rules
    pay_before = min(at + rules.pay_within, state.expires_at or at + rules.pay_within)
    # Of one customer only the newest order is kept, so that a group does not grow with
    # orders that nobody pays; a payment of a forgotten one goes back whole.
    kept = tuple(seat for seat in state.seats if (seat.customer, seat.status) != (customer, SeatStatus.GONE))
    turn = hold(turn.then(seats=kept), seat_for(payload, customer, pay_before), ORDER_ALIAS)
    return turn.step("a seat is held", order_no=payload.order_no)


def _refusal_to_join(turn: Turn, payload: SeatOrder, customer: CustomerId) -> Refusal | None:
    state, rules = turn.state, turn.rules
    if state.phase is Phase.PENDING:
        return "pending", "the leader has not paid yet"
    if state.is_closed or state.expires_at is None or turn.now.at >= state.expires_at:
        return "over", "the group takes nobody any more"
    if payload.discount_fen:
        return NO_DISCOUNT
    if state.seat(payload.order_no) is not None:
        return "used_order_no", "this order number was used before; take a new one"
    if _is_member(turn, customer):
        return "member", "this customer is in the group already"
    if state.taken >= rules.seats:
        return "full", "all seats are taken"
    return refusal_to_order(turn, customer, payload.quantity)


def _is_member(turn: Turn, customer: CustomerId) -> bool:
    return turn.known[ParticipantOf(turn.ref, MEMBER, customer)] is not None


def left(turn: Turn) -> Step[GroupBuy]:
    """A member leaves before the success: the seat is free, the money goes back."""
    customer = turn.customer
    seat = None if customer is None else seat_of(turn, customer)
    if seat is None:
        return turn.step("this customer has no seat here", code="no_seat")
    if turn.state.is_closed:
        return turn.step(f"the group is {turn.state.phase}", code="over")
    turn = given_up(turn, seat, "left")
    return led(turn).step(f"order {seat.order_no} left")


def given_up(turn: Turn, seat: Seat, why: str, *, leave: bool = True) -> Turn:
    """Free a seat of a running group; what was paid goes back."""
    if seat.status is SeatStatus.HELD:
        return unseated(turn, seat, SeatStatus.GONE, leave=leave)
    turn = unseated(turn, seat, seat.status, leave=leave)
    return money_back(turn, seat, why)


def seat_of(turn: Turn, customer: CustomerId) -> Seat | None:
    """The seat that a customer has now, under whichever id it was taken."""
    orders = [seat.order_no for seat in _seats_of_person(turn, customer)]
    return turn.state.seat(orders[0]) if orders else None


def needs_of_members(ref: InstanceRef) -> Read[Any]:
    """Everybody who has a part in the group."""
    return Participants(ref, MEMBER, _EVERYBODY)


def _seats_of_person(turn: Turn, customer: CustomerId) -> list[Seat]:
    members = turn.known[Participants(turn.ref, MEMBER, _EVERYBODY)]
    mine = {member.data["order"] for member in members if member.customer == customer}
    taken = turn.state.of_status(SeatStatus.HELD, SeatStatus.PAID)
    return [seat for seat in taken if seat.order_no in mine]


def merged(turn: Turn, payload: CustomerMerged) -> Step[GroupBuy] | None:
    """
    Two members turn out to be one: the first seat stays, the later ones are given up.

    The part stays too: it is the person's, who is still in the group.
    """
    if turn.state.is_closed:
        return None
    double = _seats_of_person(turn, payload.kept)[1:]
    for seat in double:
        turn = given_up(turn, seat, "merged", leave=False)
    if not turn.effects:
        return None
    return led(turn).step(f"{len(double)} seats of one person too many")
