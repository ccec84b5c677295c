"""``scrmkit status``: how much there is, what waits, and what is stuck."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import Connection, Table, func, select

from scrmkit.cli.context import CliContext
from scrmkit.cli.output import json_option, print_json, print_table
from scrmkit.clock import SystemClock, from_micros, to_micros
from scrmkit.domain.messages import Status
from scrmkit.persistence import schema


@click.command()
@click.option("--tenant", help="Of this tenant alone.")
@json_option
@click.pass_obj
def status(context: CliContext, tenant: str | None, as_json: bool) -> None:
    """Say how much there is, what waits, and what is stuck."""
    with context.reading() as connection:
        told = summary(connection, tenant, to_micros(SystemClock().now()))
    if as_json:
        print_json(told)
        return
    for name in ("customers", "touchpoints", "parked", "timers", "timers_overdue"):
        click.echo(f"{name.replace('_', ' '):>14}  {told[name]}")
    if told["outbox"]:
        click.echo("")
        headers = ("lane", "status", "count", "next")
        print_table(headers, [[row[key] or "-" for key in headers] for row in told["outbox"]])
    for row in told["closed_lanes"]:
        click.echo(f"lane {row['lane']} waits until {row['until'].isoformat()}: {row['reason']}")
    for row in told["quarantined"]:
        click.echo(f"plugin {row['plugin']} is in quarantine since {row['since'].isoformat()}")


def summary(connection: Connection, tenant: str | None, now_us: int) -> dict[str, Any]:
    """What the command says; lanes and plugins are the same for all tenants."""
    timers = select(func.count()).select_from(schema.timer)
    if tenant is not None:
        timers = timers.where(schema.timer.c.tenant == tenant)
    return {
        "customers": _people(connection, tenant),
        "touchpoints": _count(connection, schema.touchpoint, tenant),
        "parked": _count(connection, schema.parked, tenant),
        "timers": connection.scalar(timers),
        "timers_overdue": connection.scalar(timers.where(schema.timer.c.due_at <= now_us)),
        "outbox": _outbox(connection, tenant),
        "closed_lanes": _closed_lanes(connection, now_us),
        "quarantined": quarantined(connection),
    }


def quarantined(connection: Connection) -> list[dict[str, Any]]:
    """The plugins that are not asked any more, and why."""
    table = schema.plugin_health
    rows = connection.execute(
        select(table.c.plugin, table.c.quarantined_at, table.c.last_error)
        .where(table.c.quarantined_at.is_not(None))
        .order_by(table.c.plugin)
    )
    return [
        {"plugin": plugin, "since": from_micros(since), "last_error": error}
        for plugin, since, error in rows
    ]


def _people(connection: Connection, tenant: str | None) -> int:
    c = schema.customer.c
    counted = select(func.count()).where(c.id == c.person)
    return connection.scalar(counted if tenant is None else counted.where(c.tenant == tenant)) or 0


def _count(connection: Connection, table: Table, tenant: str | None) -> int:
    counted = select(func.count()).select_from(table)
    if tenant is not None:
        counted = counted.where(table.c.tenant == tenant)
    return connection.scalar(counted) or 0


def _outbox(connection: Connection, tenant: str | None) -> list[dict[str, Any]]:
    c = schema.outgoing.c
    grouped = (
        select(c.connector, c.operation, c.status, func.count(), func.min(c.due_at))
        .group_by(c.connector, c.operation, c.status)
        .order_by(c.connector, c.operation, c.status)
    )
    if tenant is not None:
        grouped = grouped.where(c.tenant == tenant)
    waits = (Status.PLANNED, Status.PROPOSED)
    return [
        {
            "lane": f"{connector}/{operation}",
            "status": state,
            "count": count,
            "next": from_micros(due).isoformat() if state in waits else None,
        }
        for connector, operation, state, count, due in connection.execute(grouped)
    ]


def _closed_lanes(connection: Connection, now_us: int) -> list[dict[str, Any]]:
    c = schema.lane.c
    rows = connection.execute(
        select(c.connector, c.operation, c.closed_until, c.reason)
        .where(c.closed_until > now_us)
        .order_by(c.connector, c.operation)
    )
    return [
        {"lane": f"{connector}/{operation}", "until": from_micros(until), "reason": reason}
        for connector, operation, until, reason in rows
    ]
