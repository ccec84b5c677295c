"""Writes down what became of what went out, together with whoever is told of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy import select

from scrmkit import errors
from scrmkit.clock import Clock
from scrmkit.domain.messages import REDRIVEN, WAITING, DeliveryOutcome, Status
from scrmkit.domain.policy import Policy
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.deciding import Shared
from scrmkit.engine.intake import Intake, all_of
from scrmkit.engine.outgoing import settled
from scrmkit.engine.workset import WorkSet
from scrmkit.persistence import schema
from scrmkit.persistence.codec import thawed, to_json
from scrmkit.persistence.database import Database, Wire
from scrmkit_worker.lanes import Lane, LaneKey
from scrmkit_worker.rows import MANY, OutgoingRow, take
from scrmkit_worker.states import TYPE_OF, Change, ended, moved
from scrmkit_worker.turns import Turn

_SAID = {
    Status.DELIVERED: "a person says that it was done",
    Status.LOST: "a person gave it up",
    Status.PLANNED: "a person says that it was not done",
}
_COLUMNS = ("status", "code", "reason", "due_at", "settled_at", "attempts", "leased_until", "provider_id")
_NAMED = ("tenant", "connector", "provider_id")
Step = Callable[[Turn], Iterable[Change]]


class Settling:
    """Changes rows of ``outgoing``, a whole step at a time."""

    def __init__(
        self, shared: Shared, database: Database, intake: Intake, clock: Clock,
        lanes: Mapping[LaneKey, Lane], policy: Policy,
    ) -> None:  # fmt: skip
        self._shared = shared
        self._database = database
        self._intake = intake
        self._clock = clock
        self.lanes = lanes
        self._policy = policy
        self.wake: Callable[[LaneKey], None] = lambda _: None

    def run(self, step: Step, name: str) -> list[Change]:
        """
        Write what *step* says in one transaction, and again after a conflict.

        What instances asked to be told is recorded in the same transaction; if
        that cannot be recorded, after it and by itself.

        Raises:
            StorageUnavailableError, ConflictError: Nothing was written; try again later.
        """

        def work(wire: Wire, *, apart: bool = False) -> tuple[list[Change], list[Any], list[Any]]:
            turn = self._turn(wire)
            changes = list(step(turn))
            changes += self._write(turn, changes)
            told = list(_told(changes, turn))
            frames = self._intake.record_in(wire, told)[1] if told and not apart else []
            return changes, told, frames

        try:
            changes, _, frames = self._database.transaction(work, name)
        except (errors.StorageUnavailableError, errors.ConflictError):
            raise
        except Exception:  # noqa: BLE001 - what cannot be told must not undo what happened
            alone = partial(work, apart=True)
            changes, told, frames = self._database.transaction(alone, name)
            all_of(self._intake.record_each(told))
        self._intake.announce(frames)
        for change in changes:
            if change.row.status == Status.PLANNED:
                self.wake(change.row.lane)
        return changes

    def _turn(self, wire: Wire) -> Turn:
        work = WorkSet(wire)
        return Turn(self._shared, work, self.lanes, self._policy, self._clock.now())

    def _write(self, turn: Turn, changes: Sequence[Change]) -> list[Change]:
        """Write *changes*, and what the platform said early of what they name."""
        if not changes:
            return []
        wire, statements = turn.work.wire, turn.work.statements
        update = statements.update(schema.outgoing, values=_COLUMNS, where=("id",))
        rows = [(*(getattr(c.row, name) for name in _COLUMNS), c.row.id) for c in changes]
        if wire.many(update, rows) != len(rows):
            raise errors.ConflictError("what went out is not there any more")
        attempts = [self._attempt(change, turn.us) for change in changes]
        wire.many(statements.insert(schema.attempt), attempts)
        suppressed = [
            (row.tenant, row.connector, row.address, f"{row.code}: {row.reason}"[:200], turn.us)
            for row in (change.row for change in changes if change.suppress)
            if row.address is not None
        ]
        if suppressed:
            wire.many(statements.insert_new(schema.suppression), suppressed)
        early = self._early(turn, changes)
        self._write(turn, early)
        return early

    def _attempt(self, change: Change, at: int) -> tuple[Any, ...]:
        row = change.row
        answer = {"suppress": True} if change.suppress else change.answer
        return (
            self._shared.ids.take(), row.tenant, row.id, at, row.status, row.code, row.reason,
            row.due_at, row.provider_id, to_json(thawed(answer)) if answer else None,
        )  # fmt: skip

    def _early(self, turn: Turn, changes: Sequence[Change]) -> list[Change]:
        newly = [c.row for c in changes if c.row.provider_id not in (None, c.before.provider_id)]
        named = list(dict.fromkeys((r.tenant, r.connector, r.provider_id) for r in newly))
        found, used = [], []
        for *key, identity, outcome, _ in turn.work.select(schema.early_report, _NAMED, named):
            document = json.loads(outcome)
            said: Any = self._shared.codec.load(document["outcome"], TYPE_OF[document["type"]])
            for row in (change.row for change in changes):
                same = [row.tenant, row.connector, row.provider_id] == key
                if same and identity in (0, row.address):
                    found.append(ended(row, said, turn.us))
                    used.append((*key, identity))
        if used:
            delete = turn.work.statements.delete(schema.early_report, where=(*_NAMED, "identity"))
            turn.work.wire.many(delete, list(dict.fromkeys(used)))
        return [change for change in found if change is not None]

    def observe(self, outcomes: Sequence[tuple[OutgoingRow, DeliveryOutcome]]) -> None:
        """Tell the observers of messages' outcomes that are written down."""
        told = [(row, outcome) for row, outcome in outcomes if row.type == "message"]
        if not told or not self._shared.calls.has("scrmkit_delivered"):
            return
        sendings = []
        with suppress(errors.ScrmkitError), self._database.reading() as wire:
            turn = self._turn(wire)
            turn.load_contents([row for row, _ in told])
            for row, outcome in told:
                if turn.content(row) is not None:
                    sendings.append((turn.sending(row), outcome))
        for sending, outcome in sendings:
            self._shared.calls.observe("scrmkit_delivered", sending=sending, outcome=outcome)

    # --- what a person does about what delivery gave up ----------------------------------

    def redrive(
        self, tenant: str, *, connector: str | None = None, code: str | None = None,
        reason: str | None = None, statuses: Collection[Status] = REDRIVEN,
    ) -> int:  # fmt: skip
        """See ``Outbox.redrive``."""
        if not set(statuses).issubset(REDRIVEN):
            raise errors.InvalidValueError("only what is dead or lost can be sent again")
        o = schema.outgoing
        wanted = select(o.c.id).where(o.c.tenant == tenant, o.c.status.in_(sorted(statuses)))
        for column, value in ((o.c.connector, connector), (o.c.code, code)):
            if value is not None:
                wanted = wanted.where(column == value)
        if reason is not None:
            wanted = wanted.where(o.c.reason.contains(reason, autoescape=True))
        with self._database.reading() as wire:
            ids = wire.rows(*self._database.statements.bound(wanted.order_by(o.c.id)))

        def step(part: Sequence[Any], turn: Turn) -> Iterator[Change]:
            for row in take(turn.work, ("id",), part):
                if row.status in REDRIVEN:
                    why = f"sent again after: {row.reason}"
                    again = {"due_at": turn.us, "attempts": 0}
                    yield moved(row, Status.PLANNED, "redriven", why, turn.us, **again)

        parts = [partial(step, ids[start : start + MANY]) for start in range(0, len(ids), MANY)]
        return sum(len(self.run(part, "delivery.redrive")) for part in parts)

    def settle(self, tenant: str, id_: int, status: Status) -> None:
        """See ``Outbox.settle``."""
        if status not in _SAID:
            raise errors.InvalidValueError(f"a person cannot make anything {status.value}")

        def step(turn: Turn) -> Iterator[Change]:
            rows = [row for row in take(turn.work, ("id",), [(id_,)]) if row.tenant == tenant]
            if not rows:
                raise errors.UnknownNameError(f"tenant {tenant!r} has sent nothing of the id {id_}")
            if rows[0].status != Status.UNKNOWN:
                raise errors.InvalidValueError(f"{id_} is not unknown but {rows[0].status}")
            again = {"due_at": turn.us, "attempts": 0} if status is Status.PLANNED else {}
            yield moved(rows[0], status, "by_hand", _SAID[status], turn.us, **again)

        self.run(step, "delivery.settle")


def _told(changes: Sequence[Change], turn: Turn) -> Iterator[Touchpoint[Any]]:
    """What instances asked to be told of."""
    for change in changes:
        row = change.row
        if row.reply_to and row.status not in WAITING and row.status != change.before.status:
            yield settled(
                row.tenant, json.loads(row.reply_to), row.type, row.status, row.reason, turn.at,
                row.code, thawed(change.answer),
            )  # fmt: skip
