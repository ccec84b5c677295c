"""Slots whose time has come: one proposal wins, the others are kept with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from scrmkit.domain.messages import Status
from scrmkit.engine.contact import Candidate
from scrmkit.persistence import schema
from scrmkit.plugins import PluginSet
from scrmkit_worker.rows import OutgoingRow, due, take
from scrmkit_worker.settling import Settling
from scrmkit_worker.states import Change, put_off
from scrmkit_worker.turns import Turn

_MANY = 50


class Slots:
    """Closes slots."""

    def __init__(self, settling: Settling, plugins: PluginSet) -> None:
        self._settling = settling
        self._ranks = {loaded.name: loaded.rank for loaded in plugins.plugins}

    def close(self) -> int:
        """Close each slot whose time has come; how many there were."""
        closed: list[Any] = []

        def step(turn: Turn) -> Iterator[Change]:
            closed[:] = _due(turn)
            proposals: dict[Any, list[OutgoingRow]] = {tuple(slot): [] for slot in closed}
            for row in take(turn.work, ("tenant", "slot"), list(proposals)):
                if row.status == Status.PROPOSED:
                    proposals[row.tenant, row.slot].append(row)
            turn.load([row for rows in proposals.values() for row in rows])
            for slot, rows in proposals.items():
                yield from self._close(turn, slot, [self._candidate(turn, row) for row in rows])

        done = 0
        while True:
            self._settling.run(step, "slots.close")
            done += len(closed)
            if len(closed) < _MANY:
                return done

    def _candidate(self, turn: Turn, row: OutgoingRow) -> Candidate:
        verdict = turn.verdict(row, planned=True)
        message = None if verdict.send_at is None else turn.message(row)
        rank = self._ranks.get(row.plugin, len(self._ranks))
        return Candidate(row, message, turn.now(row), verdict, rank, row.plugin, row.key)

    def _close(self, turn: Turn, slot: tuple[str, str], candidates: list[Candidate]) -> Iterator[Change]:
        winner = turn.contact.compete(slot[1], candidates)
        for candidate in candidates:
            yield put_off(candidate.of, candidate.verdict, turn.us)
        statements, keys = turn.work.statements, ("tenant", "name")
        if winner is None:  # nobody could use it: what is proposed later still may
            turn.work.wire.many(statements.delete(schema.slot, where=keys), [slot])
            return
        turn.count(winner.of, winner.verdict.send_at or turn.at, Status.PLANNED)
        close = statements.update(schema.slot, values=("winner",), where=keys)
        turn.work.wire.many(close, [(winner.key, *slot)])


def _due(turn: Turn) -> list[Any]:
    s = schema.slot

    def build() -> Any:
        still_open = select(s.c.tenant, s.c.name).where(s.c.winner.is_(None))
        return due(still_open, s.c.closes_at, s.c.closes_at, s.c.tenant, s.c.name)

    return turn.work.wire.rows(turn.work.statements.once(("due_slots",), build), (turn.us, _MANY))
