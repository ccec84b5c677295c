"""The page of the public names."""

from __future__ import annotations

import enum
import inspect
import typing
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import attrs
from _render import Doc, code, fields, page, shown, table, written

import scrmkit

ELSEWHERE = {
    "domain.effects": "effects.md",
    "domain.reads": "reads.md",
    "domain.kinds": "kinds.md",
    "errors": "errors.md",
}
"""Modules whose names have pages of their own."""

BESIDE = ("scrmkit_audience", "scrmkit_insight")
"""Packages that are given an engine, with public names of their own."""


def names_page() -> str:
    """Everything in ``scrmkit.__all__``, and in that of each extension."""
    parts = [
        "What `scrmkit.__all__` lists, by the module that it comes from: `from scrmkit import …`.\n"
        "Each loads on first use, so that importing `scrmkit` costs nothing. What stands here is\n"
        "public, and so is what the extensions at the end of this page list;\n"
        "[versions and compatibility](../compatibility.md) says what that means.\n"
    ]
    modules: dict[str, list[str]] = {}
    for name in scrmkit.__all__:
        modules.setdefault(scrmkit._modules()[name].removeprefix("scrmkit."), []).append(name)
    for module in sorted(modules, key=lambda one: (one in ELSEWHERE, "." in one, one)):
        parts.append(f"## scrmkit.{module}\n")
        parts.append(f"{Doc(import_module(f'scrmkit.{module}')).first}\n")
        listed = modules[module]
        if module in ELSEWHERE:
            rows = [(code(name), _first(getattr(scrmkit, name))) for name in listed]
            parts += [f"In full: [{ELSEWHERE[module]}]({ELSEWHERE[module]}).\n", table(("name", ""), rows)]
        else:
            for name in listed:
                parts += [f"### {name}\n", *_described(name, getattr(scrmkit, name))]
    for package in BESIDE:
        parts += _package(package)
    return page("Public names", *parts)


def _package(name: str) -> Iterator[str]:
    """All that a package on top of the core makes public."""
    package = import_module(name)
    yield f"## {name}\n"
    yield f"From `{name.replace('_', '-')}`. {Doc(package).first}\n"
    for each in package.__all__:
        yield f"### {each}\n"
        yield from _described(each, getattr(package, each))


def _first(value: Any) -> str:
    return Doc(value).first if inspect.isclass(value) else _one_of(value)


def _one_of(value: Any) -> str:
    return "One of " + ", ".join(code(written(one)) for one in typing.get_args(value)) + "."


def _described(name: str, value: Any) -> Iterator[str]:
    if isinstance(value, typing.NewType):
        yield f"A type of its own for an id; at run time {code(value.__supertype__.__name__)}.\n"
    elif typing.get_args(value) and not inspect.isclass(value):
        yield f"{_one_of(value)}\n"
    elif inspect.isclass(value):
        yield Doc(value).whole
        yield from _members(value)
    elif inspect.isfunction(value):
        yield f"```text\n{name}{inspect.signature(value)}\n```\n".replace("'", "")
        yield Doc(value).whole
        yield _named(Doc(value))
    else:
        yield "Marks a method of a plugin as an implementation of a [hook](hooks.md).\n"


def _members(cls: type) -> Iterator[str]:
    if issubclass(cls, enum.Enum):
        yield table(("member", "value"), [(code(one.name), code(shown(one.value))) for one in cls])
        return
    yield fields(cls) if attrs.has(cls) else _named(Doc(cls))
    rows = []
    for name, member in _public(cls):
        shape = code(name)
        if not isinstance(member, property):
            function = inspect.unwrap(member.__func__ if hasattr(member, "__func__") else member)
            shape = code(f"{name}{_signature(function)}")
        rows.append((shape, Doc(member).text))
    yield table(("member", ""), rows) if rows else ""


def _public(cls: type) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for base in cls.__mro__:
        if not base.__module__.startswith("scrmkit"):
            continue
        for name, member in vars(base).items():
            is_member = inspect.isfunction(member) or isinstance(member, property | staticmethod | classmethod)
            if is_member and not name.startswith("_") and name not in seen:
                seen.add(name)
                yield name, member


def _signature(function: Any) -> str:
    signature = inspect.signature(function)
    shape = signature.replace(parameters=[p for p in signature.parameters.values() if p.name != "self"])
    return str(shape).replace("'", "")


def _named(doc: Doc) -> str:
    rows = [(code(name), doc.of(name)) for name in doc.named]
    return table(("name", ""), rows) if rows else ""
