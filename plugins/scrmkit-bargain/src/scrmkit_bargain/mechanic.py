"""The mechanic: which touchpoint concerns which bargain, and who takes it in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

import attrs

from scrmkit.domain.campaign import Campaign, Instance, InstanceRef
from scrmkit.domain.decisions import Now, Step
from scrmkit.domain.kinds import Answered, OrderCancelled, OrderPaid, OrderRefunded
from scrmkit.domain.reads import Known, ParticipantOf, PartsOf, Read, StockOf
from scrmkit.domain.touchpoint import Touchpoint, TouchpointKind
from scrmkit.errors import InvalidValueError
from scrmkit.protocols import Address, Alias, NewInstance, PluginContext
from scrmkit_bargain import helping, ordering
from scrmkit_bargain.course import OWNER, STOCK, WINNER, caught_up
from scrmkit_bargain.kinds import DELIVERED, HELPED, KINDS, ORDERED, STARTED, WITHDRAWN, BargainAnswer, Delivered
from scrmkit_bargain.rules import BargainRules
from scrmkit_bargain.state import Bargain, violations
from scrmkit_bargain.turn import Turn

ORDER_KINDS = frozenset({"order.paid", "order.cancelled", "order.refunded", DELIVERED})
CALLS = frozenset({HELPED, ORDERED, WITHDRAWN})


def _named(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if not value.strip():
        raise InvalidValueError("payments names the connector that refunds, such as 'payments'")


@attrs.frozen(kw_only=True)
class BargainSettings:
    """
    The plugin's settings.

    Attributes:
        payments: The configured connector whose operation ``refund`` gives money back.
    """

    payments: str = attrs.field(validator=_named)


class BargainMechanic:
    """Runs bargains; ``BargainRules`` says what a campaign can set."""

    Settings: ClassVar[type] = BargainSettings
    Rules: ClassVar[type] = BargainRules
    State: ClassVar[type] = Bargain
    kinds: frozenset[str] = ORDER_KINDS | CALLS | {STARTED}
    touchpoint_kinds: ClassVar[tuple[TouchpointKind[Any], ...]] = KINDS

    def __init__(self, context: PluginContext[BargainSettings]) -> None:
        self._name = context.name
        self._payments = context.settings.payments

    def address(self, touchpoint: Touchpoint[Any]) -> Iterable[Address]:
        """The bargain that is named, started, or known by the order."""
        payload = touchpoint.payload
        if touchpoint.kind == STARTED:
            yield NewInstance(campaign=payload.campaign, key=payload.bargain)
        elif touchpoint.kind in CALLS:
            yield InstanceRef(plugin=self._name, campaign=payload.campaign, key=payload.bargain)
        elif touchpoint.kind in ORDER_KINDS:
            yield Alias(kind=ordering.ORDER_ALIAS, value=payload.order_no)

    def needs(
        self, touchpoint: Touchpoint[Any], instance: Instance[BargainRules, Bargain] | None
    ) -> Iterator[Read[Any]]:
        """The stock always; who is calling, and how often, where somebody calls."""
        customer = touchpoint.customer
        if instance is None:
            yield from helping.needs_of_start(touchpoint.payload.campaign, customer)
            return
        ref = instance.ref
        yield StockOf(ref.campaign, STOCK)
        if touchpoint.kind == "order.paid":
            yield PartsOf(instance.state.owner, ref.campaign, WINNER)
        elif customer is not None and touchpoint.kind == HELPED:
            yield from helping.needs_of_help(ref, instance.rules, customer)
        elif customer is not None and touchpoint.kind in {STARTED, ORDERED}:
            yield ParticipantOf(ref, OWNER, customer)

    def open(
        self, ref: InstanceRef, campaign: Campaign[BargainRules], touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> Step[Bargain] | None:
        """Start a bargain, or say why not."""
        owner = touchpoint.customer
        if owner is None:
            return _not_opened("no_customer", "nobody knows who starts this bargain")
        refused = helping.refusal_to_start(campaign, owner, known, now)
        if refused is not None:
            return _not_opened(*refused)
        turn = Turn(
            ref=ref,
            rules=campaign.rules,
            was=None,
            state=helping.new_bargain(campaign, owner, now),
            touchpoint=touchpoint,
            known=known,
            now=now,
            payments=self._payments,
        )
        return helping.started(turn)

    def act(
        self, instance: Instance[BargainRules, Bargain], touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> Step[Bargain] | None:
        """Take a call, an order's news or an answer into a bargain."""
        turn = self._turn(instance, touchpoint, known, now)
        payload = touchpoint.payload
        if isinstance(payload, OrderPaid):
            return ordering.paid(turn, payload)
        turn = caught_up(turn)
        match payload:
            case OrderCancelled():
                return ordering.cancelled(turn, payload.order_no)
            case OrderRefunded():
                return ordering.refunded(turn, payload)
            case Delivered():
                return ordering.delivered(turn, payload.order_no)
            case Answered():
                return ordering.answered(turn, payload)
        match touchpoint.kind:
            case "bargain.started":
                return helping.started_again(turn)
            case "bargain.helped":
                return helping.helped(turn)
            case "bargain.ordered":
                return ordering.ordered(turn, payload)
            case "bargain.withdrawn":
                return ordering.withdrawn(turn)
        return _moved(turn)

    def due(
        self, instance: Instance[BargainRules, Bargain], timer: str, touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> Step[Bargain] | None:
        """Do what is overdue; nothing where something else came first."""
        return _moved(caught_up(self._turn(instance, touchpoint, known, now)))

    def violations(self, rules: BargainRules, state: Bargain) -> Iterable[str]:
        """Name every invariant that this state breaks."""
        return violations(rules, state)

    def _turn(
        self, instance: Instance[BargainRules, Bargain], touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> Turn:
        return Turn(
            ref=instance.ref,
            rules=instance.rules,
            was=instance.state,
            state=instance.state,
            touchpoint=touchpoint,
            known=known,
            now=now,
            payments=self._payments,
        )


def _moved(turn: Turn) -> Step[Bargain] | None:
    return turn.step(f"time has passed: {turn.state.phase}") if turn.effects else None


def _not_opened(code: str, reason: str) -> Step[Bargain]:
    return Step(reason=reason, code=code, answer=BargainAnswer(code=code))
