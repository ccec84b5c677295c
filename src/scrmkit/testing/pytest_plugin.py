"""
The pytest plugin of scrmkit: fixtures for its own tests and for those of plugins.

pytest imports this module at every start, in projects that never use it as
well: what a fixture needs is imported inside it.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from scrmkit.clock import VirtualClock
    from scrmkit.engine import Engine
    from scrmkit.testing.commands import Run
    from scrmkit.testing.postgresql import PostgresServer
    from scrmkit.testing.postgresql_programs import Programs

pytest.register_assert_rewrite("scrmkit.testing.suites")

_NUMBERS = itertools.count()
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


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the schema and nothing in it, to be copied."""
    from scrmkit.persistence.database import Database
    from scrmkit.persistence.migrate import upgrade

    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}", durability="normal")
    upgrade(database)
    database.close()
    return path


@pytest.fixture(scope="session")
def postgresql_template(postgresql_server: PostgresServer) -> str:
    """
    The name of a PostgreSQL database with the schema and nothing in it.

    Its texts sort as people do it, not byte by byte: nothing may depend on that.
    """
    import psycopg

    from scrmkit.persistence.database import Database
    from scrmkit.persistence.migrate import upgrade

    name = "scrmkit_template"
    with postgresql_server.connect() as connection:
        try:
            connection.execute(
                f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'en'"
            )
        except psycopg.Error:  # a server that was built without ICU
            connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
    database = Database(postgresql_server.url(name))
    upgrade(database)
    database.close()
    return name


@pytest.fixture
def new_sqlite(sqlite_template: Path, tmp_path: Path) -> Callable[[], str]:
    """Make one more SQLite database of this test's own, with the schema in it."""

    def make() -> str:
        path = tmp_path / f"new-{next(_NUMBERS)}.db"
        shutil.copyfile(sqlite_template, path)
        return f"sqlite:///{path}"

    return make


@pytest.fixture(scope="session")
def free_postgresql() -> list[str]:
    """Databases with the schema and nothing in them that no test is using."""
    return []


@pytest.fixture
def new_postgresql(
    postgresql_server: PostgresServer, postgresql_template: str, free_postgresql: list[str]
) -> Iterator[Callable[[], str]]:
    """Take one more PostgreSQL database with the schema in it; a test leaves that as it is."""
    from scrmkit.persistence import schema

    taken: list[str] = []

    def make() -> str:
        if free_postgresql:
            taken.append(free_postgresql.pop())
        else:
            taken.append(f"scrmkit_new_{next(_NUMBERS)}")
            with postgresql_server.connect() as connection:
                connection.execute(f"CREATE DATABASE {taken[-1]} TEMPLATE {postgresql_template}")
        return postgresql_server.url(taken[-1])

    yield make
    for name in taken:
        # Emptying one is many times faster than making and dropping it.
        with postgresql_server.connect(name) as connection:
            connection.execute("SET lock_timeout = '20s'")
            connection.execute(f"TRUNCATE {', '.join(schema.metadata.tables)}")
        free_postgresql.append(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Make one more database of this test's own; the test runs once for each sort."""
    make: Callable[[], str] = request.getfixturevalue(f"new_{request.param}")
    return make


@pytest.fixture
def command_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which ``run_scrmkit`` runs; the secret is set, and no settings are there."""
    from scrmkit.testing.commands import prepare

    return prepare(tmp_path, monkeypatch)


@pytest.fixture
def run_scrmkit(command_folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command: ``run_scrmkit("plugin", "list").out``; a plugin's commands as well."""
    from scrmkit.testing.commands import runner

    return runner(capsys)


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
