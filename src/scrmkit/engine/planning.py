"""Plans what goes out: slots, the contact policy, and the rows that delivery works off."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from scrmkit.clock import to_micros
from scrmkit.domain.decisions import Now
from scrmkit.domain.identity import Identity
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.messages import Message, Operation, Status
from scrmkit.domain.policy import Facts, Policy, Verdict, judge
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.calls import Calls
from scrmkit.engine.contact import Sent, choose, facts_of, load_sent, refusal_of
from scrmkit.engine.frame import Proposed
from scrmkit.engine.organisation import Organisation
from scrmkit.engine.outgoing import outgoing_row, settled, slot_name
from scrmkit.engine.rows import Person
from scrmkit.engine.workset import WorkSet
from scrmkit.hooks import Proposal, Sending
from scrmkit.persistence import schema
from scrmkit.persistence.codec import Codec, to_json
from scrmkit.persistence.ids import IdAllocator
from scrmkit.plugins import LoadedPlugin, PluginSet


@attrs.define(slots=True, eq=False)
class _Candidate:
    """A message with what the policy said of it."""

    one: Proposed
    message: Message
    operation: Operation
    now: Now
    zone: ZoneInfo
    address: tuple[int, Identity] | None = attrs.field(repr=False)
    verdict: Verdict


class Planning:
    """Plans what the decisions of one batch asked for, in their order."""

    def __init__(
        self, work: WorkSet, plugins: PluginSet, calls: Calls, policy: Policy,
        organisation: Organisation, codec: Codec, ids: IdAllocator,
    ) -> None:  # fmt: skip
        self._work = work
        self._connectors: dict[str, LoadedPlugin] = {
            p.name: p for p in plugins.plugins if p.family in ("channel", "connector")
        }
        self._calls = calls
        self._policy = policy
        self._organisation = organisation
        self._codec = codec
        self._ids = ids
        self._sent: dict[Person, list[Sent]] = {}
        self._keys: set[tuple[str, str]] = set()
        self._slots: dict[tuple[str, str], tuple[Any, ...]] = {}
        self._addresses: dict[str, tuple[int, Identity] | None] = {}
        self._suppressed: dict[tuple[str, str, int], str] = {}
        self.follow_ups: list[Touchpoint[Any]] = []

    def plan(self, proposed: Sequence[Proposed], nows: Sequence[Now]) -> None:
        """Plan all of *proposed*; *nows* are their decisions' own."""
        if not proposed:
            return
        self._load(proposed)
        waiting: list[tuple[Proposed, Now]] = []
        for index, (one, now) in enumerate(zip(proposed, nows, strict=True)):
            key = (one.frame.tenant, one.document["key"])
            if key in self._keys:
                one.document["status"] = "repeated"
            else:
                self._keys.add(key)
                if one.message is None:
                    self._request(one, now)
                else:
                    waiting.append((one, now))
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
            if one.message is not None and self._operation(one).addressed:
                address = self._reach(one, one.message)
                self._addresses[one.document["key"]] = address
                if address is not None:
                    wanted[one.frame.tenant, one.message.channel, address[0]] = None
        keys = ("tenant", "channel", "identity")
        for *key, reason, _ in self._work.select(schema.suppression, keys, list(wanted)):
            self._suppressed[key[0], key[1], key[2]] = reason

    def _counts(self, one: Proposed) -> bool:
        if one.message is None:
            return False
        capped = any(cap.purpose is one.message.purpose for cap in self._policy.caps)
        return capped or self._operation(one).quota is not None

    def _load_sent(self, people: Iterable[Person]) -> None:
        missing = [person for person in people if person not in self._sent]
        for person in missing:
            self._sent[person] = []
        for person, sent in load_sent(self._work, missing):
            self._sent[person].append(sent)

    # --- requests ------------------------------------------------------------------------

    def _operation(self, one: Proposed) -> Operation:
        document = one.document
        name = document.get("channel") or document["connector"]
        operation: Operation = self._connectors[name].plugin.operations[document["operation"]]
        return operation

    def _request(self, one: Proposed, now: Now) -> None:
        document = one.document
        document.update(
            status=str(Status.PLANNED), code="ok", reason="asked for", due_at=to_micros(now.at)
        )
        self._write(
            one, document["connector"], "request", "", self._operation(one), None, now, one.body
        )

    # --- messages ------------------------------------------------------------------------

    def _messages(self, waiting: Sequence[tuple[Proposed, Now]]) -> None:
        """Plan the messages of one touchpoint and all that it led to."""
        slots: dict[tuple[str, str], list[_Candidate]] = {}
        for one, now in waiting:
            candidate = self._candidate(one, now)
            if one.document.get("slot") is None:
                self._settle(candidate)
            else:
                slots.setdefault((one.frame.tenant, slot_name(one)), []).append(candidate)
        for key, candidates in slots.items():
            self._compete(key, candidates)

    def _candidate(self, one: Proposed, now: Now) -> _Candidate:
        assert one.message is not None
        message = self._prepared(one, one.message, now)
        operation = self._operation(one)
        zone = self._organisation.zone(one.frame.tenant, one.frame.touchpoint.shop)
        address = self._addresses.get(one.document["key"])
        facts = self._facts(one, message, operation, address, now, zone)
        verdict = judge(message, facts, self._policy, now.at, zone)
        if verdict.send_at is not None:
            sending = self._sending(one, message)
            verdict = refusal_of(self._calls, sending, facts, now) or verdict
        return _Candidate(one, message, operation, now, zone, address, verdict)

    def _prepared(self, one: Proposed, message: Message, now: Now) -> Message:
        if not self._calls.has("scrmkit_prepare_message"):
            return message
        body = self._operation(one).body

        def fits(before: Message, after: Any) -> bool:
            return (
                isinstance(after, Message)
                and (after.channel, after.operation) == (before.channel, before.operation)
                and after.purpose is before.purpose
                and isinstance(after.content, body)
            )

        prepared = self._calls.transform(
            "scrmkit_prepare_message", "message", message, fits,
            lambda current: {"sending": self._sending(one, current)}, now=now,
        )  # fmt: skip
        if prepared is not message:
            one.body = self._codec.dump(prepared.content)
        return prepared

    def _sending(self, one: Proposed, message: Message) -> Sending:
        return Sending(
            tenant=one.frame.touchpoint.tenant, customer=CustomerId(one.person or 0),
            plugin=one.author.name, message=message,
        )  # fmt: skip

    def _reach(self, one: Proposed, message: Message) -> tuple[int, Identity] | None:
        known = {
            Identity(kind=kind, scope=scope, value=value): id_
            for id_, kind, scope, value in one.identities
        }
        loaded = self._connectors[message.channel]
        well, address = self._calls.call(loaded, "reach", loaded.plugin.reach, tuple(known))
        if not well or address is None or address not in known:
            return None
        return known[address], address

    def _facts(
        self, one: Proposed, message: Message, operation: Operation,
        address: tuple[int, Identity] | None, now: Now, zone: ZoneInfo,
    ) -> Facts:  # fmt: skip
        return facts_of(
            message, operation, self._sent.get((one.frame.tenant, one.person or 0), ()),
            self._policy, now.at, zone, consents=one.consents,
            suppressed=None if address is None else self._suppressed.get(
                (one.frame.tenant, message.channel, address[0])
            ),
            reachable=address is not None or not operation.addressed,
        )  # fmt: skip

    # --- slots ---------------------------------------------------------------------------

    def _compete(self, key: tuple[str, str], candidates: list[_Candidate]) -> None:
        there = self._slots.get(key)
        if there is not None and there[3] is not None:
            for candidate in candidates:
                self._lose(candidate, "slot_taken", "the slot was won before")
            return
        closes_at = max(c.one.document.get("slot_closes_at", 0) for c in candidates)
        if there is not None or closes_at > to_micros(candidates[0].now.at):
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
            self._open(key, winner, to_micros(winner.now.at), winner.one.document["key"])

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
        return ranked[choose(self._calls, slot, proposals, ranked[0].now)]

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
        document = one.document
        at = verdict.send_at or candidate.now.at
        if verdict.send_at is None:
            status = Status.EXPIRED if verdict.code == "expired" else Status.SUPPRESSED
        else:
            sent = self._sent.setdefault((one.frame.tenant, one.person or 0), [])
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
        self._write(
            one, message.channel, "message", str(message.purpose), candidate.operation,
            candidate.address[0] if candidate.address else None, candidate.now,
            one.body if kept else None,
        )  # fmt: skip
        if not kept and "reply_to" in document:
            self.follow_ups.append(
                settled(
                    one.frame.tenant,
                    document["reply_to"],
                    "message",
                    str(status),
                    verdict.reason,
                    candidate.now.at,
                )
            )

    def _write(
        self, one: Proposed, connector: str, type_: str, purpose: str, operation: Operation,
        address: int | None, now: Now, body: Any,
    ) -> None:  # fmt: skip
        one.document["priority"] = operation.priority
        if address is not None:
            one.document["address"] = address
        row = outgoing_row(
            self._ids.take(), one.frame.tenant, one.document, connector, type_, purpose,
            operation.priority, one.customer, one.person, one.author.name, address,
            to_micros(now.at), one.frame.id,
        )  # fmt: skip
        self._work.insert(schema.outgoing, row)
        if body is not None:
            self._work.insert(
                schema.personal, (row[0], one.frame.tenant, one.customer, to_json(body))
            )
