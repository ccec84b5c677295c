"""The unit of work: whole or not at all."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy
from identity_rows import CANARY, IDENTITY, identities, insert, other, values

from scrmkit.errors import ConflictError, StorageError, StorageUnavailableError
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database, Wire


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
    statement = database.statements.once(("all",), lambda: sqlalchemy.select(schema.identity.c.id).order_by("id"))
    with database.snapshot() as wire:
        before = wire.rows(statement)
        with database.writing() as writer:
            insert(writer, database, IDENTITY)
        assert wire.rows(statement) == before == []

    assert identities(database) == [1]


def test_work_that_meets_a_conflict_is_done_again(database: Database):
    tried: list[int] = []

    def work(wire: Wire) -> str:
        tried.append(len(tried))
        insert(wire, database, other(len(tried)))
        if len(tried) < 3:
            raise ConflictError("another writer was first")
        return "done"

    assert database.transaction(work, "test") == "done"
    assert identities(database) == [3]


def test_work_that_meets_nothing_but_conflicts_is_given_up(database: Database):
    def work(wire: Wire) -> None:
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


def test_one_in_memory_is_read_inside_a_transaction_that_goes_on():
    from scrmkit.persistence.migrate import upgrade

    database = Database("sqlite://")
    upgrade(database)

    def write() -> None:
        with database.writing() as wire:
            insert(wire, database, IDENTITY)
            assert identities(database) == [1]
            raise ConflictError("another writer was first")

    with pytest.raises(ConflictError):
        write()
    assert identities(database) == []
    database.close()


def test_a_stream_hands_out_every_row_while_others_are_read(database: Database):
    statement = database.statements.once(("all",), lambda: sqlalchemy.select(schema.identity.c.id).order_by("id"))
    with database.writing() as wire:
        insert(wire, database, *(other(number) for number in range(1, 4_002)))

    with database.reading() as wire:
        both = zip(wire.stream(statement), wire.stream(statement), strict=True)
        seen = [one[0] for one, two in both if one == two]

    assert seen == list(range(1, 4_002))
