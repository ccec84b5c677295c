"""
Lanes: one for each connector and operation, so that a dead provider slows no other.

What closes a lane is kept in the database, for all processes and restarts. Its
rate is kept for each process by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from time import monotonic
from typing import Any

import attrs
from sqlalchemy import select

from scrmkit.domain.messages import DeliveryOutcome, Operation, TryLater, Unknown
from scrmkit.engine.workset import WorkSet
from scrmkit.persistence import schema
from scrmkit.persistence.statements import by_equality
from scrmkit.plugins import LoadedPlugin, PluginSet

_US = timedelta(microseconds=1)
_OPENS_AFTER = 5
"""Calls in a row that came to nothing, after which a lane rests."""

_COOL = timedelta(seconds=5)
_LONGEST = timedelta(minutes=10)
LaneKey = tuple[str, str]


@attrs.define(eq=False)
class Lane:
    """
    One connector's operation, and the rate that it is called at.

    Attributes:
        key: Its connector's configured name and its operation.
        size: How many one call takes at most.
        gap_s: Seconds from one call to the next.
    """

    loaded: LoadedPlugin
    name: str
    operation: Operation
    _next: float = 0.0
    _lock: Any = attrs.field(factory=threading.Lock, repr=False)
    key: LaneKey = attrs.field(init=False)
    size: int = attrs.field(init=False)
    gap_s: float = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        rate = self.operation.rate_per_s
        self.key = (self.loaded.name, self.name)
        self.size = max(self.operation.max_batch, 1)
        self.gap_s = 1 / rate if rate else 0.0

    def pace(self, sleep: Callable[[float], object] = time.sleep) -> None:
        """Wait for the next call's turn."""
        with self._lock:
            now = monotonic()
            turn = max(now, self._next)
            self._next = turn + self.gap_s
        if turn > now:
            sleep(turn - now)


def lanes_of(plugins: PluginSet) -> Mapping[LaneKey, Lane]:
    """All lanes; the most urgent first."""
    lanes = [
        Lane(loaded, name, operation)
        for loaded in plugins.plugins
        if loaded.family in ("channel", "connector")
        for name, operation in loaded.plugin.operations.items()
    ]
    return {lane.key: lane for lane in sorted(lanes, key=lambda lane: lane.operation.priority)}


@attrs.frozen
class Gate:
    """
    Whether a lane is open.

    Attributes:
        failures: Calls in a row that came to nothing.
        closed_until: Not 0 until a call after that moment has come to something:
            such a call is a probe, one at a time and with one item.
    """

    failures: int = 0
    closed_until: int = 0
    reason: str = ""

    def after(self, outcomes: Sequence[DeliveryOutcome], at: int, *, probe: bool) -> Gate:
        """The gate after one call."""
        lost = [one for one in outcomes if isinstance(one, TryLater | Unknown)]
        failures = self.failures + 1 if len(lost) == len(outcomes) else 0
        pauses = [one.after or _cool(failures) for one in lost if isinstance(one, TryLater) and one.lane]
        if failures >= _OPENS_AFTER and not pauses:
            pauses.append(_cool(failures))
        if pauses:
            return Gate(failures, at + max(pauses) // _US, lost[0].reason[:300])
        if self.closed_until > at and not probe:
            return attrs.evolve(self, failures=failures)
        return Gate(failures)


def load_gate(work: WorkSet, key: LaneKey, *, lock: bool = False) -> Gate:
    """A lane's gate, locked where the database has several writers."""

    def build() -> Any:
        t = schema.lane
        clause = select(t.c.failures, t.c.closed_until, t.c.reason)
        clause = clause.where(by_equality(t, "connector", "operation"))
        return clause.with_for_update() if lock else clause

    rows = work.wire.rows(work.statements.once(("gate", lock), build), key)
    return Gate(*rows[0]) if rows else Gate()


def keep_gate(work: WorkSet, key: LaneKey, gate: Gate) -> None:
    """Write a lane's gate."""
    row = (*key, gate.failures, gate.closed_until, gate.reason)
    work.wire.many(work.statements.upsert(schema.lane), [row])


def _cool(failures: int) -> timedelta:
    return min(_COOL * (1 << max(min(failures, 20) - 1, 0)), _LONGEST)
