"""Rows of ``outgoing``, and how they are taken so that no other writer has them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import attrs
from sqlalchemy import select, update

from scrmkit.domain.messages import Status
from scrmkit.engine.workset import WorkSet
from scrmkit.persistence import schema
from scrmkit.persistence.statements import by_equality, constant, number

MANY = 500
"""How many rows one transaction takes at most, where no connector says how many."""

_O = schema.outgoing
_URGENCY = (_O.c.priority, _O.c.not_after, _O.c.id)


@attrs.frozen
class OutgoingRow:
    """
    A row of ``outgoing``, its columns in the table's order.

    Attributes:
        due_at: When it may leave; of one that has left, when it did.
        leased_until: While ``sending``, until when its worker has it; while
            ``unknown``, when the platform is asked next; while ``planned``, until
            when no claim looks at it, 0 once they do.
    """

    id: int
    tenant: str
    key: str
    type: str
    connector: str
    operation: str
    customer: int | None
    person: int | None
    plugin: str
    purpose: str
    status: str
    code: str
    reason: str
    priority: int
    due_at: int
    not_after: int
    planned_at: int
    settled_at: int | None
    attempts: int
    leased_until: int
    provider_id: str | None
    address: int | None
    slot: str | None
    reply_to: str | None
    touchpoint: int

    @property
    def lane(self) -> tuple[str, str]:
        """Its connector's configured name and its operation."""
        return (self.connector, self.operation)

    @property
    def whose(self) -> tuple[str, int]:
        """Its tenant and person, 0 for nobody."""
        return (self.tenant, self.person or 0)


def due(clause: Any, moment: Any, *order: Any, of: Any = None) -> Any:
    """
    Of a query, the first rows whose *moment* has come, and that no other writer has.

    Parameters, after those of the query: the time, and how many.
    """
    return (
        clause.where(moment <= number("at"))
        .order_by(*order)
        .limit(number("many"))
        .offset(constant(0))
        .with_for_update(skip_locked=True, of=of)
    )


def claim(
    work: WorkSet, lane: tuple[str, str], at: int, until: int, limit: int, *, over: bool = False
) -> list[OutgoingRow]:
    """
    Lease the most urgent rows of a lane that are due, and count one more attempt of each.

    Args:
        over: Whether only those are meant that are of no use any more.
    """
    _wake(work, lane, at, max(limit, MANY))

    def build() -> Any:
        wanted = _planned().where(_O.c.leased_until == constant(0))
        if over:
            wanted = wanted.where(_O.c.not_after <= number("over_at"))
        taken = due(wanted, _O.c.due_at, *_URGENCY).cte("due")
        changed = {
            "status": constant(Status.SENDING),
            "leased_until": number("until"),
            "due_at": number("left_at"),
            "attempts": _O.c.attempts + constant(1),
        }
        clause = update(_O).values(changed).where(_O.c.id.in_(select(taken.c.id)))
        return clause.returning(*_O.columns)

    statement = work.statements.once(("claim", over), build)
    given = {"connector": lane[0], "operation": lane[1], "until": until, "many": limit}
    given |= dict.fromkeys(("at", "left_at", "over_at"), at)
    rows = work.wire.rows(statement, [given[name] for name in statement.names])
    return sorted((OutgoingRow(*row) for row in rows), key=attrgetter("priority", "not_after", "id"))


def _wake(work: WorkSet, lane: tuple[str, str], at: int, many: int) -> None:
    """
    Let claims look at what of a lane has slept until now, at most so *many* at a time.

    No index has the most urgent of what is due at its front: in one that goes by urgency, a claim
    meets all that is put off until the morning; in one that goes by time, in the morning, all that
    is due. So what sleeps stands in the index by its time, what is awake by its urgency, and each
    row moves from there to here once. If more are due at once, the longest due come first; what was
    planned for at once, or soon, never slept and waits for none of them.
    """

    def build() -> Any:
        asleep = _planned().where(_O.c.leased_until > constant(0))
        woken = due(asleep, _O.c.leased_until, _O.c.leased_until, *_URGENCY).cte("woken")
        return update(_O).values(leased_until=constant(0)).where(_O.c.id.in_(select(woken.c.id)))

    statement = work.statements.once(("wake",), build)
    given = {"connector": lane[0], "operation": lane[1], "at": at, "many": many}
    work.wire.many(statement, [[given[name] for name in statement.names]])


def _planned() -> Any:
    """The ids of what is planned in a lane."""
    return select(_O.c.id).where(_O.c.status == constant(Status.PLANNED), by_equality(_O, "connector", "operation"))


def overdue(work: WorkSet, status: Status, at: int) -> list[OutgoingRow]:
    """Rows of a status whose ``leased_until`` has come, and that no other writer has."""

    def build() -> Any:
        rows = select(*_O.columns).where(_O.c.status == constant(status))
        return due(rows, _O.c.leased_until, _O.c.id)

    rows = work.wire.rows(work.statements.once(("overdue", status), build), (at, MANY))
    return [OutgoingRow(*row) for row in rows]


def take(work: WorkSet, columns: Sequence[str], wanted: Sequence[Any]) -> list[OutgoingRow]:
    """Rows whose *columns* are among *wanted*, by id."""
    rows = work.select(_O, columns, list(dict.fromkeys(wanted)), lock="turns")
    return sorted((OutgoingRow(*row) for row in rows), key=attrgetter("id"))
