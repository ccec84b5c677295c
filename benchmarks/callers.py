"""
What group commits are worth: many threads record, each waits for its own durable commit.

    python -m benchmarks.callers --json
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring import Meter, folder_of, middle, parser_of, percentile, say, tell
from benchmarks.shop import engine_at, orders
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine

Record = Callable[[Touchpoint[Any]], object]


def call_from_threads(record: Record, shares: Sequence[Sequence[Touchpoint[Any]]], meter: Meter) -> list[float]:
    """Record each share from a thread of its own; the seconds of each call."""
    took: list[list[float]] = [[] for _ in shares]
    errors: list[BaseException] = []
    start = threading.Barrier(len(shares) + 1)

    def work(share: Iterable[Touchpoint[Any]], own: list[float]) -> None:
        start.wait()
        try:
            for touchpoint in share:
                began = time.perf_counter()
                record(touchpoint)
                own.append(time.perf_counter() - began)
        except BaseException as error:  # noqa: BLE001 - it is raised where the threads are waited for
            errors.append(error)

    threads = [threading.Thread(target=work, args=pair) for pair in zip(shares, took, strict=True)]
    for thread in threads:
        thread.start()
    start.wait()
    with meter:
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]
    meter.count += sum(map(len, took))
    return [seconds for own in took for seconds in own]


def dealt(touchpoints: Sequence[Touchpoint[Any]], callers: int) -> list[Sequence[Touchpoint[Any]]]:
    """*touchpoints* dealt out to callers."""
    return [touchpoints[number::callers] for number in range(callers)]


def alone(engine: Engine) -> Record:
    """Record in a transaction of its own, whoever else is waiting."""
    return lambda touchpoint: engine.record_many([touchpoint])


def one_round(folder: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """Both ways once, on new databases."""
    found: dict[str, float] = {}
    for way, count in (("combined", arguments.each), ("apart", max(arguments.each // 4, 1))):
        shares = dealt(orders(arguments.callers * count), arguments.callers)
        meter = Meter()
        with engine_at(folder / f"{way}.db") as engine:
            record = engine.record if way == "combined" else alone(engine)
            took = call_from_threads(record, shares, meter)
        found |= {
            f"{way}_per_s": meter.per_s,
            f"{way}_cpu_us": meter.cpu_us,
            f"{way}_p50_ms": percentile(took, 0.5) * 1000,
            f"{way}_p99_ms": percentile(took, 0.99) * 1000,
        }
    return {
        "ratio": found["combined_per_s"] / found["apart_per_s"],
        "cpu_ratio": found["apart_cpu_us"] / found["combined_cpu_us"],
        **found,
    }


def main(given: Sequence[str] | None = None) -> None:
    """Run it from the command line."""
    parser = parser_of(__doc__)
    parser.add_argument("--callers", type=int, default=32)
    parser.add_argument("--each", type=int, default=200, help="how many each caller records")
    arguments = parser.parse_args(given)
    rounds = []
    for number in range(arguments.rounds):
        with folder_of(arguments) as folder:
            rounds.append(one_round(folder, arguments))
        tell(f"round {number + 1} of {arguments.rounds}")
    numbers = {name: middle([each[name] for each in rounds]) for name in rounds[0]}
    say({"callers": arguments.callers, **numbers}, as_json=arguments.json)


if __name__ == "__main__":
    main()
