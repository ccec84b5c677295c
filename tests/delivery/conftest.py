"""What the tests of delivery share; their helper module lies beside them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from delivery_bench import Bench

from scrmkit import failpoints


@pytest.fixture
def make_bench(new_database: Callable[[], str]) -> Iterator[Callable[..., Bench]]:
    """Make a bench on a database of its own, of each sort that there is."""
    made: list[Bench] = []

    def make(**options: Any) -> Bench:
        made.append(Bench(new_database(), **options))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def make_quick_bench(new_sqlite: Callable[[], str]) -> Iterator[Callable[..., Bench]]:
    """Make a bench on SQLite alone, where the database makes no difference."""
    made: list[Bench] = []

    def make(**options: Any) -> Bench:
        made.append(Bench(new_sqlite(), **options))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture(autouse=True)
def _no_failpoint_stays_armed() -> Iterator[None]:
    yield
    failpoints.disarm()
