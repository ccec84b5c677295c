"""One customer as they stand: found, read and put together from the newest words."""

from __future__ import annotations

import json
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Table

from scrmkit.clock import to_micros
from scrmkit.domain.identity import Identity
from scrmkit.domain.ids import CustomerId, TenantId
from scrmkit.domain.profile import Customer, Score
from scrmkit.engine.knowing import consent_of, tag_of
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import UnknownNameError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import Codec
from scrmkit.persistence.database import Wire

Who = int | Identity
"""A customer's id, also one that was merged into another, or what a platform calls them."""


def find(wire: Wire, tenant: str, who: Who) -> CustomerId:
    """
    The canonical id of a customer.

    Raises:
        UnknownNameError: The tenant has no such customer.
    """
    if isinstance(who, Identity):
        key = (tenant, who.kind, who.scope, who.value)
        rows = wire.find(schema.identity, ("tenant", "kind", "scope", "value"), [key])
        person, name = 6, f"of this {who.kind}"
    else:
        rows = wire.find(schema.customer, ("tenant", "id"), [(tenant, int(who))])
        person, name = 2, str(int(who))
    if not rows:
        raise UnknownNameError(f"tenant {tenant!r} has no customer {name}")
    return CustomerId(rows[0][person])


def newest(wire: Wire, table: Table, tenant: str, person: int) -> list[Any]:
    """A person's rows of profile state, by key and of each the newest word."""
    work = WorkSet(wire, writes=False)
    work.load_newest(table, [(tenant, person)])
    return list(work.newest[schema.short(table)].of((tenant, person)).values())


def customer_of(
    wire: Wire, codec: Codec, stage_from: str | None, tenant: str, person: int, at: datetime | None
) -> Customer:
    """A customer by canonical id; tags that have expired *at* that moment are left out."""
    tags = newest(wire, schema.tag, tenant, person)
    scores = newest(wire, schema.score, tenant, person)
    names = wire.find(schema.identity, ("tenant", "person"), [(tenant, person)])
    attributes = newest(wire, schema.attribute, tenant, person)
    return Customer(
        tenant=TenantId(tenant),
        id=CustomerId(person),
        identities=tuple(Identity(kind=row[2], scope=row[3], value=row[4]) for row in sorted(names)),
        tags=tuple(tag_of(row) for row in tags if row[7] and not is_over(row[11], at)),
        attributes=MappingProxyType({row[2]: json.loads(row[6]) for row in attributes}),
        consents=tuple(map(consent_of, newest(wire, schema.consent, tenant, person))),
        scores=tuple(codec.load(json.loads(row[10]), Score) for row in scores),
        stage=next((row[9] for row in scores if row[2] == stage_from), ""),
    )


def is_over(expires_at: int | None, at: datetime | None) -> bool:
    """Whether what expires at the moment *expires_at* has done so; without *at*, it has not."""
    return expires_at is not None and at is not None and expires_at <= to_micros(at)
