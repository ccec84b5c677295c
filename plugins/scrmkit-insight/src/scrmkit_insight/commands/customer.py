"""``scrmkit customer``: one customer as they stand."""

from __future__ import annotations

import re
from typing import Any

import attrs
import click

from scrmkit.cli.context import CliContext
from scrmkit.cli.output import json_option, print_json, print_table, tenant_option
from scrmkit.clock import SystemClock
from scrmkit.domain.identity import Identity
from scrmkit.domain.profile import Customer
from scrmkit.engine.customers import customer_of, find
from scrmkit.errors import InvalidValueError
from scrmkit.persistence.codec import Codec
from scrmkit_insight.journeys import journey as journey_of

_PHONE = re.compile("1[3-9][0-9]{9}")


def who_of(context: click.Context, option: click.Parameter, text: str) -> int | Identity:
    """A customer's id, or what a platform calls them; only the value may have colons."""
    if text.isdecimal():
        if _PHONE.fullmatch(text):  # ids are longer
            raise click.BadParameter("write a phone as phone:+86 and its digits, without a blank")
        return int(text)
    kind, mark, value = text.partition(":")
    kind, _, scope = kind.partition("@")
    if not mark:
        raise click.BadParameter("write an id, or KIND:VALUE, such as phone:+8613900000001")
    try:
        return Identity(kind=kind, value=value, scope=scope)
    except InvalidValueError as error:
        raise click.BadParameter(str(error)) from None


@click.group()
def customer() -> None:
    """Look at one customer."""


@customer.command()
@click.argument("who", callback=who_of)
@click.option("--personal", is_flag=True, help="Show what platforms call them in full.")
@tenant_option
@json_option
@click.pass_obj
def show(context: CliContext, who: int | Identity, personal: bool, tenant: str | None, as_json: bool) -> None:
    """
    Show what is known of one customer.

    WHO is an id, or KIND:VALUE or KIND@SCOPE:VALUE as a platform calls them.
    """
    owner = context.tenant(tenant)
    stage_from = context.settings().stage_from
    with context.reading() as database, database.reading() as wire:
        person = find(wire, owner, who)
        found = customer_of(wire, Codec(), stage_from, owner, person, SystemClock().now())
    told = described(found, personal)
    if as_json:
        print_json(told)
    else:
        _tell(told)


@customer.command()
@click.argument("who", callback=who_of)
@tenant_option
@json_option
@click.pass_obj
def journey(context: CliContext, who: int | Identity, tenant: str | None, as_json: bool) -> None:
    """Show all that happened with one customer, and what was decided; nothing personal."""
    owner = context.tenant(tenant)
    with context.reading() as database:
        with database.reading() as wire:
            person = find(wire, owner, who)
        entries = journey_of(database, owner, person)
    if as_json:
        print_json({"customer": person, "entries": [attrs.asdict(entry) for entry in entries]})
        return
    for entry in entries:
        click.echo(f"{entry.at:%Y-%m-%d %H:%M:%S}Z  {entry.what:<10}  {entry.words}")


def described(found: Customer, personal: bool) -> dict[str, Any]:
    """What the command says; without *personal*, names of platforms are mostly hidden."""
    return {
        "tenant": found.tenant,
        "id": found.id,
        "stage": found.stage,
        "identities": [
            {"kind": one.kind, "scope": one.scope, "value": one.value if personal else _hidden(one)}
            for one in found.identities
        ],
        "tags": [_plain(tag) for tag in found.tags],
        "attributes": dict(found.attributes),
        "consents": [_plain(consent) for consent in found.consents],
        "scores": [
            {"scorer": one.scorer, "points": one.hundredths / 100, "band": one.band,
             "segment": one.segment, "stage": one.stage, "as_of": one.as_of}
            for one in found.scores
        ],
    }  # fmt: skip


def _plain(value: Any) -> dict[str, Any]:
    return attrs.asdict(value, filter=lambda field, inner: inner not in (None, ""))


def _hidden(identity: Identity) -> str:
    value = identity.value
    return f"{value[:3]}…{value[-2:]}" if len(value) > 8 else f"{value[:1]}…"


def _tell(told: dict[str, Any]) -> None:
    stage = f", {told['stage']}" if told["stage"] else ""
    click.echo(f"Customer {told['id']} of {told['tenant']}{stage}")
    for one in told["identities"]:
        scope = f"@{one['scope']}" if one["scope"] else ""
        click.echo(f"  {one['kind']}{scope}: {one['value']}")
    for name, value in told["attributes"].items():
        click.echo(f"  {name} = {value}")
    for name, shown in (
        ("tags", ("group", "name", "source", "plugin", "at")),
        ("consents", ("channel", "purpose", "granted", "at")),
        ("scores", ("scorer", "points", "band", "segment", "as_of")),
    ):
        if told[name]:
            click.echo("")
            print_table(shown, [[one.get(key, "-") for key in shown] for one in told[name]])
