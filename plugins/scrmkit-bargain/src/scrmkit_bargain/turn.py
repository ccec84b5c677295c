"""One touchpoint's turn at one bargain: a state and effects that grow together."""

from __future__ import annotations

from typing import Any

import attrs

from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.decisions import Now, Step
from scrmkit.domain.effects import Effect, Emit
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.reads import Known
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit_bargain.kinds import BargainAnswer, Result
from scrmkit_bargain.rules import BargainRules, CutMode
from scrmkit_bargain.state import Bargain, price_now


@attrs.frozen(kw_only=True)
class Turn:
    """
    A turn: what is known, the state so far, the effects so far.

    Attributes:
        was: The state before the turn, None where the bargain is being opened.
        payments: The configured connector that refunds.
    """

    ref: InstanceRef
    rules: BargainRules
    was: Bargain | None
    state: Bargain
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

    def emit(self, kind: str, order_no: str = "") -> Turn:
        """The turn with a result told to the owner."""
        result = Result(
            campaign=self.ref.campaign,
            bargain=self.ref.key,
            price_fen=price_now(self.rules, self.state),
            friends=self.state.friends,
            order_no=order_no,
        )
        return self.then(Emit(kind=kind, payload=result, step=kind, customer=self.state.owner))

    def step(self, reason: str, *, code: str = "ok", cut_fen: int = 0) -> Step[Bargain]:
        """End the turn."""
        changed = self.was is None or self.state != self.was
        return Step(
            reason=reason,
            code=code,
            effects=self.effects,
            answer=self._answer(code, cut_fen),
            state=self.state if changed else None,
            closed=self.state.is_closed,
        )

    def _answer(self, code: str, cut_fen: int) -> BargainAnswer:
        state, order = self.state, self.state.open_order
        exact = self.rules.cut in {CutMode.DOUBLE_MEAN, CutMode.PERCENT}
        return BargainAnswer(
            code=code,
            phase=str(state.phase),
            price_fen=price_now(self.rules, state) if order is None else order.price_fen,
            cut_fen=cut_fen,
            cuts_left=self.rules.helpers - state.helps if exact else None,
            ends_at=state.ends_at,
            order_by=state.order_by,
            pay_before=None if order is None else order.pay_before,
        )
