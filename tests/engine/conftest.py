"""What the tests of the engine share; their helper modules lie beside them."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scrmkit.clock import VirtualClock
from scrmkit.engine import Engine
from scrmkit.persistence import database
from scrmkit.persistence.statements import Statements
from scrmkit.plugins import loading

compiled_once = functools.cache(Statements)
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugins are the tests' own: nobody reads what is installed, which takes a while."""
    monkeypatch.setattr(loading, "discover", lambda: ())


@pytest.fixture(autouse=True)
def statements_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines of one dialect share their statements: compiling them is a third of a short test."""
    monkeypatch.setattr(database, "Statements", compiled_once)


@pytest.fixture
def engines() -> Iterator[Callable[..., Engine]]:
    """Make engines on databases that are there; all are closed at the end of the test."""
    from engine_world import engine_at

    made: list[Engine] = []

    def make(url: str, plugins: Any = None, **more: Any) -> Engine:
        made.append(engine_at(url, plugins or {}, **more))
        return made[-1]

    yield make
    for engine in reversed(made):
        engine.close()


@pytest.fixture
def engine_of(database_url: str, virtual_clock: VirtualClock, engines: Callable[..., Engine]) -> Callable[..., Engine]:
    """Make an engine with plugins on a database of its own, once for each sort of database."""
    return lambda plugins=None, **more: engines(database_url, plugins, **{"clock": virtual_clock, **more})


@pytest.fixture
def engine_on_sqlite(
    new_sqlite: Callable[[], str], virtual_clock: VirtualClock, engines: Callable[..., Engine]
) -> Callable[..., Engine]:
    """Make an engine for a test that no other database could end otherwise."""
    return lambda plugins=None, **more: engines(new_sqlite(), plugins, **{"clock": virtual_clock, **more})
