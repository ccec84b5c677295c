"""
What it costs to claim a hundred messages when much else waits in their lane.

    python -m benchmarks.claims --json
    python -m benchmarks.claims --stored 500000 --json
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring import Meter, folder_of, parser_of, rounded, say, set_aside, tell
from benchmarks.shop import START, engine_at
from scrmkit.clock import to_micros
from scrmkit.engine import Engine
from scrmkit.engine.outgoing import FOREVER, outgoing_row
from scrmkit.engine.workset import WorkSet
from scrmkit.persistence import schema
from scrmkit.persistence.database import Wire
from scrmkit_worker.rows import claim

_LANE = ("notices", "send")
_LIMIT = 100
_CHUNK = 10_000
_MINUTE_US = 60_000_000
_NIGHT_US = 8 * 60 * _MINUTE_US
_NOW = to_micros(START)
_URGENT, _BROADCAST = 1, 9
"""The priorities of what is claimed, and of what is less urgent."""


class Waiting:
    """
    A lane in a database of its own, where much waits.

    Args:
        stored: How many messages wait beside those that are claimed.
        later: Microseconds until they are due.
        at: When the claims are made.
    """

    def __init__(self, path: Path, *, stored: int, priority: int = _URGENT, later: int = 0, at: int = _NOW) -> None:
        self._engine = engine_at(path)
        self._at = at
        self._ids = 0
        self.meter = Meter()
        # First, so that their ids are lower: of equal urgency they would come first.
        self._store(stored, priority, _NOW + later)

    def _store(self, count: int, priority: int, due_at: int) -> None:
        while count:
            ids = range(self._ids + 1, self._ids + 1 + min(count, _CHUNK))
            self._ids, count = ids[-1], count - len(ids)
            _insert(self._engine, (_row(id_, priority, due_at) for id_ in ids))

    def measure(self, claims: int) -> None:
        """Store what is due now, and claim all of it, a hundred at a time."""
        self._store(claims * _LIMIT, _URGENT, _NOW)
        for _ in range(claims):
            with self.meter:
                priorities = self._engine.database.transaction(self._claim, "claim")
            assert priorities == [_URGENT] * _LIMIT
            self.meter.count += 1

    def _claim(self, wire: Wire) -> list[int]:
        rows = claim(WorkSet(wire), _LANE, self._at, self._at + _MINUTE_US, _LIMIT)
        return [row.priority for row in rows]

    def close(self) -> None:
        """Close the database."""
        self._engine.close()


def _row(id_: int, priority: int, due_at: int) -> tuple[Any, ...]:
    document = {
        "type": "propose", "key": f"message {id_}", "connector": _LANE[0], "operation": _LANE[1],
        "status": "planned", "code": "ok", "reason": "nothing against it", "purpose": "marketing",
        "priority": priority, "due_at": due_at, "not_after": FOREVER,
    }  # fmt: skip
    return outgoing_row(id_, "main", document, id_, id_, "follow-up", _NOW, id_)


def _insert(engine: Engine, rows: Iterable[tuple[Any, ...]]) -> None:
    given = list(rows)
    engine.database.transaction(lambda wire: wire.many(wire.statements.insert(schema.outgoing), given), "store")


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The cost of a claim in each lane; the ratios compare it to that where nothing else waits."""
    stored, ways = arguments.stored, {}
    for name, options in _ways(stored).items():
        ways[name] = Waiting(folder / f"{name}.db", **options)
        tell(f"{name} is stored")
    for waiting in ways.values():
        waiting.measure(1)
        waiting.meter = Meter()
    set_aside()
    for _ in range(arguments.rounds):
        for waiting in ways.values():
            waiting.measure(arguments.claims)
    meters = {name: waiting.meter for name, waiting in ways.items()}
    for waiting in ways.values():
        waiting.close()
    alone = meters.pop("alone")
    result = {"stored": stored, "alone_ms": _ms(alone)}
    for name, meter in meters.items():
        result[f"{name}_ms"] = _ms(meter)
        result[f"ratio_{name}"] = rounded(_ms(meter) / _ms(alone))
        result[f"cpu_ratio_{name}"] = rounded(meter.cpu_us / alone.cpu_us)
    return result


def _ways(stored: int) -> Mapping[str, Mapping[str, Any]]:
    return {
        "alone": {"stored": 0},
        "deferred": {"stored": stored, "later": _NIGHT_US},
        "lower": {"stored": stored, "priority": _BROADCAST},
        "waking": {"stored": stored, "priority": _BROADCAST, "later": _NIGHT_US, "at": _NOW + _NIGHT_US},
    }


def _ms(meter: Meter) -> float:
    return rounded(meter.wall_s / meter.count * 1e3)


def main(given: Sequence[str] | None = None) -> None:
    """Run it from the command line."""
    parser = parser_of(__doc__)
    parser.add_argument("--stored", type=int, default=100_000, help="how many messages wait beside")
    parser.add_argument("--claims", type=int, default=10, help="claims in each round")
    arguments = parser.parse_args(given)
    with folder_of(arguments) as folder:
        say(measure(arguments, folder), as_json=arguments.json)


if __name__ == "__main__":
    main()
