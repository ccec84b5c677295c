"""The contact policy at work: what it looks at and whom it asks, at planning and at leaving."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy import select

from scrmkit.clock import from_micros
from scrmkit.domain.decisions import Deny, Now
from scrmkit.domain.messages import Message, Operation, Purpose, Status
from scrmkit.domain.policy import Facts, Policy, Verdict, earliest, judge
from scrmkit.engine.calls import Calls
from scrmkit.engine.rows import Person
from scrmkit.engine.workset import WorkSet
from scrmkit.hooks import Proposal, Sending
from scrmkit.persistence import schema
from scrmkit.persistence.database import keys_json
from scrmkit.persistence.statements import constant

LEFT = frozenset({Status.SENDING, Status.UNKNOWN, Status.ACCEPTED, Status.DELIVERED})
"""Statuses of what has left, or may have."""

_COUNTED = LEFT | {Status.PROPOSED, Status.PLANNED}


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


@attrs.define(eq=False)
class Candidate:
    """
    A message or request with what the policy said of it.

    Attributes:
        of: What it comes from.
    """

    of: Any
    message: Message | None
    now: Now
    verdict: Verdict
    rank: int
    plugin: str
    key: str


class Contact:
    """The contact policy over what one transaction has loaded and has planned itself."""

    def __init__(self, work: WorkSet, calls: Calls, policy: Policy) -> None:
        self._work = work
        self._calls = calls
        self._policy = policy
        self._capped = {cap.purpose for cap in policy.caps}
        self._loaded: set[Person] = set()
        self._suppressed: dict[tuple[str, str, int | None], str] = {}
        self.sent: dict[Person, list[Sent]] = defaultdict(list)

    def counts(self, purpose: str, operation: Operation | None) -> bool:
        """Whether a message is judged by those before it, by the policy or by a plugin."""
        quota = operation is not None and operation.quota is not None
        return quota or purpose in self._capped or self._calls.has("scrmkit_may_send")

    def load(
        self, people: Iterable[Person], addresses: Sequence[tuple[str, str, int]], without: Collection[int] = ()
    ) -> None:
        """Load what was sent to *people*, and which *addresses* must not be written to."""
        missing = sorted(set(people) - self._loaded)
        self._loaded.update(missing)
        for person, sent in self._sent(missing):
            if sent.id not in without:
                self.sent[person].append(sent)
        keys = ("tenant", "channel", "identity")
        for *key, reason, _ in self._work.select(schema.suppression, keys, addresses):
            self._suppressed[key[0], key[1], key[2]] = reason

    def _sent(self, people: Sequence[Person]) -> Iterator[tuple[Person, Sent]]:
        """What counts for *people*, who stay locked where the database has several writers."""
        if not people:
            return
        work, o = self._work, schema.outgoing
        if work.takes_turns:
            # Two processes that plan for one person take turns, or both would see a free cap.
            work.select(schema.customer, ("tenant", "id"), people, ("id",), lock="turns")

        def build() -> Any:
            source, (tenant, person) = work.statements.keys([o.c.tenant, o.c.person])
            joined = source.join(o, (o.c.tenant == tenant) & (o.c.person == person))
            # Not the bare column: SQLite would walk the lanes' index, not the customer's rows.
            status = o.c.status.concat(constant(""))
            counted = status.in_([constant(one) for one in sorted(_COUNTED)])
            whose = (o.c.tenant, o.c.person, o.c.connector, o.c.operation, o.c.purpose)
            clause = select(*whose, o.c.due_at, o.c.id, o.c.status, o.c.slot).select_from(joined)
            return clause.where(o.c.type == constant("message"), counted)

        for row in work.wire.rows(work.statements.once(("sent",), build), keys_json(people)):
            tenant, person, channel, operation, purpose, due_at, *rest = row
            at = from_micros(due_at)
            yield (tenant, person), Sent(channel, operation, Purpose(purpose), at, *rest)

    def verdict(
        self, sending: Sending, operation: Operation, address: int | None, now: Now,
        consents: Mapping[tuple[str, Purpose], bool], sent: Sequence[Sent],
    ) -> Verdict:  # fmt: skip
        """What the policy, and after it the plugins, say of one message."""
        message, left = sending.message, None
        if operation.quota is not None:
            day = earliest(message, self._policy, now.at, now.zone).astimezone(now.zone).date()
            same = (message.channel, message.operation)
            left = operation.quota - sum(
                (one.channel, one.operation) == same and one.at.astimezone(now.zone).date() == day for one in sent
            )
        facts = Facts(
            consents=consents,
            suppressed=self._suppressed.get((sending.tenant, message.channel, address)),
            reachable=address is not None or not operation.addressed,
            sent=tuple((one.channel, one.purpose, one.at) for one in sent),
            platform_left=left,
        )
        verdict = judge(message, facts, self._policy, now.at, now.zone)
        if verdict.send_at is None or not self._calls.has("scrmkit_may_send"):
            return verdict
        refusal = self._calls.gate("scrmkit_may_send", Deny, sending=sending, facts=facts, now=now)
        if refusal is None:
            return verdict
        loaded, deny = refusal
        if deny is None:
            return stopped("plugin_failed", f"{loaded.name} could not be asked")
        return stopped(deny.code, f"{loaded.name}: {deny.reason}")

    def compete(self, slot: str, candidates: Sequence[Candidate]) -> Candidate | None:
        """Let one of what may be sent win a slot, in the settings' order; the others lose."""
        ranked = [candidate for candidate in candidates if candidate.verdict.send_at is not None]
        ranked.sort(key=lambda candidate: candidate.rank)
        if not ranked:
            return None
        winner = ranked[self._choose(slot, ranked)]
        for candidate in ranked:
            if candidate is not winner:
                candidate.verdict = stopped("slot_lost", f"{winner.plugin} won the slot")
        return winner

    def _choose(self, slot: str, ranked: Sequence[Candidate]) -> int:
        if len(ranked) < 2 or not self._calls.has("scrmkit_choose_winner"):
            return 0
        proposals = tuple(
            Proposal(plugin=one.plugin, once=one.key, message=one.message, rank=one.rank)
            for one in ranked
            if one.message is not None
        )
        chosen = self._calls.first(
            "scrmkit_choose_winner",
            lambda index: type(index) is int and 0 <= index < len(proposals),
            slot=slot.rsplit("/", 1)[0], proposals=proposals, now=ranked[0].now,
        )  # fmt: skip
        return 0 if chosen is None else int(chosen[1])


def stopped(code: str, reason: str) -> Verdict:
    """The verdict on what must not leave."""
    return Verdict(send_at=None, code=code, reason=reason)
