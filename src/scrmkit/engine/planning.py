"""Plans what goes out: slots, the contact policy, and the rows that delivery works off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from scrmkit.clock import to_micros
from scrmkit.domain.identity import Identity
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.messages import Message, Status
from scrmkit.domain.policy import Policy, Verdict, judge
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.calls import Calls
from scrmkit.engine.contact import Sent, choose, facts_of, load_sent, refusal_of
from scrmkit.engine.frame import Proposed
from scrmkit.engine.outgoing import outgoing_row, settled, slot_name
from scrmkit.engine.rows import Person
from scrmkit.engine.workset import WorkSet
from scrmkit.hooks import Proposal, Sending
from scrmkit.persistence import schema
from scrmkit.persistence.codec import Codec, to_json
from scrmkit.persistence.ids import IdAllocator


@attrs.define(slots=True, eq=False)
class _Candidate:
    """A message with what the policy said of it."""

    one: Proposed
    message: Message
    verdict: Verdict


class Planning:
    """Plans what the decisions of one batch asked for, in their order."""

    def __init__(
        self, work: WorkSet, calls: Calls, policy: Policy, codec: Codec, ids: IdAllocator
    ) -> None:
        self._work = work
        self._calls = calls
        self._policy = policy
        self._codec = codec
        self._ids = ids
        self._capped = {cap.purpose for cap in policy.caps}
        self._sent: dict[Person, list[Sent]] = {}
        self._keys: set[tuple[str, str]] = set()
        self._slots: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._suppressed: dict[tuple[str, str, int | None], str] = {}
        self.follow_ups: list[Touchpoint[Any]] = []

    def plan(self, proposed: Sequence[Proposed]) -> None:
        """Plan all of *proposed*."""
        if not proposed:
            return
        self._load(proposed)
        waiting: list[Proposed] = []
        for index, one in enumerate(proposed):
            key = (one.frame.tenant, one.document["key"])
            if key in self._keys:
                one.document["status"] = "repeated"
            else:
                self._keys.add(key)
                if one.message is None:
                    self._request(one)
                else:
                    waiting.append(one)
            last = index + 1 == len(proposed) or proposed[index + 1].frame.root != one.frame.root
            if last and waiting:
                self._messages(waiting)
                waiting = []

    # --- loading -------------------------------------------------------------------------

    def _load(self, proposed: Sequence[Proposed]) -> None:
        keys = [(one.frame.tenant, one.document["key"]) for one in proposed]
        rows = self._work.select(
            schema.outgoing, ("tenant", "key"), list(dict.fromkeys(keys)), columns=("tenant", "key")
        )
        self._keys.update((row[0], row[1]) for row in rows)
        slots = [
            (one.frame.tenant, slot_name(one))
            for one in proposed
            if one.document.get("slot") is not None
        ]
        for row in self._work.select(schema.slot, ("tenant", "name"), list(dict.fromkeys(slots))):
            self._slots[row[0], row[1]] = tuple(row)
        self._load_sent(
            {(one.frame.tenant, one.person or 0) for one in proposed if self._counts(one)}
        )
        self._load_addresses(proposed)

    def _load_addresses(self, proposed: Sequence[Proposed]) -> None:
        """Where the channels would write, and whether they must not."""
        wanted: dict[tuple[str, str, int], None] = {}
        for one in proposed:
            if one.message is not None and one.operation.addressed:
                one.address = self._reach(one)
                if one.address is not None:
                    wanted[one.frame.tenant, one.connector.name, one.address] = None
        keys = ("tenant", "channel", "identity")
        for *key, reason, _ in self._work.select(schema.suppression, keys, list(wanted)):
            self._suppressed[key[0], key[1], key[2]] = reason

    def _counts(self, one: Proposed) -> bool:
        """Whether a message is judged by those before it, by the policy or by a plugin."""
        return one.message is not None and (
            one.message.purpose in self._capped
            or one.operation.quota is not None
            or self._calls.has("scrmkit_may_send")
        )

    def _load_sent(self, people: Iterable[Person]) -> None:
        missing = [person for person in people if person not in self._sent]
        for person in missing:
            self._sent[person] = []
        for person, sent in load_sent(self._work, missing):
            self._sent[person].append(sent)

    # --- requests ------------------------------------------------------------------------

    def _request(self, one: Proposed) -> None:
        at = to_micros(one.author.now.at)
        one.document.update(status=str(Status.PLANNED), code="ok", reason="asked for", due_at=at)
        self._write(one, "request", "", one.body)

    # --- messages ------------------------------------------------------------------------

    def _messages(self, waiting: Sequence[Proposed]) -> None:
        """Plan the messages of one touchpoint and all that it led to."""
        slots: dict[tuple[str, str], list[_Candidate]] = {}
        for one in waiting:
            candidate = self._candidate(one)
            if one.document.get("slot") is None:
                self._settle(candidate)
            else:
                slots.setdefault((one.frame.tenant, slot_name(one)), []).append(candidate)
        for key, candidates in slots.items():
            self._compete(key, candidates)

    def _candidate(self, one: Proposed) -> _Candidate:
        message, now, address = self._prepared(one), one.author.now, one.address
        whose = (one.frame.tenant, one.connector.name, address)
        facts = facts_of(
            message, one.operation, self._sent.get((one.frame.tenant, one.person or 0), ()),
            self._policy, now.at, now.zone, consents=one.consents,
            suppressed=self._suppressed.get(whose),
            reachable=address is not None or not one.operation.addressed,
        )  # fmt: skip
        verdict = judge(message, facts, self._policy, now.at, now.zone)
        if verdict.send_at is not None and self._calls.has("scrmkit_may_send"):
            sending = self._sending(one, message)
            verdict = refusal_of(self._calls, sending, facts, now) or verdict
        return _Candidate(one, message, verdict)

    def _prepared(self, one: Proposed) -> Message:
        message = one.message
        assert message is not None
        if not self._calls.has("scrmkit_prepare_message"):
            return message

        def fits(before: Message, after: Any) -> bool:
            return (
                isinstance(after, Message)
                and (after.channel, after.operation) == (before.channel, before.operation)
                and after.purpose is before.purpose
                and isinstance(after.content, one.operation.body)
            )

        prepared = self._calls.transform(
            "scrmkit_prepare_message", "message", message, fits,
            lambda current: {"sending": self._sending(one, current)}, now=one.author.now,
        )  # fmt: skip
        if prepared is not message:
            one.body = self._codec.dump(prepared.content)
        return prepared

    def _sending(self, one: Proposed, message: Message) -> Sending:
        return Sending(
            tenant=one.frame.touchpoint.tenant, customer=CustomerId(one.person or 0),
            plugin=one.author.name, message=message,
        )  # fmt: skip

    def _reach(self, one: Proposed) -> int | None:
        """Where the channel would write, None if it cannot."""
        known = {
            Identity(kind=kind, scope=scope, value=value): id_
            for id_, kind, scope, value in one.identities
        }
        reach = one.connector.plugin.reach
        well, address = self._calls.call(one.connector, "reach", reach, tuple(known))
        return known.get(address) if well and isinstance(address, Identity) else None

    # --- slots ---------------------------------------------------------------------------

    def _compete(self, key: tuple[str, str], candidates: list[_Candidate]) -> None:
        there = self._slots.get(key)
        if there is not None and there[3] is not None:
            for candidate in candidates:
                self._lose(candidate, "slot_taken", "the slot was won before")
            return
        closes_at = max(c.one.document.get("slot_closes_at", 0) for c in candidates)
        if there is not None or closes_at > to_micros(candidates[0].one.author.now.at):
            self._wait(key, candidates, there, closes_at)
            return
        allowed = [candidate for candidate in candidates if candidate.verdict.send_at is not None]
        winner = self._winner(key[1], allowed)
        for candidate in candidates:
            if candidate is winner or candidate.verdict.send_at is None:
                self._settle(candidate)
            elif winner is not None:
                self._lose(candidate, "slot_lost", f"{winner.one.author.name} won the slot")
        if winner is not None:
            at = to_micros(winner.one.author.now.at)
            self._open(key, winner, at, winner.one.document["key"])

    def _winner(self, slot: str, allowed: list[_Candidate]) -> _Candidate | None:
        ranked = sorted(allowed, key=lambda candidate: candidate.one.author.loaded.rank)
        if not ranked:
            return None
        proposals = [
            Proposal(
                plugin=c.one.author.name, once=c.one.document["key"], message=c.message,
                rank=c.one.author.loaded.rank,
            )
            for c in ranked
        ]  # fmt: skip
        return ranked[choose(self._calls, slot, proposals, ranked[0].one.author.now)]

    def _wait(
        self, key: tuple[str, str], candidates: list[_Candidate], there: Any, closes_at: int
    ) -> None:
        waiting = [one for one in candidates if one.verdict.send_at is not None]
        if there is None and waiting:
            self._open(key, waiting[0], closes_at, None)
        for candidate in candidates:
            if candidate.verdict.send_at is None:
                self._settle(candidate)
            else:
                self._settle(candidate, status=Status.PROPOSED)

    def _open(
        self, key: tuple[str, str], candidate: _Candidate, closes_at: int, winner: str | None
    ) -> None:
        """Write a slot, and in the document of one of its messages that it was."""
        candidate.one.document["opens"] = [closes_at, winner]
        self._slots[key] = (*key, closes_at, winner)
        self._work.insert(schema.slot, (*key, closes_at, winner))

    def _lose(self, candidate: _Candidate, code: str, reason: str) -> None:
        candidate.verdict = Verdict(send_at=None, code=code, reason=reason)
        self._settle(candidate)

    # --- rows ----------------------------------------------------------------------------

    def _settle(self, candidate: _Candidate, status: Status = Status.PLANNED) -> None:
        one, message, verdict = candidate.one, candidate.message, candidate.verdict
        document, now = one.document, one.author.now
        at = verdict.send_at or now.at
        if verdict.send_at is None:
            status = Status.EXPIRED if verdict.code == "expired" else Status.SUPPRESSED
        else:
            # Nobody's list is begun here: it would lack what the database has.
            sent = self._sent.get((one.frame.tenant, one.person or 0), [])
            sent.append(Sent(message.channel, message.operation, message.purpose, at))
        if message.not_after is not None:
            document["not_after"] = to_micros(message.not_after)
        document.update(
            status=str(status), code=verdict.code, reason=verdict.reason, due_at=to_micros(at)
        )
        if message.tell and one.author.instance is not None:
            ref = one.author.instance.ref
            document["reply_to"] = [ref.plugin, ref.campaign, ref.key, document["key"]]
        kept = status in (Status.PLANNED, Status.PROPOSED)
        body = one.body if kept else None
        self._write(one, "message", str(message.purpose), body)
        if not kept and "reply_to" in document:
            told = (document["reply_to"], "message", str(status), verdict.reason, now.at)
            self.follow_ups.append(settled(one.frame.tenant, *told))

    def _write(self, one: Proposed, type_: str, purpose: str, body: Any) -> None:
        one.document["priority"] = one.operation.priority
        if one.address is not None:
            one.document["address"] = one.address
        row = outgoing_row(
            self._ids.take(), one.frame.tenant, one.document, one.connector.name, type_, purpose,
            one.operation.priority, one.customer, one.person, one.author.name, one.address,
            to_micros(one.author.now.at), one.frame.id,
        )  # fmt: skip
        self._work.insert(schema.outgoing, row)
        if body is not None:
            self._work.insert(
                schema.personal, (row[0], one.frame.tenant, one.customer, to_json(body))
            )
