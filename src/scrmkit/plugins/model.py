"""The plugins of one engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import attrs
import pluggy

from scrmkit.domain.touchpoint import TouchpointKind
from scrmkit.errors import UnknownNameError
from scrmkit.settings.structure import did_you_mean


@attrs.frozen(kw_only=True, eq=False)
class LoadedPlugin:
    """
    One configured plugin, made and checked.

    Attributes:
        name: The configured name.
        type: What its distribution calls it; its own kinds start with that.
        distribution: Empty for a class that the program itself supplied.
        plugin: The object.
        tenant: The only tenant that it works for, None for all.
        rank: Its place in the settings' order, from 0.
    """

    name: str
    family: str
    type: str
    distribution: str = ""
    version: str = ""
    plugin: Any = attrs.field(repr=False)
    tenant: str | None = None
    rank: int

    @property
    def whose(self) -> str:
        """The distribution and its version, for messages."""
        return f"{self.distribution} {self.version}" if self.distribution else "this program"

    def serves(self, tenant: str) -> bool:
        """Whether it works for *tenant*."""
        return self.tenant is None or self.tenant == tenant


class Implementation(NamedTuple):
    """One plugin's function for one hook, and the arguments that it wants."""

    plugin: LoadedPlugin
    function: Callable[..., Any]
    argnames: tuple[str, ...]


@attrs.frozen(kw_only=True, eq=False)
class PluginSet:
    """
    All plugins of an engine, in the settings' order.

    Attributes:
        manager: Where pluggy keeps the hooks; the engine calls the
            implementations one by one and never through it.
        kinds: Every kind of touchpoint, the core's and the plugins', by name.
        identity_kinds: Every name of a type of identity.
    """

    plugins: tuple[LoadedPlugin, ...]
    manager: pluggy.PluginManager = attrs.field(repr=False)
    kinds: Mapping[str, TouchpointKind[Any]] = attrs.field(repr=False)
    identity_kinds: frozenset[str] = attrs.field(repr=False)

    def by_family(self, family: str) -> tuple[LoadedPlugin, ...]:
        """Those of one family."""
        return tuple(plugin for plugin in self.plugins if plugin.family == family)

    def named(self, name: str) -> LoadedPlugin:
        """
        The plugin of this configured name.

        Raises:
            UnknownNameError: None is called that.
        """
        for plugin in self.plugins:
            if plugin.name == name:
                return plugin
        hint = did_you_mean(name, [plugin.name for plugin in self.plugins])
        raise UnknownNameError(f"no plugin is configured as {name!r}{hint}")

    def implementations(self, hook: str) -> tuple[Implementation, ...]:
        """
        Who implements *hook*, in the settings' order.

        Raises:
            UnknownNameError: There is no such hook.
        """
        caller = getattr(self.manager.hook, hook, None)
        if caller is None:
            raise UnknownNameError(f"there is no hook {hook!r}; 'scrmkit hooks' lists them")
        owners = {plugin.name: plugin for plugin in self.plugins}
        found = [
            Implementation(owners[implementation.plugin_name], implementation.function, names)
            for implementation in caller.get_hookimpls()
            for names in [tuple(implementation.argnames)]
        ]
        return tuple(sorted(found, key=lambda one: one.plugin.rank))
