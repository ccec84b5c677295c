"""``scrmkit sandbox NAME``: local servers that behave like a platform."""

from __future__ import annotations

from importlib import import_module

import click

from scrmkit.cli.lazy import entry_points, load_entry_point
from scrmkit.errors import MissingExtraError


class _Sandboxes(click.Group):
    """One command for each ``sandbox.NAME`` entry point."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the sandboxes that are installed."""
        return sorted(entry_points("sandbox"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Make the command; nothing is imported before it runs."""
        about = entry_points("sandbox").get(cmd_name)
        if about is None:
            return None

        @click.command(cmd_name, help=f"Run the sandbox {cmd_name} on this machine: {about}")
        @click.option(
            "--port",
            type=click.IntRange(0, 65535),
            default=0,
            show_default=True,
            help="Where to listen on 127.0.0.1; 0 picks a free port.",
        )
        @click.option("--seed", default=0, show_default=True, help="Where ids and keys come from.")
        @click.option("--json", "as_json", is_flag=True, help="Say address and keys as JSON.")
        def run(port: int, seed: int, as_json: bool) -> None:
            serve_sandbox(cmd_name, port=port, seed=seed, as_json=as_json)

        return run


@click.group(cls=_Sandboxes)
def sandbox() -> None:
    """Run a local server that acts as a platform; Ctrl-C or SIGTERM ends it."""


def serve_sandbox(name: str, *, port: int, seed: int, as_json: bool) -> None:
    """
    Serve a sandbox until it is told to end.

    Raises:
        MissingExtraError: There is no web server installed.
    """
    try:
        # By name, since the testing kit is no part of what the core is made of.
        kit = import_module("scrmkit.testing.sandbox")
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"a sandbox needs {error.name}: pip install 'scrmkit[web]'") from None
    made = load_entry_point(f"sandbox.{name}")(seed=seed)
    kit.serve(made, port=port, as_json=as_json)
