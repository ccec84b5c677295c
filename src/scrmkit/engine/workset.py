"""The working set of one batch: what was read, what changed, and the one write of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Table, and_, select

from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.ids import CampaignId
from scrmkit.engine import rows
from scrmkit.errors import InvalidValueError
from scrmkit.persistence import schema
from scrmkit.persistence.database import Wire, keys_json
from scrmkit.persistence.statements import Lock

NEWEST = (schema.tag, schema.attribute, schema.memo, schema.consent, schema.score)
Member = tuple[str, str, int]
"""A tenant, a plugin and a person: whose parts in that plugin's instances."""

_STANDING = attrgetter("position", "instance", "customer")
"""In join order, and one order where a touchpoint brought several."""


class WorkSet:
    """
    Everything that one batch has loaded, with its own changes folded in.

    Args:
        writes: Whether anything will be written: who only reads locks nothing.
    """

    def __init__(self, wire: Wire, *, writes: bool = True) -> None:
        self.wire = wire
        self.statements = wire.statements
        self.takes_turns = writes and self.statements.dialect_name == "postgresql"
        self.newest = {schema.short(table): rows.NewestRows(table) for table in NEWEST}
        # Who is found stays who that is: a process that joins them to others waits.
        self.people = self._loaded(
            schema.customer, ("tenant", "id"), itemgetter(2), columns=("tenant", "id", "person"), lock="stays"
        )
        self.identities: dict[rows.Person, list[tuple[Any, ...]]] = {}
        self.instances: dict[tuple[str, InstanceRef], rows.InstanceRow | None] = {}
        self.by_id: dict[int, rows.InstanceRow] = {}
        alias = ("tenant", "plugin", "kind", "value")
        self.aliases = self._loaded(schema.alias, alias, itemgetter(4))
        self.parts: dict[tuple[int, str, int], rows.PartRow] = {}
        self._lists: dict[tuple[Any, ...], dict[tuple[int, str, int], rows.PartRow]] = {}
        self.resources = self._loaded(schema.resource, ("tenant", "name"), rows.ResourceRow.there)
        self.reservations = self._loaded(schema.reservation, ("tenant", "resource", "name"), rows.ReservationRow.there)
        self.accounts = self._loaded(
            schema.account, ("tenant", "ledger", "owner"), rows.AccountRow.there, rows.AccountRow
        )
        posting = ("tenant", "ledger", "posting")
        self.postings = self._loaded(schema.entry, posting, tuple, columns=posting)
        self.activities: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self.recorded: dict[tuple[str, int, str], list[tuple[int, int]]] = {}
        self.timers: dict[tuple[str, str, str, str], tuple[Any, ...] | None] = {}
        self.inserts: dict[Table, list[tuple[Any, ...]]] = defaultdict(list)

    # --- loading -------------------------------------------------------------------------

    def select(
        self, table: Table, keys: Sequence[str], wanted: Sequence[Any], columns: Sequence[str] = (), *, lock: Lock = ""
    ) -> list[Any]:
        """Rows of *table* whose key columns are among *wanted*."""
        return self.wire.find(table, keys, wanted, columns, lock=lock if self.takes_turns else "")

    def _loaded(
        self, table: Table, keys: Sequence[str], row: Callable[[Any], Any],
        blank: Callable[..., Any] | None = None, columns: Sequence[str] = (), lock: Lock = "",
    ) -> rows.Loaded:  # fmt: skip
        # Not our own ``select``: a working set that led to itself would wait for the collector.
        select = partial(self.wire.find, table, keys, columns=columns, lock=lock if self.takes_turns else "")
        return rows.Loaded(select, len(keys), row, blank)

    def load_newest(self, table: Table, people: Iterable[rows.Person]) -> None:
        """Load the profile rows of *people* that are not there yet."""
        group = self.newest[schema.short(table)]
        missing = rows.unknown(people, group.loaded)
        if missing:
            if table is schema.memo and self.takes_turns:
                # Who reads a memo may write it: two processes take turns with one customer.
                self.select(schema.customer, ("tenant", "id"), missing, ("id",), lock="turns")
            group.load(missing, self.select(table, ("tenant", "person"), missing))

    def people_of(self, tenant: str, customers: Iterable[int]) -> dict[int, int]:
        """
        Who *customers* are after merges.

        Raises:
            InvalidValueError: One of them does not exist in this tenant.
        """
        wanted = list(customers)
        self.people.load((tenant, one) for one in wanted)
        people = {one: self.people[tenant, one] for one in wanted}
        if None in people.values():
            raise InvalidValueError("an effect names a customer that does not exist")
        return people

    def load_identities(self, people: Iterable[rows.Person]) -> None:
        """Load what platforms call *people*, as ``(id, kind, scope, value)``."""
        missing: dict[Any, list[Any]] = {one: [] for one in rows.unknown(people, self.identities)}
        there = self.select(schema.identity, ("tenant", "person"), list(missing))
        for row in (*there, *self.inserts[schema.identity]):
            if (row[1], row[6]) in missing:
                missing[row[1], row[6]].append((row[0], row[2], row[3], row[4]))
        self.identities |= missing

    def add_identity(self, row: tuple[Any, ...]) -> None:
        """Write a new identity, known from the touchpoint on that brought it."""
        self.insert(schema.identity, row)
        if (row[1], row[6]) in self.identities:
            self.identities[row[1], row[6]].append((row[0], row[2], row[3], row[4]))

    def load_instances(self, refs: Iterable[tuple[str, InstanceRef]]) -> None:
        """Load instances by reference, locked where the database has several writers."""
        if missing := rows.unknown(refs, self.instances):
            self.instances.update(dict.fromkeys(missing))
            keys = [(tenant, ref.plugin, ref.campaign, ref.key) for tenant, ref in missing]
            self._take_instances(("tenant", "plugin", "campaign", "key"), keys)

    def load_instance_ids(self, ids: Iterable[int]) -> None:
        """Load instances by id."""
        self._take_instances(("id",), [(id_,) for id_ in rows.unknown(ids, self.by_id)])

    def _take_instances(self, columns: Sequence[str], keys: Sequence[Any]) -> None:
        for row in self.select(schema.instance, columns, keys, lock="turns"):
            self.add_instance(rows.InstanceRow.there(row))

    def add_instance(self, instance: rows.InstanceRow) -> None:
        """Make a loaded or new instance known."""
        self.instances[instance.tenant, instance.ref] = instance
        self.by_id[instance.id] = instance

    def drop_instance(self, instance: rows.InstanceRow) -> None:
        """Make a new instance unknown again."""
        self.instances[instance.tenant, instance.ref] = None
        del self.by_id[instance.id]

    def load_aliases(self, wanted: Iterable[tuple[str, str, str, str]]) -> None:
        """Load ``(tenant, plugin, kind, value)`` and the instances that they lead to."""
        if found := rows.unknown(wanted, self.aliases):
            self.aliases.load(found)
            self.load_instance_ids(id_ for id_ in map(self.aliases.get, found) if id_ is not None)

    def load_members(self, wanted: Iterable[Member]) -> None:
        """Load all parts of a person in a plugin's instances."""
        self._load_parts(("tenant", "plugin", "person"), wanted)

    def _load_parts(self, columns: tuple[str, ...], wanted: Iterable[tuple[Any, ...]]) -> None:
        missing = rows.unknown(wanted, self._lists)
        if not missing:
            return
        for name in missing:
            self._lists[name] = {}
        statement = self.statements.once(("parts", *columns), partial(self._parts, columns))
        for row in self.wire.rows(statement, keys_json(missing)):
            if row[:3] not in self.parts:
                ref = InstanceRef(plugin=row[4], campaign=CampaignId(row[9]), key=row[10])
                part = rows.PartRow.there((*row[:9], ref, bool(row[11])))
                self.parts[row[:3]], part.base = part, row[:9]
        for part in self.parts.values():
            if not part.gone:
                self._list(part)

    def _parts(self, columns: tuple[str, ...]) -> Any:
        p, i = schema.participant, schema.instance
        source, keys = self.statements.keys([p.c[name] for name in columns])
        matches = [p.c[name] == key for name, key in zip(columns, keys, strict=True)]
        joined = source.join(p, and_(*matches)).join(i, i.c.id == p.c.instance)
        return select(*p.columns, i.c.campaign, i.c.key, i.c.closed).select_from(joined)

    def _list(self, part: rows.PartRow) -> None:
        for name in part.lists:
            if name in self._lists:
                self._lists[name][part.id] = part

    def parts_of(self, tenant: str, plugin: str, person: int) -> Iterable[rows.PartRow]:
        """The parts of a person in a plugin's instances in join order, loaded now if need be."""
        member = (tenant, plugin, person)
        self.load_members([member])
        return sorted(self._lists[member].values(), key=_STANDING)

    def role_list(self, instance: rows.InstanceRow, role: str) -> list[rows.PartRow]:
        """All parts of a role in join order, loaded now if need be."""
        self._load_parts(("instance", "role"), [(instance.id, role)])
        return sorted(self._lists[instance.id, role].values(), key=_STANDING)

    def add_part(self, part: rows.PartRow) -> None:
        """Make a part known to every list that is loaded."""
        part.gone = False
        self.parts[part.id] = part
        self._list(part)

    def drop_part(self, part: rows.PartRow) -> None:
        """Make a part unknown to every list."""
        part.gone = True
        for name in part.lists:
            self._lists.get(name, {}).pop(part.id, None)

    def load_activities(self, wanted: Iterable[tuple[Any, ...]]) -> None:
        """Load ``(tenant, person, kind, since, until)``."""
        missing = rows.unknown(wanted, self.activities)
        self.activities.update(dict.fromkeys(missing, (0, 0, None, None)))
        if missing:
            for place, *found in self.wire.rows(self.statements.activity(), keys_json(missing)):
                self.activities[missing[place]] = tuple(found)

    # --- writing -------------------------------------------------------------------------

    def insert(self, table: Table, row: tuple[Any, ...]) -> None:
        """Write a whole row at the end of the batch."""
        self.inserts[table].append(row)
