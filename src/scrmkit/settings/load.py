"""
Reading the settings' file, with what the environment overrides.

The rule for overrides: ``SCRMKIT_`` and the key in capitals, a dot written
``_``, replaces a scalar of ``[scrmkit]``: ``SCRMKIT_DATABASE``,
``SCRMKIT_SECRET``, ``SCRMKIT_ZONE``, ``SCRMKIT_DURABILITY``,
``SCRMKIT_STAGE_FROM``, ``SCRMKIT_CALLS_BUDGET_MS``,
``SCRMKIT_CALLS_QUARANTINE_AFTER``. An empty variable overrides nothing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs

from scrmkit.errors import SettingsError
from scrmkit.settings.model import PluginSettings, Settings
from scrmkit.settings.secret import Secret
from scrmkit.settings.structure import did_you_mean, join, structure_options

_SCALARS = ("database", "secret", "zone", "durability", "stage_from", "calls.budget_ms", "calls.quarantine_after")
OVERRIDES: Mapping[str, tuple[str, ...]] = {
    f"SCRMKIT_{key.upper().replace('.', '_')}": tuple(key.split(".")) for key in _SCALARS
}
_HEAD = ("use", "enabled", "tenant")


@attrs.frozen(kw_only=True)
class _File:
    """The whole of a settings' file."""

    scrmkit: Settings
    plugins: Mapping[str, PluginSettings] = attrs.field(factory=dict)
    segments: Mapping[str, Any] = attrs.field(factory=dict)


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """
    Read the TOML file *path*; variables of *environ* override and supply secrets.

    Relative paths in the file, SQLite's included, start at the file's folder.

    Raises:
        SettingsError: The file cannot be read, or with every problem in it.
    """
    try:
        mapping = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{path}: this is not TOML: {error}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        hint = "; run 'scrmkit init' to write one" if isinstance(error, FileNotFoundError) else ""
        kind = type(error).__name__
        raise SettingsError([f"{path}: the settings cannot be read ({kind}){hint}"]) from None
    return settings_from(mapping, environ, folder=path.absolute().parent)


def settings_from(mapping: Mapping[str, Any], environ: Mapping[str, str], *, folder: Path | None = None) -> Settings:
    """
    Make settings of what would stand in the file.

    Args:
        folder: Where relative paths start; without one, where the process runs.

    Raises:
        SettingsError: With every problem and its TOML path.
    """
    folder = folder or Path()
    core = _overridden(mapping.get("scrmkit", {}), environ)
    plugins = mapping.get("plugins", {})
    if isinstance(plugins, Mapping):
        plugins = {name: _configured(str(name), table) for name, table in plugins.items()}
    tenants = _as_table(core).get("tenants", ["main"])
    problems = list(_strangers(_as_table(plugins), tenants))
    try:
        given = {**mapping, "scrmkit": core, "plugins": plugins}
        file = structure_options(_File, given, "", environ, folder)
    except SettingsError as error:
        raise SettingsError([*error.problems, *problems]) from None
    if problems:
        raise SettingsError(problems)
    return attrs.evolve(
        file.scrmkit, plugins=tuple(file.plugins.values()), segments=file.segments, environ=environ, folder=folder
    )


def _as_table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _overridden(core: Any, environ: Mapping[str, str]) -> Any:
    """The table ``[scrmkit]`` with what *environ* overrides; as it is where it is none."""
    if not isinstance(core, Mapping):
        return core
    overridden = dict(core)
    for variable, (*tables, key) in OVERRIDES.items():
        text = environ.get(variable)
        if text:
            table = overridden
            for name in tables:
                table[name] = table = dict(_as_table(table.get(name)))
            number = bool(tables) and text.isdecimal()
            secret = key in ("database", "secret")
            table[key] = Secret(text) if secret else int(text) if number else text
    return overridden


def _configured(name: str, table: Any) -> Any:
    """The table of one plugin, with its own settings in a table of their own."""
    if not isinstance(table, Mapping):
        return table
    head = {key: table[key] for key in _HEAD if key in table}
    options = {key: value for key, value in table.items() if key not in _HEAD}
    return {"name": name, "options": options, **head}


def _strangers(plugins: Mapping[str, Any], tenants: Any) -> Iterator[str]:
    """Whether plugins work for tenants that nobody named; said beside what else is wrong."""
    known = tenants if isinstance(tenants, list | tuple) else ()
    for name, table in plugins.items():
        tenant = _as_table(table).get("tenant")
        if known and isinstance(tenant, str) and tenant not in known:
            hint = did_you_mean(tenant, map(str, known))
            yield f"{join('plugins', name)}.tenant: unknown tenant{hint}"
