"""``scrmkit status``: how much there is, what waits, and what is stuck."""

from __future__ import annotations

from typing import Any

import attrs
import click
from sqlalchemy import select

from scrmkit.cli.context import CliContext
from scrmkit.cli.output import json_option, print_json, print_table, tenant_option
from scrmkit.cli.plugin import quarantined
from scrmkit.clock import SystemClock, from_micros, to_micros
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database
from scrmkit_insight.counting import Counts, counts


@click.command()
@tenant_option
@json_option
@click.pass_obj
def status(context: CliContext, tenant: str | None, as_json: bool) -> None:
    """Say how much there is, what waits, and what is stuck."""
    tenants = context.tenants(tenant)
    with context.reading() as database:
        told = [counts(database, one) for one in tenants]
        lanes = closed_lanes(database, to_micros(SystemClock().now()))
        stopped = quarantined(database)
    if as_json:
        data = [{"touchpoints": one.touchpoints, **attrs.asdict(one)} for one in told]
        print_json({"tenants": data, "closed_lanes": lanes, "quarantined": stopped})
        return
    for one in told:
        _tell(one)
    for row in lanes:
        click.echo(f"lane {row['lane']} waits until {row['until'].isoformat()}: {row['reason']}")
    for row in stopped:
        click.echo(f"plugin {row['plugin']} is in quarantine since {row['since'].isoformat()}")


def _tell(one: Counts) -> None:
    click.echo(f"Tenant {one.tenant}")
    for name in ("customers", "touchpoints", "parked", "timers"):
        click.echo(f"{name:>13}  {getattr(one, name)}")
    for kind, count in one.kinds.items():
        click.echo(f"{count:>13}  {kind}")
    for plugin, (running, closed) in one.instances.items():
        click.echo(f"{running:>13}  running in {plugin}, {closed} closed")
    if one.outgoing:
        click.echo("")
        headers = ("lane", "status", "code", "count")
        rows = [(f"{row.connector}/{row.operation}", row.status, row.code or "-", row.count) for row in one.outgoing]
        print_table(headers, rows)
    click.echo("")


def closed_lanes(database: Database, now_us: int) -> list[dict[str, Any]]:
    """The lanes whose breaker is open: nothing of them goes out for now."""
    c = schema.lane.c
    wanted = (
        select(c.connector, c.operation, c.closed_until, c.reason)
        .where(c.closed_until > now_us)
        .order_by(c.connector, c.operation)
    )
    with database.engine.connect() as connection:
        return [
            {"lane": f"{connector}/{operation}", "until": from_micros(until), "reason": reason}
            for connector, operation, until, reason in connection.execute(wanted)
        ]
