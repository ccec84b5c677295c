"""Brings a database's schema up to date, and says where it stands."""

from __future__ import annotations

import threading
from pathlib import Path

import sqlalchemy as sa
from alembic import command, util
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from scrmkit.errors import SchemaOutOfDateError
from scrmkit.persistence.database import Database, translated
from scrmkit.persistence.schema import PREFIX, metadata


def _is_ours(name: str | None, kind: str, _: object) -> bool:
    """Whether something in the database is to be looked at: a host's tables are not."""
    return kind != "table" or (name or "").startswith(PREFIX)


_OPTIONS = {"version_table": f"{PREFIX}version", "include_name": _is_ours}
_ONE_AT_A_TIME = threading.Lock()
_LOCK = 5_372_717_110_641_021
"""Names the lock that PostgreSQL keeps for us; any number that nobody else uses."""


def head() -> str:
    """The revision of this version of scrmkit."""
    return ScriptDirectory.from_config(_config(None)).get_current_head() or ""


def current(database: Database) -> str | None:
    """The revision that the database is at, None for an empty one."""
    with translated(), database.engine.connect() as connection:
        return MigrationContext.configure(connection, opts=_OPTIONS).get_current_revision()


def upgrade(database: Database) -> None:
    """
    Bring the database to this version's revision; does nothing where it is there already.

    Whole or not at all. Processes that do so at once take turns.

    Raises:
        SchemaOutOfDateError: It is ahead: a later version made it.
    """
    # Alembic keeps what it is doing in a module's variables.
    with _ONE_AT_A_TIME, translated(), database.engine.begin() as connection:
        in_file = database.dialect_name == "sqlite"
        connection.exec_driver_sql("BEGIN IMMEDIATE" if in_file else f"SELECT pg_advisory_xact_lock({_LOCK})")
        try:
            command.upgrade(_config(connection), "head")
        except util.CommandError:
            raise SchemaOutOfDateError("a later version made this database; install that scrmkit again") from None


def require_current(database: Database) -> None:
    """
    Make sure that the schema is this version's.

    Raises:
        SchemaOutOfDateError: It is not; nothing was changed.
    """
    if (at := current(database)) != head():
        raise SchemaOutOfDateError(
            f"the database is at revision {at or 'none'} and this version needs {head()}; run: scrmkit db upgrade"
        )


def differences(database: Database) -> list[str]:
    """How our tables in the database differ from the schema, in words; empty when they do not."""
    with translated(), database.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=_OPTIONS), metadata)
    return [str(one[0] if isinstance(one, tuple) else one) for one in found]


def _config(connection: sa.Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(_OPTIONS, connection=connection)
    return config
