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
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from scrmkit.domain.segments import Segment
from scrmkit.errors import SettingsError
from scrmkit.settings.model import PluginSettings, Settings
from scrmkit.settings.secret import BY_REFERENCE, Secret
from scrmkit.settings.segments import segments_from
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
    problems: list[str] = []
    _refuse_unknown("", mapping, ("scrmkit", "plugins", "segments"), problems)
    core = _overridden(_table(mapping, "scrmkit", problems), environ)
    _refuse_unknown("scrmkit", core, _CORE, problems)
    folder, database = folder or Path(), _database(core.get("database"), folder, problems)
    tenants = core.get("tenants", ("main",))
    plugins = [
        _plugin(str(name), table, tenants, problems)
        for name, table in _table(mapping, "plugins", problems).items()
    ]
    known: dict[str, Any] = {key: core[key] for key in core if key in _CORE}
    known |= {} if database is None else {"database": database}
    known |= {"environ": environ, "folder": folder, "plugins": [one for one in plugins if one]}
    known["segments"] = _segments(_table(mapping, "segments", problems), tenants, problems)
    try:
        made = structure_options(Settings, known, "scrmkit", environ, folder)
    except SettingsError as error:
        raise SettingsError([*problems, *error.problems]) from None
    if problems:
        raise SettingsError(problems)
    return made


def _refuse_unknown(
    path: str, table: Mapping[str, Any], known: Sequence[str], problems: list[str]
) -> None:
    for key in table:
        if key not in known:
            hint = did_you_mean(str(key), known)
            problems.append(f"{join(path, str(key))}: unknown setting{hint}")


def _table(mapping: Mapping[str, Any], key: str, problems: list[str]) -> dict[str, Any]:
    value = mapping.get(key, {})
    if isinstance(value, Mapping):
        return dict(value)
    problems.append(f"{key}: {expected('a table', value)}")
    return {}


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
        table[keys[-1]] = Secret(text) if keys[0] in ("database", "secret") else value
    return core


def _database(written: Any, folder: Path | None, problems: list[str]) -> Secret | None:
    """The database as the file itself names it; None where it does so by reference or not."""
    if not isinstance(written, str):
        return None
    if "@" in written and ":" in written.partition("://")[2].partition("@")[0]:
        problems.append(f"scrmkit.database: this URL holds a password; {BY_REFERENCE}")
        return Secret("sqlite://")  # stands in for it, so that the rest is looked at as well
    if folder is not None:
        written = _RELATIVE_SQLITE.sub(lambda found: f"{found[1]}{folder / found[2]}", written)
    return Secret(written)


def _plugin(name: str, table: Any, tenants: Any, problems: list[str]) -> PluginSettings | None:
    path = join("plugins", name)
    if not isinstance(table, Mapping):
        problems.append(f"{path}: {expected('a table', table)}")
        return None
    own = ("use", "enabled", "tenant")
    head = {key: table[key] for key in own if key in table}
    options = {key: value for key, value in table.items() if key not in own}
    try:
        plugin = structure_options(
            PluginSettings, {"name": name, "path": path, "options": options, **head}, path, {}
        )
    except SettingsError as error:
        problems += error.problems
        return None
    tenant = plugin.tenant
    if tenant is not None and isinstance(tenants, list | tuple) and tenant not in tenants:
        problems.append(f"{path}.tenant: unknown tenant{did_you_mean(tenant, map(str, tenants))}")
        return None
    return plugin


def _segments(tables: Mapping[str, Any], tenants: Any, problems: list[str]) -> tuple[Segment, ...]:
    try:
        segments = segments_from(tables)
    except SettingsError as error:
        problems += error.problems
        return ()
    for one in segments:
        if (
            one.tenant is not None
            and isinstance(tenants, list | tuple)
            and one.tenant not in tenants
        ):
            hint = did_you_mean(one.tenant, map(str, tenants))
            problems.append(f"{join('segments', one.name)}.tenant: unknown tenant{hint}")
    return segments
