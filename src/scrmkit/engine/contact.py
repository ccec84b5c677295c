"""What the contact policy looks at and whom it asks, at planning and at leaving."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy import select

from scrmkit.clock import from_micros
from scrmkit.domain.decisions import Deny, Now
from scrmkit.domain.messages import Message, Operation, Purpose, Status
from scrmkit.domain.policy import Facts, Policy, Verdict, earliest
from scrmkit.engine.calls import Calls
from scrmkit.engine.rows import Person
from scrmkit.engine.workset import WorkSet
from scrmkit.hooks import Proposal, Sending
from scrmkit.persistence import schema
from scrmkit.persistence.database import keys_json
from scrmkit.persistence.statements import constant

LEFT = frozenset({Status.SENDING, Status.UNKNOWN, Status.ACCEPTED, Status.DELIVERED})
"""Statuses of what has left, or may have."""

COUNTED = LEFT | {Status.PROPOSED, Status.PLANNED}


@attrs.frozen
class Sent:
    """A message that counts, and the moment that it counts at."""

    channel: str
    operation: str
    purpose: Purpose
    at: datetime
    id: int = 0
    status: str = Status.PLANNED
    slot: str | None = None


def load_sent(work: WorkSet, people: Sequence[Person]) -> Iterator[tuple[Person, Sent]]:
    """What counts for *people*, who stay locked where the database has several writers."""
    if not people:
        return
    statements = work.statements
    if work.takes_turns:
        # Two processes that plan for one person take turns, or both would see a free cap.
        work.select(schema.customer, ("tenant", "id"), people, ("id",), lock="turns")

    def build() -> Any:
        o = schema.outgoing
        source, (tenant, person) = statements.keys([o.c.tenant, o.c.person])
        joined = source.join(o, (o.c.tenant == tenant) & (o.c.person == person))
        whose = (o.c.tenant, o.c.person, o.c.connector, o.c.operation, o.c.purpose)
        # Not the bare column: SQLite would walk the lanes' index instead of the customer's rows.
        counted = o.c.status.concat(constant("")).in_(
            [constant(status) for status in sorted(COUNTED)]
        )
        return (
            select(*whose, o.c.due_at, o.c.id, o.c.status, o.c.slot)
            .select_from(joined)
            .where(o.c.type == constant("message"), counted)
        )

    for row in work.wire.rows(statements.once(("sent",), build), keys_json(people)):
        tenant, person, channel, operation, purpose, due_at, *rest = row
        yield (
            (tenant, person),
            Sent(channel, operation, Purpose(purpose), from_micros(due_at), *rest),
        )


def facts_of(
    message: Message, operation: Operation, sent: Sequence[Sent], policy: Policy, at: datetime,
    zone: ZoneInfo, *, consents: Mapping[tuple[str, Purpose], bool], suppressed: str | None,
    reachable: bool,
) -> Facts:  # fmt: skip
    """The facts that one message is judged by."""
    left = None
    if operation.quota is not None:
        day = earliest(message, policy, at, zone).astimezone(zone).date()
        same = (message.channel, message.operation)
        used = sum(
            (one.channel, one.operation) == same and one.at.astimezone(zone).date() == day
            for one in sent
        )
        left = operation.quota - used
    return Facts(
        consents=consents,
        suppressed=suppressed,
        reachable=reachable,
        sent=tuple((one.channel, one.purpose, one.at) for one in sent),
        platform_left=left,
    )


def refusal_of(calls: Calls, sending: Sending, facts: Facts, now: Now) -> Verdict | None:
    """The first objection of a plugin to a message that the policy lets through."""
    refusal = calls.gate("scrmkit_may_send", Deny, sending=sending, facts=facts, now=now)
    if refusal is None:
        return None
    loaded, deny = refusal
    if deny is None:
        reason = f"{loaded.name} could not be asked"
        return Verdict(send_at=None, code="plugin_failed", reason=reason)
    return Verdict(send_at=None, code=deny.code, reason=f"{loaded.name}: {deny.reason}")


def choose(calls: Calls, slot: str, proposals: Sequence[Proposal], now: Now) -> int:
    """Which of *proposals*, in the settings' order, wins the slot of this name and person."""
    if len(proposals) < 2:
        return 0
    chosen = calls.first(
        "scrmkit_choose_winner",
        lambda index: type(index) is int and 0 <= index < len(proposals),
        slot=slot.rsplit("/", 1)[0],
        proposals=tuple(proposals),
        now=now,
    )
    return 0 if chosen is None else int(chosen[1])
