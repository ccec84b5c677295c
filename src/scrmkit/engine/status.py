"""How much there is of everything: what ``scrmkit status`` shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import BigInteger, Table, bindparam, func, select

from scrmkit.engine.workset import by_equality
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database


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
class Status:
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


def status(database: Database, tenant: str, *, since: int = 0) -> Status:
    """
    Count; outgoing only from the row id *since* on.

    Raises:
        StorageError: The database gives no answer.
    """
    with database.reading() as wire:

        def rows(name: str, clause: Any, *parameters: Any) -> Sequence[Any]:
            return wire.rows(database.statements.once(("status", name), clause), parameters)

        o, i = schema.outgoing, schema.instance
        kinds = rows("kinds", lambda: _grouped(schema.touchpoint, schema.touchpoint.c.kind), tenant)
        instances = rows("instances", lambda: _grouped(i, i.c.plugin, i.c.closed), tenant)
        alike = (o.c.type, o.c.connector, o.c.operation, o.c.status, o.c.code)
        outgoing = rows(
            "outgoing",
            lambda: (
                select(*alike, func.count())
                .where(by_equality(o, "tenant"))
                .where(o.c.id >= _since())
                .group_by(*alike)
                .order_by(*alike)
            ),
            tenant,
            since,
        )
        people = rows("people", _people, tenant)[0][0]
        parked = rows("parked", lambda: _counted(schema.parked), tenant)[0][0]
        timers = rows("timers", lambda: _counted(schema.timer), tenant)[0][0]
    by_plugin: dict[str, list[int]] = {}
    for plugin, closed, count in instances:
        by_plugin.setdefault(plugin, [0, 0])[int(closed)] += count
    return Status(
        tenant=tenant,
        customers=people,
        kinds=dict(sorted((row[0], row[1]) for row in kinds)),
        instances={plugin: (counts[0], counts[1]) for plugin, counts in sorted(by_plugin.items())},
        outgoing=tuple(
            OutgoingCount(
                type=row[0],
                connector=row[1],
                operation=row[2],
                status=row[3],
                code=row[4],
                count=row[5],
            )
            for row in outgoing
        ),
        parked=parked,
        timers=timers,
    )


def _grouped(table: Table, *columns: Any) -> Any:
    return select(*columns, func.count()).where(by_equality(table, "tenant")).group_by(*columns)


def _counted(table: Table) -> Any:
    return select(func.count()).select_from(table).where(by_equality(table, "tenant"))


def _people() -> Any:
    c = schema.customer
    return select(func.count(func.distinct(c.c.person))).where(by_equality(c, "tenant"))


def _since() -> Any:
    return bindparam("since", type_=BigInteger())
