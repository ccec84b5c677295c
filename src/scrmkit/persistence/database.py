"""Connections: one that writes, as many as needed that read, and a host's own."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO, TypeVar

import sqlalchemy
from sqlalchemy import exc
from sqlalchemy.pool import StaticPool

from scrmkit import errors
from scrmkit.failpoints import failpoint
from scrmkit.persistence.codec import to_json
from scrmkit.persistence.statements import Lock, Statement, Statements

T = TypeVar("T")
Row = Sequence[Any]
_TRIES = 5
_STREAMED = 2000
"""How many rows of a stream are in memory at once."""

_TAKEN = {"SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "23505"}
_CONFLICTS = {"40001", "40P01", "55P03"}
"""PostgreSQL: serialization failure, deadlock, lock not available."""

_IN_MEMORY = (None, "", ":memory:")


class KeyTakenError(errors.ConflictError):
    """
    A key that is to be unique is there already.

    Once, another writer was first. Again and again, it is this work itself.
    """


class Wire:
    """
    What the units of work speak to, in a transaction that somebody else opens and ends.

    Args:
        connection: A driver's, our own or that of a host's SQLAlchemy connection.
        statements: Those of its database's dialect.
    """

    def __init__(self, connection: Any, statements: Statements) -> None:
        self.statements = statements
        self._connection = connection
        self._streams = itertools.count()

    def rows(self, statement: Statement, parameters: Row = ()) -> list[Any]:
        """Run a query and return all its rows."""
        with translated():
            cursor = self._connection.cursor()
            cursor.execute(statement.sql, tuple(parameters))
            return list(map(tuple, cursor.fetchall()))

    def find(
        self, table: sqlalchemy.Table, keys: Sequence[str], wanted: Sequence[Row],
        columns: Sequence[str] = (), *, lock: Lock = "",
    ) -> list[Any]:  # fmt: skip
        """Rows of *table*, all *columns* or some, whose columns *keys* are among *wanted*."""
        if not wanted:
            return []
        statement = self.statements.by_keys(table, keys, columns, lock=lock)
        return self.rows(statement, keys_json(wanted))

    def stream(self, statement: Statement, parameters: Row = ()) -> Iterator[Any]:
        """Run a query and hand its rows out without holding them all."""
        with translated():
            # SQLite hands out rows as it finds them; PostgreSQL does so for a cursor with a name.
            in_file = isinstance(self._connection, sqlite3.Connection)
            name = () if in_file else (f"scrmkit_{next(self._streams)}",)
            with contextlib.closing(self._connection.cursor(*name)) as cursor:
                cursor.execute(statement.sql, tuple(parameters))
                while rows := cursor.fetchmany(_STREAMED):
                    yield from rows

    def many(self, statement: Statement, rows: Sequence[Row]) -> int:
        """Run a statement for each row of parameters; how many rows were changed in all."""
        with translated():
            cursor = self._connection.cursor()
            cursor.executemany(statement.sql, rows)
            return int(cursor.rowcount)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn a driver's or SQLAlchemy's exception into ours, without the values it repeats."""
    try:
        yield
    except exc.TimeoutError:
        text = "every connection to the database is in use"
        raise errors.StorageUnavailableError(text) from None
    except (OverflowError, UnicodeError) as error:
        text = f"a value does not fit the database: {type(error).__name__}"
        raise errors.StorageError(text) from None
    except Exception as error:
        driver = getattr(error, "orig", None) or error
        # PEP 249 gives every driver's classes the same names.
        names = {kind.__name__ for kind in type(driver).__mro__}
        if names.isdisjoint(("DatabaseError", "InterfaceError")):
            raise
        raise _ours(driver, operational="OperationalError" in names) from None


def _ours(error: Exception, *, operational: bool) -> errors.StorageError:
    name = type(error).__name__
    code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    if code in _TAKEN:
        return KeyTakenError(f"another writer was first ({name})")
    if code in _CONFLICTS:
        return errors.ConflictError(f"another writer was first ({name})")
    # SQLite calls it operational as well that a statement or a sum cannot be worked out.
    if operational and code != "SQLITE_ERROR":
        why = error if isinstance(error, sqlite3.Error) else name
        return errors.StorageUnavailableError(f"the database cannot be used now ({why})")
    return errors.StorageError(f"the database refused a statement ({code or name})")


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
        self._kept: sqlalchemy.PoolProxiedConnection | None = None
        self._in_transaction = self._closed = False
        # One in memory has but one connection, and so but one transaction.
        self._shared = isinstance(self.engine.pool, StaticPool)
        self._lock_file = _claim(self.engine) if writes else None

    def close(self) -> None:
        """Give every connection back; nobody can use it any more."""
        with self._writing:
            self._closed = True
            if self._kept is not None:
                self._drop(self._kept)
            self.engine.dispose()
            if self._lock_file is not None:
                self._lock_file.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[Wire]:
        """
        One transaction on the kept connection; one writer of this process at a time.

        Raises:
            StorageError: This thread has one open already.
            StorageUnavailableError: The database is away, full, busy or closed.
        """
        with self._writing:
            if self._in_transaction:
                raise errors.StorageError("a transaction is open in this thread already; end that")
            kept = self._kept = self._kept or self._connect()
            self._in_transaction = True
            try:
                with translated():
                    if self.dialect_name == "sqlite":
                        _raw(kept).execute("BEGIN IMMEDIATE")
                yield Wire(_raw(kept), self.statements)
                with translated():
                    kept.commit()
            except BaseException as error:
                broken = isinstance(error, errors.StorageUnavailableError)
                try:
                    kept.rollback()
                except Exception:  # noqa: BLE001 - one that cannot roll back is given up
                    broken = True
                if broken:
                    self._drop(kept)
                raise
            finally:
                self._in_transaction = False

    def transaction(self, work: Callable[[Wire], T], name: str) -> T:
        """
        Do *work* in one transaction, and again after a conflict.

        Raises:
            ConflictError: It kept meeting another writer; nothing was written.
        """
        tried = 0
        while True:
            try:
                with self.writing() as wire:
                    result = work(wire)
                    failpoint(f"{name}.before_commit")
                failpoint(f"{name}.after_commit")
                return result
            except errors.ConflictError:
                tried += 1
                if tried == _TRIES:
                    raise
            # Two processes that keep meeting part by waiting unequally long.
            time.sleep(random.uniform(0, 0.001 * 2**tried))

    @contextlib.contextmanager
    def reading(self, *, begin: str | None = None) -> Iterator[Wire]:
        """A transaction that only reads, on a pooled connection; *begin* is its first statement."""
        with self._writing if self._shared else contextlib.nullcontext():
            connection = self._connect()
            try:
                if begin is not None:
                    with translated():
                        _raw(connection).execute(begin)
                yield Wire(_raw(connection), self.statements)
            except errors.StorageUnavailableError:
                self._drop(connection)
                raise
            finally:
                connection.close()

    def snapshot(self) -> contextlib.AbstractContextManager[Wire]:
        """As ``reading``, with every query seeing the database as it is now."""
        if self._shared:  # where nobody writes while anybody reads
            return self.reading()
        if self.dialect_name == "sqlite":
            return self.reading(begin="BEGIN")
        return self.reading(begin="SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def _connect(self) -> sqlalchemy.PoolProxiedConnection:
        if self._closed:
            raise errors.StorageUnavailableError("the database is closed")
        with translated():
            return self.engine.raw_connection()

    def _drop(self, broken: sqlalchemy.PoolProxiedConnection) -> None:
        """Give up a connection; what broke it may have broken others, which are tried before they are used."""
        if broken is self._kept:
            self._kept = None
        if not self._shared:
            broken.invalidate()


def keys_json(keys: Sequence[Sequence[Any]]) -> tuple[str]:
    """The one parameter of a bulk look-up."""
    return (to_json(keys),)


def _raw(connection: sqlalchemy.PoolProxiedConnection) -> Any:
    return connection.driver_connection


def _create(url: str, durability: str) -> sqlalchemy.Engine:
    try:
        parsed = sqlalchemy.make_url(url)
    except exc.ArgumentError:
        raise errors.SettingsError(
            ["scrmkit.database is not a URL; write sqlite:///scrmkit.db or postgresql+psycopg://…"]
        ) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _create_sqlite(parsed, "NORMAL" if durability == "normal" else "FULL")
    if backend != "postgresql":
        raise errors.SettingsError([f"scrmkit.database: {backend!r} is not supported; use sqlite or postgresql"])
    try:
        return sqlalchemy.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    except (ModuleNotFoundError, exc.NoSuchModuleError):
        raise errors.MissingExtraError("PostgreSQL needs the extra: pip install 'scrmkit[postgresql]'") from None


def _create_sqlite(url: sqlalchemy.URL, synchronous: str) -> sqlalchemy.Engine:
    # Left to begin transactions itself, the driver loses updates between a read and a write.
    options = {"check_same_thread": False, "timeout": 10.0, "isolation_level": None}
    in_memory = url.database in _IN_MEMORY
    engine = sqlalchemy.create_engine(
        url, connect_args=options, **({"poolclass": StaticPool, "pool_reset_on_return": None} if in_memory else {})
    )

    @sqlalchemy.event.listens_for(engine, "connect")
    def prepare(raw: Any, _: Any) -> None:
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "cache_size=-65536"):
            raw.execute(f"PRAGMA {pragma}")

    return engine


def _claim(engine: sqlalchemy.Engine) -> TextIO | None:
    """Hold a lock beside a SQLite file; the system lets go of it when the process dies."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or path in _IN_MEMORY:
        return None
    lock_path = Path(f"{os.path.realpath(path)}.writer")
    try:
        lock_path.parent.mkdir(parents=True, exist_ok=True)
        file = lock_path.open("a+")
    except OSError as error:
        raise errors.StorageUnavailableError(
            f"cannot write beside the database ({error.strerror}); check scrmkit.database"
        ) from error
    try:
        _lock(file)
    except OSError:
        file.close()
        raise errors.SecondWriterError(
            "another process already writes to this SQLite database; stop it, or move to "
            "PostgreSQL (scrmkit.database = postgresql+psycopg://…), where several are safe"
        ) from None
    return file


def _lock(file: TextIO) -> None:
    if os.name == "nt":
        import msvcrt

        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
