"""What a plugin's class and object must be, and everything that they are not."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Generic, Protocol

import pluggy

from scrmkit import hooks, protocols
from scrmkit.domain.touchpoint import TouchpointKind
from scrmkit.settings.structure import did_you_mean

_PROTOCOLS: Mapping[str, type] = {
    "rule": protocols.Rule,
    "mechanic": protocols.Mechanic,
    "channel": protocols.Channel,
    "connector": protocols.Connector,
    "scorer": protocols.Scorer,
}
_ORDER = "the order is the settings' own: move its table up or down in the file"
_REFUSED_OPTIONS = {
    "tryfirst": _ORDER,
    "trylast": _ORDER,
    "wrapper": "observe, gate or transform with a hook of that kind",
    "hookwrapper": "observe, gate or transform with a hook of that kind",
}


def new_manager() -> pluggy.PluginManager:
    """A manager that knows every hook of :mod:`scrmkit.hooks` and no plugin."""
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    return manager


def hook_names(manager: pluggy.PluginManager) -> list[str]:
    """The names of all hooks, in the order of their definition."""
    return [name for name in vars(hooks) if name in vars(manager.hook)]


def protocol_problems(family: str, plugin: object) -> Iterator[str]:
    """What *plugin*, an object or just its class, lacks of its family's protocol."""
    protocol = _PROTOCOLS.get(family)
    if protocol is None:
        return
    for name, wanted in sorted(_members(protocol).items()):
        if wanted is None and inspect.isclass(plugin):
            continue  # an attribute may come with the object
        found = getattr(plugin, name, None)
        if found is None:
            what = "attribute" if wanted is None else "method"
            yield f"it lacks the {what} {name!r} of a {family}"
        elif wanted is not None and not _accepts(plugin, found, wanted):
            shape = ", ".join(list(inspect.signature(wanted).parameters)[1:])
            yield f"its method {name!r} does not take ({shape})"


def _members(protocol: type) -> dict[str, Any]:
    """By name: the function of a method, None for an attribute."""
    members: dict[str, Any] = {}
    for base in protocol.__mro__:
        if base not in (object, Protocol, Generic):
            members |= dict.fromkeys(inspect.get_annotations(base))
            members |= {name: value for name, value in vars(base).items() if callable(value)}
    return {name: value for name, value in members.items() if not name.startswith("_")}


def _accepts(plugin: object, method: object, wanted: Any) -> bool:
    if not callable(method):
        return False
    arguments = list(inspect.signature(wanted).parameters)
    if not (inspect.isclass(plugin) and inspect.isfunction(method)):
        arguments = arguments[1:]
    try:
        inspect.signature(method).bind(*arguments)
    except TypeError:
        return False
    except ValueError:  # one written in C, that says nothing of its arguments
        return True
    return True


def hook_problems(manager: pluggy.PluginManager, plugin: object) -> Iterator[str]:
    """What is wrong with the hooks of *plugin*, an object or just its class."""
    known = hook_names(manager)
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is None:
            if name.startswith(f"{hooks.PROJECT}_") and callable(getattr(plugin, name, None)):
                yield f"{name} is not marked with @hookimpl, and would never be called"
            continue
        hook = options.get("specname") or name
        for option, instead in _REFUSED_OPTIONS.items():
            if options.get(option):
                yield f"hook {hook} is marked {option}, which means nothing here: {instead}"
        if hook not in known:
            if not options.get("optionalhook"):
                yield f"unknown hook {hook}{did_you_mean(hook, known)}"
            continue
        offered = list(inspect.signature(getattr(hooks, hook)).parameters)
        wanted = list(inspect.signature(getattr(plugin, name)).parameters)
        if inspect.isclass(plugin) and inspect.isfunction(getattr(plugin, name)):
            wanted = wanted[1:]
        for argument in wanted:
            if argument not in offered:
                hint = did_you_mean(argument, offered)
                yield f"unknown argument {argument!r} of hook {hook}{hint}"


def kind_problems(type_name: str, registered: Iterable[object]) -> Iterator[str]:
    """What is wrong with the kinds that a plugin of a type registers."""
    for kind in registered:
        if not isinstance(kind, TouchpointKind):
            yield f"touchpoint_kinds holds a {type(kind).__name__}, no TouchpointKind"
        elif not _plain(kind.name).startswith(f"{_plain(type_name)}."):
            yield f"its kind {kind.name!r} does not start with its type; call it {type_name}.…"


def listening_problems(kinds: object, known: Collection[str]) -> Iterator[str]:
    """
    Kinds that a plugin listens to and that cannot come.

    A kind of a plugin that is not there is no problem: it may come one day.
    """
    if not isinstance(kinds, Collection) or isinstance(kinds, str):
        yield "its 'kinds' is no set of names"
        return
    owned = {kind.partition(".")[0] for kind in known}
    for kind in sorted(map(str, kinds)):
        if kind not in known and kind.partition(".")[0] in owned:
            yield f"it listens to the unknown kind {kind!r}{did_you_mean(kind, known)}"


def _plain(name: str) -> str:
    return name.replace("-", "_")
