"""What all tests of the core share."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from scrmkit.testing.postgresql import PostgresServer

SAYS = "says"
_NUMBERS = itertools.count()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured: they say it by ``record_property("says", …)``."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == SAYS and report.when == "call":
                terminalreporter.write_line(str(value))


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
                f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"
                " LOCALE_PROVIDER icu ICU_LOCALE 'en'"
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
    return request.getfixturevalue(f"new_{request.param}")


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """A real database of this test's own, with the schema in it; once for each sort."""
    return new_database()
