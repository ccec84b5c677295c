"""Keeps how plugins have been doing across restarts."""

from __future__ import annotations

from sqlalchemy import select

from scrmkit.engine.calls import Calls, Health
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database


def load_health(database: Database, calls: Calls) -> None:
    """Take over the counts of the last run; a plugin in quarantine stays there."""
    table = schema.plugin_health
    statement = database.statements.once(("health",), lambda: select(*table.columns))
    with database.reading() as wire:
        rows = wire.rows(statement)
    for name, failures, overruns, in_a_row, quarantined_at, last_error in rows:
        if name in calls.health:
            calls.health[name] = Health(failures, overruns, in_a_row, quarantined_at, last_error)


def keep_health(database: Database, calls: Calls) -> None:
    """Write down what has changed since the last time."""
    rows = [
        (name, h.failures, h.overruns, h.in_a_row, h.quarantined_at, h.last_error)
        for name, h in calls.health.items()
        if h.changed
    ]
    if rows:
        with database.writing() as wire:
            wire.many(database.statements.upsert(schema.plugin_health), rows)
        for row in rows:
            calls.health[row[0]].changed = False


def release(database: Database, calls: Calls, plugin: str) -> None:
    """Let a plugin out of quarantine and forget what it did in a row."""
    health = calls.health[plugin]
    health.in_a_row, health.quarantined_at, health.changed = 0, None, True
    keep_health(database, calls)
