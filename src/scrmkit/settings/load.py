"""
Reading the settings' file, with what the environment overrides.

The rule for overrides: ``SCRMKIT_`` and the key in capitals, a dot written
``_``, replaces a scalar of ``[scrmkit]``: ``SCRMKIT_DATABASE``,
``SCRMKIT_SECRET``, ``SCRMKIT_ZONE``, ``SCRMKIT_DURABILITY``,
``SCRMKIT_STAGE_FROM``, ``SCRMKIT_CALLS_BUDGET_MS``,
``SCRMKIT_CALLS_QUARANTINE_AFTER``. An empty variable overrides nothing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from scrmkit.errors import InvalidValueError, SettingsError
from scrmkit.settings.model import PluginSettings, Settings
from scrmkit.settings.secret import BY_REFERENCE, Secret, secret_from
from scrmkit.settings.structure import did_you_mean, expected, join, structure_options

OVERRIDES: Mapping[str, tuple[str, ...]] = {
    "SCRMKIT_DATABASE": ("database",),
    "SCRMKIT_SECRET": ("secret",),
    "SCRMKIT_ZONE": ("zone",),
    "SCRMKIT_DURABILITY": ("durability",),
    "SCRMKIT_STAGE_FROM": ("stage_from",),
    "SCRMKIT_CALLS_BUDGET_MS": ("calls", "budget_ms"),
    "SCRMKIT_CALLS_QUARANTINE_AFTER": ("calls", "quarantine_after"),
}
_CORE = ("tenants", "database", "secret", "zone", "durability", "calls", "policy", "stage_from")
_SECRETS = {"database": Secret("sqlite://"), "secret": Secret("x" * 16)}
"""What is known only by reference, with a stand-in where the reference is broken."""
_RELATIVE_SQLITE = re.compile(r"(sqlite(?:\+\w+)?:///)(?!/|:memory:|file:)(.+)")


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """
    Read the TOML file *path*; variables of *environ* override and supply secrets.

    Relative paths in the file, SQLite's included, start at the file's folder.

    Raises:
        SettingsError: The file cannot be read, or with every problem in it.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        hint = "; run 'scrmkit init' to write one" if isinstance(error, FileNotFoundError) else ""
        kind = type(error).__name__
        raise SettingsError([f"{path}: the settings cannot be read ({kind}){hint}"]) from None
    try:
        mapping = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{path}: this is not TOML: {error}"]) from None
    return settings_from(mapping, environ, folder=path.absolute().parent)


def settings_from(
    mapping: Mapping[str, Any], environ: Mapping[str, str], *, folder: Path | None = None
) -> Settings:
    """
    Make settings of what would stand in the file.

    Args:
        folder: Where relative paths start; without one, where the process runs.

    Raises:
        SettingsError: With every problem and its TOML path.
    """
    problems = [
        f"{join('', str(key))}: unknown table" + did_you_mean(str(key), ("scrmkit", "plugins"))
        for key in mapping
        if key not in ("scrmkit", "plugins")
    ]
    core = _table(mapping, "scrmkit", problems)
    tables = _table(mapping, "plugins", problems)
    core = _overridden(_with_secrets(core, environ, folder, problems), environ)
    made = _core(core, environ, folder or Path(), problems)
    plugins = [_plugin(str(name), table, problems) for name, table in tables.items()]
    if made is not None:
        known = made.tenants
        problems += [
            f"{plugin.path}.tenant: unknown tenant" + did_you_mean(plugin.tenant, known)
            for plugin in plugins
            if plugin is not None and plugin.tenant is not None and plugin.tenant not in known
        ]
    if made is None or problems:
        raise SettingsError(problems)
    return attrs.evolve(
        made,
        plugins=tuple(plugin for plugin in plugins if plugin is not None),
        environ=environ,
        folder=folder or Path(),
    )


def _table(mapping: Mapping[str, Any], key: str, problems: list[str]) -> dict[str, Any]:
    value = mapping.get(key, {})
    if isinstance(value, Mapping):
        return dict(value)
    problems.append(f"{key}: {expected('a table', value)}")
    return {}


def _with_secrets(
    core: dict[str, Any], environ: Mapping[str, str], folder: Path | None, problems: list[str]
) -> dict[str, Any]:
    """Replace references by their secrets, but for those that the environment overrides."""
    for key, stand_in in _SECRETS.items():
        if environ.get(f"SCRMKIT_{key.upper()}") or (key == "database" and key not in core):
            continue
        written = core.get(key)
        try:
            if key == "database" and isinstance(written, str):
                core[key] = _plain_database(written, folder)
            elif written is None:
                raise InvalidValueError(f"this setting is missing; {BY_REFERENCE}")
            else:
                core[key] = secret_from(written, environ, folder or Path())
        except InvalidValueError as error:
            problems.append(f"scrmkit.{key}: {error}")
            core[key] = stand_in
    return core


def _plain_database(url: str, folder: Path | None) -> Secret:
    try:
        password = urlsplit(url).password
    except ValueError:
        password = None
    if password is not None:
        raise InvalidValueError(f"this URL holds a password; {BY_REFERENCE}")
    if folder is not None:
        url = _RELATIVE_SQLITE.sub(lambda found: f"{found[1]}{folder / found[2]}", url)
    return Secret(url)


def _overridden(core: dict[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    for variable, keys in OVERRIDES.items():
        text = environ.get(variable)
        if not text:
            continue
        table = core
        if len(keys) > 1:
            inner = core.get(keys[0])
            table = core[keys[0]] = dict(inner) if isinstance(inner, Mapping) else {}
        value: Any = int(text) if keys[0] == "calls" and text.isdecimal() else text
        table[keys[-1]] = Secret(text) if keys[0] in _SECRETS else value
    return core


def _core(
    core: dict[str, Any], environ: Mapping[str, str], folder: Path, problems: list[str]
) -> Settings | None:
    unknown = [key for key in core if key not in _CORE]
    problems += [
        f"{join('scrmkit', str(key))}: unknown setting" + did_you_mean(str(key), _CORE)
        for key in unknown
    ]
    known = {key: value for key, value in core.items() if key in _CORE}
    try:
        return structure_options(Settings, known, "scrmkit", environ, folder)
    except SettingsError as error:
        problems += error.problems
        return None


def _plugin(name: str, table: Any, problems: list[str]) -> PluginSettings | None:
    path = join("plugins", name)
    if not isinstance(table, Mapping):
        problems.append(f"{path}: {expected('a table', table)}")
        return None
    own = ("use", "enabled", "tenant")
    head = {key: table[key] for key in own if key in table}
    options = {key: value for key, value in table.items() if key not in own}
    try:
        return structure_options(
            PluginSettings, {"name": name, "path": path, "options": options, **head}, path, {}
        )
    except SettingsError as error:
        problems += error.problems
        return None
