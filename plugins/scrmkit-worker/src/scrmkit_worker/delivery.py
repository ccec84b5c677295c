"""
Delivery: takes what is due, lets the connectors do it, and writes down what became of it.

Taken, sent and written are three steps, and a process may die between any two.
What was taken and not written comes back when its lease has run out: it is sent
again with the same key where the platform honours keys, and asked about where not.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import attrs

from scrmkit.domain.messages import DeliveryOutcome, Operation, Outgoing, Status, TryLater, Unknown
from scrmkit.engine.calls import Calls, ContractError
from scrmkit.engine.outgoing import FOREVER
from scrmkit.errors import ConflictError, StorageUnavailableError
from scrmkit.failpoints import failpoint
from scrmkit.persistence import schema
from scrmkit_worker.lanes import Lane, LaneKey, keep_gate, load_gate
from scrmkit_worker.rows import MANY, OutgoingRow, claim, overdue, take
from scrmkit_worker.settling import Settling
from scrmkit_worker.states import Change, fits, follow, next_ask, put_off, unknown
from scrmkit_worker.turns import Turn

LEASE = timedelta(minutes=1)
"""How long a worker may take before what it took is given up; a late answer still counts."""

_US = timedelta(microseconds=1)
_GONE = Operation(body=object)
Counts = Counter[str]


@attrs.define(eq=False)
class _Batch:
    """What one call carries, and what became of it."""

    lane: Lane
    asked: bool = False
    rows: list[OutgoingRow] = attrs.field(factory=list)
    items: list[Outgoing] = attrs.field(factory=list, repr=False)
    outcomes: Sequence[DeliveryOutcome] = ()
    probe: bool = False

    def add(self, row: OutgoingRow, item: Outgoing) -> None:
        self.rows.append(row)
        self.items.append(item)


class Delivery:
    """Works off the lanes. Safe to use from several threads, and processes on PostgreSQL."""

    def __init__(self, settling: Settling, calls: Calls, *, alone: bool) -> None:
        """
        Args:
            alone: Whether no other process delivers from this database, so that
                whatever is being sent at the start was left by one that died.
        """
        self._settling = settling
        self._calls = calls
        self._lock = threading.Lock()
        self._is_fresh = True
        self._alone = alone
        self._unwritten: deque[_Batch] = deque()
        self.lanes = settling.lanes

    def work(self, lane: Lane) -> Counts:
        """
        Do one call's worth of a lane, and say how much there was; nothing if it rests.

        Raises:
            StorageUnavailableError, ConflictError: Try again later; what was
                sent in the meantime is written down then.
        """
        self._begin()
        self.flush()
        if not self._calls.is_asked(lane.loaded):
            return Counter()
        batch, waiting = self._claim(lane)
        if batch.items:
            lane.pace()
            batch.outcomes = self._call(lane, "send", batch.items)
            failpoint("delivery.sent")
            self._write(batch)
        return +Counter(sent=len(batch.items), put_off=waiting)

    # --- claiming ------------------------------------------------------------------------

    def _claim(self, lane: Lane) -> tuple[_Batch, int]:
        """Take what may leave now; what the policy holds back is put off at once."""
        batch = _Batch(lane)
        lease = LEASE // _US + int(lane.gap_s * 10_000_000)

        def step(turn: Turn) -> Iterator[Change]:
            now, work = turn.us, turn.work
            batch.rows, batch.items = [], []
            gate = load_gate(work, lane.key)
            batch.probe = gate.closed_until > 0
            if batch.probe:
                gate = load_gate(work, lane.key, lock=True)
            rests = gate.closed_until > now
            limit = MANY if rests else 1 if batch.probe else lane.size
            # Where the lane rests, what is of no use any more ends all the same.
            rows = claim(work, lane.key, now, now + lease, limit, over=rests)
            turn.load(rows)
            for row in rows:
                verdict, item = turn.verdict(row), turn.outgoing(row)
                if verdict.code == "ok" and item is not None:
                    turn.count(row, turn.at, Status.SENDING)
                    batch.add(row, item)
                else:
                    yield put_off(row, verdict, now)
            if batch.probe and batch.items:
                keep_gate(work, lane.key, attrs.evolve(gate, closed_until=now + lease))

        changes = self._settling.run(step, "delivery.claim")
        return batch, len(changes)

    # --- calling -------------------------------------------------------------------------

    def _call(self, lane: Lane, method: str, items: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """What a connector says of *items*; if it breaks its contract, nobody knows."""
        loaded, reached = lane.loaded, False

        def do() -> Any:
            nonlocal reached
            reached = True
            return getattr(loaded.plugin, method)(lane.name, tuple(items))

        def check(said: Any) -> tuple[DeliveryOutcome, ...]:
            if isinstance(said, list | tuple) and len(said) == len(items) and all(map(fits, said)):
                return tuple(said)
            raise ContractError(f"returned no sequence of {len(items)} outcomes")

        well, said = self._calls.call(loaded, method, do, check=check, timed=False)
        if well:
            return said  # type: ignore[no-any-return]
        if not reached and method == "send":
            return [TryLater(reason="the plugin is in quarantine", lane=True)] * len(items)
        return [Unknown(reason="the connector broke its contract")] * len(items)

    # --- writing -------------------------------------------------------------------------

    def _write(self, batch: _Batch) -> None:
        """Write a batch's outcomes; while the database is away they are kept here."""
        pairs = list(zip(batch.rows, batch.outcomes, strict=True))

        def step(turn: Turn) -> Iterator[Change]:
            # Before the rows: reports that come early look at the rows under the same lock.
            gate = load_gate(turn.work, batch.lane.key, lock=True)
            if not batch.asked:
                after = gate.after(batch.outcomes, turn.us, probe=batch.probe)
                if after != gate:
                    keep_gate(turn.work, batch.lane.key, after)
            there = {row.id: row for row in take(turn.work, ("id",), [(r.id,) for r in batch.rows])}
            for sent, outcome in pairs:
                row = there[sent.id]
                leased = (row.status, row.attempts, row.leased_until)
                own = leased == (Status.SENDING, sent.attempts, sent.leased_until)
                change = follow(row, outcome, batch.lane.operation, turn.us, own=own)
                if change is not None:
                    yield change

        try:
            changes = self._settling.run(step, "delivery.write")
        except (StorageUnavailableError, ConflictError):
            self._unwritten.append(batch)
            raise
        told = {change.row.id for change in changes} if batch.asked else {r.id for r in batch.rows}
        self._settling.observe([(row, outcome) for row, outcome in pairs if row.id in told])

    def flush(self) -> None:
        """Write down what was sent while the database was away."""
        while self._unwritten:
            try:
                batch = self._unwritten.popleft()
            except IndexError:  # another thread has it
                return
            self._write(batch)

    # --- what was left -------------------------------------------------------------------

    def _begin(self) -> None:
        """Make the lanes known, and take back what was left; once, and again until it works."""

        def step(turn: Turn) -> Sequence[Change]:
            rows = [(*key, 0, 0, "") for key in self.lanes]
            if rows:
                turn.work.wire.many(turn.work.statements.insert_new(schema.lane), rows)
            return ()

        with self._lock:
            if self._is_fresh:
                self._settling.run(step, "delivery.begin")
                if self._alone:
                    self._recover(FOREVER)
                self._is_fresh = False

    def recover(self) -> int:
        """Give up what was taken by a worker whose lease has run out."""
        self._begin()
        return self._recover(None)

    def _recover(self, until: int | None) -> int:
        def step(turn: Turn) -> Iterator[Change]:
            for row in overdue(turn.work, Status.SENDING, until or turn.us):
                lane = self.lanes.get(row.lane)
                operation = _GONE if lane is None else lane.operation
                died = Unknown(reason="the worker that sent it died")
                yield unknown(row, died, operation, turn.us)

        recovered = 0
        while changes := self._settling.run(step, "delivery.recover"):
            recovered += len(changes)
        return recovered

    def ask(self) -> int:
        """Ask the platforms what became of what is unknown, as far as it is time to."""
        self._begin()
        batches: list[_Batch] = []

        def step(turn: Turn) -> Sequence[Change]:
            batches[:] = self._unknown(turn)
            return ()

        self._settling.run(step, "delivery.ask")
        for batch in batches:
            batch.outcomes = self._call(batch.lane, "ask", batch.items)
            failpoint("delivery.asked")
            self._write(batch)
        return sum(len(batch.items) for batch in batches)

    def _unknown(self, turn: Turn) -> list[_Batch]:
        """What it is time to ask about, and when it will be time again."""
        work, found = turn.work, []
        rows = overdue(work, Status.UNKNOWN, turn.us)
        again = work.statements.update(schema.outgoing, values=("leased_until",), where=("id",))
        if rows:
            work.wire.many(again, [(next_ask(turn.us, row.due_at), row.id) for row in rows])
        turn.load_contents(rows)
        last: dict[LaneKey, _Batch] = {}
        for row in rows:
            lane, item = self.lanes.get(row.lane), turn.outgoing(row)
            if lane is None or item is None or not self._calls.is_asked(lane.loaded):
                continue
            if lane.key not in last or len(last[lane.key].items) == lane.size:
                last[lane.key] = _Batch(lane, asked=True)
                found.append(last[lane.key])
            last[lane.key].add(row, item)
        return found
