"""What a person does about what delivery gave up: send it again, or say what became of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import select

from scrmkit.clock import to_micros
from scrmkit.domain.messages import Status
from scrmkit.engine.claims import take
from scrmkit.engine.settling import Settling
from scrmkit.engine.states import Change, moved
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import InvalidValueError, UnknownNameError
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database

REDRIVEN = frozenset({Status.DEAD, Status.LOST})
_MANY = 500
_SAID = {
    Status.DELIVERED: "a person says that it was done",
    Status.LOST: "a person gave it up",
    Status.PLANNED: "a person says that it was not done",
}


class Redriving:
    """Changes what waits for a person."""

    def __init__(self, database: Database, settling: Settling) -> None:
        self._database = database
        self._settling = settling

    def redrive(
        self, tenant: str, *, connector: str | None = None, code: str | None = None,
        reason: str | None = None, statuses: Collection[Status] = REDRIVEN,
    ) -> int:  # fmt: skip
        """
        Plan dead letters and lost ones again, with fresh attempts; how many there were.

        The contact policy is asked again when they leave.

        Args:
            reason: What their reason contains.

        Raises:
            InvalidValueError: *statuses* holds one that is not dead or lost.
        """
        if not REDRIVEN.issuperset(statuses):
            raise InvalidValueError("only what is dead or lost can be sent again")
        o = schema.outgoing
        wanted = select(o.c.id).where(o.c.tenant == tenant, o.c.status.in_(sorted(statuses)))
        for column, value in ((o.c.connector, connector), (o.c.code, code)):
            if value is not None:
                wanted = wanted.where(column == value)
        if reason is not None:
            wanted = wanted.where(o.c.reason.contains(reason, autoescape=True))
        with self._database.reading() as wire:
            ids = wire.rows(*self._database.statements.bound(wanted.order_by(o.c.id)))
        return sum(self._again(ids[at : at + _MANY]) for at in range(0, len(ids), _MANY))

    def _again(self, ids: list[tuple[int]]) -> int:
        def step(work: WorkSet, at: datetime) -> Iterator[Change]:
            now = to_micros(at)
            for row in take(work, ("id",), ids):
                if row.status in REDRIVEN:
                    reason = f"sent again after: {row.reason}"
                    yield moved(
                        row, Status.PLANNED, "redriven", reason, now, due_at=now, attempts=0
                    )

        return len(self._settling.run(step, "delivery.redrive"))

    def settle(self, tenant: str, id_: int, status: Status) -> None:
        """
        Say of something unknown that it was done (``DELIVERED``), that it was not
        and is to be sent again (``PLANNED``), or that it is given up (``LOST``).

        Raises:
            UnknownNameError: The tenant has no such message or request.
            InvalidValueError: It is not unknown any more.
        """
        if status not in _SAID:
            raise InvalidValueError(f"a person cannot make anything {status.value}")

        def step(work: WorkSet, at: datetime) -> Iterator[Change]:
            rows = [row for row in take(work, ("id",), [(id_,)]) if row.tenant == tenant]
            if not rows:
                raise UnknownNameError(f"tenant {tenant!r} has sent nothing of the id {id_}")
            if rows[0].status != Status.UNKNOWN:
                raise InvalidValueError(f"{id_} is not unknown but {rows[0].status}")
            again = {"due_at": to_micros(at), "attempts": 0} if status is Status.PLANNED else {}
            yield moved(rows[0], status, "by_hand", _SAID[status], to_micros(at), **again)

        self._settling.run(step, "delivery.settle")
