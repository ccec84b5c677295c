"""``scrmkit segment``: who belongs to a segment."""

from __future__ import annotations

import tomllib
from datetime import datetime
from typing import Any

import click

from scrmkit.cli.context import CliContext
from scrmkit.cli.output import json_option, print_json, tenant_option
from scrmkit.clock import SystemClock, aware
from scrmkit.errors import InvalidValueError
from scrmkit_audience.expressions import Expression
from scrmkit_audience.segments import Segments
from scrmkit_audience.written import expression_from


@click.group()
def segment() -> None:
    """Count who belongs to a segment."""


def _moment(context: click.Context, option: click.Parameter, text: str | None) -> datetime:
    if text is None:
        return SystemClock().now()
    try:
        return aware(datetime.fromisoformat(text))
    except (ValueError, InvalidValueError):
        raise click.BadParameter("write it with its offset: 2026-11-01T09:00:00+08:00") from None


@segment.command()
@click.argument("name", required=False)
@click.option("--expression", "text", help="An expression in TOML instead of a segment's name.")
@click.option("--as-of", callback=_moment, help="Now, unless another moment is given.")
@tenant_option
@json_option
@click.pass_obj
def count(
    context: CliContext, /, name: str | None, text: str | None, as_of: datetime, as_json: bool, tenant: str | None
) -> None:
    """
    Count the customers of a segment: one of the settings by NAME, or an --expression.

    For example: --expression '{stage = {stages = ["dormant"]}}'
    """
    if (name is None) == (text is None):
        raise click.UsageError("name a segment, or give an --expression")
    settings = context.settings()
    plugins = context.plugins(settings)
    with context.reading() as database:
        segments = Segments(database, plugins, settings)
        wanted = parsed(text or "") if name is None else name
        expression, owner = segments.meant(wanted, tenant)
        owner = context.tenant(owner)
        number = segments.count(expression, owner, as_of)
    if as_json:
        told: dict[str, Any] = {"segment": name, "tenant": owner, "as_of": as_of, "count": number}
        print_json(told)
    else:
        click.echo(number)


def parsed(text: str) -> Expression:
    """
    An expression that was written on the command line.

    Raises:
        click.BadParameter, SettingsError: It is no TOML, or no expression.
    """
    try:
        written = tomllib.loads(f"expression = {text}")
    except tomllib.TOMLDecodeError as error:
        raise click.BadParameter(f"it is no TOML value: {error}", param_hint="--expression") from None
    return expression_from(written["expression"])
