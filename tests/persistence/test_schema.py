"""The schema: equal to what the migrations make, on every database."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy

from scrmkit.errors import SchemaOutOfDateError, StorageError
from scrmkit.persistence import migrate, schema
from scrmkit.persistence.database import Database


def tables(database: Database) -> set[str]:
    return set(sqlalchemy.inspect(database.engine).get_table_names())


@pytest.fixture
def opened() -> Callable[[str], Database]:
    """Open databases, and close them at the end."""
    made: list[Database] = []

    def open_(url: str) -> Database:
        made.append(Database(url, durability="normal"))
        return made[-1]

    yield open_
    for database in made:
        database.close()


def test_the_migrations_make_exactly_the_schema(database_url: str, opened):
    assert migrate.differences(opened(database_url)) == []


def test_a_difference_is_seen(empty_url: str, opened):
    database = opened(empty_url)
    migrate.upgrade(database)
    with database.engine.begin() as connection:
        connection.execute(sqlalchemy.text("ALTER TABLE scrmkit_customer ADD COLUMN nickname VARCHAR(9)"))

    assert migrate.differences(database) == ["remove_column"]


def test_an_empty_database_is_refused_with_what_to_run(empty_url: str, opened):
    database = opened(empty_url)

    with pytest.raises(SchemaOutOfDateError, match=r"revision none.*scrmkit db upgrade"):
        migrate.require_current(database)
    assert migrate.current(database) is None
    assert tables(database) == set()


def test_an_upgrade_makes_it_current(empty_url: str, opened):
    database = opened(empty_url)

    migrate.upgrade(database)

    assert migrate.current(database) == migrate.head()
    migrate.require_current(database)
    assert tables(database) == {*schema.metadata.tables, "scrmkit_version"}


def test_a_database_of_a_later_version_is_left_alone(empty_url: str, opened):
    database = opened(empty_url)
    migrate.upgrade(database)
    with database.engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE scrmkit_version SET version_num = '9999'"))

    with pytest.raises(SchemaOutOfDateError, match="a later version made this database"):
        migrate.upgrade(database)
    assert migrate.current(database) == "9999"


def test_a_second_upgrade_changes_nothing(database_url: str, opened):
    database = opened(database_url)
    with database.engine.begin() as connection:
        connection.execute(schema.campaign.delete())
        connection.execute(sqlalchemy.insert(schema.customer).values(id=1, tenant="main", person=1, created_at=0))

    migrate.upgrade(database)

    with database.engine.connect() as connection:
        assert connection.execute(sqlalchemy.select(schema.customer.c.id)).all() == [(1,)]


def test_a_schema_of_another_version_is_refused_with_both_revisions(empty_url: str, opened):
    database = opened(empty_url)
    migrate.upgrade(database)
    with database.engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE scrmkit_version SET version_num = '0000'"))

    with pytest.raises(SchemaOutOfDateError, match=rf"0000.*{migrate.head()}"):
        migrate.require_current(database)


def test_an_upgrade_that_breaks_leaves_nothing_behind(empty_url: str, opened):
    """Half a schema would look like a database of somebody else's."""
    database = opened(empty_url)
    with database.engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE scrmkit_touchpoint (mine INTEGER)"))

    with pytest.raises(StorageError):
        migrate.upgrade(database)

    assert tables(database) == {"scrmkit_touchpoint"}
    assert migrate.current(database) is None


def test_every_row_belongs_to_a_tenant():
    without = {"lane", "plugin_health"}

    assert {name for name, table in schema.TABLES.items() if "tenant" not in table.c} == without


def test_a_merge_moves_what_is_known_of_a_person_and_what_goes_out_to_them():
    assert {schema.short(table) for table in schema.PERSON_TABLES} == {
        *("customer", "identity", "touchpoint", "tag", "attribute", "memo", "consent", "score"),
        *("participant", "outgoing"),
    }


def test_several_may_upgrade_at_once(postgresql_url: str, opened):
    databases = [opened(postgresql_url) for _ in range(3)]

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(migrate.upgrade, databases))

    assert migrate.current(databases[0]) == migrate.head()


def test_an_upgrade_waits_for_one_that_is_under_way(postgresql_url: str, opened):
    """What a second process does: nothing, until the first is done."""
    database = opened(postgresql_url)
    upgrading = threading.Thread(target=migrate.upgrade, args=(opened(postgresql_url),))
    with database.engine.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({migrate._LOCK})")
        upgrading.start()
        upgrading.join(0.2)
        assert upgrading.is_alive()
        assert migrate.current(opened(postgresql_url)) is None
    upgrading.join(30)

    assert migrate.current(database) == migrate.head()


def test_a_file_that_is_no_database_is_a_typed_error(tmp_path: Path, opened):
    path = tmp_path / "letter.db"
    path.write_text("Dear customer, " * 100)

    with pytest.raises(StorageError):
        migrate.current(opened(f"sqlite:///{path}"))


def test_a_sqlite_file_waits_for_the_disk_as_it_was_told(new_sqlite: Callable[[], str], opened):
    levels = {}
    for durability in ("full", "normal"):
        database = Database(new_sqlite(), durability=durability)
        with database.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            levels[durability] = raw.execute("PRAGMA synchronous").fetchone()
            assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        database.close()

    assert levels == {"full": (2,), "normal": (1,)}
