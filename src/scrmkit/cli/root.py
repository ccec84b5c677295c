"""The command itself: its options, and how an exception becomes a message and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from scrmkit import __version__
from scrmkit.cli.context import CliContext
from scrmkit.cli.lazy import Lazy, LazyGroup, Packaged
from scrmkit.errors import MissingExtraError, PluginError, ScrmkitError, SettingsError, TenantRequiredError

DONE, FAILED, USAGE, PARTLY = 0, 1, 2, 3
_INTERRUPTED = 130
_WRONG_CALLS = (SettingsError, PluginError, MissingExtraError, TenantRequiredError)
_COMMANDS = {
    "init": Lazy("scrmkit.cli.init:init", "Write a commented settings file."),
    "doctor": Lazy("scrmkit.cli.doctor:doctor", "Check the installation and the settings."),
    "plugin": Lazy("scrmkit.cli.plugin:plugin", "List and describe plugins."),
    "hooks": Lazy("scrmkit.cli.hooks:hooks", "Show who implements each hook, in call order."),
    "db": Lazy("scrmkit.cli.db:db", "Make the database, or bring it up to date."),
    "import": Lazy("scrmkit.cli.import_orders:import_group", "Bring in what other systems know."),
    "run": Lazy("scrmkit.cli.run:run", "Take callbacks, deliver and fire timers."),
    "outbox": Lazy("scrmkit.cli.outbox:outbox", "List what goes out, and send dead letters again."),
    "sandbox": Lazy("scrmkit.cli.sandbox:sandbox", "Run a local server that acts as a platform."),
}
_PACKAGED = {
    "customer": Packaged("scrmkit-insight", "Show a customer, and their journey."),
    "demo": Packaged("scrmkit-demo", "Run the main job on real orders."),
    "digest": Packaged("scrmkit-insight", "Print one hash over the whole state."),
    "replay": Packaged("scrmkit-insight", "Rebuild the state from the stored decisions."),
    "segment": Packaged("scrmkit-audience", "Count who belongs to a segment."),
    "status": Packaged("scrmkit-insight", "Say how much there is and what waits."),
    "why": Packaged("scrmkit-insight", "Say why something is so of a customer."),
}
"""Commands in distributions that are released together with the core."""


@click.group(
    cls=LazyGroup,
    lazy=_COMMANDS,
    packaged=_PACKAGED,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong call or settings, 3 done in part.",
)
@click.version_option(__version__, prog_name="scrmkit", message="%(prog)s %(version)s")
@click.option(
    "--settings",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="SCRMKIT_SETTINGS",
    default="scrmkit.toml",
    show_default=True,
    show_envvar=True,
    help="The settings file.",
)
@click.pass_context
def root(context: click.Context, path: Path) -> None:
    """A social CRM made of plugins."""
    context.obj = CliContext(path=path, environ=os.environ)


def run_command(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; *arguments* are those of the process."""
    try:
        code = root.main(args=arguments, prog_name="scrmkit", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("Interrupted.", err=True)
        return _INTERRUPTED
    except ScrmkitError as error:
        _tell(error)
        return USAGE if isinstance(error, _WRONG_CALLS) else FAILED
    except BrokenPipeError:
        # Who read our output has gone; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        click.echo(f"Error: {error.filename or 'a file'}: {error.strerror or error}", err=True)
        return FAILED
    return code if isinstance(code, int) else DONE


def _tell(error: ScrmkitError) -> None:
    if isinstance(error, SettingsError | PluginError):
        what = "settings" if isinstance(error, SettingsError) else "plugins"
        click.echo(f"Error: the {what} cannot be used:", err=True)
        for problem in error.problems:
            click.echo(f"  {problem}", err=True)
        click.echo("Put this right and try again; 'scrmkit doctor' looks at everything.", err=True)
    else:
        click.echo(f"Error: {error}", err=True)
        if error.retryable:
            click.echo("Nothing is half done; try again later.", err=True)
