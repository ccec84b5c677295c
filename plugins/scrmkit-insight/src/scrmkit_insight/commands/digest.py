"""``scrmkit digest``: one hash over all that a later decision or a person could read."""

from __future__ import annotations

import click

from scrmkit.cli.context import CliContext
from scrmkit.cli.output import json_option, print_json, tenant_option
from scrmkit_insight.digests import digest as digest_of


@click.command()
@tenant_option
@json_option
@click.pass_obj
def digest(context: CliContext, tenant: str | None, as_json: bool) -> None:
    """Print one hash over the whole state: equal states have equal hashes, on any database."""
    context.tenants(tenant)
    with context.reading() as database:
        found = digest_of(database, tenant)
    if as_json:
        parts, tenants = dict(found.parts), dict(found.tenants)
        print_json({"digest": found.value, "parts": parts, "tenants": tenants})
    else:
        click.echo(found.value)
