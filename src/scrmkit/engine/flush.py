"""Writes a working set: each table once, every conditional write checked by its row count."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table

from scrmkit.engine.workset import NEWEST, WorkSet
from scrmkit.errors import ConflictError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import to_json
from scrmkit.persistence.statements import Statement

_NO_FLOOR = -(1 << 62)
_FIRST = (schema.customer, schema.identity, schema.touchpoint, schema.personal)
_LAST = (schema.merge, schema.slot, schema.outgoing)


def flush(work: WorkSet) -> None:
    """
    Write everything that changed.

    Raises:
        ConflictError: Somebody else changed a row since it was read; the
            transaction must be rolled back and the batch run again.
    """
    for table in _FIRST:
        _insert(work, table, work.inserts[table])
    _instances(work)
    _participants(work)
    _resources(work)
    _ledgers(work)
    for table in NEWEST:
        rows = list(work.newest[table.name].dirty.values())
        if rows:
            work.wire.many(work.statements.upsert(table, newest=True), rows)
    _timers(work)
    for table in _LAST:
        _insert(work, table, work.inserts[table])


def _insert(work: WorkSet, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        work.wire.many(work.statements.insert(table), rows)


def _checked(
    work: WorkSet, statement: Statement, rows: Sequence[tuple[Any, ...]], what: str
) -> None:
    if rows and work.wire.many(statement, rows) != len(rows):
        raise ConflictError(f"another writer changed {what} first")


def _instances(work: WorkSet) -> None:
    new, changed = [], []
    for row in work.by_id.values():
        if not row.base:
            new.append(
                (row.id, row.tenant, row.plugin, row.campaign, row.key, row.campaign_version,
                 row.state, row.version, int(row.closed), row.opened_at)
            )  # fmt: skip
        elif row.version != row.base:
            changed.append((row.state, row.version, int(row.closed), row.id, row.base))
    _insert(work, schema.instance, new)
    update = work.statements.update(
        schema.instance, values=("state", "version", "closed"), where=("id", "version")
    )
    _checked(work, update, changed, "an instance")
    _insert(work, schema.alias, work.new_aliases)


def _participants(work: WorkSet) -> None:
    new, changed, gone = [], [], []
    for part in work.parts.values():
        key = (part.instance, part.role, part.customer)
        if part.new and not part.gone:
            new.append(
                (*key, part.tenant, part.plugin, part.person, to_json(part.data), part.joined_at,
                 part.position)
            )  # fmt: skip
        elif part.gone and not part.new:
            gone.append(key)
        elif part.changed and not part.gone:
            changed.append((to_json(part.data), part.joined_at, part.position, *key))
    names = ("instance", "role", "customer")
    _checked(work, work.statements.delete(schema.participant, where=names), gone, "a participant")
    _insert(work, schema.participant, new)
    values = ("data", "joined_at", "position")  # all new where one left and joined again
    update = work.statements.update(schema.participant, values=values, where=names)
    _checked(work, update, changed, "a participant")


def _resources(work: WorkSet) -> None:
    named = [row for row in work.resources.values() if row is not None]
    new = [(row.tenant, row.name, row.capacity, 0, 0) for row in named if row.new]
    if new:
        work.wire.many(work.statements.insert_new(schema.resource), new)
    raised = [
        (row.capacity, row.tenant, row.name)
        for row in named
        if not row.new and row.capacity > row.base
    ]
    if raised:
        update = work.statements.update(
            schema.resource, values=("capacity",), where=("tenant", "name")
        )
        work.wire.many(update, raised)
    moved = [
        (
            row.d_held,
            row.d_used,
            row.tenant,
            row.name,
            row.d_held,
            row.d_used,
            row.d_held + row.d_used,
        )
        for row in named
        if row.d_held or row.d_used
    ]
    _checked(work, work.statements.move_resource(), moved, "a resource")
    held = [row for row in work.reservations.values() if row is not None]
    _insert(
        work,
        schema.reservation,
        [
            (r.tenant, r.resource, r.name, r.quantity, r.status, r.expires_at, r.instance)
            for r in held
            if r.base is None
        ],
    )
    update = work.statements.update(
        schema.reservation,
        values=("status", "quantity", "expires_at", "instance"),
        where=("tenant", "resource", "name", "status"),
    )
    changed = [
        (r.status, r.quantity, r.expires_at, r.instance, r.tenant, r.resource, r.name, r.base)
        for r in held
        if r.base is not None and (r.base != r.status or r.changed)
    ]
    _checked(work, update, changed, "a reservation")


def _ledgers(work: WorkSet) -> None:
    posted = dict.fromkeys((entry[1], entry[2], entry[5]) for entry in work.new_entries)
    moved = [work.accounts[key] for key in posted]
    if moved:
        opened = [(row.tenant, row.ledger, row.owner, 0) for row in moved]
        work.wire.many(work.statements.insert_new(schema.account), opened)
        rows = [
            (row.added, row.tenant, row.ledger, row.owner, row.added,
             _NO_FLOOR if row.needs is None else row.needs + row.added)
            for row in moved
        ]  # fmt: skip
        _checked(work, work.statements.move_balance(), rows, "an account")
    _insert(work, schema.entry, work.new_entries)


def _timers(work: WorkSet) -> None:
    started = [row for row in work.timers.values() if row is not None]
    stopped = [key for key, row in work.timers.items() if row is None]
    names = ("tenant", "plugin", "scope", "key")
    if stopped:
        work.wire.many(work.statements.delete(schema.timer, where=names), stopped)
    if started:
        work.wire.many(work.statements.upsert(schema.timer), started)
