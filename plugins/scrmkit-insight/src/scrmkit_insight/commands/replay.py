"""``scrmkit replay``: rebuild the state from the stored decisions, and compare."""

from __future__ import annotations

import sys

import click

from scrmkit.cli.context import CliContext
from scrmkit.cli.output import json_option, note, print_json
from scrmkit_insight.replaying import replay as replay_all


@click.command()
@click.option(
    "--into",
    metavar="URL",
    envvar="SCRMKIT_REPLAY_DATABASE",
    show_envvar=True,
    help="An empty database to build in and keep; a temporary one unless given.",
)
@click.option("--personal", is_flag=True, help="Copy texts and names as well.")
@json_option
@click.pass_context
def replay(click_context: click.Context, /, into: str | None, personal: bool, as_json: bool) -> None:
    """
    Rebuild the state from the stored decisions, and compare it with what is there.

    Asks no plugin, sends nothing and changes nothing. Exit 0 if the same came of
    it, 1 if not.
    """
    context: CliContext = click_context.obj
    with context.reading() as database, click.progressbar(length=1, file=sys.stderr) as bar:

        def progress(done: int, of: int) -> None:
            bar.length = max(of, 1)
            bar.update(done - bar.pos)

        found = replay_all(database, into, personal=personal, progress=progress)
    parts = [difference.part for difference in found.differences]
    if as_json:
        print_json(
            {
                "touchpoints": found.touchpoints,
                "before": found.before.value,
                "after": found.after.value,
                "same": found.is_same,
                "differences": parts,
            }
        )
    else:
        click.echo(found.after.value)
        note(f"{found.touchpoints} touchpoints were applied.")
        note("The same came of it." if found.is_same else f"Otherwise: {', '.join(parts)}.")
    click_context.exit(0 if found.is_same else 1)
