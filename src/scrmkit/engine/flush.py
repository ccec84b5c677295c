"""Writes a working set: each table once, every conditional write checked by its row count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from operator import attrgetter, itemgetter
from typing import Any

from sqlalchemy import Table

from scrmkit.engine.workset import NEWEST, WorkSet
from scrmkit.errors import ConflictError
from scrmkit.persistence import schema
from scrmkit.persistence.statements import Statement

_NO_FLOOR = -(1 << 62)
_FIRST = (schema.customer, schema.identity, schema.touchpoint, schema.personal, schema.alias)
_LAST = (schema.entry, schema.merge, schema.slot, schema.outgoing)
_PART = ("instance", "role", "customer")
_TIMER = ("tenant", "plugin", "scope", "key")


def flush(work: WorkSet) -> None:
    """
    Write everything that changed.

    Raises:
        ConflictError: Somebody else changed a row since it was read; the
            transaction must be rolled back and the batch run again.
    """
    for table in _FIRST:
        _write(work, work.statements.insert(table), work.inserts[table])
    _rows(work, schema.instance, work.by_id.values(), ("id", "version"), ("state", "version", "closed"))
    _participants(work)
    _resources(work)
    held = [row for row in work.reservations.values() if row is not None]
    _rows(work, schema.reservation, held, ("tenant", "resource", "name", "status"),
          ("quantity", "status", "expires_at", "instance"))  # fmt: skip
    _accounts(work)
    for table in NEWEST:
        words = list(work.newest[schema.short(table)].dirty.values())
        _write(work, work.statements.upsert(table, newest=True), words)
    stopped = [key for key, row in work.timers.items() if row is None]
    _write(work, work.statements.delete(schema.timer, where=_TIMER), stopped)
    started = [row for row in work.timers.values() if row is not None]
    _write(work, work.statements.upsert(schema.timer), started)
    for table in _LAST:
        _write(work, work.statements.insert(table), work.inserts[table])


def _write(work: WorkSet, statement: Statement, rows: Sequence[tuple[Any, ...]], what: str = "") -> None:
    """Write rows, if there are any; each must be there and as it was if it is named *what*."""
    if rows and work.wire.many(statement, rows) != len(rows) and what:
        raise ConflictError(f"another writer changed {what} first")


def _rows(work: WorkSet, table: Table, rows: Iterable[Any], where: Sequence[str], values: Sequence[str]) -> None:
    """Insert the new of *rows*, and update *values* of those that changed *where* they were."""
    new, changed = [], []
    stored, before, after = _columns(table, tuple(where), tuple(values))
    for row in rows:
        now = stored(row)
        if row.base is None:
            new.append(now)
        elif now != row.base:
            changed.append((*after(now), *before(row.base)))
    _write(work, work.statements.insert(table), new)
    update = work.statements.update(table, values=values, where=where)
    _write(work, update, changed, f"a row of {schema.short(table)}")


@cache
def _columns(table: Table, *groups: tuple[str, ...]) -> tuple[Any, ...]:
    """What takes a whole row from an object, and what takes each group of columns from that."""
    names = [column.name for column in table.columns]
    return attrgetter(*names), *(itemgetter(*map(names.index, group)) for group in groups)


def _participants(work: WorkSet) -> None:
    gone = [part.id for part in work.parts.values() if part.gone and part.base is not None]
    delete = work.statements.delete(schema.participant, where=_PART)
    _write(work, delete, gone, "a participant")
    there = [part for part in work.parts.values() if not part.gone]
    # All of it is new where one left and joined again.
    _rows(work, schema.participant, there, _PART, ("data", "joined_at", "position"))


def _resources(work: WorkSet) -> None:
    named = [row for row in work.resources.values() if row is not None]
    raised = [
        (row.tenant, row.name, row.capacity, 0, 0) for row in named if row.base is None or row.capacity > row.base[2]
    ]
    # Two processes may open it at once: the larger capacity stays, whichever comes first.
    _write(work, work.statements.upsert(schema.resource, rises="capacity"), raised)
    moved = []
    for row in named:
        _, _, _, held, used = row.base or (0,) * 5
        held, used = row.held - held, row.used - used
        if held or used:
            moved.append((held, used, row.tenant, row.name, held, used, held + used))
    _write(work, work.statements.move_resource(), moved, "a resource")


def _accounts(work: WorkSet) -> None:
    posted = dict.fromkeys((entry[1], entry[2], entry[5]) for entry in work.inserts[schema.entry])
    moved = [work.accounts[key] for key in posted]
    opened = [(row.tenant, row.ledger, row.owner, 0) for row in moved if row.base is None]
    _write(work, work.statements.insert_new(schema.account), opened)
    changed = [
        (row.added, row.tenant, row.ledger, row.owner, row.added,
         _NO_FLOOR if row.needs is None else row.needs + row.added)
        for row in moved
    ]  # fmt: skip
    _write(work, work.statements.move_balance(), changed, "an account")
