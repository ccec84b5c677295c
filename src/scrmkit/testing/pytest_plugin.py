"""
The pytest plugin of scrmkit: fixtures for its own tests and for those of plugins.

pytest imports this module at every start, in projects that never use it as
well: what a fixture needs is imported inside it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from scrmkit.clock import VirtualClock
    from scrmkit.engine import Engine
    from scrmkit.testing.postgresql import PostgresServer
    from scrmkit.testing.postgresql_programs import Programs

pytest.register_assert_rewrite("scrmkit.testing.suites")

REQUIRE_POSTGRESQL = "SCRMKIT_REQUIRE_POSTGRESQL"
"""The environment variable that, set to 1, turns a missing server from a skip to a failure."""


@pytest.fixture(scope="session")
def postgresql_programs() -> Programs:
    """Where PostgreSQL's programs are; tests skip where none can be had."""
    from scrmkit.testing.postgresql_programs import PostgresUnavailableError, find_programs

    try:
        return find_programs()
    except PostgresUnavailableError as error:
        if os.environ.get(REQUIRE_POSTGRESQL) == "1":
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def postgresql_server(postgresql_programs: Programs) -> Iterator[PostgresServer]:
    """A PostgreSQL server of this test run's own."""
    from scrmkit.testing.postgresql import postgres_server

    with postgres_server(postgresql_programs) as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy URL of an empty PostgreSQL database that this test has to itself."""
    from scrmkit.testing.postgresql import drop_database, fresh_database

    url = fresh_database(postgresql_server)
    yield url
    drop_database(postgresql_server, url)


@pytest.fixture
def virtual_clock() -> VirtualClock:
    """A clock at noon of a Monday in Shanghai, that moves when it is told to."""
    from scrmkit.clock import VirtualClock
    from scrmkit.testing.factories import NOON

    return VirtualClock(NOON)


@pytest.fixture
def make_engine(tmp_path: Path, virtual_clock: VirtualClock) -> Iterator[Callable[..., Engine]]:
    """
    Make a real engine: ``make_engine({"rule.hello": HelloRule})``.

    Its database is a new SQLite file and its clock is ``virtual_clock`` unless
    another is given; more arguments as of ``scrmkit.testing.engine_in``. Every
    call makes one more engine; all are closed at the end of the test.
    """
    from scrmkit.testing.engines import engine_in

    made: list[Engine] = []

    def make(plugins: Any = None, **more: Any) -> Engine:
        folder = tmp_path / f"engine-{len(made)}"
        folder.mkdir()
        engine = engine_in(folder, plugins or {}, **{"clock": virtual_clock, **more})
        made.append(engine)
        return engine

    yield make
    for engine in made:
        engine.close()
