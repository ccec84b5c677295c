"""What every benchmark needs: a meter, a folder of its own, and one way to say results."""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Self

Result = Mapping[str, Any]


class Meter:
    """
    Adds up the time spent inside ``with meter:``.

    Attributes:
        wall_s: Seconds on the wall clock.
        cpu_s: Seconds of CPU, of all threads of this process.
        count: How many things were done meanwhile; whoever does them says so.
    """

    def __init__(self) -> None:
        self.wall_s = self.cpu_s = 0.0
        self.count = 0

    @property
    def per_s(self) -> float:
        """How many things a second."""
        return self.count / self.wall_s

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU for each."""
        return self.cpu_s / self.count * 1e6

    def __enter__(self) -> Self:
        self._cpu = time.process_time()
        self._wall = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wall_s += time.perf_counter() - self._wall
        self.cpu_s += time.process_time() - self._cpu


@contextlib.contextmanager
def folder_of(arguments: argparse.Namespace) -> Iterator[Path]:
    """A folder for the databases, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="scrmkit-bench-", dir=arguments.folder) as folder:
        yield Path(folder)


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line")
    parser.add_argument("--folder", help="where the databases go; the disk makes a difference")
    parser.add_argument("--rounds", type=int, default=5, help="how often all is measured in turn")
    return parser


def set_aside() -> None:
    """Keep what was prepared for a measurement, such as the orders to come, out of the collector's way."""
    gc.collect()
    gc.freeze()


def say(result: Result, *, as_json: bool) -> None:
    """Print a result: one line of JSON, or a line for each number."""
    if as_json:
        print(json.dumps(result))
        return
    width = max(map(len, result))
    for name, value in result.items():
        print(f"{name:<{width}}  {value}")


def tell(text: str) -> None:
    """Say how far it is, on stderr."""
    print(text, file=sys.stderr, flush=True)


def rounded(value: float, digits: int = 3) -> float:
    """A number as it is printed: whole from 100 on."""
    return round(value) if abs(value) >= 100 else round(value, digits)


def middle(values: list[float], digits: int = 3) -> float:
    """The median, as it is printed."""
    return rounded(median(values), digits)


def percentile(values: list[float], share: float) -> float:
    """The value that *share* of *values* do not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def peak_rss_mb() -> float:
    """The most memory that this process has had, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
