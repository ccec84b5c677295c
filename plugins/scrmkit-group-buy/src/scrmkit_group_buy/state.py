"""Where one group stands."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import datetime

import attrs

from scrmkit.domain.ids import CustomerId
from scrmkit_group_buy.rules import GroupBuyRules


class Phase(enum.StrEnum):
    """
    Where a group is.

    ``pending`` until its leader has paid, then ``open``, and once: ``succeeded``
    or ``failed`` at its end, ``cancelled`` where nobody who paid is left.
    """

    PENDING = "pending"
    OPEN = "open"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


RUNNING = frozenset({Phase.PENDING, Phase.OPEN})


class SeatStatus(enum.StrEnum):
    """Where a member's order is; ``gone`` was never paid, ``moved`` is in another group now."""

    HELD = "held"
    PAID = "paid"
    GONE = "gone"
    MOVED = "moved"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


TAKEN = frozenset({SeatStatus.HELD, SeatStatus.PAID})
BACK = frozenset({SeatStatus.REFUNDING, SeatStatus.REFUNDED})


class PaybackStatus(enum.StrEnum):
    """Where a refund that we asked for is."""

    ASKED = "asked"
    DONE = "done"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class Payback:
    """A refund that we asked for."""

    refund_no: str
    amount_fen: int
    status: PaybackStatus = attrs.field(default=PaybackStatus.ASKED, converter=PaybackStatus)


@attrs.frozen(kw_only=True)
class Seat:
    """
    One member's order in a group.

    Attributes:
        customer: The customer's id as it was then; None where nobody knows who paid.
        pay_before: First moment at which a payment is late.
        refunded_fen: What went back otherwise than at our request.
        shipped: Whether the goods were let out.
    """

    order_no: str
    customer: CustomerId | None
    quantity: int = 1
    pay_before: datetime
    status: SeatStatus = attrs.field(default=SeatStatus.HELD, converter=SeatStatus)
    paid_fen: int = 0
    refunded_fen: int = 0
    paybacks: tuple[Payback, ...] = ()
    shipped: bool = False

    @property
    def asked_fen(self) -> int:
        """What we have asked to give back, in fen."""
        return sum(payback.amount_fen for payback in self.paybacks)

    @property
    def back_fen(self) -> int:
        """What has gone back for certain, in fen."""
        done = [each.amount_fen for each in self.paybacks if each.status is PaybackStatus.DONE]
        return self.refunded_fen + sum(done)

    @property
    def left_fen(self) -> int:
        """What was paid and is not on its way back, in fen."""
        return max(0, self.paid_fen - self.refunded_fen - self.asked_fen)


@attrs.frozen(kw_only=True)
class GroupBuy:
    """
    One group that buys together (拼团): enough members pay in time, or all get their money back.

    Attributes:
        leader: The order number of the leader's seat.
        seats: In the order in which they were taken.
        expires_at: First moment at which no payment counts; None while pending.
        real: Paying members at the success.
        virtual: Made-up members at the success: no customer, no money.
        price_fen: What a unit has cost since the success.
    """

    phase: Phase = attrs.field(default=Phase.PENDING, converter=Phase)
    leader: str
    seats: tuple[Seat, ...] = ()
    expires_at: datetime | None = None
    real: int = 0
    virtual: int = 0
    price_fen: int | None = None

    def seat(self, order_no: str) -> Seat | None:
        """The seat of this order, None if there is none."""
        return next((seat for seat in self.seats if seat.order_no == order_no), None)

    def with_seat(self, seat: Seat) -> tuple[Seat, ...]:
        """The seats with this one in its place, or at the end if it is new."""
        if self.seat(seat.order_no) is None:
            return (*self.seats, seat)
        return tuple(seat if old.order_no == seat.order_no else old for old in self.seats)

    def of_status(self, *statuses: SeatStatus) -> tuple[Seat, ...]:
        """The seats of these statuses, in the order in which they were taken."""
        return tuple(seat for seat in self.seats if seat.status in statuses)

    @property
    def paid(self) -> int:
        """Members who have paid and stay."""
        return len(self.of_status(SeatStatus.PAID))

    @property
    def taken(self) -> int:
        """Seats that are held or paid."""
        return len(self.of_status(*TAKEN))

    @property
    def is_closed(self) -> bool:
        """Whether it has succeeded, failed or been cancelled."""
        return self.phase not in RUNNING


def violations(rules: GroupBuyRules, state: GroupBuy) -> Iterator[str]:
    """Name every invariant that this state breaks."""
    if state.taken > rules.seats:
        yield f"{state.taken} members on {rules.seats} seats"
    members = [seat.customer for seat in state.of_status(*TAKEN)]
    if len(set(members)) < len(members):
        yield "a customer has two seats"
    if state.phase in RUNNING:
        yield from _running_violations(rules, state)
    if state.phase in {Phase.FAILED, Phase.CANCELLED} and state.taken:
        yield f"{state.phase} with {state.taken} members"
    yield from _success_violations(rules, state)
    for seat in state.seats:
        yield from _seat_violations(rules, seat)


def _running_violations(rules: GroupBuyRules, state: GroupBuy) -> Iterator[str]:
    leader = state.seat(state.leader)
    wanted = SeatStatus.HELD if state.phase is Phase.PENDING else SeatStatus.PAID
    if leader is None or leader.status is not wanted:
        yield f"{state.phase} and its leader's seat is not {wanted}"
    if (state.expires_at is None) != (state.phase is Phase.PENDING):
        yield f"{state.phase} and ends at {state.expires_at}"
    if state.paid >= rules.seats:
        yield "full and still open"


def _success_violations(rules: GroupBuyRules, state: GroupBuy) -> Iterator[str]:
    if state.phase is not Phase.SUCCEEDED:
        if state.real or state.virtual or state.price_fen is not None:
            yield f"{state.phase} with the result of a success"
        return
    if state.real + state.virtual < rules.size:
        yield f"succeeded with {state.real} members and {state.virtual} made up"
    if state.virtual and not rules.may_fill(state.real):
        yield f"{state.virtual} members made up where {state.real} paid"
    if state.price_fen != rules.price_for(state.real):
        yield f"{state.real} members pay {state.price_fen} fen"
    if state.of_status(SeatStatus.HELD):
        yield "succeeded with a seat that is not paid"


def _seat_violations(rules: GroupBuyRules, seat: Seat) -> Iterator[str]:
    where = f"order {seat.order_no}"
    if seat.asked_fen > seat.paid_fen:
        yield f"{where}: {seat.asked_fen} fen asked back of {seat.paid_fen}"
    if seat.status is SeatStatus.PAID and seat.paid_fen < rules.price_fen * seat.quantity:
        yield f"{where} was paid with too little"
    if seat.status in BACK and seat.left_fen:
        yield f"{where}: {seat.left_fen} fen of a refund are missing"
    if seat.status in {SeatStatus.HELD, SeatStatus.GONE, SeatStatus.MOVED} and seat.paid_fen:
        yield f"{where} is {seat.status} and paid"
    if len({payback.refund_no for payback in seat.paybacks}) < len(seat.paybacks):
        yield f"{where} is refunded twice with one number"
