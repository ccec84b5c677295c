"""
How fast customers join one campaign, and that it is never oversold.

    python -m benchmarks.hot_campaign --json
"""

from __future__ import annotations

import argparse
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.callers import call_from_threads, dealt
from benchmarks.hot import SEATS, Seats, asks, campaign_for
from benchmarks.intake_raw import RawRows, written_by
from benchmarks.measuring import Meter, folder_of, middle, parser_of, percentile, say, tell
from benchmarks.shop import BATCH, batches_of, engine_at
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine

CALLERS = (2, 32, 128)


class OversoldError(Exception):
    """There are more guests than seats, or fewer than both could be."""


def hot_engine(path: Path, seats: int) -> Engine:
    """An engine with the campaign published."""
    engine = engine_at(path, {"mechanic.seats": Seats})
    engine.publish(campaign_for(seats))
    return engine


def check(path: Path, seats: int) -> None:
    """
    See that all seats are taken once, by the counter, the guests and the state.

    Raises:
        OversoldError: They are not.
    """
    connection = sqlite3.connect(path)
    ((held, used),) = connection.execute("SELECT held, used FROM scrmkit_resource")
    ((guests,),) = connection.execute("SELECT count(*) FROM scrmkit_participant")
    ((holds,),) = connection.execute("SELECT count(*) FROM scrmkit_reservation WHERE status = 'held'")
    ((state,),) = connection.execute("SELECT state FROM scrmkit_instance")
    connection.close()
    found = {"guests": guests, "holds": holds, SEATS: held + used, **json.loads(state)}
    if set(found.values()) != {seats}:
        raise OversoldError(f"{seats} seats, and {found}")


def through_callers(folder: Path, asked: Sequence[Touchpoint[Any]], seats: int, callers: int) -> dict[str, float]:
    """Each ask in a call of its own."""
    meter, path = Meter(), folder / f"callers-{callers}.db"
    with hot_engine(path, seats) as engine:
        took = call_from_threads(engine.record, dealt(asked, callers), meter)
    check(path, seats)
    name = f"callers_{callers}"
    return {
        f"{name}_per_s": meter.per_s,
        f"{name}_p99_ms": percentile(took, 0.99) * 1000,
        f"{name}_cpu_us": meter.cpu_us,
    }


def in_batches(folder: Path, asked: Sequence[Touchpoint[Any]], seats: int) -> dict[str, float]:
    """By ``record_many``, and beside it the same rows bare."""
    batches, path = batches_of(asked), folder / "batches.db"
    with hot_engine(folder / "written.db", seats) as engine:
        writes = written_by(engine, batches)
    hot_engine(folder / "raw.db", seats).close()
    many, bare, raw = Meter(), Meter(), RawRows(folder / "raw.db", writes)
    took = []
    with hot_engine(path, seats) as engine:
        for number, batch in enumerate(batches):
            before = many.wall_s
            with many:
                engine.record_many(batch)
            took.append(many.wall_s - before)
            with bare:
                raw.record(number, batch)
    many.count = bare.count = len(asked)
    check(path, seats)
    return {
        "many_per_s": many.per_s,
        "many_p99_ms": percentile(took, 0.99) * 1000,
        "many_cpu_us": many.cpu_us,
        "raw_per_s": bare.per_s,
        "cpu_ratio_many": bare.cpu_us / many.cpu_us,
    }


def one_round(folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """All ways once, on new databases; one of ten asks comes too late for a seat."""
    asked = asks(arguments.asks)
    seats = arguments.asks * 9 // 10
    found = in_batches(folder, asked, seats)
    for callers in CALLERS:
        # Two callers wait for a commit each: a share of the asks says as much.
        share = asked[: max(len(asked) // 8, BATCH)] if callers == CALLERS[0] else asked
        found |= through_callers(folder, share, len(share) * 9 // 10, callers)
    for name in ("many", *(f"callers_{callers}" for callers in CALLERS)):
        found[f"ratio_{name}"] = found[f"{name}_per_s"] / found["raw_per_s"]
    return found


def main(given: Sequence[str] | None = None) -> None:
    """Run it from the command line."""
    parser = parser_of(__doc__)
    parser.add_argument("--asks", type=int, default=8_000)
    arguments = parser.parse_args(given)
    rounds = []
    for number in range(arguments.rounds):
        with folder_of(arguments) as folder:
            rounds.append(one_round(folder, arguments))
        tell(f"round {number + 1} of {arguments.rounds}")
    numbers = {name: middle([each[name] for each in rounds]) for name in rounds[0]}
    say({"oversold": 0, **numbers}, as_json=arguments.json)


if __name__ == "__main__":
    main()
