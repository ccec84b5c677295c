"""``scrmkit why``: why something is so of a customer."""

from __future__ import annotations

import attrs
import click

from scrmkit.cli.context import CliContext
from scrmkit.cli.output import json_option, print_json, tenant_option
from scrmkit.clock import SystemClock
from scrmkit.domain.identity import Identity
from scrmkit.errors import InvalidValueError
from scrmkit_insight.commands.customer import who_of
from scrmkit_insight.entries import EffectRef, OutgoingEntry, Why
from scrmkit_insight.journeys import why as why_of


def _effect(context: click.Context, option: click.Parameter, text: str) -> EffectRef:
    try:
        return EffectRef.of(text)
    except InvalidValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command()
@click.argument("who", callback=who_of)
@click.argument("effect", callback=_effect)
@tenant_option
@json_option
@click.pass_obj
def why(context: CliContext, who: int | Identity, effect: EffectRef, tenant: str | None, as_json: bool) -> None:
    """
    Say why something is so of a customer.

    WHO is an id, or KIND:VALUE as a platform calls them. EFFECT is
    tag:GROUP/NAME, attribute:PLUGIN.NAME, score:SCORER, consent:CHANNEL/PURPOSE,
    message:ID or request:ID.
    """
    owner = context.tenant(tenant)
    with context.reading() as database:
        found = why_of(database, owner, who, effect, SystemClock().now())
    if as_json:
        print_json({**attrs.asdict(found), "effect": str(found.effect), "words": found.words})
    else:
        _tell(found)


def _tell(found: Why) -> None:
    click.echo(f"{found.effect} of customer {found.customer} {found.state}")
    if found.decision is not None:
        click.echo(f"  decided by {found.decision.words}")
    for before, entry in (("at", found.touchpoint), *(("led to by", one) for one in found.led_to)):
        if entry is not None:
            click.echo(f"  {before} {entry.words}, {entry.at.isoformat()}")
    if found.outgoing is not None:
        _tell_outgoing(found.outgoing)
    for rival in found.rivals:
        click.echo(f"  competed with {rival.words}")


def _tell_outgoing(entry: OutgoingEntry) -> None:
    if entry.verdict is not None:
        click.echo(f"  the contact policy said {entry.verdict.code}: {entry.verdict.reason}")
    for attempt in entry.attempts:
        click.echo(f"  {attempt.at.isoformat()}  {attempt.words}")
    click.echo(f"  {entry.words}")
