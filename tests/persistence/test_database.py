"""The unit of work: whole or not at all, and errors that say what to do and hold no value."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from scrmkit.errors import (
    ConflictError,
    MissingExtraError,
    SecondWriterError,
    SettingsError,
    StorageError,
    StorageUnavailableError,
)
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database, DriverWire, JoinedWire
from scrmkit.testing.postgresql import PostgresServer

CANARY = "canary-13800138000"
IDENTITY = (1, "main", "phone", "", CANARY, 1, 1, 0)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url, durability="normal")
    yield made
    made.close()


@pytest.fixture
def sqlite_database(new_sqlite: Callable[[], str]) -> Iterator[Database]:
    made = Database(new_sqlite(), durability="normal")
    yield made
    made.close()


def insert(wire: DriverWire | JoinedWire, database: Database, *rows: tuple[Any, ...]) -> None:
    wire.many(database.statements.insert(schema.identity), rows)


def identities(database: Database) -> list[int]:
    with database.reading() as wire:
        statement = database.statements.once(
            ("ids",), lambda: sqlalchemy.select(schema.identity.c.id).order_by("id")
        )
        return [row[0] for row in wire.rows(statement)]


def values(database: Database) -> list[str]:
    with database.reading() as wire:
        statement = database.statements.once(
            ("values",), lambda: sqlalchemy.select(schema.identity.c.value)
        )
        return [row[0] for row in wire.rows(statement)]


def other(number: int, **changes: Any) -> tuple[Any, ...]:
    names = [column.name for column in schema.identity.columns]
    row = {**dict(zip(names, IDENTITY, strict=True)), "id": number, "value": f"v{number}"}
    return tuple({**row, **changes}[name] for name in names)


# --- whole or not at all -----------------------------------------------------------------


def test_what_was_written_is_there(database: Database):
    with database.writing() as wire:
        insert(wire, database, IDENTITY)

    assert values(database) == [CANARY]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ValueError("canary"), id="an error of the program"),
        pytest.param(ConflictError("canary"), id="a conflict"),
        pytest.param(StorageUnavailableError("canary"), id="the database away"),
        pytest.param(KeyboardInterrupt(), id="a key"),
        pytest.param(SystemExit(), id="the end of the program"),
    ],
)
def test_what_did_not_end_well_was_not_written(database: Database, error: BaseException):
    def write() -> None:
        with database.writing() as wire:
            insert(wire, database, IDENTITY)
            raise error

    with pytest.raises(type(error)):
        write()
    assert identities(database) == []
    with database.writing() as wire:
        insert(wire, database, other(2))
    assert identities(database) == [2]


def test_a_reader_sees_nothing_that_is_not_committed(database: Database):
    with database.writing() as wire:
        insert(wire, database, IDENTITY)
        assert identities(database) == []


def test_writers_of_one_process_take_turns(database: Database):
    """Each reads, then writes one more than it read; nothing is lost."""
    statements = database.statements

    def add_one() -> None:
        for _ in range(20):
            with database.writing() as wire:
                statement = statements.once(
                    ("max",), lambda: sqlalchemy.select(sqlalchemy.func.max(schema.identity.c.id))
                )
                newest = wire.rows(statement)[0][0] or 0
                insert(wire, database, other(newest + 1))

    threads = [threading.Thread(target=add_one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert identities(database) == list(range(1, 81))


def test_a_transaction_inside_another_is_refused_and_the_outer_one_goes_on(database: Database):
    with database.writing() as wire:
        insert(wire, database, IDENTITY)
        with pytest.raises(StorageError, match="already"), database.writing():
            raise AssertionError("never reached")
        insert(wire, database, other(2))

    assert identities(database) == [1, 2]


def test_a_snapshot_sees_one_moment(database: Database):
    statement = database.statements.once(
        ("all",), lambda: sqlalchemy.select(schema.identity.c.id).order_by("id")
    )
    with database.snapshot() as wire:
        before = wire.rows(statement)
        with database.writing() as writer:
            insert(writer, database, IDENTITY)
        assert wire.rows(statement) == before == []

    assert identities(database) == [1]


def test_work_that_meets_a_conflict_is_done_again(database: Database):
    tried: list[int] = []

    def work(wire: DriverWire) -> str:
        tried.append(len(tried))
        insert(wire, database, other(len(tried)))
        if len(tried) < 3:
            raise ConflictError("another writer was first")
        return "done"

    assert database.transaction(work, "test") == "done"
    assert identities(database) == [3]


def test_work_that_meets_nothing_but_conflicts_is_given_up(database: Database):
    def work(wire: DriverWire) -> None:
        insert(wire, database, IDENTITY)
        raise ConflictError("another writer was first")

    with pytest.raises(ConflictError):
        database.transaction(work, "test")
    assert identities(database) == []


def test_a_closed_database_is_used_by_nobody(database: Database):
    database.close()

    with pytest.raises(StorageError, match="closed"), database.writing():
        raise AssertionError("never reached")
    with pytest.raises(StorageError, match="closed"), database.reading():
        raise AssertionError("never reached")


def test_closing_twice_is_no_error(database: Database):
    database.close()
    database.close()


def test_one_in_memory_is_read_while_another_thread_writes():
    """There is but one connection: a reader that ended its transaction would end the writer's."""
    from scrmkit.persistence.migrate import upgrade

    database = Database("sqlite://")
    upgrade(database)
    with database.writing() as wire:
        insert(wire, database, IDENTITY)
        reader = threading.Thread(target=identities, args=(database,))
        reader.start()
        reader.join(0.2)
        insert(wire, database, other(2))
    reader.join(30)

    assert identities(database) == [1, 2]
    database.close()


# --- errors ------------------------------------------------------------------------------


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
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            (database.engine.url.database,),
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
        statement = database.statements.once(
            ("one",), lambda: sqlalchemy.select(schema.identity.c.id)
        )
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


# --- a second process --------------------------------------------------------------------

WRITE = """
import sys
from scrmkit.persistence.database import Database
from scrmkit.errors import SecondWriterError
try:
    made = Database(sys.argv[1], writes=sys.argv[2] == "write")
except SecondWriterError as error:
    print("refused:", error, flush=True)
else:
    print("open", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def second_process() -> Iterator[Callable[[str, str], subprocess.Popen[str]]]:
    """Open a database in another process, which keeps it until the test is over."""
    started: list[subprocess.Popen[str]] = []

    def start(url: str, what: str = "write") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", WRITE, url, what],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def test_a_second_writing_process_is_told_to_use_postgresql(sqlite_database, second_process):
    answer = said(second_process(str(sqlite_database.engine.url)))

    assert answer.startswith("refused: another process already writes")
    assert "PostgreSQL" in answer


def test_a_second_process_may_read(sqlite_database: Database, second_process):
    assert said(second_process(str(sqlite_database.engine.url), "read")) == "open\n"


def test_another_name_of_the_same_file_is_the_same_file(
    new_sqlite: Callable[[], str], tmp_path: Path, second_process
):
    url = new_sqlite()
    link = tmp_path / "link.db"
    link.symlink_to(url.removeprefix("sqlite:///"))
    database = Database(url)

    assert said(second_process(f"sqlite:///{link}")).startswith("refused")
    database.close()


def test_a_file_is_free_again_when_its_process_is_killed(
    new_sqlite: Callable[[], str], second_process
):
    url = new_sqlite()
    process = second_process(url)
    assert said(process) == "open\n"
    with pytest.raises(SecondWriterError):
        Database(url)

    process.kill()
    process.wait()

    Database(url).close()


def test_a_file_is_free_again_when_it_is_closed(new_sqlite: Callable[[], str], second_process):
    url = new_sqlite()
    Database(url).close()

    assert said(second_process(url)) == "open\n"


def test_several_processes_write_to_postgresql(new_postgresql, second_process):
    url = new_postgresql()
    database = Database(url)

    assert said(second_process(url)) == "open\n"
    database.close()


def test_a_folder_that_nobody_may_write_to_is_an_error_with_what_to_do(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")

    with pytest.raises(StorageUnavailableError, match=r"scrmkit\.database"):
        Database(f"sqlite:///{tmp_path / 'file' / 'engine.db'}")
