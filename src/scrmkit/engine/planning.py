"""Plans what goes out: slots, the contact policy, and the rows that delivery works off."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from scrmkit.clock import to_micros
from scrmkit.domain.identity import Identity
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.messages import WAITING, Message, Status
from scrmkit.domain.policy import Policy, Verdict
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.calls import Calls
from scrmkit.engine.contact import Candidate, Contact, Sent, stopped
from scrmkit.engine.frame import Proposed
from scrmkit.engine.outgoing import outgoing_row, settled, slot_name
from scrmkit.engine.rows import Person
from scrmkit.engine.workset import WorkSet
from scrmkit.hooks import Sending
from scrmkit.persistence import schema
from scrmkit.persistence.codec import Codec, to_json
from scrmkit.persistence.ids import IdAllocator

Key = tuple[str, str]


class Planning:
    """Plans what the decisions of one batch asked for, in their order."""

    def __init__(self, work: WorkSet, calls: Calls, policy: Policy, codec: Codec, ids: IdAllocator) -> None:
        self._work = work
        self._calls = calls
        self._codec = codec
        self._ids = ids
        self._contact = Contact(work, calls, policy)
        self._keys: set[Key] = set()
        self._slots: dict[Key, tuple[Any, ...]] = {}
        self.follow_ups: list[Touchpoint[Any]] = []

    def plan(self, proposed: Sequence[Proposed]) -> None:
        """Plan all of *proposed*, what one touchpoint and all that it led to asked for at once."""
        if not proposed:
            return
        self._load(proposed)
        for _, together in groupby(proposed, lambda one: one.frame.root):
            slots: dict[Key, list[Candidate]] = {}
            for one in together:
                key = (one.frame.tenant, one.document["key"])
                if key in self._keys:
                    one.document["status"] = "repeated"
                    continue
                self._keys.add(key)
                candidate = self._candidate(one)
                slot = _slot(one)
                if slot is None:
                    self._settle(candidate)
                else:
                    slots.setdefault(slot, []).append(candidate)
            for slot, candidates in slots.items():
                self._compete(slot, candidates)

    # --- loading -------------------------------------------------------------------------

    def _load(self, proposed: Sequence[Proposed]) -> None:
        keys = dict.fromkeys((one.frame.tenant, one.document["key"]) for one in proposed)
        names = ("tenant", "key")
        self._keys.update(map(tuple, self._work.select(schema.outgoing, names, list(keys), names)))
        slots = dict.fromkeys(slot for one in proposed if (slot := _slot(one)) is not None)
        for row in self._work.select(schema.slot, ("tenant", "name"), list(slots)):
            self._slots[row[0], row[1]] = tuple(row)
        people: list[Person] = []
        wanted: dict[tuple[str, str, int], None] = {}
        for one in proposed:
            message, tenant = one.message, one.frame.tenant
            if message is None:
                continue
            if self._contact.counts(message.purpose, one.operation):
                people.append((tenant, one.person or 0))
            if one.operation.addressed:
                one.address = self._reach(one)
                if one.address is not None:
                    wanted[tenant, one.connector.name, one.address] = None
        self._contact.load(people, list(wanted))

    def _reach(self, one: Proposed) -> int | None:
        """Where the channel would write, None if it cannot."""
        known = {Identity(kind=kind, scope=scope, value=value): id_ for id_, kind, scope, value in one.identities}
        reach = one.connector.plugin.reach
        well, address = self._calls.call(one.connector, "reach", reach, tuple(known))
        return known.get(address) if well and isinstance(address, Identity) else None

    # --- what the policy says ------------------------------------------------------------

    def _candidate(self, one: Proposed) -> Candidate:
        author, message = one.author, one.message
        verdict = Verdict(send_at=author.now.at, code="ok", reason="asked for")
        if message is not None:
            message = self._prepared(one, message)
            verdict = self._contact.verdict(
                _sending(one, message), one.operation, one.address, author.now, one.consents,
                self._contact.sent[one.frame.tenant, one.person or 0],
            )  # fmt: skip
        rank, key = author.loaded.rank, one.document["key"]
        return Candidate(one, message, author.now, verdict, rank, author.name, key)

    def _prepared(self, one: Proposed, message: Message) -> Message:
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
            "scrmkit_prepare_message", message, fits,
            lambda current: {"sending": _sending(one, current)}, now=one.author.now,
        )  # fmt: skip
        if prepared is not message:
            one.body = to_json(self._codec.dump(prepared.content))
        return prepared

    def _compete(self, key: Key, candidates: list[Candidate]) -> None:
        """Let one of *candidates* have a slot, or all wait until it closes."""
        there = self._slots.get(key)
        closes_at = max(one.of.document.get("slot_closes_at", 0) for one in candidates)
        status, opens, winner = Status.PLANNED, None, None
        if there is not None and there[3] is not None:
            for candidate in candidates:
                candidate.verdict = stopped("slot_taken", "the slot was won before")
        elif there is not None or closes_at > to_micros(candidates[0].now.at):
            status = Status.PROPOSED
            allowed = (one for one in candidates if one.verdict.send_at is not None)
            opens = next(allowed, None) if there is None else None
        else:
            opens = self._contact.compete(key[1], candidates)
            if opens is not None:
                closes_at, winner = to_micros(opens.now.at), opens.key
        if opens is not None:
            # The document of one of its messages tells that the slot was opened.
            opens.of.document["opens"] = [closes_at, winner]
            self._slots[key] = (*key, closes_at, winner)
            self._work.insert(schema.slot, self._slots[key])
        for candidate in candidates:
            self._settle(candidate, status)

    # --- rows ----------------------------------------------------------------------------

    def _settle(self, candidate: Candidate, status: Status = Status.PLANNED) -> None:
        one, message, verdict = candidate.of, candidate.message, candidate.verdict
        document, tenant = one.document, one.frame.tenant
        at = verdict.send_at or candidate.now.at
        if verdict.send_at is None:
            status = Status.EXPIRED if verdict.code == "expired" else Status.SUPPRESSED
        elif message is not None:
            sent = Sent(message.channel, message.operation, message.purpose, at)
            self._contact.sent[tenant, one.person or 0].append(sent)
        document.update(
            status=str(status), code=verdict.code, reason=verdict.reason, due_at=to_micros(at),
            priority=one.operation.priority,
        )  # fmt: skip
        if message is not None:
            self._complete(one, message)
        row = outgoing_row(
            self._ids.take(), tenant, document, one.customer, one.person, candidate.plugin,
            to_micros(candidate.now.at), one.frame.id,
        )  # fmt: skip
        self._work.insert(schema.outgoing, row)
        if status in WAITING:
            self._work.insert(schema.personal, (row[0], tenant, one.customer, one.body))
        elif "reply_to" in document:
            told = (document["reply_to"], "message", str(status), verdict.reason, candidate.now.at)
            self.follow_ups.append(settled(tenant, *told))

    def _complete(self, one: Proposed, message: Message) -> None:
        """Write in a message's document what only planning knows."""
        document, instance = one.document, one.author.instance
        if message.not_after is not None:
            document["not_after"] = to_micros(message.not_after)
        if message.tell and instance is not None:
            ref = instance.ref
            document["reply_to"] = [ref.plugin, ref.campaign, ref.key, document["key"], one.once]
        if one.address is not None:
            document["address"] = one.address


def _slot(one: Proposed) -> Key | None:
    slot = one.document.get("slot")
    return None if slot is None else (one.frame.tenant, slot_name(slot, one.person))


def _sending(one: Proposed, message: Message) -> Sending:
    return Sending(
        tenant=one.frame.touchpoint.tenant, customer=CustomerId(one.person or 0),
        plugin=one.author.name, message=message,
    )  # fmt: skip
