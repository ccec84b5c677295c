"""Broadcasts: one message for many customers, each through the contact policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import islice

import attrs

from scrmkit.domain.decisions import Decision
from scrmkit.domain.effects import Propose
from scrmkit.domain.ids import CustomerId, TenantId
from scrmkit.domain.kinds import BroadcastPlanned
from scrmkit.domain.messages import Message
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.frame import key_of
from scrmkit.engine.intake import Intake
from scrmkit.plugins import LoadedPlugin

CHUNK = 500


@attrs.frozen(kw_only=True)
class Broadcast:
    """
    One broadcast (群发).

    Attributes:
        id: Names it; nobody gets one broadcast twice.
        message: What to say, or a function of the customer that may say None.
        reason: Why, in words: it is what ``why`` answers.
    """

    id: str
    message: Message | Callable[[CustomerId], Message | None]
    reason: str = "a broadcast"


class Broadcasts:
    """Plans broadcasts in durable chunks."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    def plan(
        self, broadcast: Broadcast, people: Iterable[CustomerId], author: LoadedPlugin,
        tenant: str, at: datetime, progress: Callable[[int], None] | None = None,
    ) -> int:  # fmt: skip
        """
        Plan or suppress a message for each of *people*, and say for how many.

        Interrupted, it can be run again: who was planned is not planned twice.
        """
        planned = 0
        rest = iter(people)
        while chunk := tuple(islice(rest, CHUNK)):
            self._chunk(broadcast, chunk, author, tenant, at)
            planned += len(chunk)
            if progress is not None:
                progress(planned)
        return planned

    def _chunk(
        self, broadcast: Broadcast, chunk: Sequence[CustomerId], author: LoadedPlugin,
        tenant: str, at: datetime,
    ) -> None:  # fmt: skip
        effects = []
        for customer in chunk:
            message = broadcast.message
            chosen = message if isinstance(message, Message) else message(customer)
            if chosen is not None:
                effects.append(
                    Propose(message=chosen, once=f"broadcast:{broadcast.id}", customer=customer)
                )
        touchpoint = Touchpoint(
            kind="broadcast.planned",
            key=key_of(broadcast.id, *chunk),
            tenant=TenantId(tenant),
            occurred_at=at,
            payload=BroadcastPlanned(broadcast=broadcast.id, customers=tuple(chunk)),
            source=author.name,
        )
        decision = Decision(reason=broadcast.reason, effects=tuple(effects))
        self._intake.record_decided(touchpoint, author, decision)
