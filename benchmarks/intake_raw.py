"""Baseline (a): exactly the rows that the engine writes, bare: no read, no JSON, no decision."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.shop import engine_at
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit.persistence.database import Row, Wire
from scrmkit.persistence.statements import Statement

T = TypeVar("T")
Batches = Sequence[Sequence[Touchpoint[Any]]]
Write = tuple[str, list[tuple[Any, ...]]]
"""A statement, and the rows of one ``executemany``."""


class _Remembering(Wire):
    """A connection that remembers what is written through it."""

    def __init__(self, wire: Wire, writes: list[Write]) -> None:
        super().__init__(wire._connection, wire.statements)
        self._writes = writes

    def many(self, statement: Statement, rows: Sequence[Row]) -> int:
        self._writes.append((statement.sql, [tuple(row) for row in rows]))
        return super().many(statement, rows)


def written(path: Path, batches: Batches) -> list[list[Write]]:
    """All that an engine on a new database writes for *batches*."""
    with engine_at(path) as engine:
        return written_by(engine, batches)


def written_by(engine: Engine, batches: Batches) -> list[list[Write]]:
    """All that *engine* writes for *batches*, batch by batch, each one transaction."""
    writes: list[list[Write]] = []
    plain = engine.database.transaction

    def remembering(work: Callable[[Any], T], name: str) -> T:
        writes.append([])
        return plain(lambda wire: work(_Remembering(wire, writes[-1])), name)

    engine.database.transaction = remembering  # type: ignore[method-assign]
    for batch in batches:
        engine.record_many(batch)
    return writes


def prepare(connection: sqlite3.Connection) -> None:
    """Make a connection as durable, and its cache as large, as the engine's is."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")


def connect(path: Path) -> sqlite3.Connection:
    """A connection that begins a transaction when it is told to."""
    connection = sqlite3.connect(path, isolation_level=None)
    prepare(connection)
    return connection


class RawRows:
    """Writes prepared rows, one transaction a batch."""

    def __init__(self, path: Path, writes: Sequence[Sequence[Write]]) -> None:
        self._connection = connect(path)
        self._writes = writes

    def record(self, number: int, batch: Sequence[Touchpoint[Any]]) -> None:
        """Write the rows of batch *number*."""
        run = self._connection
        run.execute("BEGIN IMMEDIATE")
        for sql, rows in self._writes[number]:
            run.executemany(sql, rows)
        run.execute("COMMIT")
