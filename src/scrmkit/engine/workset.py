"""The working set of one batch: what was read, what changed, and the one write of it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import Table, bindparam, select
from sqlalchemy.types import BigInteger, String

from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.ids import CampaignId
from scrmkit.engine.rows import (
    AccountRow,
    InstanceRow,
    NewestRows,
    PartRow,
    Person,
    ReservationRow,
    ResourceRow,
)
from scrmkit.errors import InvalidValueError
from scrmkit.persistence import schema
from scrmkit.persistence.database import Wire, keys_json
from scrmkit.persistence.statements import Lock, Statements

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

    def __init__(self, wire: Wire, statements: Statements, *, writes: bool = True) -> None:
        self.wire = wire
        self.takes_turns = writes and statements.dialect_name == "postgresql"
        self.statements = statements
        self.newest = {table.name: NewestRows(table) for table in NEWEST}
        self.people: dict[Person, int] = {}
        self.identities: dict[Person, list[tuple[Any, ...]]] = {}
        self._new_identities: dict[Person, list[tuple[Any, ...]]] = {}
        self.instances: dict[tuple[str, InstanceRef], InstanceRow | None] = {}
        self.by_id: dict[int, InstanceRow] = {}
        self.aliases: dict[tuple[str, str, str, str], int | None] = {}
        self.new_aliases: list[tuple[Any, ...]] = []
        self.parts: dict[tuple[int, str, int], PartRow] = {}
        self.members: dict[Member, dict[tuple[int, str, int], PartRow]] = {}
        self.role_lists: dict[tuple[int, str], dict[tuple[int, str, int], PartRow]] = {}
        self.resources: dict[tuple[str, str], ResourceRow | None] = {}
        self.reservations: dict[tuple[str, str, str], ReservationRow | None] = {}
        self.accounts: dict[tuple[str, str, str], AccountRow] = {}
        self.postings: dict[tuple[str, str, str], bool] = {}
        self.new_entries: list[tuple[Any, ...]] = []
        self.activities: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        self.recorded: dict[tuple[str, int, str], list[tuple[int, int]]] = {}
        self.timers: dict[tuple[str, str, str, str], tuple[Any, ...] | None] = {}
        self.inserts: dict[Table, list[tuple[Any, ...]]] = defaultdict(list)

    # --- loading -------------------------------------------------------------------------

    def select(
        self, table: Table, keys: Sequence[str], wanted: Sequence[Any],
        columns: Sequence[str] = (), *, lock: Lock = "",
    ) -> list[Any]:  # fmt: skip
        """Rows of *table* whose key columns are among *wanted*."""
        if not wanted:
            return []
        held: Lock = lock if self.takes_turns else ""
        statement = self.statements.by_keys(table, keys, columns, lock=held)
        return self.wire.rows(statement, keys_json(wanted))

    def load_newest(self, table: Table, people: Iterable[Person]) -> None:
        """Load the profile rows of *people* that are not there yet."""
        group = self.newest[table.name]
        missing = group.missing(people)
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
        missing = [(tenant, one) for one in wanted if (tenant, one) not in self.people]
        for row in self.select(schema.customer, ("tenant", "id"), missing, lock="stays"):
            self.people[tenant, row[0]] = row[2]
        if any((tenant, one) not in self.people for one in wanted):
            raise InvalidValueError("an effect names a customer that does not exist")
        return {one: self.people[tenant, one] for one in wanted}

    def load_identities(self, people: Iterable[Person]) -> None:
        """Load what platforms call *people*, as ``(id, kind, scope, value)``."""
        missing = [person for person in dict.fromkeys(people) if person not in self.identities]
        for person in missing:
            self.identities[person] = []
        for row in self.select(schema.identity, ("tenant", "person"), missing):
            self.identities[row[1], row[6]].append((row[0], row[2], row[3], row[4]))
        for person in missing:
            self.identities[person] += self._new_identities.get(person, ())

    def add_identity(self, row: tuple[Any, ...]) -> None:
        """Make a new identity known from the touchpoint on that brought it."""
        person, entry = (row[1], row[6]), (row[0], row[2], row[3], row[4])
        self._new_identities.setdefault(person, []).append(entry)
        if person in self.identities:
            self.identities[person].append(entry)

    def load_instances(self, refs: Iterable[tuple[str, InstanceRef]]) -> None:
        """Load instances by reference, locked where the database has several writers."""
        missing = [ref for ref in dict.fromkeys(refs) if ref not in self.instances]
        for ref in missing:
            self.instances[ref] = None
        keys = [(tenant, ref.plugin, ref.campaign, ref.key) for tenant, ref in missing]
        columns = ("tenant", "plugin", "campaign", "key")
        for row in self.select(schema.instance, columns, keys, lock="turns"):
            self._take_instance(row)

    def load_instance_ids(self, ids: Iterable[int]) -> None:
        """Load instances by id."""
        missing = [(id_,) for id_ in dict.fromkeys(ids) if id_ not in self.by_id]
        for row in self.select(schema.instance, ("id",), missing, lock="turns"):
            self._take_instance(row)

    def _take_instance(self, row: Sequence[Any]) -> None:
        instance = InstanceRow(*row)
        instance.base = instance.version
        instance.closed = bool(instance.closed)
        self.add_instance(instance)

    def add_instance(self, instance: InstanceRow) -> None:
        """Make a loaded or new instance known."""
        self.instances[instance.tenant, instance.ref] = instance
        self.by_id[instance.id] = instance

    def load_aliases(self, wanted: Iterable[tuple[str, str, str, str]]) -> None:
        """Load ``(tenant, plugin, kind, value)`` and the instances that they lead to."""
        missing = [alias for alias in dict.fromkeys(wanted) if alias not in self.aliases]
        for alias in missing:
            self.aliases[alias] = None
        found = self.select(schema.alias, ("tenant", "plugin", "kind", "value"), missing)
        for tenant, plugin, kind, value, instance in found:
            self.aliases[tenant, plugin, kind, value] = instance
        self.load_instance_ids(row[4] for row in found)

    def load_members(self, wanted: Iterable[Member]) -> None:
        """Load all parts of a person in a plugin's instances."""
        missing = [member for member in dict.fromkeys(wanted) if member not in self.members]
        for member in missing:
            self.members[member] = {}
        if not missing:
            return
        statement = self.statements.once(("members",), self._members_clause)
        for row in self.wire.rows(statement, keys_json(missing)):
            self._take_part(row)
        for part in self.parts.values():
            member = (part.tenant, part.plugin, part.person)
            if part.new and not part.gone and member in self.members:
                self.members[member][part.instance, part.role, part.customer] = part

    def _members_clause(self) -> Any:
        p, i = schema.participant, schema.instance
        source, (tenant, plugin, person) = self.statements.keys(
            [p.c.tenant, p.c.plugin, p.c.person]
        )
        matches = (p.c.tenant == tenant) & (p.c.plugin == plugin) & (p.c.person == person)
        joined = source.join(p, matches).join(i, i.c.id == p.c.instance)
        return select(*p.columns, i.c.campaign, i.c.key, i.c.closed).select_from(joined)

    def _take_part(self, row: Sequence[Any]) -> PartRow:
        instance, role, customer, tenant, plugin, person, data, joined_at, position = row[:9]
        part = self.parts.get((instance, role, customer))
        if part is None:
            ref = InstanceRef(plugin=plugin, campaign=CampaignId(row[9]), key=row[10])
            part = PartRow(
                instance, role, customer, tenant, plugin, person, json.loads(data),
                joined_at, position, ref, bool(row[11]),
            )  # fmt: skip
            self.parts[instance, role, customer] = part
        if not part.gone and (tenant, plugin, part.person) in self.members:
            self.members[tenant, plugin, part.person][instance, role, customer] = part
        return part

    def parts_of(self, tenant: str, plugin: str, person: int) -> Iterable[PartRow]:
        """The parts of a person in a plugin's instances in join order, loaded now if need be."""
        member = (tenant, plugin, person)
        if member not in self.members:
            self.load_members([member])
        return sorted(self.members[member].values(), key=_STANDING)

    def role_list(self, instance: InstanceRow, role: str) -> list[PartRow]:
        """All parts of a role in join order, loaded now if need be."""
        key = (instance.id, role)
        if key not in self.role_lists:
            listed = self.role_lists[key] = {}
            if instance.base:
                statement = self.statements.once(("role",), self._role_clause)
                for row in self.wire.rows(statement, keys_json([key])):
                    part = self._take_part(row)
                    if not part.gone:
                        listed[part.instance, part.role, part.customer] = part
            for part in self.parts.values():
                if (part.instance, part.role) == key and not part.gone:
                    listed[part.instance, part.role, part.customer] = part
        return sorted(self.role_lists[key].values(), key=_STANDING)

    def _role_clause(self) -> Any:
        p, i = schema.participant, schema.instance
        source, (instance, role) = self.statements.keys([p.c.instance, p.c.role])
        joined = source.join(p, (p.c.instance == instance) & (p.c.role == role))
        joined = joined.join(i, i.c.id == p.c.instance)
        return select(*p.columns, i.c.campaign, i.c.key, i.c.closed).select_from(joined)

    def add_part(self, part: PartRow) -> None:
        """Make a new part known to every list that is loaded."""
        key = (part.instance, part.role, part.customer)
        self.parts[key] = part
        member = (part.tenant, part.plugin, part.person)
        if member in self.members:
            self.members[member][key] = part
        if key[:2] in self.role_lists:
            self.role_lists[key[:2]][key] = part

    def drop_part(self, part: PartRow) -> None:
        """Make a part unknown to every list."""
        key = (part.instance, part.role, part.customer)
        part.gone = True
        self.members.get((part.tenant, part.plugin, part.person), {}).pop(key, None)
        self.role_lists.get(key[:2], {}).pop(key, None)

    def load_resources(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Load resources by ``(tenant, name)``."""
        missing = [name for name in dict.fromkeys(wanted) if name not in self.resources]
        for name in missing:
            self.resources[name] = None
        for row in self.select(schema.resource, ("tenant", "name"), missing):
            resource = self.resources[row[0], row[1]] = ResourceRow(*row)
            resource.base = resource.capacity

    def load_reservations(self, wanted: Iterable[tuple[str, str, str]]) -> None:
        """Load reservations by ``(tenant, resource, name)``."""
        missing = [key for key in dict.fromkeys(wanted) if key not in self.reservations]
        for key in missing:
            self.reservations[key] = None
        for row in self.select(schema.reservation, ("tenant", "resource", "name"), missing):
            held = ReservationRow(*row)
            held.base = held.status
            self.reservations[held.tenant, held.resource, held.name] = held

    def reservation(self, tenant: str, resource: str, name: str) -> ReservationRow | None:
        """One reservation, loaded now if need be."""
        self.load_reservations([(tenant, resource, name)])
        return self.reservations[tenant, resource, name]

    def load_accounts(self, wanted: Iterable[tuple[str, str, str]]) -> None:
        """Load balances by ``(tenant, ledger, owner)``; an unknown account has 0."""
        missing = [key for key in dict.fromkeys(wanted) if key not in self.accounts]
        for key in missing:
            self.accounts[key] = AccountRow(*key, balance=0)
        for row in self.select(schema.account, ("tenant", "ledger", "owner"), missing):
            self.accounts[tuple(row[:3])].balance = row[3]

    def is_posted(self, tenant: str, ledger: str, posting: str) -> bool:
        """Whether a posting has been made."""
        key = (tenant, ledger, posting)
        if key not in self.postings:
            rows = self.select(
                schema.entry, ("tenant", "ledger", "posting"), [key], columns=("id",)
            )
            self.postings[key] = bool(rows)
        return self.postings[key]

    def load_activities(self, wanted: Iterable[tuple[Any, ...]]) -> None:
        """Load ``(tenant, person, kind, since, until)``."""
        missing = [key for key in dict.fromkeys(wanted) if key not in self.activities]
        for key in missing:
            self.activities[key] = (0, 0, None, None)
        if missing:
            for place, *found in self.wire.rows(self.statements.activity(), keys_json(missing)):
                self.activities[missing[place]] = tuple(found)

    # --- writing -------------------------------------------------------------------------

    def insert(self, table: Table, row: tuple[Any, ...]) -> None:
        """Write a whole row at the end of the batch."""
        self.inserts[table].append(row)

    def once(self, name: str, build: Callable[[], Any]) -> Any:
        """A statement of the caller's own, compiled once."""
        return self.statements.once((name,), build)


def by_equality(table: Table, *names: str) -> Any:
    """A condition on columns, with parameters of the columns' names."""
    condition: Any = None
    for name in names:
        kind = String() if isinstance(table.c[name].type, String) else BigInteger()
        match = table.c[name] == bindparam(name, type_=kind)
        condition = match if condition is None else condition & match
    return condition
