"""One customer as they stand: found, read and put together from the newest words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Table

from scrmkit.clock import to_micros
from scrmkit.domain.identity import Identity
from scrmkit.domain.ids import CustomerId, TenantId
from scrmkit.domain.profile import Customer, Score
from scrmkit.engine.knowing import consent_of, tag_of
from scrmkit.errors import UnknownNameError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import Codec
from scrmkit.persistence.database import Database, Wire, keys_json

Who = int | Identity
"""A customer's id, also one that was merged into another, or what a platform calls them."""


class Customers:
    """Reads single customers."""

    def __init__(self, database: Database, codec: Codec, stage_from: str | None) -> None:
        self._statements = database.statements
        self._codec = codec
        self._stage_from = stage_from

    def find(self, wire: Wire, tenant: str, who: Who) -> CustomerId:
        """
        The canonical id of a customer.

        Raises:
            UnknownNameError: The tenant has no such customer.
        """
        if isinstance(who, Identity):
            key = (tenant, who.kind, who.scope, who.value)
            rows = self.rows(wire, schema.identity, ("tenant", "kind", "scope", "value"), [key])
            person, name = 6, f"of this {who.kind}"
        else:
            rows = self.rows(wire, schema.customer, ("tenant", "id"), [(tenant, int(who))])
            person, name = 2, str(int(who))
        if not rows:
            raise UnknownNameError(f"tenant {tenant!r} has no customer {name}")
        return CustomerId(rows[0][person])

    def rows(
        self, wire: Wire, table: Table, keys: Sequence[str], wanted: Sequence[Sequence[Any]]
    ) -> list[Any]:
        """Rows of *table* whose columns *keys* are among *wanted*."""
        return wire.rows(self._statements.by_keys(table, keys), keys_json(wanted))

    def newest(self, wire: Wire, table: Table, tenant: str, person: int) -> list[Any]:
        """A person's rows of profile state, of each key the newest word."""
        return newest(table, self.rows(wire, table, ("tenant", "person"), [(tenant, person)]))

    def customer(self, wire: Wire, tenant: str, person: int, at: datetime | None) -> Customer:
        """A customer by canonical id; tags that have expired *at* that moment are left out."""
        tags = self.newest(wire, schema.tag, tenant, person)
        scores = self.newest(wire, schema.score, tenant, person)
        names = self.rows(wire, schema.identity, ("tenant", "person"), [(tenant, person)])
        attributes = self.newest(wire, schema.attribute, tenant, person)
        return Customer(
            tenant=TenantId(tenant),
            id=CustomerId(person),
            identities=tuple(
                Identity(kind=row[2], scope=row[3], value=row[4]) for row in sorted(names)
            ),
            tags=tuple(tag_of(row) for row in tags if row[7] and not is_over(row[11], at)),
            attributes=MappingProxyType({row[2]: json.loads(row[6]) for row in attributes}),
            consents=tuple(map(consent_of, self.newest(wire, schema.consent, tenant, person))),
            scores=tuple(self._codec.load(json.loads(row[10]), Score) for row in scores),
            stage=next((row[9] for row in scores if row[2] == self._stage_from), ""),
        )


def newest(table: Table, rows: Iterable[Any]) -> list[Any]:
    """Of rows of profile state, over all customers of a person, the newest word of each key."""
    width = len(table.primary_key.columns)
    found: dict[Any, Any] = {}
    # (at, by_key, customer), which follow the key and the person; of equal words the later id's.
    for row in sorted(rows, key=lambda row: (row[width + 1], row[width + 2], row[1])):
        found[row[2:width]] = row
    return [found[key] for key in sorted(found)]


def is_over(expires_at: int | None, at: datetime | None) -> bool:
    """Whether what expires at the moment *expires_at* has done so; without *at*, it has not."""
    return expires_at is not None and at is not None and expires_at <= to_micros(at)
