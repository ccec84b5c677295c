"""How much there is of everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import BigInteger, Table, bindparam, func, select

from scrmkit.persistence import schema
from scrmkit.persistence.database import Database
from scrmkit.persistence.statements import by_equality


@attrs.frozen(kw_only=True)
class OutgoingCount:
    """Messages or requests that are alike in everything but whom they are for."""

    type: str
    connector: str
    operation: str
    status: str
    code: str
    count: int


@attrs.frozen(kw_only=True)
class Counts:
    """
    Counts of one tenant.

    Attributes:
        customers: People, each once however many identities were joined.
        kinds: Touchpoints by kind.
        instances: Open and closed instances by plugin, as ``{plugin: (open, closed)}``.
        parked: Touchpoints that were put aside with an error.
        timers: Timers that are running.
    """

    tenant: str
    customers: int
    kinds: Mapping[str, int]
    instances: Mapping[str, tuple[int, int]]
    outgoing: tuple[OutgoingCount, ...]
    parked: int
    timers: int

    @property
    def touchpoints(self) -> int:
        """All touchpoints."""
        return sum(self.kinds.values())


def counts(database: Database, tenant: str, *, since: int = 0) -> Counts:
    """
    Count; outgoing only from the row id *since* on.

    Raises:
        StorageError: The database gives no answer.
    """
    o, i, t = schema.outgoing.c, schema.instance.c, schema.touchpoint.c
    alike = [o[field.name] for field in attrs.fields(OutgoingCount) if field.name != "count"]
    with database.reading() as wire:

        def counted(table: Table, *columns: Any, what: Any = None, given: Sequence[int] = ()) -> Sequence[Any]:
            def build() -> Any:
                how = func.count() if what is None else func.count(what.distinct())
                clause = select(*columns, how).select_from(table)
                clause = clause.where(by_equality(table, "tenant"))
                if given:
                    clause = clause.where(table.c.id >= bindparam("since", type_=BigInteger()))
                return clause.group_by(*columns).order_by(*columns)

            name = ("counts", table.name, len(given))
            return wire.rows(database.statements.once(name, build), (tenant, *given))

        kinds = counted(schema.touchpoint, t.kind)
        instances = counted(schema.instance, i.plugin, i.closed)
        outgoing = counted(schema.outgoing, *alike, given=(since,))
        ((customers,),) = counted(schema.customer, what=schema.customer.c.person)
        ((parked,),) = counted(schema.parked)
        ((timers,),) = counted(schema.timer)
    by_plugin: dict[str, tuple[int, int]] = {}
    for plugin, closed, count in instances:
        before, over = by_plugin.get(plugin, (0, 0))
        by_plugin[plugin] = (before, count) if closed else (count, over)
    names = [column.name for column in alike]
    return Counts(
        tenant=tenant,
        customers=customers,
        kinds=dict(sorted(kinds)),
        instances=dict(sorted(by_plugin.items())),
        outgoing=tuple(OutgoingCount(**dict(zip((*names, "count"), row, strict=True))) for row in outgoing),
        parked=parked,
        timers=timers,
    )
