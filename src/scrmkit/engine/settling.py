"""Writes down what became of what went out, together with whoever is told of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any

from scrmkit.clock import Clock, to_micros
from scrmkit.domain.messages import WAITING, DeliveryOutcome, Status
from scrmkit.domain.policy import Policy
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.checks import Checks, message_of, sending_of
from scrmkit.engine.deciding import Shared
from scrmkit.engine.intake import Intake
from scrmkit.engine.lanes import Lane, LaneKey
from scrmkit.engine.outgoing import settled
from scrmkit.engine.states import TYPE_OF, Change, OutgoingRow, ended
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import ConflictError, ScrmkitError, StorageUnavailableError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import thawed, to_json
from scrmkit.persistence.database import Database, Wire

_COLUMNS = (
    "status", "code", "reason", "due_at", "settled_at", "attempts", "leased_until", "provider_id",
)  # fmt: skip
Step = Callable[[WorkSet, datetime], Iterable[Change]]


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
            at = self._clock.now()
            working = WorkSet(wire, self._database.statements)
            changes = list(step(working, at))
            changes += self._write(working, changes, to_micros(at))
            told = _told(changes, at)
            frames = self._intake.record_in(wire, told)[1] if told and not apart else []
            return changes, told, frames

        try:
            changes, _, frames = self._database.transaction(work, name)
        except (StorageUnavailableError, ConflictError):
            raise
        except Exception:  # noqa: BLE001 - what cannot be told must not undo what happened
            alone = partial(work, apart=True)
            changes, told, frames = self._database.transaction(alone, name)
            self._intake.record(told)
        self._intake.announce(frames)
        for change in changes:
            if change.row.status == Status.PLANNED:
                self.wake((change.row.connector, change.row.operation))
        return changes

    def _write(self, work: WorkSet, changes: Sequence[Change], at: int) -> list[Change]:
        """Write *changes*, and what the platform said early of what they name."""
        if not changes:
            return []
        update = work.statements.update(schema.outgoing, values=_COLUMNS, where=("id",))
        rows = [(*(getattr(c.row, name) for name in _COLUMNS), c.row.id) for c in changes]
        if work.wire.many(update, rows) != len(rows):
            raise ConflictError("what went out is not there any more")
        insert = work.statements.insert(schema.attempt)
        work.wire.many(insert, [self._attempt(change, at) for change in changes])
        suppressed = [
            (
                c.row.tenant,
                c.row.connector,
                c.row.address,
                f"{c.row.code}: {c.row.reason}"[:200],
                at,
            )
            for c in changes
            if c.suppress and c.row.address is not None
        ]
        if suppressed:
            work.wire.many(work.statements.insert_new(schema.suppression), suppressed)
        early = self._early(work, changes, at)
        self._write(work, early, at)
        return early

    def _attempt(self, change: Change, at: int) -> tuple[Any, ...]:
        row = change.row
        answer = {"suppress": True} if change.suppress else change.answer
        return (
            self._shared.ids.take(), row.tenant, row.id, at, row.status, row.code, row.reason,
            row.due_at, row.provider_id, to_json(thawed(answer)) if answer else None,
        )  # fmt: skip

    def _early(self, work: WorkSet, changes: Sequence[Change], at: int) -> list[Change]:
        named = {
            (c.row.tenant, c.row.connector, c.row.provider_id): None
            for c in changes
            if c.row.provider_id not in (None, c.before.provider_id)
        }
        columns = ("tenant", "connector", "provider_id")
        found, used = [], []
        for *key, identity, outcome, _ in work.select(schema.early_report, columns, list(named)):
            document = json.loads(outcome)
            said = self._shared.codec.load(document["outcome"], TYPE_OF[document["type"]])
            for row in (change.row for change in changes):
                same = [row.tenant, row.connector, row.provider_id] == key
                if same and identity in (0, row.address):
                    found.append(ended(row, said, at))
                    used.append((*key, identity))
        if used:
            delete = work.statements.delete(schema.early_report, where=(*columns, "identity"))
            work.wire.many(delete, list(dict.fromkeys(used)))
        return [change for change in found if change is not None]

    def checks(self, work: WorkSet, at: datetime) -> Checks:
        """What a step looks at."""
        return Checks(self._shared, work, self.lanes, self._policy, at)

    def observe(self, outcomes: Sequence[tuple[OutgoingRow, DeliveryOutcome]]) -> None:
        """Tell the observers of messages' outcomes that are written down."""
        told = [(row, outcome) for row, outcome in outcomes if row.type == "message"]
        if not told or not self._shared.calls.has("scrmkit_delivered"):
            return
        sendings = []
        with suppress(ScrmkitError), self._database.reading() as wire:
            checks = self.checks(WorkSet(wire, self._database.statements), self._clock.now())
            checks.load_contents([row for row, _ in told])
            for row, outcome in told:
                content = checks.content(row)
                if content is not None:
                    sendings.append((sending_of(row, message_of(row, content)), outcome))
        for sending, outcome in sendings:
            self._shared.calls.observe("scrmkit_delivered", sending=sending, outcome=outcome)


def _told(changes: Sequence[Change], at: datetime) -> list[Touchpoint[Any]]:
    """What instances asked to be told of."""
    return [
        settled(
            c.row.tenant, json.loads(c.row.reply_to), c.row.type, c.row.status, c.row.reason, at,
            c.row.code, thawed(c.answer),
        )
        for c in changes
        if c.row.reply_to and c.row.status not in WAITING and c.row.status != c.before.status
    ]  # fmt: skip


def _why(row: OutgoingRow) -> str:
    return f"{row.code}: {row.reason}"[:200]
