"""Connections: one that writes, as many as needed that read, and a host's own."""

from __future__ import annotations

import contextlib
import json
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from scrmkit.errors import (
    ConflictError,
    MissingExtraError,
    SecondWriterError,
    SettingsError,
    StorageError,
    StorageUnavailableError,
)
from scrmkit.failpoints import failpoint
from scrmkit.persistence.statements import Statement, Statements

T = TypeVar("T")
Row = Sequence[Any]
_TRIES = 5

_CONFLICTS = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL: serialization failure, deadlock, lock not available."""


_NOT_UNIQUE = frozenset({"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "23505"})


class KeyTakenError(ConflictError):
    """
    A key that is to be unique is there already.

    Once, another writer was first. Again and again, it is this work itself.
    """


class Wire(Protocol):
    """What the units of work speak to: a driver's connection, or a host's."""

    def rows(self, statement: Statement, parameters: Row = ()) -> list[Any]:
        """Run a query and return all its rows."""
        ...

    def many(self, statement: Statement, rows: Sequence[Row]) -> int:
        """Run a statement for each row of parameters; how many rows were changed in all."""
        ...


class DriverWire:
    """A driver's connection, in a transaction that somebody else opens and ends."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def rows(self, statement: Statement, parameters: Row = ()) -> list[Any]:
        """Run a query and return all its rows."""
        with translated():
            cursor = self._connection.execute(statement.sql, tuple(parameters))
            return list(cursor.fetchall())

    def many(self, statement: Statement, rows: Sequence[Row]) -> int:
        """Run a statement for each row of parameters."""
        with translated():
            cursor = self._connection.cursor()
            cursor.executemany(statement.sql, rows)
            return int(cursor.rowcount)


class JoinedWire:
    """A host's SQLAlchemy connection: its transaction, its driver."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self, statement: Statement, parameters: Row = ()) -> list[Any]:
        """Run a query and return all its rows."""
        with translated():
            result = self._connection.exec_driver_sql(statement.sql, tuple(parameters))
            return [tuple(row) for row in result.fetchall()]

    def freeze(self) -> None:
        """Let every query from here on see one moment; for a transaction that has not begun."""
        with translated():
            if self._connection.dialect.name == "sqlite":
                raw = self._connection.connection.driver_connection
                if raw is not None and not raw.in_transaction:
                    self._connection.exec_driver_sql("BEGIN")
            else:
                self._connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def stream(self, statement: Statement, parameters: Row = ()) -> Iterator[Any]:
        """Run a query and hand its rows out without holding them all."""
        with translated():
            connection = self._connection.execution_options(stream_results=True)
            result = connection.exec_driver_sql(statement.sql, tuple(parameters))
            for part in result.partitions(2000):
                yield from part

    def many(self, statement: Statement, rows: Sequence[Row]) -> int:
        """Run a statement for each row of parameters."""
        with translated():
            listed = [tuple(row) for row in rows]
            return int(self._connection.exec_driver_sql(statement.sql, listed).rowcount)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn a driver's or SQLAlchemy's exception into ours, without the values it repeats."""
    try:
        yield
    except sqlalchemy.exc.DBAPIError as error:
        raise _ours(error.orig or error) from None
    except sqlite3.Error as error:
        raise _ours(error) from None
    except sqlalchemy.exc.TimeoutError:
        raise StorageUnavailableError("every connection to the database is in use") from None
    except (OverflowError, UnicodeError) as error:
        raise StorageError(f"a value does not fit the database: {type(error).__name__}") from None
    except Exception as error:
        if hasattr(error, "sqlstate"):
            raise _ours(error) from None
        raise


def _ours(error: BaseException) -> StorageError:
    name = type(error).__name__
    if isinstance(error, sqlite3.OperationalError):
        return StorageUnavailableError(f"the database cannot be used now: {error}")
    sqlstate = getattr(error, "sqlstate", None)
    if (getattr(error, "sqlite_errorname", None) or sqlstate) in _NOT_UNIQUE:
        return KeyTakenError(f"another writer was first ({name})")
    if sqlstate in _CONFLICTS:
        return ConflictError(f"another writer was first ({name})")
    operational = any(parent.__name__ == "OperationalError" for parent in type(error).__mro__)
    if operational:
        return StorageUnavailableError(f"the database cannot be used now ({name})")
    return StorageError(f"the database refused a statement ({name})")


class Database:
    """
    One database that this process writes to.

    Args:
        url: A SQLAlchemy URL, ``sqlite:///file`` or ``postgresql+psycopg://…``.
        durability: ``full`` waits for the disk at every commit; ``normal`` may
            lose the last commits when the machine loses power, never consistency.

    Raises:
        SecondWriterError: Another process writes to this SQLite file.
        MissingExtraError: The driver is not installed.
    """

    def __init__(self, url: str, *, durability: str = "full", writes: bool = True) -> None:
        self.engine = _create(url, durability)
        self.dialect_name = self.engine.dialect.name
        self.statements = Statements(self.dialect_name)
        self._writing = threading.RLock()
        self._kept: Any = None
        self._in_transaction = self._closed = False
        # One in memory has but one connection, and so but one transaction.
        self._shared = isinstance(self.engine.pool, StaticPool)
        self._lock_file = _claim(self.engine) if writes else None

    def close(self) -> None:
        """Give every connection back; nobody can use it any more."""
        with self._writing:
            self._closed = True
            self._drop()
            self.engine.dispose()
            if self._lock_file is not None:
                self._lock_file.close()
                self._lock_file = None

    @contextlib.contextmanager
    def writing(self) -> Iterator[DriverWire]:
        """
        One transaction on the kept connection; one writer of this process at a time.

        Raises:
            StorageError: This thread has one open already.
            StorageUnavailableError: The database is away, full, busy or closed.
        """
        with self._writing:
            if self._in_transaction:
                raise StorageError("this thread has a transaction open already; end that first")
            connection = self._connection()
            self._in_transaction = True
            try:
                with translated():
                    if self.dialect_name == "sqlite":
                        connection.execute("BEGIN IMMEDIATE")
                yield DriverWire(connection)
                with translated():
                    connection.execute(
                        "COMMIT"
                    ) if self.dialect_name == "sqlite" else connection.commit()
            except BaseException as error:
                self._roll_back(connection, broken=isinstance(error, StorageUnavailableError))
                raise
            finally:
                self._in_transaction = False

    def transaction(self, work: Callable[[DriverWire], T], name: str) -> T:
        """
        Do *work* in one transaction, and again after a conflict.

        Raises:
            ConflictError: It kept meeting another writer; nothing was written.
        """
        for attempt in range(_TRIES):
            try:
                with self.writing() as wire:
                    result = work(wire)
                    failpoint(f"{name}.before_commit")
                failpoint(f"{name}.after_commit")
                return result
            except ConflictError:
                if attempt + 1 == _TRIES:
                    raise
                # Two processes that keep meeting part by waiting unequally long.
                time.sleep(random.uniform(0, 0.002 * 2**attempt))
        raise AssertionError("unreachable")

    @contextlib.contextmanager
    def reading(self) -> Iterator[JoinedWire]:
        """A transaction that only reads, on a pooled connection."""
        with self._writing if self._shared else contextlib.nullcontext():
            self._check_open()
            with translated():
                connection = self.engine.connect()
            try:
                yield JoinedWire(connection)
            finally:
                with translated():
                    if not (self._shared and self._in_transaction):
                        connection.rollback()
                    connection.close()

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[JoinedWire]:
        """As ``reading``, with every query seeing the database as it is now."""
        with self.reading() as wire:
            wire.freeze()
            yield wire

    def _check_open(self) -> None:
        if self._closed:
            raise StorageUnavailableError("the database is closed")

    def _connection(self) -> Any:
        self._check_open()
        if self._kept is None:
            with translated():
                self._fairy = self.engine.raw_connection()
            self._kept = self._fairy.driver_connection
        return self._kept

    def _roll_back(self, connection: Any, *, broken: bool) -> None:
        try:
            if self.dialect_name == "sqlite":
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
            else:
                connection.rollback()
        except Exception:  # noqa: BLE001 - a connection that cannot roll back is given up
            broken = True
        if broken:
            self._drop()

    def _drop(self) -> None:
        if self._kept is not None:
            fairy, self._kept = self._fairy, None
            if self._shared:
                return
            with contextlib.suppress(Exception):
                fairy.invalidate()


def keys_json(keys: Sequence[Sequence[Any]]) -> tuple[str]:
    """The one parameter of a bulk look-up."""
    return (json.dumps(keys, separators=(",", ":"), ensure_ascii=False),)


def _create(url: str, durability: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError(
            ["scrmkit.database is not a URL; write sqlite:///scrmkit.db or postgresql+psycopg://…"]
        ) from None
    backend = parsed.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise SettingsError(
            [f"scrmkit.database: {backend!r} is not supported; use sqlite or postgresql"]
        )
    options: dict[str, Any] = {}
    if backend == "sqlite":
        options["connect_args"] = {"check_same_thread": False, "timeout": 10.0}
        if parsed.database in (None, "", ":memory:"):
            options["poolclass"] = StaticPool
    else:
        parsed = parsed.set(drivername="postgresql+psycopg")
    try:
        engine = sqlalchemy.create_engine(parsed, **options)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise MissingExtraError(
            "PostgreSQL needs the extra: pip install 'scrmkit[postgresql]'"
        ) from None
    if backend == "sqlite":
        synchronous = "NORMAL" if durability == "normal" else "FULL"
        event.listen(engine, "connect", lambda raw, _: _prepare_sqlite(raw, synchronous))
    return engine


def _prepare_sqlite(raw: Any, synchronous: str) -> None:
    # Without this, SQLAlchemy's default loses updates silently between a read and a write.
    raw.isolation_level = None
    raw.execute("PRAGMA journal_mode=WAL")
    raw.execute(f"PRAGMA synchronous={synchronous}")
    raw.execute("PRAGMA busy_timeout=10000")
    raw.execute("PRAGMA cache_size=-65536")


def _claim(engine: Engine) -> Any:
    """Hold a lock beside a SQLite file; the system lets go of it when the process dies."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or path in (None, "", ":memory:"):
        return None
    lock_path = Path(f"{os.path.realpath(path)}.writer")
    try:
        lock_path.parent.mkdir(parents=True, exist_ok=True)
        file = lock_path.open("a+")
    except OSError as error:
        raise StorageUnavailableError(
            f"cannot write beside the database ({error.strerror}); check scrmkit.database"
        ) from error
    try:
        _lock(file)
    except OSError:
        file.close()
        raise SecondWriterError(
            "another process already writes to this SQLite database; stop it, or move to "
            "PostgreSQL (scrmkit.database = postgresql+psycopg://…), where several are safe"
        ) from None
    return file


def _lock(file: Any) -> None:
    if os.name == "nt":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
