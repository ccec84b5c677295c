"""What the settings say, as values."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from scrmkit.domain.organisation import DEFAULT_ZONE
from scrmkit.domain.policy import Policy
from scrmkit.domain.text import at_least
from scrmkit.errors import InvalidValueError
from scrmkit.settings.secret import DatabaseUrl, Secret
from scrmkit.settings.structure import ELSEWHERE


def _like(pattern: str, text: str) -> Callable[[Any, Any, Any], None]:
    """A validator that refuses with *text* what is not like *pattern*."""

    def check(instance: object, attribute: object, value: str | Secret) -> None:
        written = value.reveal() if isinstance(value, Secret) else value
        if not re.fullmatch(pattern, written, re.DOTALL):
            raise InvalidValueError(text)

    return check


class Durability(enum.StrEnum):
    """
    When SQLite calls a commit done.

    full: when the disk has it; a power cut loses nothing that was answered.
    normal: when the operating system has it; a crash of the process loses
    nothing, a power cut may lose the last commits, and never corrupts.
    PostgreSQL has its own ``synchronous_commit`` and takes no notice.
    """

    FULL = "full"
    NORMAL = "normal"


@attrs.frozen(kw_only=True)
class Calls:
    """
    How plugins are watched.

    Attributes:
        budget_ms: How long one call may take, in milliseconds.
        quarantine_after: After how many failures or overruns in a row a
            plugin is not asked any more.
    """

    budget_ms: int = attrs.field(default=50, validator=at_least(1))
    quarantine_after: int = attrs.field(default=20, validator=at_least(1))


def _read_only(options: Mapping[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(dict(options))


@attrs.frozen(kw_only=True)
class PluginSettings:
    """
    One configured plugin, a ``[plugins.NAME]`` table.

    Attributes:
        name: Unique in the settings; the order of the file is the order of calls.
        use: The entry point, such as ``channel.wecom``; or ``family.module:Class``
            for a class that stands in no distribution.
        enabled: Whether it is loaded at all.
        tenant: The only tenant that it works for, None for all.
        options: The plugin's own settings, not read yet.
        path: The table's TOML path, for messages.
    """

    name: str = attrs.field(
        validator=_like(
            "[a-z0-9][a-z0-9_-]{0,63}", "a plugin's name has 1 to 64 of a-z 0-9 - _ and starts with a letter or a digit"
        )
    )
    use: str
    enabled: bool = True
    tenant: str | None = None
    options: Mapping[str, Any] = attrs.field(factory=dict, converter=_read_only, repr=False, hash=False)
    path: str = attrs.field(eq=False)

    @path.default
    def _default_path(self) -> str:
        return f"plugins.{self.name}"


def _each_once(instance: object, attribute: object, value: tuple[str, ...]) -> None:
    if not value or len(set(value)) != len(value):
        raise InvalidValueError("name at least one tenant, and each once")


_TENANT = _like("[a-z0-9_-]{1,32}", "a tenant's id has 1 to 32 of a-z 0-9 - _")
_SECRET = _like(".{16,}", "the secret has at least 16 characters; 32 random ones are good")
_DATABASE = _like(
    r"(sqlite|postgresql)(\+\w+)?://.*", "the database is a URL such as sqlite:///scrmkit.db or postgresql+psycopg://…"
)


@attrs.frozen(kw_only=True)
class Settings:
    """
    All that an engine is made with.

    Attributes:
        tenants: Ids of the tenants, 1 to 32 of ``a-z 0-9 - _`` each.
        database: A database URL; by reference where it holds a password.
        secret: Seeds chance and signs; at least 16 characters. Another secret
            draws otherwise: keep it as long as the database.
        zone: The zone of customers and shops of whom no other is known.
        durability: When SQLite calls a commit done.
        calls: How plugins are watched.
        policy: The contact policy.
        stage_from: The configured scorer whose lifecycle stage is the customer's.
        plugins: The configured plugins, in the order of the file.
        segments: The ``[segments.NAME]`` tables, not read yet: scrmkit-audience does that.
        environ: Where ``{env = …}`` of plugins is looked up.
        folder: Where ``{file = …}`` and relative paths of plugins start.
    """

    tenants: tuple[str, ...] = attrs.field(
        default=("main",), validator=[_each_once, attrs.validators.deep_iterable(_TENANT)]
    )
    database: DatabaseUrl = attrs.field(default=Secret("sqlite:///scrmkit.db"), validator=_DATABASE)
    secret: Secret = attrs.field(validator=_SECRET)
    zone: ZoneInfo = ZoneInfo(DEFAULT_ZONE)
    durability: Durability = Durability.FULL
    calls: Calls = Calls()
    policy: Policy = Policy()
    stage_from: str | None = None
    plugins: tuple[PluginSettings, ...] = attrs.field(default=(), metadata=ELSEWHERE)
    segments: Mapping[str, Any] = attrs.field(factory=dict, converter=_read_only, hash=False, metadata=ELSEWHERE)
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False, eq=False, metadata=ELSEWHERE)
    folder: Path = attrs.field(factory=Path, eq=False, metadata=ELSEWHERE)

    @plugins.validator
    def _plugins_fit(self, attribute: object, plugins: tuple[PluginSettings, ...]) -> None:
        names = [plugin.name for plugin in plugins]
        for plugin in plugins:
            if names.count(plugin.name) > 1:
                raise InvalidValueError(f"{plugin.path} is there twice")
            if plugin.tenant is not None and plugin.tenant not in self.tenants:
                raise InvalidValueError(f"{plugin.path}.tenant: there is no tenant of this name")
