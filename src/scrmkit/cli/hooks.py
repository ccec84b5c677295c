"""``scrmkit hooks``: each hook, its kind, and who implements it in call order."""

from __future__ import annotations

import inspect
from typing import Any

import click

from scrmkit.cli.context import CliContext
from scrmkit.cli.output import json_option, note, print_json
from scrmkit.hooks import HookKind

_MEANING = {
    HookKind.OBSERVE: "all are told; a failure is recorded and the others go on",
    HookKind.COLLECT: "all answers count; a failure is recorded and the others go on",
    HookKind.FIRST: "the first answer counts; a failure asks the next",
    HookKind.GATE: "one refusal refuses; a failure counts as a refusal",
    HookKind.TRANSFORM: "each gets what the one before returned; a failure skips its step",
}


@click.command()
@json_option
@click.pass_obj
def hooks(context: CliContext, as_json: bool) -> None:
    """Show each hook: its kind, who implements it in call order, and why in this order."""
    rows = described(context)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(f"{row['hook']}({', '.join(row['arguments'])})")
        click.echo(f"  {row['about']}")
        click.echo(f"  kind: {row['kind']}: {row['meaning']}")
        for number, one in enumerate(row["implementations"], start=1):
            click.echo(f"  {number}. {one['plugin']} ({one['from']}): {one['why']}")
        if not row["implementations"]:
            click.echo("  nobody implements it")
        click.echo("")


def described(context: CliContext) -> list[dict[str, Any]]:
    """Every hook; without a settings file, without who implements it."""
    from scrmkit import hooks as specs

    plugins = None
    if context.path.exists():
        plugins = context.plugins(context.settings())
    else:
        note(f"{context.path} is not there: nobody implements anything; see 'scrmkit init'.")
    rows = []
    for name in specs.SPECS:
        spec = getattr(specs, name)
        kind: HookKind = spec.scrmkit_kind
        found = () if plugins is None else plugins.implementations(name)
        rows.append(
            {
                "hook": name,
                "kind": kind.value,
                "meaning": _MEANING[kind],
                "arguments": list(inspect.signature(spec).parameters),
                "about": (inspect.getdoc(spec) or "").partition("\n")[0],
                "implementations": [
                    {
                        "plugin": one.plugin.name,
                        "from": one.plugin.whose,
                        "tenant": one.plugin.tenant,
                        "why": f"number {one.plugin.rank + 1} of those that are enabled in {context.path.name}",
                    }
                    for one in found
                ],
            }
        )
    return rows
