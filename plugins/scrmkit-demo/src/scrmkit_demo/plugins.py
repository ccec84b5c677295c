"""The demo's own two plugins: a strategy to speak for, and payments that are only written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from scrmkit.domain.decisions import Decision, Now
from scrmkit.domain.messages import Delivered, DeliveryOutcome, Operation, Outgoing, Refund
from scrmkit.domain.reads import Known, Read
from scrmkit.domain.touchpoint import Touchpoint, TouchpointKind
from scrmkit.protocols import PluginContext

MEMBER_BOUND = "demo.member_bound"


@attrs.frozen(kw_only=True)
class MemberBound:
    """A customer said which member card is theirs; the touchpoint carries both identities."""

    where: str


class DemoStrategy:
    """Speaks for the segments' strategies, and registers the demo's kinds."""

    touchpoint_kinds = (TouchpointKind(name=MEMBER_BOUND, payload=MemberBound),)
    kinds: frozenset[str] = frozenset()

    def __init__(self, context: PluginContext[Any]) -> None:
        pass

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        """Nothing."""
        return ()

    def decide(self, touchpoint: Touchpoint[Any], known: Known, now: Now) -> Decision | None:
        """Nothing: its messages are planned as broadcasts."""
        return None


class DemoPayments:
    """A payment platform (支付) that gives back what it is asked to, once for one number."""

    operations: Mapping[str, Operation] = {
        "refund": Operation(body=Refund, idempotent=True, addressed=False, max_batch=50)
    }

    def __init__(self, context: PluginContext[Any]) -> None:
        self.refunds: dict[str, Refund] = {}

    def send(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """Write each refund down; the same number again changes nothing."""
        for item in batch:
            self.refunds.setdefault(item.body.refund_no, item.body)
        return [
            Delivered(provider_id=item.body.refund_no, answer={"amount_fen": item.body.amount_fen}) for item in batch
        ]

    def ask(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """Asking again is harmless here."""
        return self.send(operation, batch)
