"""Making the plugins that the settings enable, or saying everything that is wrong."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any

import attrs
import pluggy

from scrmkit.clock import Clock
from scrmkit.domain.identity import CORE_IDENTITY_KINDS
from scrmkit.domain.kinds import CORE_KINDS
from scrmkit.domain.touchpoint import TouchpointKind
from scrmkit.errors import PluginError, ScrmkitError, SettingsError
from scrmkit.plugins.checks import (
    hook_problems,
    kind_problems,
    listening_problems,
    new_manager,
    protocol_problems,
)
from scrmkit.plugins.discovery import CONFIGURED, FAMILIES, Found, discover
from scrmkit.plugins.model import LoadedPlugin, PluginSet
from scrmkit.protocols import PluginContext
from scrmkit.settings import PluginSettings, Settings, structure_options
from scrmkit.settings.structure import did_you_mean


def load_plugins(
    settings: Settings, clock: Clock, *, extra: Mapping[str, type] = MappingProxyType({})
) -> PluginSet:
    """
    Import, check and make the plugins that the settings enable, in their order.

    Args:
        extra: Classes by ``family.type``, beside what is installed and before it:
            for tests, single-file plugins and programs that bring their own.

    Raises:
        PluginError: With every problem: of settings with its TOML path, of a
            plugin with its distribution. No plugin of the set is active.
    """
    load = _Load(settings, clock, extra)
    loaded = [load.one(plugin) for plugin in settings.plugins if plugin.enabled]
    plugins = tuple(plugin for plugin in loaded if plugin is not None)
    kinds = load.kinds(plugins)
    if settings.segments:
        load.segments()
    scorers = [plugin.name for plugin in plugins if plugin.family == "scorer"]
    if settings.stage_from is not None and settings.stage_from not in scorers:
        hint = did_you_mean(settings.stage_from, scorers)
        load.problems.append(f"scrmkit.stage_from: no scorer of this name is enabled{hint}")
    if load.problems:
        raise PluginError(load.problems)
    return PluginSet(
        plugins=plugins,
        manager=load.manager,
        kinds=kinds,
        identity_kinds=CORE_IDENTITY_KINDS.union(
            *(getattr(plugin.plugin, "identity_kinds", ()) for plugin in plugins)
        ),
    )


class _Load:
    """One loading: what is installed, and the problems so far."""

    def __init__(self, settings: Settings, clock: Clock, extra: Mapping[str, type]) -> None:
        self.problems: list[str] = []
        self.manager: pluggy.PluginManager = new_manager()
        self._settings = settings
        self._clock = clock
        self._extra = extra
        self._installed = discover()
        self._made = 0

    def one(self, configured: PluginSettings) -> LoadedPlugin | None:
        """Make one plugin; None, and a problem more, where that fails."""
        source = self._source(configured)
        if source is None:
            return None
        before = len(self.problems)
        doing = "it cannot be imported"
        try:
            cls = source.load()
            if not inspect.isclass(cls):
                self._add(configured, source, f"{configured.use} is no class")
                return None
            made = self._make(configured, source, cls)
            doing = "it cannot be checked"
            judged = cls if made is None else made
            self._add(configured, source, *protocol_problems(source.family, judged))
            self._add(configured, source, *hook_problems(self.manager, judged))
            registered = getattr(judged, "touchpoint_kinds", ())
            self._add(configured, source, *kind_problems(source.type, registered))
            if made is None or len(self.problems) > before:
                return None
            self.manager.register(made, configured.name)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
            self._add(configured, source, f"{doing}: {_told(error)}")
            return None
        self._made += 1
        return LoadedPlugin(
            name=configured.name, family=source.family, type=source.type, plugin=made,
            distribution=source.distribution, version=source.version, tenant=configured.tenant,
            rank=self._made - 1,
        )  # fmt: skip

    def kinds(self, plugins: Sequence[LoadedPlugin]) -> Mapping[str, TouchpointKind[Any]]:
        """All kinds of touchpoints; conflicts, and kinds nobody can send, are problems."""
        kinds = {kind.name: kind for kind in CORE_KINDS}
        owners = dict.fromkeys(kinds, "scrmkit itself")
        for plugin in plugins:
            for kind in getattr(plugin.plugin, "touchpoint_kinds", ()):
                owner = owners.setdefault(kind.name, plugin.whose)
                if kinds.setdefault(kind.name, kind) != kind:
                    self.problems.append(
                        f"plugins.{plugin.name} ({plugin.whose}): its kind {kind.name!r}"
                        f" is registered otherwise by {owner}"
                    )
        for plugin in plugins:
            for problem in listening_problems(getattr(plugin.plugin, "kinds", ()), kinds):
                self.problems.append(f"plugins.{plugin.name} ({plugin.whose}): {problem}")
        return MappingProxyType(kinds)

    def segments(self) -> None:
        """Let the distribution that reads the tables of segments say what is wrong with them."""
        found = self._provider("settings.segments", "segments", "; install scrmkit-audience")
        if found is None:
            return
        try:
            found.load()(self._settings)
        except SettingsError as error:
            self.problems += error.problems
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a distribution may be broken
            self.problems.append(f"segments ({found.whose}): cannot be read: {_told(error)}")

    def _add(self, configured: PluginSettings, source: Found, *problems: str) -> None:
        self.problems += [f"{configured.path} ({source.whose}): {text}" for text in problems]

    def _source(self, configured: PluginSettings) -> Found | None:
        use = configured.use
        family, _, target = use.partition(".")
        if family not in CONFIGURED:
            what = "needs no settings" if family in FAMILIES else "is no family of plugins"
            problem = f"{family!r} {what}{did_you_mean(family, CONFIGURED)}"
        elif ":" in target:
            load = partial(_import, target, str(self._settings.folder))
            return Found(name=f"{family}.{configured.name}", load=load)
        elif use in self._extra:
            return Found(name=use, load=partial(self._extra.__getitem__, use))
        else:
            known = {one.name for one in self._installed if one.family in CONFIGURED}
            hint = did_you_mean(use, known.union(self._extra), "installed:")
            return self._provider(use, f"{configured.path}.use", hint)
        self.problems.append(f"{configured.path}.use: {problem}")
        return None

    def _provider(self, name: str, path: str, hint: str) -> Found | None:
        """What is installed as *name*; None, and a problem more, where that is not one thing."""
        installed = [one for one in self._installed if one.name == name]
        if not installed:
            problem = f"nothing that is installed provides {name!r}{hint}"
        elif len(installed) > 1:
            whose = " and ".join(one.whose for one in installed)
            problem = f"{name!r} is provided by {whose}; uninstall all but one"
        elif installed[0].problem:
            problem = f"{installed[0].whose}: {installed[0].problem}"
        else:
            return installed[0]
        self.problems.append(f"{path}: {problem}")
        return None

    def _make(self, configured: PluginSettings, source: Found, cls: type) -> Any | None:
        environ, folder = self._settings.environ, self._settings.folder
        doing = "its Settings cannot be read"
        try:
            wanted = getattr(cls, "Settings", _NoSettings)
            options = structure_options(
                wanted, configured.options, configured.path, environ, folder
            )
            doing = "its constructor failed"
            return cls(PluginContext(name=configured.name, settings=options, clock=self._clock))
        except SettingsError as error:
            self.problems += error.problems
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            self._add(configured, source, f"{doing}: {_told(error)}")
        return None


@attrs.frozen
class _NoSettings:
    """The settings of a plugin that takes none."""


def _told(error: BaseException) -> str:
    """What may be said of an exception: its text only where it holds no values."""
    name = type(error).__name__
    return f"{name}: {error}" if isinstance(error, ImportError | ScrmkitError) else name


def _import(target: str, folder: str) -> Any:
    # Last, so that a file beside the settings never hides an installed module.
    if folder not in sys.path:
        sys.path.append(folder)
    module, _, name = target.partition(":")
    try:
        return getattr(import_module(module), name)
    except AttributeError as error:
        raise ImportError(f"{module} has no {name}") from error
