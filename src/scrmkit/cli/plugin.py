"""``scrmkit plugin``: what is installed, what is configured, and what a plugin offers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import click

from scrmkit.cli.context import CliContext
from scrmkit.cli.output import json_option, note, print_json, print_table
from scrmkit.errors import ScrmkitError, SettingsError, UnknownNameError

if TYPE_CHECKING:
    from scrmkit.persistence.database import Database
    from scrmkit.plugins import Found
    from scrmkit.settings import PluginSettings


@click.group()
def plugin() -> None:
    """List and describe plugins."""


@plugin.command("list")
@json_option
@click.pass_obj
def list_plugins(context: CliContext, as_json: bool) -> None:
    """List what is installed and how it is configured; imports no plugin."""
    rows = listed(context)
    if as_json:
        print_json(rows)
    elif rows:
        headers = ("plugin", "from", "version", "configured as", "state")
        print_table(headers, [[row[key] or "-" for key in _SHOWN] for row in rows])
    else:
        note("No plugin is installed; try: pip install scrmkit-demo")


_SHOWN = ("name", "distribution", "version", "configured_as", "state")


def listed(context: CliContext) -> list[dict[str, Any]]:
    """Everything installed, and everything configured that is not."""
    from scrmkit.plugins import discover

    found = discover()
    twice = conflicts(found)
    configured = _configured(context)
    stopped = _quarantined(context)
    rows = []
    for one in found:
        uses = [use for use in configured if use.use == one.name]
        rows += [_row(one, use, twice) for use in (uses or (None,))]
    installed = {one.name for one in found}
    for use in configured:
        if use.use not in installed:
            state = "from a file" if ":" in use.use else "not installed"
            rows.append(_as_row(use.use, "", "", use.name, state))
    for row in rows:
        if row["configured_as"] in stopped and row["state"] == "enabled":
            row["state"] = stopped[row["configured_as"]]
    return rows


def quarantined(database: Database) -> list[dict[str, Any]]:
    """The plugins that are not asked any more, and why."""
    from sqlalchemy import select

    from scrmkit.clock import from_micros
    from scrmkit.persistence import schema

    table = schema.plugin_health
    wanted = (
        select(table.c.plugin, table.c.quarantined_at, table.c.last_error)
        .where(table.c.quarantined_at.is_not(None))
        .order_by(table.c.plugin)
    )
    with database.engine.connect() as connection:
        return [
            {"plugin": plugin, "since": from_micros(since), "last_error": error}
            for plugin, since, error in connection.execute(wanted)
        ]


def _quarantined(context: CliContext) -> dict[str, str]:
    """By configured name: since when a plugin is not asked any more; nothing without a database."""
    if not context.path.exists():
        return {}
    try:
        with context.reading() as database:
            rows = quarantined(database)
    except ScrmkitError:
        return {}
    return {row["plugin"]: f"in quarantine since {row['since']:%Y-%m-%d %H:%M}Z: {row['last_error']}" for row in rows}


def conflicts(found: Sequence[Found]) -> Mapping[str, str]:
    """The names that several distributions provide, each with those distributions."""
    by_name: dict[str, list[str]] = {}
    for one in found:
        by_name.setdefault(one.name, []).append(one.whose)
    return {name: " and ".join(whose) for name, whose in by_name.items() if len(whose) > 1}


def _configured(context: CliContext) -> tuple[PluginSettings, ...]:
    if not context.path.exists():
        return ()
    try:
        return context.settings().plugins
    except SettingsError as error:
        for problem in error.problems:
            note(f"settings: {problem}")
        return ()


def _row(one: Found, use: PluginSettings | None, twice: Any) -> dict[str, Any]:
    from scrmkit.plugins import CONFIGURED

    if one.problem:
        state = one.problem
    elif one.name in twice:
        state = f"conflict: {twice[one.name]}"
    elif one.family not in CONFIGURED:
        state = "ready"
    elif use is None:
        state = "not configured"
    else:
        state = "enabled" if use.enabled else "switched off"
    return _as_row(one.name, one.distribution, one.version, use.name if use else "", state)


def _as_row(*values: str) -> dict[str, Any]:
    return dict(zip(_SHOWN, values, strict=True))


@plugin.command("info")
@click.argument("name")
@json_option
@click.pass_obj
def info(context: CliContext, name: str, as_json: bool) -> None:
    """Describe one plugin, by its configured name or as family.type; imports it."""
    from scrmkit.cli.lazy import load_entry_point
    from scrmkit.plugins import discover
    from scrmkit.settings.structure import did_you_mean

    uses = {use.name: use.use for use in _configured(context)}
    wanted = uses.get(name, name)
    found = [one for one in discover() if one.name == wanted]
    if not found:
        known = {one.name for one in discover() if one.name} | set(uses)
        raise UnknownNameError(f"no plugin is called {name!r}{did_you_mean(name, known)}")
    loaded = load_entry_point(wanted)
    data = {
        "name": wanted,
        "distribution": found[0].distribution,
        "version": found[0].version,
        "range": found[0].range,
        "about": (inspect.getdoc(loaded) or "").partition("\n\n")[0].replace("\n", " ").strip(),
        "settings": _fields(getattr(loaded, "Settings", None)),
        "touchpoint_kinds": [kind.name for kind in getattr(loaded, "touchpoint_kinds", ())],
        "listens_to": _names(getattr(loaded, "kinds", ())),
        "hooks": [member for member in dir(loaded) if member.startswith("scrmkit_")],
    }
    if as_json:
        print_json(data)
    else:
        _describe(data)


@plugin.command("release")
@click.argument("name")
@click.pass_obj
def release(context: CliContext, name: str) -> None:
    """Let a plugin out of quarantine, by its configured name: it is asked again."""
    from scrmkit.engine.health import release as let_out

    with context.engine() as engine:
        engine.plugins.named(name)
        let_out(engine.database, engine.calls, name)
    note(f"{name} is asked again.")


def _names(kinds: Any) -> list[str]:
    # A class may work its kinds out for each object; then there is nothing to say yet.
    return sorted(kinds) if isinstance(kinds, set | frozenset | tuple | list) else []


def _fields(cls: Any) -> list[dict[str, Any]]:
    if cls is None or not attrs.has(cls):
        return []
    return [
        {
            "name": field.alias or field.name,
            "type": getattr(field.type, "__name__", None) or str(field.type),
            "required": field.default is attrs.NOTHING,
            "default": _default(field),
        }
        for field in attrs.fields(cls)
        if field.init
    ]


def _default(field: attrs.Attribute[Any]) -> str | None:
    if field.default is attrs.NOTHING:
        return None
    made_by = getattr(field.default, "factory", None)
    if made_by is not None:
        return repr(made_by()) if inspect.isclass(made_by) else "…"
    default = getattr(field.default, "value", field.default)
    return repr(default) if isinstance(default, str) or attrs.has(type(default)) else str(default)


def _describe(data: dict[str, Any]) -> None:
    click.echo(f"{data['name']}  ({data['distribution']} {data['version']})")
    if data["about"]:
        click.echo(data["about"])
    for title in ("range", "touchpoint_kinds", "listens_to", "hooks"):
        told = data[title]
        if told:
            text = told if isinstance(told, str) else ", ".join(told)
            click.echo(f"{title.replace('_', ' ')}: {text}")
    if data["settings"]:
        click.echo("")
        rows = [
            (field["name"], field["type"], "required" if field["required"] else field["default"])
            for field in data["settings"]
        ]
        print_table(("setting", "type", "default"), rows)
