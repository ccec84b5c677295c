"""What a plugin's class and object must be, and everything that they are not."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import pluggy

from scrmkit import hooks, protocols
from scrmkit.domain.touchpoint import TouchpointKind
from scrmkit.settings.structure import did_you_mean

_PROTOCOLS: dict[str, Any] = {
    "rule": protocols.Rule, "mechanic": protocols.Mechanic, "channel": protocols.Channel,
    "connector": protocols.Connector, "scorer": protocols.Scorer,
}  # fmt: skip
_MOVE = "the order is the settings' own: move its table up or down in the file"
_SPLIT = "observe, gate or transform with a hook of that kind"
_REFUSED = {"tryfirst": _MOVE, "trylast": _MOVE, "wrapper": _SPLIT, "hookwrapper": _SPLIT}


def plugin_problems(family: str, type_name: str, plugin: object) -> Iterator[str]:
    """What is wrong with a plugin of a family and type: the object, or just its class."""
    yield from protocol_problems(family, plugin)
    yield from hook_problems(plugin)
    for kind in getattr(plugin, "touchpoint_kinds", ()):
        if not isinstance(kind, TouchpointKind):
            yield f"touchpoint_kinds holds a {type(kind).__name__}, no TouchpointKind"
        elif not _plain(kind.name).startswith(f"{_plain(type_name)}."):
            yield f"its kind {kind.name!r} does not start with its type; call it {type_name}.…"


def protocol_problems(family: str, plugin: object) -> Iterator[str]:
    """What *plugin*, an object or just its class, lacks of its family's protocol."""
    made = _made(plugin)
    for name, wanted in sorted(_members(_PROTOCOLS.get(family, object)).items()):
        found = getattr(made, name, None)
        if wanted and getattr(found, "__func__", None) is wanted:
            found = None  # the protocol's own, which does nothing
        arguments = list(inspect.signature(wanted).parameters)[1:] if wanted else []
        if found is None and (wanted or made is plugin):  # an attribute may come with the object
            yield f"it lacks the {'method' if wanted else 'attribute'} {name!r} of a {family}"
        elif wanted and not _takes(found, arguments):
            yield f"its method {name!r} does not take ({', '.join(arguments)})"


def _made(plugin: Any) -> Any:
    """Something with the methods of the plugin, where there is no object but its class."""
    return plugin.__new__(plugin) if inspect.isclass(plugin) else plugin


def _members(protocol: type) -> dict[str, Any]:
    """By name: the function of a method, None for an attribute."""
    return {
        name: getattr(protocol, name, None)
        for base in protocol.__mro__
        for name in (*inspect.get_annotations(base), *vars(base))
        if not name.startswith("_")
    }


def _takes(method: Any, arguments: Iterable[str]) -> bool:
    try:
        with contextlib.suppress(ValueError):  # one written in C says nothing of its arguments
            inspect.signature(method).bind(*arguments)
    except TypeError:
        return False
    return True


def implementations_of(plugin: object) -> list[tuple[str, pluggy.HookImpl]]:
    """What a plugin implements: the hook's name, known or not, and pluggy's record of it."""
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.register(plugin)
    callers = manager.get_hookcallers(plugin) or ()
    return [(caller.name, one) for caller in callers for one in caller.get_hookimpls()]


def hook_problems(plugin: object) -> Iterator[str]:
    """What is wrong with the hooks of *plugin*, an object or just its class."""
    made, manager = _made(plugin), pluggy.PluginManager(hooks.PROJECT)
    named = [name for name in dir(made) if name.startswith(f"{hooks.PROJECT}_")]
    for name in named:
        if callable(getattr(made, name)) and not manager.parse_hookimpl_opts(made, name):
            yield f"{name} is not marked with @hookimpl, and would never be called"
    for hook, one in implementations_of(made):
        for option, instead in _REFUSED.items():
            if getattr(one, option):
                yield f"hook {hook} is marked {option}, which means nothing here: {instead}"
        if hook in hooks.SPECS:
            offered = list(inspect.signature(hooks.SPECS[hook]).parameters)
            for argument in inspect.signature(one.function).parameters:
                if argument not in offered:
                    hint = did_you_mean(argument, offered)
                    yield f"unknown argument {argument!r} of hook {hook}{hint}"
        elif not one.optionalhook:
            yield f"unknown hook {hook}{did_you_mean(hook, hooks.SPECS)}"


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
