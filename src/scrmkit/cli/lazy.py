"""Groups whose commands are imported when they are run, and not to be listed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module, metadata
from typing import Any, NamedTuple

import click

from scrmkit.errors import MissingExtraError, PluginError


class Lazy(NamedTuple):
    """Where a command is, as ``module:name``, and what the list says of it."""

    target: str
    help: str


class Packaged(NamedTuple):
    """Which distribution of ours brings a command, and what the list says of it."""

    distribution: str
    help: str


class LazyGroup(click.Group):
    """
    A group of commands of our own and of plugins (``command.NAME`` entry points).

    Args:
        lazy: Our own, by name, in the order in which they are listed.
        packaged: Those that we know of in distributions of their own.
    """

    def __init__(self, *args: Any, lazy: Mapping[str, Lazy], packaged: Mapping[str, Packaged], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy
        self._packaged = packaged

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, ours first."""
        plugins = [name for name in entry_points("command") if name not in self._lazy]
        return [*self._lazy, *sorted(plugins)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command; None if there is none of this name."""
        if cmd_name in self._lazy:
            module, _, name = self._lazy[cmd_name].target.partition(":")
            command: click.Command = getattr(import_module(module), name)
            return command
        if cmd_name not in entry_points("command"):
            return None
        loaded = load_entry_point(f"command.{cmd_name}")
        if not isinstance(loaded, click.Command):
            raise PluginError([f"command.{cmd_name}: this is no click command"])
        return loaded

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from what is known without importing them."""
        rows = [(name, lazy.help) for name, lazy in self._lazy.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
        points = entry_points("command")
        names = self.list_commands(ctx)[len(self._lazy) :]
        rows = [(name, self._told(name, points[name])) for name in names]
        if rows:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(rows)

    def _told(self, name: str, summary: str) -> str:
        one = self._packaged.get(name)
        by = "" if one is None else f"({one.distribution})"
        return f"{one.help} {by}" if one is not None and summary.endswith(by) else summary

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """
        Find the command, or say which one was perhaps meant.

        Raises:
            MissingExtraError: It comes with a distribution that is not installed.
        """
        name = args[0] if args else ""
        known = self.list_commands(ctx)
        if name and name not in known and not name.startswith("-"):
            if name in self._packaged:
                missing = self._packaged[name].distribution
                raise MissingExtraError(f"{name!r} needs {missing}: pip install {missing}")
            close = difflib.get_close_matches(name, {*known, *self._packaged}, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"No such command {name!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)


def entry_points(family: str) -> dict[str, str]:
    """By type, what a family's distributions say of themselves; imports nothing."""
    found: dict[str, str] = {}
    for distribution in metadata.distributions():
        try:
            points = distribution.entry_points.select(group="scrmkit")
            for point in points:
                if point.name.startswith(f"{family}."):
                    told = distribution.metadata
                    summary = f"{told['Summary'] or ''} ({told['Name']})".strip()
                    found.setdefault(point.name.partition(".")[2], summary)
        except Exception:  # noqa: BLE001 - doctor says what is wrong with it
            continue
    return found


def load_entry_point(name: str) -> Any:
    """
    Import what one distribution provides as *name*.

    Raises:
        PluginError: Several provide it, its range is not ours, or it cannot be
            imported.
    """
    from scrmkit.plugins import discover, the_one

    found = the_one(name, [one for one in discover() if one.name == name])
    try:
        return found.load()
    except (Exception, SystemExit) as error:
        text = f": {error}" if isinstance(error, ImportError) else ""
        kind = type(error).__name__
        raise PluginError([f"{name} ({found.whose}): cannot be imported: {kind}{text}"]) from (error)
