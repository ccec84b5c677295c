"""Broadcasts: one message for many customers, each through the contact policy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

import attrs

from scrmkit.domain.decisions import Decision
from scrmkit.domain.effects import Propose
from scrmkit.domain.ids import CustomerId, TenantId
from scrmkit.domain.kinds import BroadcastPlanned
from scrmkit.domain.messages import Message
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit.engine.frame import key_of

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

    def proposals(self, people: Iterable[CustomerId]) -> tuple[Propose, ...]:
        """The messages for those of *people* to whom there is something to say."""
        said = ((one, self.message if isinstance(self.message, Message) else self.message(one)) for one in people)
        once = f"broadcast:{self.id}"
        return tuple(Propose(message=message, once=once, customer=one) for one, message in said if message is not None)


def plan(
    engine: Engine,
    broadcast: Broadcast,
    people: Iterable[CustomerId],
    author: str,
    tenant: str,
    progress: Callable[[int], None] | None,
) -> int:
    """Plan or suppress a message for each of *people*; see ``Audience.broadcast``."""
    planned, rest, now = 0, iter(people), engine.clock.now()
    while chunk := tuple(islice(rest, CHUNK)):
        touchpoint = Touchpoint(
            kind="broadcast.planned",
            key=key_of(broadcast.id, *chunk),
            tenant=TenantId(tenant),
            occurred_at=now,
            payload=BroadcastPlanned(broadcast=broadcast.id, customers=chunk),
            source=author,
        )
        decision = Decision(reason=broadcast.reason, effects=broadcast.proposals(chunk))
        engine.record_decided(touchpoint, author, decision)
        planned += len(chunk)
        if progress is not None:
            progress(planned)
    return planned
