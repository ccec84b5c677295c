"""``scrmkit doctor``: everything that may be wrong, and what to do about it."""

from __future__ import annotations

import importlib.util
import platform
import tomllib
from collections.abc import Iterator
from secrets import token_hex

import click

from scrmkit import __version__
from scrmkit.cli.context import CliContext, is_there
from scrmkit.cli.output import json_option, print_json
from scrmkit.cli.plugin import conflicts
from scrmkit.errors import PluginError, ScrmkitError, SettingsError
from scrmkit.hooks import Finding
from scrmkit.plugins import CONFIGURED, PluginSet, discover
from scrmkit.settings import Settings

_MARKS = {"ok": "ok     ", "warning": "warning", "error": "ERROR  "}


@click.command()
@json_option
@click.pass_context
def doctor(click_context: click.Context, as_json: bool) -> None:
    """Check the installation, the settings and each plugin; exit 1 if anything is wrong."""
    findings = list(examine(click_context.obj))
    if as_json:
        told = ("level", "subject", "text", "next_step")
        print_json([{key: getattr(one, key) for key in told} for one in findings])
    else:
        for one in findings:
            click.echo(f"{_MARKS.get(one.level, one.level)}  {one.subject}: {one.text}")
            if one.next_step:
                click.echo(f"         {one.next_step}")
    click_context.exit(1 if any(one.level == "error" for one in findings) else 0)


def examine(context: CliContext) -> Iterator[Finding]:
    """Look at everything; whatever is broken is a finding and stops nothing else."""
    yield _ok("scrmkit", f"version {__version__} on Python {platform.python_version()}")
    yield from _installed()
    settings = None
    try:
        settings = context.settings()
        yield _ok("settings", f"{context.path} can be read")
    except SettingsError as error:
        for problem in error.problems:
            yield Finding(level="error", subject="settings", text=problem)
    yield from _extras(settings)
    if settings is None:
        yield from _plugins(context, _plugins_alone(context))
        return
    yield from _environment(context, settings)
    if is_there(settings):
        yield from _database(context)
    else:
        text = "there is none yet"
        yield Finding(level="warning", subject="database", text=text, next_step="Run: scrmkit db upgrade")
    yield from _plugins(context, settings)


def _ok(subject: str, text: str) -> Finding:
    return Finding(level="ok", subject=subject, text=text)


def _installed() -> Iterator[Finding]:
    found = discover()
    for name, whose in conflicts(found).items():
        text = f"{name} is provided by {whose}"
        yield Finding(level="error", subject="installed", text=text, next_step="Uninstall all but one.")
    for one in found:
        subject = f"{one.name} ({one.whose})" if one.name else one.distribution
        if one.problem:
            yield Finding(level="error", subject=subject, text=one.problem)
        elif one.family in CONFIGURED and not one.range:
            yield Finding(
                level="warning",
                subject=subject,
                text="it does not say which versions of scrmkit it is made for",
                next_step="Its author adds scrmkit>=0.1,<0.2 to its dependencies.",
            )


def _extras(settings: Settings | None) -> Iterator[Finding]:
    wanted: dict[str, tuple[str, ...]] = {"web": ("starlette", "uvicorn")}
    if settings is not None and settings.database.reveal().startswith("postgresql"):
        wanted["postgresql"] = ("psycopg",)
    for extra, modules in wanted.items():
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        if missing:
            yield Finding(
                level="warning" if extra == "web" else "error",
                subject=f"extra {extra}",
                text=f"{', '.join(missing)} is not installed",
                next_step=f"pip install 'scrmkit[{extra}]'",
            )


def _environment(context: CliContext, settings: Settings) -> Iterator[Finding]:
    from scrmkit.settings.load import OVERRIDES
    from scrmkit.settings.structure import did_you_mean

    known = {*OVERRIDES, "SCRMKIT_SETTINGS"}
    for name in sorted(context.environ):
        hint = did_you_mean(name, known) if name.startswith("SCRMKIT_") else ""
        if name not in known and "did you mean" in hint:
            yield Finding(
                level="warning", subject="environment", text=f"nothing in [scrmkit] is overridden by {name}{hint}"
            )


def _database(context: CliContext) -> Iterator[Finding]:
    from scrmkit.cli.plugin import quarantined

    try:
        with context.reading() as database:
            stopped = quarantined(database)
        yield _ok("database", "it can be read and its schema is this version's")
    except ScrmkitError as error:
        yield Finding(level="error", subject="database", text=str(error))
        return
    for row in stopped:
        yield Finding(
            level="error",
            subject=f"plugins.{row['plugin']}",
            text=f"it is in quarantine since {row['since']:%Y-%m-%d %H:%M}Z: {row['last_error']}",
            next_step=f"Put it right, then: scrmkit plugin release {row['plugin']}",
        )


def _plugins_alone(context: CliContext) -> Settings | None:
    """The tables of plugins, where something else in the settings is wrong; None if they are wrong themselves."""
    from scrmkit.settings import Secret, settings_from
    from scrmkit.settings.load import OVERRIDES

    environ = {name: text for name, text in context.environ.items() if name not in OVERRIDES}
    try:
        tables = tomllib.loads(context.path.read_bytes().decode("utf-8-sig"))
        tenants = tables["scrmkit"].get("tenants", ["main"])
        core = {"database": "sqlite://", "secret": Secret(token_hex()), "tenants": tenants}
        given = {"scrmkit": core, "plugins": tables.get("plugins", {})}
        return settings_from(given, environ, folder=context.path.absolute().parent)
    except (OSError, ValueError, LookupError, AttributeError, SettingsError):
        return None


def _plugins(context: CliContext, settings: Settings | None) -> Iterator[Finding]:
    if settings is None:
        return
    try:
        plugins = context.plugins(settings)
    except PluginError as error:
        for problem in error.problems:
            yield Finding(level="error", subject="plugin", text=problem)
        return
    yield _ok("plugins", f"{len(plugins.plugins)} are enabled and load")
    yield from _asked(plugins)


def _asked(plugins: PluginSet) -> Iterator[Finding]:
    """What the plugins say of themselves."""
    for one in plugins.implementations("scrmkit_doctor"):
        try:
            told = list(one.function())
            if not all(isinstance(finding, Finding) for finding in told):
                raise TypeError
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            name = type(error).__name__
            text = f"its scrmkit_doctor failed: {name}"
            yield Finding(level="error", subject=f"plugins.{one.plugin.name}", text=text)
        else:
            yield from told
