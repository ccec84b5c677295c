"""The plugins of one engine: made as the settings say, or everything that is wrong said."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

import attrs
import pluggy

from scrmkit import errors
from scrmkit.clock import Clock
from scrmkit.domain.identity import CORE_IDENTITY_KINDS
from scrmkit.domain.kinds import CORE_KINDS
from scrmkit.domain.touchpoint import TouchpointKind
from scrmkit.hooks import SPECS
from scrmkit.plugins import checks
from scrmkit.plugins.discovery import CONFIGURED, FAMILIES, Found, discover, the_one
from scrmkit.protocols import PluginContext
from scrmkit.settings import PluginSettings, Settings, structure_options
from scrmkit.settings.structure import did_you_mean

Factory = Callable[..., Any]
"""A plugin's class, or a function that makes the object of its context."""


@attrs.frozen(kw_only=True, eq=False)
class LoadedPlugin:
    """
    One configured plugin, made and checked.

    Attributes:
        name: The configured name.
        type: What its distribution calls it; its own kinds start with that.
        whose: The distribution and its version, for messages.
        plugin: The object.
        tenant: The only tenant that it works for, None for all.
        rank: Its place in the settings' order, from 0.
        hooks: What it implements: names of hooks with pluggy's record.
    """

    name: str
    family: str
    type: str
    whose: str
    plugin: Any = attrs.field(repr=False)
    tenant: str | None = None
    rank: int
    hooks: Sequence[tuple[str, pluggy.HookImpl]] = attrs.field(default=(), repr=False)

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
        kinds: Every kind of touchpoint, the core's and the plugins', by name.
        identity_kinds: Every name of a type of identity.
    """

    plugins: tuple[LoadedPlugin, ...]
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
        raise errors.UnknownNameError(f"no plugin is configured as {name!r}{hint}")

    def implementations(self, hook: str) -> tuple[Implementation, ...]:
        """
        Who implements *hook*, in the settings' order.

        Raises:
            UnknownNameError: There is no such hook.
        """
        if hook not in SPECS:
            raise errors.UnknownNameError(f"there is no hook {hook!r}; 'scrmkit hooks' lists them")
        return tuple(
            Implementation(loaded, one.function, tuple(inspect.signature(one.function).parameters))
            for loaded in self.plugins
            for name, one in loaded.hooks
            if name == hook
        )


def load_plugins(settings: Settings, clock: Clock, *, extra: Mapping[str, Factory] = MappingProxyType({})) -> PluginSet:
    """
    Import, check and make the plugins that the settings enable, in their order.

    Args:
        extra: Classes or factories by ``family.type``, beside what is installed and
            before it: for tests, single-file plugins and programs that bring their own.

    Raises:
        PluginError: With every problem: of settings with its TOML path, of a
            plugin with its distribution. No plugin of the set is active.
    """
    load = _Load(settings, clock, extra)
    for configured in settings.plugins:
        if configured.enabled:
            load.add(configured)
    kinds = load.kinds()
    if settings.segments:
        load.segments()
    scorers = [plugin.name for plugin in load.plugins if plugin.family == "scorer"]
    if settings.stage_from is not None and settings.stage_from not in scorers:
        hint = did_you_mean(settings.stage_from, scorers)
        load.problems.append(f"scrmkit.stage_from: no scorer of this name is enabled{hint}")
    if load.problems:
        raise errors.PluginError(load.problems)
    return PluginSet(
        plugins=tuple(load.plugins),
        kinds=kinds,
        identity_kinds=CORE_IDENTITY_KINDS.union(
            *(getattr(loaded.plugin, "identity_kinds", ()) for loaded in load.plugins)
        ),
    )


class _Load:
    """One loading: what is installed, and the plugins and problems so far."""

    def __init__(self, settings: Settings, clock: Clock, extra: Mapping[str, Factory]) -> None:
        self.plugins: list[LoadedPlugin] = []
        self.problems: list[str] = []
        self._settings = settings
        self._clock = clock
        self._extra = extra
        self._installed = discover()

    def add(self, configured: PluginSettings) -> None:
        """Make one plugin; add a problem, or all of its problems, where that fails."""
        source = self._source(configured)
        if source is None:
            return
        before, where = len(self.problems), f"{configured.path} ({source.whose}): "
        attempt = partial(self._attempt, where)
        make = attempt("it cannot be imported", _factory, source, where)
        if make is None:
            return
        wanted = getattr(make, "Settings", _NoSettings)
        options = attempt(
            "its Settings cannot be read", structure_options, wanted, configured.options,
            configured.path, self._settings.environ, self._settings.folder,
        )  # fmt: skip
        made = None
        if options is not None:
            context = PluginContext(name=configured.name, settings=options, clock=self._clock)
            made = attempt("its constructor failed", _make, make, context, configured.path)
        if made is not None or inspect.isclass(make):
            judged = make if made is None else made
            found = checks.plugin_problems(source.family, source.type, judged)
            wrong = attempt("it cannot be checked", list, found) or ()
            self.problems += [where + problem for problem in wrong]
        if len(self.problems) == before:
            self.plugins.append(
                LoadedPlugin(
                    name=configured.name, family=source.family, type=source.type, plugin=made,
                    whose=source.whose, tenant=configured.tenant, rank=len(self.plugins),
                    hooks=checks.implementations_of(made),
                )
            )  # fmt: skip

    def kinds(self) -> Mapping[str, TouchpointKind[Any]]:
        """All kinds of touchpoints; conflicts, and kinds nobody can send, are problems."""
        kinds = {kind.name: kind for kind in CORE_KINDS}
        owners = dict.fromkeys(kinds, "scrmkit itself")
        problems = []
        for loaded in self.plugins:
            for kind in getattr(loaded.plugin, "touchpoint_kinds", ()):
                owner = owners.setdefault(kind.name, loaded.whose)
                if kinds.setdefault(kind.name, kind) != kind:
                    problem = f"its kind {kind.name!r} is registered otherwise by {owner}"
                    problems.append((loaded, problem))
        for loaded in self.plugins:
            listens = getattr(loaded.plugin, "kinds", ())
            problems += [(loaded, text) for text in checks.listening_problems(listens, kinds)]
        self.problems += [f"plugins.{one.name} ({one.whose}): {text}" for one, text in problems]
        return MappingProxyType(kinds)

    def segments(self) -> None:
        """Let the distribution that reads the tables of segments say what is wrong with them."""
        found = self._provider("settings.segments", "segments", "; install scrmkit-audience")
        if found is not None:
            where = f"segments ({found.whose}): "
            self._attempt(where, "cannot be read", lambda: found.load()(self._settings))

    def _attempt(self, where: str, doing: str, function: Callable[..., Any], *args: Any) -> Any:
        """What *function* returns; None, and problems more, where it raises."""
        try:
            return function(*args)
        except (errors.SettingsError, errors.PluginError) as error:
            self.problems += error.problems
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
            own = isinstance(error, ImportError | errors.ScrmkitError)  # holds no values
            name = type(error).__name__
            self.problems.append(f"{where}{doing}: {f'{name}: {error}' if own else name}")
        return None

    def _source(self, configured: PluginSettings) -> Found | None:
        use = configured.use
        family, _, target = use.partition(".")
        if family not in CONFIGURED:
            what = "needs no settings" if family in FAMILIES else "is no family of plugins"
            problem = f"{family!r} {what}{did_you_mean(family, CONFIGURED)}"
            self.problems.append(f"{configured.path}.use: {problem}")
            return None
        if ":" in target:
            load = partial(_import, target, str(self._settings.folder))
            return Found(name=f"{family}.{configured.name}", load=load)
        if use in self._extra:
            return Found(name=use, load=partial(self._extra.__getitem__, use))
        names = {one.name for one in self._installed if one.family in CONFIGURED}
        hint = did_you_mean(use, names.union(self._extra), "installed:")
        return self._provider(use, f"{configured.path}.use", hint)

    def _provider(self, name: str, path: str, hint: str) -> Found | None:
        """What is installed as *name*; None, and a problem more, where that is not one thing."""
        try:
            return the_one(name, [one for one in self._installed if one.name == name], hint)
        except errors.PluginError as error:
            self.problems.append(f"{path}: {error}")
            return None


@attrs.frozen
class _NoSettings:
    """The settings of a plugin that takes none."""


def _factory(source: Found, where: str) -> Factory:
    make: Factory = source.load()
    if not callable(make):
        raise errors.PluginError([f"{where}{source.name} is no class, and makes no plugin"])
    return make


def _make(make: Factory, context: PluginContext[Any], path: str) -> Any:
    try:
        made = make(context)
    except errors.SettingsError as error:
        raise errors.SettingsError([f"{path}.{problem}" for problem in error.problems]) from None
    if made is None:
        raise errors.InvalidValueError("it made nothing")
    return made


def _import(target: str, folder: str) -> Any:
    # Last, so that a file beside the settings never hides an installed module.
    if folder not in sys.path:
        sys.path.append(folder)
    module, _, name = target.partition(":")
    try:
        return getattr(import_module(module), name)
    except AttributeError as error:
        raise ImportError(f"{module} has no {name}") from error
