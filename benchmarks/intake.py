"""
How fast touchpoints are taken in, beside three programs that write the same rows.

    python -m benchmarks.intake --json
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from benchmarks.intake_hand import ByHand
from benchmarks.intake_orm import WithOrm
from benchmarks.intake_raw import Batches, RawRows, Write, written
from benchmarks.measuring import Meter, folder_of, middle, parser_of, peak_rss_mb, say, set_aside, tell
from benchmarks.shop import batches_of, engine_at, orders
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine

SLICES = 10
"""Into how many parts a round is cut: a part of each program in turn, so that a
slow moment of the machine meets all of them."""


class Contender(Protocol):
    """A program that takes batches in."""

    def record(self, number: int, batch: Sequence[Touchpoint[Any]]) -> None:
        """Take batch *number* in."""
        ...


class ThroughEngine:
    """The full path, plugins and all."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, number: int, batch: Sequence[Touchpoint[Any]]) -> None:
        """Record a batch."""
        self._engine.record_many(batch)


class Round:
    """Four new databases with the schema in them, and a program on each."""

    def __init__(self, folder: Path, writes: Sequence[Sequence[Write]]) -> None:
        folder.mkdir()
        self.engines = {name: engine_at(folder / f"{name}.db") for name in ("engine", "raw", "hand", "orm")}
        self.contenders: dict[str, Contender] = {
            "engine": ThroughEngine(self.engines["engine"]),
            "raw": RawRows(folder / "raw.db", writes),
            "hand": ByHand(folder / "hand.db"),
            "orm": WithOrm(folder / "orm.db"),
        }

    def run(self, batches: Batches, orm_share: float) -> Mapping[str, Meter]:
        """Take all in with each program; the ORM's share is smaller, since it is so slow."""
        meters = {name: Meter() for name in self.contenders}
        for part in range(SLICES):
            first, last = (len(batches) * at // SLICES for at in (part, part + 1))
            for name, contender in self.contenders.items():
                share = max(round((last - first) * orm_share), 1) if name == "orm" else None
                for number in range(first, last)[:share]:
                    with meters[name]:
                        contender.record(number, batches[number])
                    meters[name].count += len(batches[number])
        return meters

    def close(self) -> None:
        """Close the databases."""
        for engine in self.engines.values():
            engine.close()


def check(folder: Path, batches: Batches) -> None:
    """
    See that all four programs leave the same.

    Raises:
        AssertionError: One of them leaves something else; its speed would mean nothing.
    """
    made = Round(folder, written(folder.with_suffix(".db"), batches))
    made.run(batches, 1)
    parts = {name: engine_parts(engine) for name, engine in made.engines.items()}
    made.close()
    for name, found in parts.items():
        different = [part for part, value in parts["engine"].items() if found[part] != value]
        assert not different, f"{name} leaves something else in {', '.join(different)}"


def engine_parts(engine: Engine) -> Mapping[str, str]:
    """The digest, part by part."""
    from scrmkit_insight import digest

    return digest(engine.database).parts


def measure(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All that the run found out."""
    touchpoints = orders(arguments.touchpoints, customers=arguments.customers)
    batches = batches_of(touchpoints)
    with engine_at(folder / "warm.db") as engine:
        for batch in batches:
            engine.record_many(batch)
    rss_mb = peak_rss_mb()  # before the baselines have any part in it
    check(folder / "check", batches[:2])
    writes = written(folder / "written.db", batches)
    orm_share = min(arguments.orm / arguments.touchpoints, 1)
    rounds = []
    for number in range(arguments.rounds):
        made = Round(folder / f"round-{number}", writes)
        set_aside()
        rounds.append(made.run(batches, orm_share))
        made.close()
        tell(f"round {number + 1} of {arguments.rounds}")
    return {**_numbers(rounds), "rss_mb": round(rss_mb)}


def _numbers(rounds: Sequence[Mapping[str, Meter]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "touchpoints_per_s": middle([each["engine"].per_s for each in rounds]),
        "cpu_us": middle([each["engine"].cpu_us for each in rounds], 1),
    }
    for name in ("raw", "hand", "orm"):
        found |= {
            f"ratio_{name}": middle([each["engine"].per_s / each[name].per_s for each in rounds]),
            f"cpu_ratio_{name}": middle([each[name].cpu_us / each["engine"].cpu_us for each in rounds]),
            f"{name}_per_s": middle([each[name].per_s for each in rounds]),
            f"{name}_cpu_us": middle([each[name].cpu_us for each in rounds], 1),
        }
    return found


KEYS = ("touchpoints_per_s", "cpu_us", "ratio_raw", "ratio_hand", "ratio_orm", "rss_mb")
"""What ``--json`` prints; without it, the same ratios of CPU time are there as well."""


def main(given: Sequence[str] | None = None) -> None:
    """Run it from the command line."""
    parser = parser_of(__doc__)
    parser.add_argument("--touchpoints", type=int, default=20_000)
    parser.add_argument("--customers", type=int, help="how many customers come again; each is new if not given")
    parser.add_argument("--orm", type=int, default=1_000, help="how many the ORM takes in a round")
    arguments = parser.parse_args(given)
    with folder_of(arguments) as folder:
        found = measure(arguments, folder)
    say({key: found[key] for key in KEYS} if arguments.json else found, as_json=arguments.json)


if __name__ == "__main__":
    main()
