"""Who a touchpoint is about: identities lead to customers, and two of them may join."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.rows import unknown
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import ConflictError, UnknownNameError
from scrmkit.persistence import codec, schema
from scrmkit.persistence.ids import IdAllocator

IdentityKey = tuple[str, str, str, str]
"""Tenant, kind, scope and value."""


@attrs.define(slots=True, eq=False)
class Resolved:
    """
    What one touchpoint's identities lead to.

    Attributes:
        joins: Other people who turn out to be this one; they must be merged first.
        new: Rows of identities that were seen for the first time.
    """

    customer: int | None = None
    person: int | None = None
    identity_ids: tuple[int, ...] = ()
    joins: tuple[int, ...] = ()
    new: tuple[tuple[Any, ...], ...] = ()
    is_new_customer: bool = False


class People:
    """Resolves the touchpoints of a batch; remembers what the batch itself adds."""

    def __init__(self, work: WorkSet, ids: IdAllocator) -> None:
        self._work = work
        self._ids = ids
        self._known: dict[IdentityKey, tuple[int, int, int] | None] = {}

    def load(self, touchpoints: Iterable[Touchpoint[Any]]) -> None:
        """Look up all identities and given customers of *touchpoints* in one round."""
        keys: list[IdentityKey] = []
        given: list[tuple[str, int]] = []
        for touchpoint in touchpoints:
            keys += keys_of(touchpoint)
            if touchpoint.customer is not None:
                given.append((str(touchpoint.tenant), int(touchpoint.customer)))
        wanted = unknown(keys, self._known)
        self._known.update(dict.fromkeys(wanted))
        columns = ("tenant", "kind", "scope", "value")
        # As of customers: who is found stays who that is.
        for row in self._work.select(schema.identity, columns, wanted, lock="stays"):
            self._known[row[1], row[2], row[3], row[4]] = (row[0], row[5], row[6])
        self._work.people.load(given)

    def resolve(self, touchpoint: Touchpoint[Any], received_us: int) -> Resolved:
        """
        Find or make the customer of one touchpoint.

        Raises:
            UnknownNameError: It names a customer id that does not exist.
        """
        tenant = str(touchpoint.tenant)
        keys = keys_of(touchpoint)
        found = [hit for hit in (self._known.get(key) for key in keys) if hit is not None]
        customer, people = self._given(touchpoint)
        for _, original, person in found:
            customer = original if customer is None else customer
            people.setdefault(person)
        if not keys and customer is None:
            return Resolved()
        is_new = customer is None
        if customer is None:
            customer = self._ids.take()
            people[customer] = None
            self._work.people[tenant, customer] = customer
        person = min(people)
        new = self._link(keys, customer, person, received_us)
        ids = tuple(hit[0] for hit in (self._known[key] for key in keys) if hit is not None)
        joins = tuple(other for other in people if other != person)
        return Resolved(customer, person, ids, joins, new, is_new)

    def _given(self, touchpoint: Touchpoint[Any]) -> tuple[int | None, dict[int, None]]:
        if touchpoint.customer is None:
            return None, {}
        person = self._work.people.get((str(touchpoint.tenant), int(touchpoint.customer)))
        if person is None:
            raise UnknownNameError(f"no customer {touchpoint.customer} in tenant {touchpoint.tenant!r}")
        return int(touchpoint.customer), {person: None}

    def _link(self, keys: Sequence[IdentityKey], customer: int, person: int, at_us: int) -> tuple[tuple[Any, ...], ...]:
        new = []
        for key in dict.fromkeys(keys):
            if self._known.get(key) is None:
                row = (self._ids.take(), *key, customer, person, at_us)
                self._known[key] = (row[0], customer, person)
                new.append(row)
        return tuple(new)


def keys_of(touchpoint: Touchpoint[Any]) -> list[IdentityKey]:
    """The keys of a touchpoint's identities."""
    tenant = str(touchpoint.tenant)
    return [(tenant, one.kind, one.scope, one.value) for one in touchpoint.identities]


def merge(work: WorkSet, tenant: str, kept: int, moved: int, *, id_: int, at_us: int, touchpoint: int) -> list[int]:
    """
    Point every row of person *moved* at person *kept*; nothing else changes.

    Returns:
        The customers that were *moved*, as they must be named to undo it.

    Raises:
        ConflictError: One of the two was joined to somebody else meanwhile.
    """
    hold(work, tenant, kept, moved)
    found = work.select(schema.customer, ("tenant", "person"), [(tenant, moved)], ("id",))
    ids = sorted(row[0] for row in found)
    for table in schema.PERSON_TABLES:
        statement = work.statements.update(table, values=("person",), where=("tenant", "person"))
        work.wire.many(statement, [(kept, tenant, moved)])
    row = (id_, tenant, kept, moved, codec.to_json(ids), at_us, None, touchpoint)
    work.wire.many(work.statements.insert(schema.merge), [row])
    return ids


def hold(work: WorkSet, tenant: str, *people: int) -> None:
    """
    Wait for whoever is about to write of *people*, and keep others from doing so.

    Raises:
        ConflictError: One of them is somebody else by now.
    """
    keys = [(tenant, person) for person in sorted(people)]
    found = work.select(schema.customer, ("tenant", "id"), keys, lock="alone")
    if any(row[0] != row[2] for row in found):
        raise ConflictError("another writer joined these customers first")
    for table in (schema.customer, schema.identity):
        work.select(table, ("tenant", "person"), keys, ("id",), lock="alone")


def undo_merge(
    work: WorkSet, tenant: str, kept: int, moved: int, customers: Sequence[int], *, id_: int, at_us: int
) -> None:
    """Point the rows of *customers* back at person *moved*, exactly as they were."""
    for table in schema.PERSON_TABLES:
        own = "id" if table is schema.customer else "customer"
        statement = work.statements.update(table, values=("person",), where=("tenant", "person", own))
        work.wire.many(statement, [(moved, tenant, kept, customer) for customer in customers])
    undone = work.statements.update(schema.merge, values=("undone_at",), where=("id",))
    work.wire.many(undone, [(at_us, id_)])
