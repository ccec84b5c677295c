"""Errors of the database are ours: they say what to do, and hold no value."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from identity_rows import CANARY, IDENTITY, identities, insert, other

from scrmkit.errors import ConflictError, MissingExtraError, SettingsError, StorageError, StorageUnavailableError
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database
from scrmkit.testing.postgresql import PostgresServer


def refused(database: Database, *rows: tuple[Any, ...]) -> StorageError:
    with pytest.raises(StorageError) as caught, database.writing() as wire:
        insert(wire, database, *rows)
    return caught.value


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        pytest.param(other(1, value=CANARY), ConflictError, id="the same key"),
        pytest.param(other(9, value=CANARY), ConflictError, id="the same platform's name"),
        pytest.param(other(9, value=None, kind=CANARY), StorageError, id="a value that is missing"),
        pytest.param(other(9, person=2**70, value=CANARY), StorageError, id="a number too large"),
        pytest.param(other(9, value=f"{CANARY}\ud800"), StorageError, id="half a character"),
    ],
)
def test_what_the_database_refuses_is_ours_without_the_values(
    database: Database, row: tuple[Any, ...], kind: type[StorageError]
):
    with database.writing() as wire:
        insert(wire, database, IDENTITY)

    error = refused(database, row)

    assert type(error) is kind or (kind is ConflictError and isinstance(error, ConflictError))
    assert error.retryable is (kind is ConflictError)
    assert CANARY not in f"{error!r} {error} {error.args}"
    assert error.__suppress_context__
    assert identities(database) == [1]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(other(9, value=f"{CANARY}\x00"), id="a text with NUL"),
        pytest.param(other(9, kind=CANARY * 10), id="a text too long"),
    ],
)
def test_what_postgresql_alone_refuses(new_postgresql: Callable[[], str], row: tuple[Any, ...]):
    database = Database(new_postgresql())
    error = refused(database, row)

    assert type(error) is StorageError
    assert CANARY not in f"{error!r} {error}"
    assert identities(database) == []
    database.close()


def test_a_bad_statement_of_a_reader_is_ours_too(database: Database):
    from scrmkit.persistence.statements import Statement

    with pytest.raises(StorageError) as caught, database.reading() as wire:
        wire.rows(Statement("SELECT nothing FROM nowhere", ()))
    assert "SELECT" not in str(caught.value)
    assert identities(database) == []


def test_a_file_that_is_no_database_is_told_apart(tmp_path: Path):
    from scrmkit.persistence import migrate

    path = tmp_path / "orders.csv"
    path.write_bytes(b"order_no,phone\n" * 400)
    database = Database(f"sqlite:///{path}")

    with pytest.raises(StorageError, match="SQLITE_NOTADB"):
        migrate.require_current(database)
    database.close()


def test_a_sum_that_is_too_large_is_not_the_database_away(database: Database):
    """It would be tried again for ever, and hold up all that comes with it."""
    from scrmkit.persistence.statements import Statement

    sums = Statement("SELECT CAST(SUM(person) AS BIGINT) FROM scrmkit_identity", ())
    with database.writing() as wire:
        insert(wire, database, *(other(number, person=2**62) for number in (1, 2, 3)))

    with pytest.raises(StorageError) as caught, database.reading() as wire:
        wire.rows(sums)
    assert not caught.value.retryable


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("not a url", "not a URL", id="no URL"),
        pytest.param("mysql://host/db", "mysql", id="another database"),
    ],
)
def test_a_url_that_leads_nowhere_is_refused(url: str, says: str):
    with pytest.raises(SettingsError, match=says):
        Database(url)


def test_a_server_that_is_not_there_is_away():
    database = Database("postgresql://nobody:canary@127.0.0.1:1/nothing")

    with pytest.raises(StorageUnavailableError) as caught, database.writing():
        raise AssertionError("never reached")
    assert caught.value.retryable
    assert "canary" not in f"{caught.value!r}{caught.value}"
    with pytest.raises(StorageUnavailableError), database.reading():
        raise AssertionError("never reached")


def test_a_driver_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(MissingExtraError, match=r"scrmkit\[postgresql\]"):
        Database("postgresql://host/db")


def cut_off(database: Database, postgresql_server: PostgresServer) -> None:
    with postgresql_server.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database.engine.url.database,)
        )


def test_a_server_that_went_away_is_met_again(new_postgresql, postgresql_server):
    database = Database(new_postgresql())
    with database.writing() as wire:
        insert(wire, database, IDENTITY)
    cut_off(database, postgresql_server)

    with pytest.raises(StorageUnavailableError), database.writing() as wire:
        insert(wire, database, other(2))
    with database.writing() as wire:
        insert(wire, database, other(3))

    assert identities(database) == [1, 3]
    database.close()


def test_a_reader_whose_server_goes_away_hears_of_it(new_postgresql, postgresql_server):
    database = Database(new_postgresql())

    def read() -> None:
        statement = database.statements.once(("one",), lambda: sqlalchemy.select(schema.identity.c.id))
        with database.reading() as wire:
            wire.rows(statement)
            cut_off(database, postgresql_server)
            wire.rows(statement)

    with pytest.raises(StorageUnavailableError):
        read()
    assert identities(database) == []
    database.close()


# --- the disk is full --------------------------------------------------------------------


def fill(database: Database, pages: int) -> None:
    """Let the file grow by no more than so many pages from now on."""
    with database.writing():
        pass
    raw: sqlite3.Connection = database._kept
    now = raw.execute("PRAGMA page_count").fetchone()[0]
    raw.execute(f"PRAGMA max_page_count={now + pages}")


def make_room(database: Database) -> None:
    with database.writing():
        pass
    database._kept.execute("PRAGMA max_page_count=1000000")


def test_a_full_disk_leaves_nothing_half_done_and_is_worked_on_after(sqlite_database: Database):
    database = sqlite_database
    with database.writing() as wire:
        insert(wire, database, IDENTITY)
    fill(database, 3)

    with pytest.raises(StorageUnavailableError, match="full") as caught, database.writing() as wire:
        insert(wire, database, *(other(n, value=f"{n}" * 60) for n in range(100, 400)))

    assert caught.value.retryable
    assert identities(database) == [1]
    make_room(database)
    with database.writing() as wire:
        insert(wire, database, other(2))
    assert identities(database) == [1, 2]
