"""One touchpoint's turn at one group: a state and effects that grow together."""

from __future__ import annotations

from typing import Any

import attrs

from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.decisions import Now, Step
from scrmkit.domain.effects import Effect, Emit
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.reads import Known
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit_group_buy.kinds import GroupBuyAnswer, GroupResult, SeatResult
from scrmkit_group_buy.rules import GroupBuyRules
from scrmkit_group_buy.state import GroupBuy, Phase, Seat, SeatStatus


@attrs.frozen(kw_only=True)
class Turn:
    """
    A turn: what is known, the state so far, the effects so far.

    Attributes:
        was: The state before the turn, None where the group is being opened.
        payments: The configured connector that refunds.
    """

    ref: InstanceRef
    rules: GroupBuyRules
    was: GroupBuy | None
    state: GroupBuy
    touchpoint: Touchpoint[Any]
    known: Known
    now: Now
    payments: str
    effects: tuple[Effect, ...] = ()

    @property
    def customer(self) -> CustomerId | None:
        """Who did what is being told."""
        return self.touchpoint.customer

    def then(self, *effects: Effect, **changes: Any) -> Turn:
        """The turn with these effects added and these fields of the state changed."""
        state = attrs.evolve(self.state, **changes) if changes else self.state
        return attrs.evolve(self, state=state, effects=self.effects + effects)

    def seated(self, seat: Seat, *effects: Effect, **changes: Any) -> Turn:
        """The turn with this seat in its place."""
        return self.then(*effects, seats=self.state.with_seat(seat), **changes)

    def emit_group(self, kind: str, **more: int) -> Turn:
        """The turn with the group's result told to its leader."""
        leader = self.state.seat(self.state.leader)
        result = GroupResult(
            campaign=self.ref.campaign, group=self.ref.key, real=self.state.paid, virtual=self.state.virtual, **more
        )
        customer = None if leader is None else leader.customer
        return self.then(Emit(kind=kind, payload=result, step=kind, customer=customer))

    def emit_seat(self, kind: str, seat: Seat, why: str, **more: int) -> Turn:
        """The turn with a member's result told to the member."""
        result = SeatResult(
            campaign=self.ref.campaign,
            group=self.ref.key,
            order_no=seat.order_no,
            quantity=seat.quantity,
            commission=self.rules.commission,
            why=why,
            **more,
        )
        step = f"{kind}:{seat.order_no}"
        return self.then(Emit(kind=kind, payload=result, step=step, customer=seat.customer))

    def step(self, reason: str, *, code: str = "ok", order_no: str = "") -> Step[GroupBuy]:
        """End the turn."""
        changed = self.was is None or self.state != self.was
        return Step(
            reason=reason,
            code=code,
            effects=self.effects,
            answer=self._answer(code, order_no),
            state=self.state if changed else None,
            closed=self.state.is_closed,
        )

    def _answer(self, code: str, order_no: str) -> GroupBuyAnswer:
        state, rules = self.state, self.rules
        seat = state.seat(order_no)
        taken = [each.order_no for each in state.of_status(SeatStatus.HELD, SeatStatus.PAID)]
        price_fen = rules.price_fen if state.price_fen is None else state.price_fen
        return GroupBuyAnswer(
            code=code,
            phase=str(state.phase),
            seat=taken.index(order_no) + 1 if order_no in taken else 0,
            price_fen=price_fen * (1 if seat is None else seat.quantity),
            missing=0 if state.phase is Phase.SUCCEEDED else max(0, rules.size - state.paid),
            pay_before=None if seat is None else seat.pay_before,
            expires_at=state.expires_at,
        )
