"""Rows of one table, written and read by the tests of persistence."""

from __future__ import annotations

from typing import Any

import sqlalchemy

from scrmkit.persistence import schema
from scrmkit.persistence.database import Database, Wire

CANARY = "canary-13800138000"
IDENTITY = (1, "main", "phone", "", CANARY, 1, 1, 0)


def insert(wire: Wire, database: Database, *rows: tuple[Any, ...]) -> None:
    wire.many(database.statements.insert(schema.identity), rows)


def identities(database: Database) -> list[int]:
    with database.reading() as wire:
        statement = database.statements.once(("ids",), lambda: sqlalchemy.select(schema.identity.c.id).order_by("id"))
        return [row[0] for row in wire.rows(statement)]


def values(database: Database) -> list[str]:
    with database.reading() as wire:
        statement = database.statements.once(("values",), lambda: sqlalchemy.select(schema.identity.c.value))
        return [row[0] for row in wire.rows(statement)]


def other(number: int, **changes: Any) -> tuple[Any, ...]:
    names = [column.name for column in schema.identity.columns]
    row = {**dict(zip(names, IDENTITY, strict=True)), "id": number, "value": f"v{number}"}
    return tuple({**row, **changes}[name] for name in names)
