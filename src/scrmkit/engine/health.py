"""Keeps how plugins have been doing across restarts."""

from __future__ import annotations

from scrmkit.engine.calls import Calls, Health
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database


def load_health(database: Database, calls: Calls) -> None:
    """Take over the counts of the last run; a plugin in quarantine stays there."""
    with database.reading() as wire:
        rows = wire.find(schema.plugin_health, ("plugin",), [(name,) for name in calls.health])
    for name, *counted in rows:
        health = calls.health[name] = Health(*counted)
        health.kept = (health.failures, health.overruns)


def keep_health(database: Database, calls: Calls) -> None:
    """Write down what has changed since the last time, beside what other processes count."""
    changed = [(name, h, (h.failures, h.overruns)) for name, h in calls.health.items() if h.changed]
    if not changed:
        return
    rows = [
        (name, now[0] - h.kept[0], now[1] - h.kept[1], h.in_a_row, h.quarantined_at, h.last_error)
        for name, h, now in changed
    ]
    statement = database.statements.upsert(
        schema.plugin_health, added=("failures", "overruns"), first=("quarantined_at",)
    )
    with database.writing() as wire:
        wire.many(statement, rows)
    for _, health, now in changed:
        health.kept, health.changed = now, False


def release(database: Database, calls: Calls, plugin: str) -> None:
    """Let a plugin out of quarantine and forget what it did in a row."""
    keep_health(database, calls)
    health = calls.health[plugin]
    health.in_a_row, health.quarantined_at = 0, None
    update = database.statements.update(schema.plugin_health, values=("in_a_row", "quarantined_at"), where=("plugin",))
    with database.writing() as wire:
        wire.many(update, [(0, None, plugin)])
