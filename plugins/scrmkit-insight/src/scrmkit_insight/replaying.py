"""Replay: applies the stored decisions in recorded order and compares what comes of it."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import attrs
from sqlalchemy import Table, select

from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.ids import CampaignId
from scrmkit.domain.messages import WAITING, Status
from scrmkit.engine.apply import Applier, instance_scope
from scrmkit.engine.documents import Document
from scrmkit.engine.flush import flush
from scrmkit.engine.frame import Frame, GuardError
from scrmkit.engine.outgoing import outgoing_row
from scrmkit.engine.people import merge, undo_merge
from scrmkit.engine.rows import InstanceRow
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import InvalidValueError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import to_json
from scrmkit.persistence.database import Database, Wire, keys_json
from scrmkit.persistence.ids import IdAllocator
from scrmkit.persistence.migrate import upgrade
from scrmkit_insight.digests import Digest, Parts, Row, digest_from, natural_rows, sums_of
from scrmkit_insight.parked import forget

CHUNK = 500
_LOG = (
    schema.organisation, schema.campaign, schema.customer, schema.identity, schema.suppression,
    schema.attempt, schema.parked,
)  # fmt: skip
"""What is copied, people as they were before any merge; all else is rebuilt."""

Progress = Callable[[int, int], None]
_COLUMNS = [column.name for column in schema.touchpoint.columns]


@attrs.frozen(kw_only=True)
class Difference:
    """A part of the state that came out otherwise, with one row of each side."""

    part: str
    before: Row | None = attrs.field(repr=False)
    after: Row | None = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Replayed:
    """
    What a replay came to.

    Attributes:
        touchpoints: How many were applied.
        before: The digest of what was replayed.
        after: The digest of what came of it.
        differences: Where the two differ, by part.
    """

    touchpoints: int
    before: Digest
    after: Digest
    differences: tuple[Difference, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether the same state came of it."""
        return self.before == self.after


def replay(
    source: Database, url: str | None = None, *, personal: bool = False, progress: Progress | None = None
) -> Replayed:
    """
    Rebuild the state from the stored decisions in a database of its own.

    Asks no plugin and sends nothing, so that it works as well after a plugin
    was upgraded or removed. The source is only read, as of one moment.

    Args:
        url: An empty database to build in and to keep; without one, a
            temporary file.
        personal: Whether texts and names are copied as well; without them,
            they count in the digest as they are in the source.
        progress: Called with how many touchpoints are done, and of how many.

    Raises:
        InvalidValueError: The database of *url* is not empty.
    """
    with ExitStack() as stack:
        target = stack.enter_context(_target(url))
        wire = stack.enter_context(source.snapshot())
        replaying = _Replay(source, wire, target, personal=personal)
        count = replaying.run(progress)
        sums = sums_of(source, wire)
        built = stack.enter_context(target.snapshot())
        rebuilt = sums_of(target, built)
        if not personal:
            for tenant, of_tenant in rebuilt.items():
                of_tenant["personal"] = sums.get(tenant, {}).get("personal", 0)
        before, after = digest_from(sums), digest_from(rebuilt)
        parts = [part for part in before.parts if before.parts[part] != after.parts[part]]
        both = natural_rows(source, wire), natural_rows(target, built)
        differences = tuple(_differences(parts, *both)) if parts else ()
    return Replayed(touchpoints=count, before=before, after=after, differences=differences)


@contextmanager
def _target(url: str | None) -> Iterator[Database]:
    with ExitStack() as stack:
        if url is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="scrmkit-replay-"))
            url = f"sqlite:///{Path(folder) / 'replay.db'}"
        database = Database(url, durability="normal")
        stack.callback(database.close)
        upgrade(database)
        with database.reading() as wire:
            for table in (schema.campaign, schema.customer, schema.touchpoint):
                statement = database.statements.compile(select(table.c.id))
                if next(wire.stream(statement), None) is not None:
                    raise InvalidValueError("replay builds in an empty database; name another")
        yield database


def _differences(parts: Sequence[str], *sides: Parts) -> Iterator[Difference]:
    before, after = (Counter(one for one in side if one[1] in parts) for side in sides)
    for part in parts:
        first = [
            min((row for _, of, row in rows if of == part), key=repr, default=None)
            for rows in (before - after, after - before)
        ]
        yield Difference(part=part, before=first[0], after=first[1])


class _Replay:
    """One replay from *source* to *target*."""

    def __init__(self, source: Database, wire: Wire, target: Database, *, personal: bool) -> None:
        self._source = source
        self._wire = wire
        self._target = target
        self._log = (*_LOG, schema.personal) if personal else _LOG
        self._ids = IdAllocator()
        self._people: dict[int, int] = {}
        self._merging: dict[int, list[Row]] = {}
        self._merged: dict[Row, list[tuple[int, list[int]]]] = {}
        self._keys: dict[Row, int] = {}
        self._slots: dict[Row, tuple[int, str | None]] = {}
        self._later: list[tuple[Frame, Document]] = []
        self._work: WorkSet
        self._applier: Applier

    def run(self, progress: Progress | None) -> int:
        """Copy the log, apply the decisions, then what became of the messages."""
        for table in self._log:
            self._copy(table)
        for row in self._rows(schema.merge):
            self._merging.setdefault(row[-1], []).append(row)
        order = self._order()
        for start in range(0, len(order), CHUNK):
            with self._target.writing() as wire:
                self._chunk(wire, order[start : start + CHUNK])
            if progress is not None:
                progress(min(start + CHUNK, len(order)), len(order))
        with self._target.writing() as wire:
            self._deliver(wire)
            parked = self._rows(schema.parked, "tenant", "kind", "document")
            forget(wire, self._target.statements, parked)
        return len(order)

    # --- the log -------------------------------------------------------------------------

    def _rows(self, table: Table, *columns: str) -> Iterator[Any]:
        picked = [table.c[name] for name in columns] or list(table.columns)
        clause = select(*picked).order_by(*table.primary_key.columns)
        statements = self._source.statements
        return self._wire.stream(statements.once(("replay", table.name, *columns), lambda: clause))

    def _select(self, table: Table, keys: Sequence[str], wanted: Sequence[Row]) -> list[Any]:
        return self._wire.rows(self._source.statements.by_keys(table, keys), keys_json(wanted))

    def _copy(self, table: Table) -> None:
        rows: Iterator[Row] = self._rows(table)
        names = [column.name for column in table.columns]
        if "person" in names:
            person = names.index("person")
            own = names.index("id" if table is schema.customer else "customer")
            rows = ((*row[:person], row[own], *row[person + 1 :]) for row in rows)
        with self._target.writing() as wire:
            while part := [tuple(row) for row in islice(rows, CHUNK)]:
                wire.many(self._target.statements.insert(table), part)

    def _order(self) -> list[int]:
        """Every touchpoint in the order of deciding: each with all that it led to, by id."""
        roots: dict[int, int] = {}
        below: dict[int, list[int]] = {}
        for id_, parent in self._rows(schema.touchpoint, "id", "parent"):
            root = roots[id_] = id_ if parent is None else roots[parent]
            below.setdefault(root, []).append(id_)
        return [id_ for ids in below.values() for id_ in ids]

    # --- decisions -----------------------------------------------------------------------

    def _chunk(self, wire: Wire, ids: Sequence[int]) -> None:
        found = self._select(schema.touchpoint, ("id",), [(id_,) for id_ in ids])
        rows = {row[0]: dict(zip(_COLUMNS, row, strict=True)) for row in found}
        said = {id_: json.loads(rows[id_]["decisions"]) for id_ in ids}
        every = [(rows[id_], decision) for id_ in ids for decision in said[id_]]
        keys = [(row["tenant"], one["key"]) for row, decision in every for one in _sent(decision)]
        outgoing = self._select(schema.outgoing, ("tenant", "key"), list(dict.fromkeys(keys)))
        self._keys = {(row[1], row[2]): row[0] for row in outgoing}
        self._begin(wire)
        self._load(every)
        for id_ in ids:
            self._touchpoint(wire, rows[id_], said[id_])
        self._retry()
        flush(self._work)

    def _load(self, every: Sequence[tuple[Document, Document]]) -> None:
        """Load what a chunk's decisions change, each table in one query."""
        refs, members, holds, people = [], [], [], []
        for row, decision in every:
            tenant, plugin = row["tenant"], decision["plugin"]
            if "step" in decision:
                refs.append((tenant, _ref(decision)))
            for effect in decision.get("effects", ()):
                customer = effect.get("customer", row["customer"])
                person = self._people.get(customer, customer)
                if "role" in effect:
                    members.append((tenant, plugin, person))
                elif "resource" in effect:
                    holds.append((tenant, effect["resource"], effect["reservation"]))
                elif effect["type"] == "remember":
                    people.append((tenant, person))
        self._work.load_instances(refs)
        self._work.load_members(members)
        self._work.reservations.load(holds)
        self._work.load_newest(schema.memo, people)

    def _begin(self, wire: Wire) -> None:
        self._work = WorkSet(wire)
        self._applier = Applier(self._work, self._ids)

    def _touchpoint(self, wire: Wire, row: Document, decisions: Sequence[Document]) -> None:
        id_, tenant, kind, customer = row["id"], row["tenant"], row["kind"], row["customer"]
        if kind == "customer.split" or id_ in self._merging:
            flush(self._work)
            self._begin(wire)
            if kind == "customer.split":
                self._split(row)
            for one in self._merging.get(id_, ()):
                self._merge(one)
        person = None if customer is None else self._people.get(customer, customer)
        nothing: Any = None
        frame = Frame(
            id=id_, tenant=tenant, kind=nothing, touchpoint=nothing, customer=customer,
            person=person, occurred_us=row["occurred_at"], received_us=row["received_at"],
            by_key=f"{kind}|{row['key']}",
        )  # fmt: skip
        self._work.insert(schema.touchpoint, tuple({**row, "person": person}.values()))
        if kind == "timer.due":
            payload, to = json.loads(row["payload"]), json.loads(row["context"]).get("to")
            scope = f"customer:{customer}" if to is None else instance_scope(*to[1:])
            self._work.timers[tenant, payload["plugin"], scope, payload["key"]] = None
        for decision in decisions:
            if not self._decide(frame, decision):
                self._later.append((frame, decision))

    def _merge(self, row: Row) -> None:
        id_, tenant, kept, moved, _, at, _, touchpoint = row
        customers = merge(self._work, tenant, kept, moved, id_=id_, at_us=at, touchpoint=touchpoint)
        self._people.update((one, kept) for one in customers)
        self._merged.setdefault((tenant, kept, moved), []).append((id_, customers))

    def _split(self, row: Document) -> None:
        payload = json.loads(row["payload"])
        tenant, kept, moved = row["tenant"], payload["kept"], payload["moved"]
        id_, customers = self._merged[tenant, kept, moved].pop()
        undo_merge(self._work, tenant, kept, moved, customers, id_=id_, at_us=row["occurred_at"])
        self._people.update((one, moved) for one in customers)

    def _retry(self) -> None:
        """Apply what had to wait: several processes may not have decided in the order of ids."""
        waiting: list[tuple[Frame, Document]] = []
        while self._later and waiting != self._later:
            waiting, self._later = self._later, []
            self._later = [one for one in waiting if not self._decide(*one)]

    def _decide(self, frame: Frame, decision: Document) -> bool:
        """Apply one decision; False where something else must be applied before it."""
        work, effects = self._work, decision.get("effects", ())
        step, row, opened = decision.get("step"), None, False
        if step is not None:
            ref = _ref(decision)
            work.load_instances([(frame.tenant, ref)])
            row = work.instances[frame.tenant, ref]
            version = 0 if row is None else row.version
            if step["version"] - version not in (0, 1):
                return False
            if row is None:
                row = InstanceRow(
                    self._ids.take(), frame.tenant, ref.plugin, ref.campaign, ref.key,
                    step["campaign_version"], "{}", 0, 0, frame.received_us,
                )  # fmt: skip
                work.add_instance(row)
                opened = True
        try:
            self._applier.apply(frame, decision["plugin"], row, effects)
        except GuardError:
            if row is not None and opened:
                work.drop_instance(row)
            return False
        if step is not None and row is not None:
            row.version, row.closed = step["version"], int(step["closed"])
            if step["state"] is not None:
                row.state = to_json(step["state"])
        for document in _sent(decision):
            self._plan(frame, decision["plugin"], document)
        return True

    # --- messages ------------------------------------------------------------------------

    def _plan(self, frame: Frame, plugin: str, document: Document) -> None:
        customer, person = frame.customer, frame.person
        if "customer" in document:
            customer = document["customer"]
            person = document.get("person", customer)
        id_ = self._keys.get((frame.tenant, document["key"])) or self._ids.take()
        row = outgoing_row(id_, frame.tenant, document, customer, person, plugin, frame.received_us, frame.id)
        self._work.insert(schema.outgoing, row)
        if "opens" in document:  # once more where nobody could use it before
            self._slots[frame.tenant, f"{document['slot']}/{person}"] = document["opens"]

    def _deliver(self, wire: Wire) -> None:
        """Give each message the state that its attempts left it in, or that it is in now."""
        names = ("status", "code", "reason", "due_at", "provider_id")
        first: dict[int, str] = {}
        last: dict[int, Row] = {}
        for outgoing, at, *state in self._rows(schema.attempt, "outgoing", "at", *names):
            first.setdefault(outgoing, state[0])
            last[outgoing] = (*state, None if state[0] in WAITING else at)
        self._update(wire, (*names, "settled_at"), [(*row, id_) for id_, row in last.items()])
        now = self._rows(schema.outgoing, "status", "due_at", "id")
        self._update(wire, ("status", "due_at"), [row for row in now if row[0] == Status.SENDING])
        self._close_slots(wire, first)

    def _update(self, wire: Wire, names: Sequence[str], rows: Sequence[Row]) -> None:
        update = self._target.statements.update(schema.outgoing, values=names, where=("id",))
        wire.many(update, rows)

    def _close_slots(self, wire: Wire, first: dict[int, str]) -> None:
        """Write the slots: open while something waits, gone where nobody could use them."""
        columns = [schema.outgoing.c[name] for name in ("tenant", "slot", "key", "id", "status")]
        statement = self._target.statements.compile(select(*columns))
        ends: dict[Row, str | None] = {}
        for *slot, key, id_, status in wire.rows(statement):
            if status == Status.PROPOSED:
                ends[tuple(slot)] = None
            elif first.get(id_) == Status.PLANNED:
                ends[tuple(slot)] = key
        rows = [
            (*slot, closes_at, winner or ends[slot])
            for slot, (closes_at, winner) in self._slots.items()
            if winner or slot in ends
        ]
        wire.many(self._target.statements.insert(schema.slot), rows)


def _ref(decision: Document) -> InstanceRef:
    campaign, key = decision["instance"]
    return InstanceRef(plugin=decision["plugin"], campaign=CampaignId(campaign), key=key)


def _sent(decision: Document) -> list[Document]:
    """What a decision asked to send; the same step once more is no message."""
    return [
        effect
        for effect in decision.get("effects", ())
        if effect["type"] in ("propose", "request") and effect["status"] != "repeated"
    ]
