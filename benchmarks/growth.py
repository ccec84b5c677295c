"""
What one touchpoint costs when more and more are stored.

    python -m benchmarks.growth --json
    python -m benchmarks.growth --sizes 10000 100000 --json
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.intake_hand import ByHand
from benchmarks.measuring import Meter, folder_of, parser_of, rounded, say, tell
from benchmarks.shop import BATCH, batches_of, engine_at, orders

SIZES = (10_000, 100_000, 1_000_000)
_CHUNK = 10_000


class Growing:
    """A database that the program by hand fills, since it leaves the same rows sooner."""

    def __init__(self, path: Path) -> None:
        self._path = path
        engine_at(path).close()
        self._by_hand = ByHand(path)
        self._stored = 0

    def fill(self, size: int) -> None:
        """Bring it to *size* touchpoints of half as many customers."""
        while self._stored < size:
            count = min(_CHUNK, size - self._stored)
            # A seed of its own for each chunk: its keys differ from all the others'.
            fresh = orders(count, customers=size // 2, seed=1_000 + self._stored // _CHUNK)
            for number, batch in enumerate(batches_of(fresh)):
                self._by_hand.record(number, batch)
            self._stored += count

    def measure(self, count: int, seed: int) -> Meter:
        """Record *count* more through an engine, after some that only warm it."""
        meter = Meter()
        fresh = orders(count + 10 * BATCH, customers=self._stored // 2, seed=seed)
        with engine_at(self._path) as engine:
            for number, batch in enumerate(batches_of(fresh)):
                if number < 10:
                    engine.record_many(batch)
                    continue
                with meter:
                    engine.record_many(batch)
                meter.count += len(batch)
        return meter


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """The cost at each size; the ratios compare it to the cost at the first."""
    growing = Growing(folder / "growing.db")
    meters = []
    for number, size in enumerate(arguments.sizes):
        growing.fill(size)
        meters.append(growing.measure(arguments.touchpoints, seed=number + 1))
        tell(f"{size} are stored")
    return {
        "stored": arguments.sizes,
        "wall_us": [rounded(meter.wall_s / meter.count * 1e6, 1) for meter in meters],
        "cpu_us": [rounded(meter.cpu_us, 1) for meter in meters],
        "ratio": [rounded(meters[0].per_s / meter.per_s) for meter in meters],
        "cpu_ratio": [rounded(meter.cpu_us / meters[0].cpu_us) for meter in meters],
        "mb": round((folder / "growing.db").stat().st_size / (1 << 20)),
    }


def main(given: Sequence[str] | None = None) -> None:
    """Run it from the command line."""
    parser = parser_of(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--touchpoints", type=int, default=3_000, help="how many are measured")
    arguments = parser.parse_args(given)
    with folder_of(arguments) as folder:
        say(measure(arguments, folder), as_json=arguments.json)


if __name__ == "__main__":
    main()
