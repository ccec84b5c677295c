"""Slots whose time has come: one proposal wins, the others are kept with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.types import BigInteger, Integer

from scrmkit.clock import to_micros
from scrmkit.domain.messages import Status
from scrmkit.engine.calls import Calls
from scrmkit.engine.checks import Checks, message_of
from scrmkit.engine.claims import take
from scrmkit.engine.contact import choose
from scrmkit.engine.settling import Settling
from scrmkit.engine.states import Change, OutgoingRow, moved, put_off
from scrmkit.engine.workset import WorkSet
from scrmkit.hooks import Proposal
from scrmkit.persistence import schema
from scrmkit.persistence.statements import constant
from scrmkit.plugins import PluginSet

_MANY = 50


class Slots:
    """Closes slots."""

    def __init__(self, settling: Settling, calls: Calls, plugins: PluginSet) -> None:
        self._settling = settling
        self._calls = calls
        self._ranks = {loaded.name: loaded.rank for loaded in plugins.plugins}

    def close(self) -> int:
        """Close each slot whose time has come; how many there were."""
        closed: list[Any] = []

        def step(work: WorkSet, at: datetime) -> Iterator[Change]:
            closed[:] = self._due(work, at)
            proposals: dict[Any, list[OutgoingRow]] = {tuple(slot): [] for slot in closed}
            for row in take(work, ("tenant", "slot"), list(proposals)):
                if row.status == Status.PROPOSED:
                    proposals[row.tenant, row.slot].append(row)
            checks = self._settling.checks(work, at)
            checks.load([row for rows in proposals.values() for row in rows])
            for slot, rows in proposals.items():
                yield from self._compete(work, checks, slot, rows, at)

        done = 0
        while True:
            self._settling.run(step, "slots.close")
            done += len(closed)
            if len(closed) < _MANY:
                return done

    def _compete(
        self, work: WorkSet, checks: Checks, slot: tuple[str, str], rows: Sequence[OutgoingRow],
        at: datetime,
    ) -> Iterator[Change]:  # fmt: skip
        now, verdicts = to_micros(at), {row.id: checks.verdict(row, planned=True) for row in rows}
        allowed = [row for row in rows if verdicts[row.id].send_at is not None]
        allowed.sort(key=lambda row: (self._rank(row), row.id))
        winner = self._winner(checks, slot[1], allowed) if allowed else None
        for row in rows:
            verdict = verdicts[row.id]
            if verdict.send_at is None:
                yield put_off(row, verdict, now)
            elif row is not winner:
                reason = f"{winner.plugin if winner else 'another'} won the slot"
                yield moved(row, Status.SUPPRESSED, "slot_lost", reason, now)
            else:
                checks.count(row, verdict.send_at, Status.PLANNED)
                due_at = to_micros(verdict.send_at)
                code, reason = verdict.code, verdict.reason
                yield moved(row, Status.PLANNED, code, reason, now, due_at=due_at)
        if winner is not None:
            close = work.statements.update(
                schema.slot, values=("winner",), where=("tenant", "name")
            )
            work.wire.many(close, [(winner.key, *slot)])
        else:  # nobody could use it: what is proposed later still may
            delete = work.statements.delete(schema.slot, where=("tenant", "name"))
            work.wire.many(delete, [slot])

    def _rank(self, row: OutgoingRow) -> int:
        return self._ranks.get(row.plugin, len(self._ranks))

    def _winner(self, checks: Checks, slot: str, allowed: Sequence[OutgoingRow]) -> OutgoingRow:
        proposals = [
            Proposal(
                plugin=row.plugin, once=row.key, rank=self._rank(row),
                message=message_of(row, checks.content(row)),
            )
            for row in allowed
        ]  # fmt: skip
        return allowed[choose(self._calls, slot, proposals, checks.now(allowed[0]))]

    def _due(self, work: WorkSet, at: datetime) -> list[Any]:
        s = schema.slot

        def build() -> Any:
            return (
                select(s.c.tenant, s.c.name)
                .where(s.c.winner.is_(None), s.c.closes_at <= bindparam("at", type_=BigInteger()))
                .order_by(s.c.closes_at, s.c.tenant, s.c.name)
                .limit(bindparam("many", type_=Integer()))
                .offset(constant(0))
                .with_for_update(skip_locked=True)
            )

        return work.wire.rows(work.statements.once(("due_slots",), build), (to_micros(at), _MANY))
