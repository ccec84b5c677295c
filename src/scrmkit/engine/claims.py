"""Takes rows of ``outgoing``, so that no other writer has them at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.types import BigInteger, Integer, String

from scrmkit.domain.messages import Status
from scrmkit.engine.lanes import LaneKey
from scrmkit.engine.states import OutgoingRow
from scrmkit.engine.workset import WorkSet
from scrmkit.persistence import schema
from scrmkit.persistence.statements import constant

_ORDER = attrgetter("priority", "not_after", "id")
_O = schema.outgoing


def claim(work: WorkSet, lane: LaneKey, at: int, until: int, limit: int) -> list[OutgoingRow]:
    """Lease the most urgent rows of a lane that are due, and count one more attempt of each."""

    def build() -> Any:
        due = (
            select(_O.c.id)
            .where(
                _O.c.status == constant(Status.PLANNED),
                _O.c.connector == bindparam("connector", type_=String()),
                _O.c.operation == bindparam("operation", type_=String()),
                _O.c.due_at <= bindparam("at", type_=BigInteger()),
            )
            .order_by(_O.c.priority, _O.c.not_after, _O.c.id)
            .limit(bindparam("limit", type_=Integer()))
            .offset(constant(0))
            .with_for_update(skip_locked=True)
            .cte("due")
        )
        return (
            update(_O)
            .values(
                status=constant(Status.SENDING),
                leased_until=bindparam("until", type_=BigInteger()),
                due_at=bindparam("left_at", type_=BigInteger()),
                attempts=_O.c.attempts + constant(1),
            )
            .where(_O.c.id.in_(select(due.c.id)))
            .returning(*_O.columns)
        )

    statement = work.statements.once(("claim",), build)
    given = {"connector": lane[0], "operation": lane[1], "at": at, "limit": limit}
    given |= {"until": until, "left_at": at}
    rows = work.wire.rows(statement, [given[name] for name in statement.names])
    return sorted((OutgoingRow(*row) for row in rows), key=_ORDER)


def overdue(work: WorkSet, status: Status, at: int, limit: int) -> list[OutgoingRow]:
    """Rows of a status whose ``leased_until`` has come, and that no other writer has."""

    def build() -> Any:
        return (
            select(*_O.columns)
            .where(
                _O.c.status == constant(status),
                _O.c.leased_until <= bindparam("at", type_=BigInteger()),
            )
            .order_by(_O.c.id)
            .limit(bindparam("limit", type_=Integer()))
            .offset(constant(0))
            .with_for_update(skip_locked=True)
        )

    statement = work.statements.once(("overdue", status), build)
    return [OutgoingRow(*row) for row in work.wire.rows(statement, (at, limit))]


def take(work: WorkSet, columns: Sequence[str], wanted: Sequence[Any]) -> list[OutgoingRow]:
    """Rows whose *columns* are among *wanted*, by id."""
    keys = list(dict.fromkeys(wanted))
    rows = [OutgoingRow(*row) for row in work.select(_O, columns, keys, lock="turns")]
    return sorted(rows, key=attrgetter("id"))
