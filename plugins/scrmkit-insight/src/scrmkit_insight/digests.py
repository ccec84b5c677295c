"""One hash over all that a later decision or a person could read."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import attrs
from sqlalchemy import Table, select

from scrmkit.engine.workset import NEWEST
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database, Wire
from scrmkit.persistence.statements import Statement, by_equality

Row = tuple[Any, ...]
Sums = dict[str, dict[str, int]]
"""By tenant and part."""

Parts = Iterator[tuple[str, str, Row]]
"""Tenants, parts and rows."""

_Named = Iterable[tuple[Row, Row]]

COUNTED: Mapping[str, str] = {
    "organisation": "type id data",
    "campaign": "id version mechanic name rules starts_at ends_at status brand shop",
    "identity": "kind scope value person:person",
    "customer": "person:person",
    "touchpoint": "kind key version occurred_at person:person amount_fen source brand shop "
    "context:text payload:text parent:touchpoint decisions:hashless",
    "merge": "kept:own moved:own customers:owns undone_at:given touchpoint:touchpoint",
    "instance": "plugin campaign key:text campaign_version state:text version closed",
    "outgoing": "type connector operation person:person plugin purpose status code reason:text "
    "priority due_at not_after address:identity slot:text reply_to:hashless touchpoint:touchpoint",
    "personal": "id:subject data:text",
    "tag": "person:person grp name at present source plugin touchpoint:touchpoint expires_at",
    "attribute": "person:person name at value:text touchpoint:touchpoint",
    "memo": "person:person plugin value:text",
    "consent": "person:person channel purpose at granted proof touchpoint:touchpoint",
    "score": "person:person scorer at hundredths band segment stage detail:text touchpoint:touchpoint",
    "suppression": "channel identity:identity reason",
    "alias": "plugin kind value:text instance:instance",
    "participant": "instance:instance role plugin person:person data:text position",
    "resource": "name:text capacity held used",
    "reservation": "resource:text name:text quantity status expires_at instance:instance",
    "account": "ledger owner:text balance",
    "entry": "ledger leg owner:text amount touchpoint:touchpoint",
    "timer": "plugin scope:text key:text due_at customer:customer",
    "slot": "name:text closes_at winner:outgoing",
    "parked": "kind key document:text error",
}
"""
By table, the columns that count, each with how an id in it is named.

The others are surrogate ids and hashes of them, moments of processing, attempts
and health. What gives a name is read before what uses it.
"""

FIRST_COME = frozenset(
    {"derived", "decision", "merge", "memo", "instance", "alias", "participant", "resource"}
    | {"reservation", "account", "entry", "timer", "slot", "outgoing"}
)
"""The parts in which it matters who came first; all the others commute."""

_OWN_KINDS = frozenset(
    {"broadcast.planned", "customer.merged", "customer.split", "message.settled"}
    | {"request.answered", "reservation.expired", "score.computed", "timer.due"}
)
"""What the core records by itself, under keys that are hashes with ids in them."""

_PARTS = sorted({*COUNTED, "derived", "decision"})
_EXTRA: Mapping[str, tuple[str, ...]] = {
    **{schema.short(table): ("person", "at", "by_key") for table in NEWEST},
    "customer": ("id",),
    "touchpoint": ("id",),
    "instance": ("id",),
    "outgoing": ("id", "key"),
    "participant": ("instance", "position"),
}
_ID = re.compile(r"[0-9]{16,}")
_HASH = re.compile(r'"[0-9a-f]{32}"')


@attrs.frozen(kw_only=True)
class Digest:
    """
    A hash of the state, equal for equal state in whatever database.

    Attributes:
        parts: The hash of each part: the tables, of ``touchpoint`` those from
            outside alone, ``derived`` the touchpoints that those led to, and
            ``decision`` what was decided.
        tenants: The hash of each tenant.
    """

    value: str
    parts: Mapping[str, str]
    tenants: Mapping[str, str]

    @property
    def profile(self) -> str:
        """The hash of all that does not depend on who came first."""
        return _hash([(name, self.parts[name]) for name in _PARTS if name not in FIRST_COME])

    def __str__(self) -> str:
        return self.value


def digest(database: Database, tenant: str | None = None) -> Digest:
    """The digest of one tenant, or of all of them together, as of one moment."""
    with database.snapshot() as wire:
        return digest_from(sums_of(database, wire, tenant), tenant)


def sums_of(database: Database, wire: Wire, tenant: str | None = None) -> Sums:
    """Of what *wire* sees the sum of the hashes of each tenant's and part's rows."""
    sums: Sums = {}
    for owner, part, row in natural_rows(database, wire, tenant):
        # Sums make the order of the rows meaningless, so that none need be kept.
        of_owner = sums.setdefault(owner, defaultdict(int))
        of_owner[part] += int.from_bytes(_blake(row).digest(), "big")
    return sums


def digest_from(sums: Sums, tenant: str | None = None) -> Digest:
    """The digest of the sums of all tenants, or of one."""
    owners = sorted(sums) if tenant is None else [tenant]
    each = {owner: sums.get(owner, {}) for owner in owners}
    tenants = {name: _hash([own.get(part, 0) for part in _PARTS]) for name, own in each.items()}
    parts = {part: _hash([(n, own.get(part, 0)) for n, own in each.items()]) for part in _PARTS}
    value = _hash(sorted(tenants.items())) if tenant is None else tenants[tenant]
    return Digest(value=value, parts=parts, tenants=tenants)


def natural_rows(database: Database, wire: Wire, tenant: str | None = None) -> Parts:
    """Every tenant, part and row, without anything that means something in this database alone."""
    names = _Names()
    wanted: tuple[str, ...]
    wanted = ("tenant", "id", "kind", "scope", "value", "customer", "person")
    names.learn(
        wire.stream(*_query(database, schema.identity, wanted, tenant)),
        wire.stream(*_query(database, schema.customer, ("tenant", "id", "person"), tenant)),
    )
    special: dict[str, Callable[[str, _Named], Parts]] = {
        **{schema.short(table): names.newest for table in NEWEST},
        "customer": names.people,
        "touchpoint": names.touchpoints,
        "participant": names.participants,
    }
    for name, counted in COUNTED.items():
        extra = _EXTRA.get(name, ())
        columns = [column.partition(":") for column in counted.split()]
        wanted = ("tenant", *extra, *(column for column, _, _ in columns))
        query = _query(database, schema.TABLES[name], wanted, tenant)
        converts = [(i, getattr(names, how)) for i, (_, _, how) in enumerate(columns) if how]
        named = names.named(name, wire.stream(*query), len(extra) + 1, converts)
        yield from special.get(name, names.plain)(name, named)


def _query(database: Database, table: Table, wanted: Sequence[str], tenant: str | None) -> tuple[Statement, Row]:
    def build() -> Any:
        clause = select(*(table.c[name] for name in wanted))
        if table is schema.touchpoint:
            clause = clause.order_by(table.c.id)  # parents name their children
        elif table is schema.participant:
            clause = clause.order_by(table.c.instance, table.c.role, table.c.position)
        return clause if tenant is None else clause.where(by_equality(table, "tenant"))

    name = ("digest", table.name, *wanted, tenant is None)
    return database.statements.once(name, build), () if tenant is None else (tenant,)


def _blake(value: Any) -> Any:
    return blake2b(repr(value).encode("utf-8", "surrogatepass"), digest_size=32)


def _hash(value: Any) -> str:
    return str(_blake(value).hexdigest())


class _Names:
    """
    Natural names for surrogate ids.

    A customer is called by a hash of all identities of the person, which is
    the same however often the person was merged on the way.
    """

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, str]] = defaultdict(dict)
        self._people: dict[int, str] = {}
        self._originals: dict[int, str] = {}
        self._identities: dict[int, str] = {}
        self._several: set[int] = set()
        self._rows: dict[str, dict[Any, Any]] = defaultdict(dict)

    def learn(self, identities: Iterable[Row], customers: Iterable[Row]) -> None:
        """Read who is called what, and who is whom."""
        of_person: dict[int, list[str]] = defaultdict(list)
        of_original: dict[int, list[str]] = defaultdict(list)
        for tenant, id_, kind, scope, value, original, person in identities:
            name = self._identities[id_] = _hash((kind, scope, value))
            self._texts[tenant][str(id_)] = name
            of_person[person].append(name)
            of_original[original].append(name)
        self._originals = {id_: _hash(sorted(names)) for id_, names in of_original.items()}
        self._people = {id_: _hash(sorted(names)) for id_, names in of_person.items()}
        for tenant, id_, person in customers:
            self._texts[tenant][str(id_)] = self._people.setdefault(person, "nobody")
            if id_ != person:
                self._several.add(person)

    # --- ids in columns ------------------------------------------------------------------

    def text(self, tenant: str, value: str | None) -> str | None:
        """Text with the names of customers and identities in place of their ids."""
        known = self._texts[tenant]
        return value and _ID.sub(lambda match: known.get(match[0], match[0]), value)

    def hashless(self, tenant: str, value: str | None) -> str | None:
        """As ``text``, without hashes: ids may have gone into them."""
        return value and _HASH.sub('""', self.text(tenant, value) or "")

    def customer(self, tenant: str, value: int | None) -> str | None:
        """Who a customer is now."""
        return None if value is None else self._texts[tenant].get(str(value), "nobody")

    def person(self, tenant: str, value: int | None) -> str | None:
        """A canonical customer; one that is not is told apart from who it became."""
        return None if value is None else self._people.get(value, "no person")

    def own(self, tenant: str, value: int) -> str:
        """An original customer, by the identities that it brought itself."""
        return self._originals.get(value, "nobody")

    def owns(self, tenant: str, value: str) -> Row:
        """Several original customers."""
        return tuple(sorted(self.own(tenant, id_) for id_ in json.loads(value)))

    def identity(self, tenant: str, value: int | None) -> str | None:
        """An identity."""
        return None if value is None else self._identities.get(value, "no identity")

    def given(self, tenant: str, value: Any) -> bool:
        """Whether there is a value."""
        return value is not None

    def touchpoint(self, tenant: str, value: int | None) -> Any:
        """A touchpoint."""
        return self._rows["touchpoint"].get(value)

    def instance(self, tenant: str, value: int | None) -> Any:
        """An instance."""
        return self._rows["instance"].get(value)

    def outgoing(self, tenant: str, value: str | None) -> Any:
        """A message by its key."""
        return None if value is None else self._rows["outgoing"].get((tenant, value), "no message")

    def subject(self, tenant: str, value: int) -> Any:
        """What a personal value belongs to."""
        return self._rows["touchpoint"].get(value) or self._rows["outgoing"].get(value)

    # --- rows ----------------------------------------------------------------------------

    def named(self, table: str, rows: Iterable[Row], width: int, converts: Sequence[Any]) -> Iterator[tuple[Row, Row]]:
        """Each row as what goes before its counted columns, and these in natural words."""
        for row in rows:
            values = list(row[width:])
            for place, convert in converts:
                values[place] = convert(row[0], values[place])
            natural = tuple(values)
            if table == "instance":
                self._rows[table][row[1]] = natural[:3]
            elif table == "outgoing":
                self._rows[table][row[1]] = self._rows[table][row[0], row[2]] = _hash(natural)
            yield row[:width], natural

    def plain(self, table: str, rows: _Named) -> Parts:
        """Rows as they are."""
        return ((first[0], table, natural) for first, natural in rows)

    def people(self, table: str, rows: _Named) -> Parts:
        """Each person once, however many customers it was."""
        seen: set[Row] = set()
        for (tenant, _), natural in rows:
            if (tenant, natural) not in seen:
                seen.add((tenant, natural))
                yield tenant, table, natural

    def touchpoints(self, table: str, rows: _Named) -> Parts:
        """Touchpoints and, apart from them, what was decided."""
        for (tenant, id_), row in rows:
            kind, key, parent, decisions = row[0], row[1], row[-2], row[-1]
            if parent is None and kind not in _OWN_KINDS:
                name: Any = f"{kind}|{key}"
                yield tenant, table, row[:-2]
            else:
                told = (kind, *(_unhashed(value) for value in row[2:-1]))
                name = _hash(told)
                yield tenant, "derived", told
            self._rows[table][id_] = name
            if decisions != "[]":
                yield tenant, "decision", (name, decisions)

    def newest(self, table: str, rows: _Named) -> Parts:
        """Of each person and key the newest word; who was one customer only has no other."""
        width = len(schema.TABLES[table].primary_key.columns) - 1
        kept: dict[Row, tuple[Row, str, Row]] = {}
        for (tenant, person, *order), natural in rows:
            if person not in self._several:
                yield tenant, table, natural
                continue
            key = (tenant, natural[:width])
            if key not in kept or kept[key][0] <= tuple(order):
                kept[key] = (tuple(order), tenant, natural)
        yield from ((tenant, table, natural) for _, tenant, natural in kept.values())

    def participants(self, table: str, rows: _Named) -> Parts:
        """Participants with their places in the order of joining."""
        last: Row = ()
        rank = 0
        for (tenant, instance, position), natural in rows:
            group = (instance, natural[1])
            rank = 0 if group != last[:2] else rank + (position != last[2])
            last = (*group, position)
            yield tenant, table, (*natural[:-1], rank)


def _unhashed(value: Any) -> Any:
    return _HASH.sub('""', value) if isinstance(value, str) else value
