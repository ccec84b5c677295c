"""``scrmkit db``: the database's schema."""

from __future__ import annotations

from typing import Any

import click

from scrmkit.cli.context import CliContext, is_there
from scrmkit.cli.output import json_option, note, print_json
from scrmkit.persistence import migrate


@click.group()
def db() -> None:
    """Make the database, bring it up to date, or look where it stands."""


@db.command()
@json_option
@click.pass_obj
def upgrade(context: CliContext, as_json: bool) -> None:
    """Make the tables, or bring them to this version's schema."""
    settings = context.settings()
    with context.database(settings, writes=True) as database:
        before = migrate.current(database)
        migrate.upgrade(database)
        after = migrate.current(database)
    if as_json:
        print_json({"before": before, "after": after})
    elif before == after:
        note(f"The database was at {after} already.")
    else:
        note(f"The database was at {before or 'nothing'} and is at {after} now.")


@db.command()
@json_option
@click.pass_obj
def current(context: CliContext, as_json: bool) -> None:
    """Print the schema's revision, and the one that this version needs."""
    told = _standing(context)
    if as_json:
        print_json(told)
    else:
        click.echo(told["current"] or "none")
        note(f"This version needs {told['needed']}.")


@db.command()
@json_option
@click.pass_context
def check(click_context: click.Context, as_json: bool) -> None:
    """Exit 0 if the schema is this version's, table by table, and 1 if not."""
    context: CliContext = click_context.obj
    told = _standing(context)
    told["differences"] = []
    if told["current"] is not None:
        with context.database(context.settings()) as database:
            told["differences"] = migrate.differences(database)
    good = told["current"] == told["needed"] and not told["differences"]
    if as_json:
        print_json({**told, "good": good})
    elif good:
        note(f"The schema is at {told['needed']}, as this version needs it.")
    else:
        for difference in told["differences"]:
            click.echo(difference)
        note(f"The schema is at {told['current'] or 'nothing'}; run: scrmkit db upgrade")
    click_context.exit(0 if good else 1)


def _standing(context: CliContext) -> dict[str, Any]:
    settings = context.settings()
    at = None
    if is_there(settings):
        with context.database(settings) as database:
            at = migrate.current(database)
    return {"current": at, "needed": migrate.head()}
