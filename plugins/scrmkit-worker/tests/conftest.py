"""What the tests of delivery share; their helper module lies beside them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from delivery_bench import Bench

from scrmkit import failpoints


@contextlib.contextmanager
def benches(new_database: Callable[[], str]) -> Iterator[Callable[..., Bench]]:
    """Makes benches, and closes them at the end."""
    made: list[Bench] = []

    def make(**options: Any) -> Bench:
        made.append(Bench(new_database(), **options))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


@pytest.fixture
def make_bench(new_database: Callable[[], str]) -> Iterator[Callable[..., Bench]]:
    """Make a bench on a database of its own, of each sort that there is."""
    with benches(new_database) as make:
        yield make


@pytest.fixture
def make_quick_bench(new_sqlite: Callable[[], str]) -> Iterator[Callable[..., Bench]]:
    """Make a bench on SQLite alone, where the database makes no difference."""
    with benches(new_sqlite) as make:
        yield make


@pytest.fixture
def make_postgresql_bench(new_postgresql: Callable[[], str]) -> Iterator[Callable[..., Bench]]:
    """Make a bench on PostgreSQL, where there may be other processes."""
    with benches(new_postgresql) as make:
        yield make


@pytest.fixture(autouse=True)
def _no_failpoint_stays_armed() -> Iterator[None]:
    yield
    failpoints.ARMED.clear()
