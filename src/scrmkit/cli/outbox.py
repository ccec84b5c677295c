"""``scrmkit outbox``: what is to go out, has gone out, or could not."""

from __future__ import annotations

from typing import Any

import click
from sqlalchemy import Connection, select

from scrmkit.cli.context import CliContext
from scrmkit.cli.output import json_option, note, print_json, print_table, tenant_option
from scrmkit.clock import from_micros
from scrmkit.domain.messages import REDRIVEN, Status
from scrmkit.persistence import schema


@click.group()
def outbox() -> None:
    """List what goes out, and send dead letters again."""


@outbox.command("list")
@click.option("--status", "states", multiple=True, type=click.Choice([one.value for one in Status]))
@click.option("--connector", help="Of this configured channel or connector alone.")
@tenant_option
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000))
@json_option
@click.pass_obj
def list_outbox(context: CliContext, /, limit: int, as_json: bool, **filters: Any) -> None:
    """List messages and requests, the newest first; nothing personal."""
    context.tenants(filters["tenant"])
    with context.reading() as database, database.engine.connect() as connection:
        rows = listed(connection, limit=limit + 1, **filters)
    more, rows = len(rows) > limit, rows[:limit]
    if as_json:
        print_json(rows)
    elif rows:
        print_table(_SHOWN, [[row[key] for key in _SHOWN] for row in rows])
    if more:
        note(f"There are more than {limit}; --limit shows more.")


@outbox.command()
@click.option("--connector", help="Of this configured channel or connector alone.")
@click.option("--code", help="Those that ended with this code.")
@click.option("--reason", help="Those whose reason contains this.")
@click.option(
    "--status",
    "states",
    multiple=True,
    type=click.Choice([Status.DEAD.value, Status.LOST.value]),
    help="Both, unless one is chosen.",
)
@tenant_option
@json_option
@click.pass_obj
def redrive(
    context: CliContext, /, states: tuple[str, ...], tenant: str | None, as_json: bool, **filters: str | None
) -> None:
    """Plan dead letters again; the contact policy is asked again when they leave."""
    owner = context.tenant(tenant)
    wanted = frozenset(map(Status, states)) or REDRIVEN
    with context.engine() as engine:
        count = engine.outbox.redrive(owner, statuses=wanted, **filters)
    if as_json:
        print_json({"redriven": count})
    else:
        click.echo(count)


_OUTCOMES = {"done": Status.DELIVERED, "not-done": Status.PLANNED, "given-up": Status.LOST}


@outbox.command()
@click.argument("number", type=int)
@click.argument("outcome", type=click.Choice(tuple(_OUTCOMES)))
@tenant_option
@click.pass_obj
def settle(context: CliContext, number: int, outcome: str, tenant: str | None) -> None:
    """
    Say what became of something unknown, by its id.

    "not-done" sends it again; "given-up" leaves it.
    """
    owner = context.tenant(tenant)
    with context.engine() as engine:
        engine.outbox.settle(owner, number, _OUTCOMES[outcome])
    note(f"{number} is {_OUTCOMES[outcome].value} now.")


_SHOWN = ("id", "connector", "operation", "purpose", "status", "code", "attempts", "due_at")


def listed(
    connection: Connection,
    *,
    states: tuple[str, ...] = (),
    connector: str | None = None,
    tenant: str | None = None,
    limit: int,
) -> list[dict[str, Any]]:
    """Rows of the outbox, the newest first."""
    c = schema.outgoing.c
    columns = (
        c.id, c.tenant, c.connector, c.operation, c.type, c.plugin, c.purpose, c.status, c.code,
        c.reason, c.attempts, c.person, c.due_at, c.planned_at, c.settled_at,
    )  # fmt: skip
    wanted = select(*columns).order_by(c.id.desc()).limit(limit)
    if states:
        wanted = wanted.where(c.status.in_(states))
    if connector is not None:
        wanted = wanted.where(c.connector == connector)
    if tenant is not None:
        wanted = wanted.where(c.tenant == tenant)
    return [_row(dict(row)) for row in connection.execute(wanted).mappings()]


def _row(row: dict[str, Any]) -> dict[str, Any]:
    row["customer"] = row.pop("person")
    for name in ("due_at", "planned_at", "settled_at"):
        row[name] = None if row[name] is None else from_micros(row[name])
    return row
