"""Which types have values that nobody can change, and payloads without what can be."""

from __future__ import annotations

import enum
import functools
import typing
from datetime import date, datetime, time, timedelta
from types import NoneType, UnionType
from typing import Any, TypeVar

import attrs

from scrmkit.persistence.codec import frozen, thawed

T = TypeVar("T")
_PLAIN = (int, str, float, bytes, bool, NoneType, date, datetime, time, timedelta, enum.Enum)


@functools.cache
def is_frozen(kind: Any) -> bool:
    """Whether no value of a type can be changed, as far as its annotations say."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, UnionType, tuple, frozenset):
        return all(is_frozen(one) for one in typing.get_args(kind) if one is not Ellipsis)
    if origin is typing.Literal:
        return True
    if isinstance(kind, typing.NewType):
        return is_frozen(kind.__supertype__)
    if not isinstance(kind, type):
        return False
    if attrs.has(kind):
        forbids = getattr(kind.__setattr__, "__name__", "") == "_frozen_setattrs"
        return forbids and not open_fields(kind)
    return issubclass(kind, _PLAIN)


@functools.cache
def open_fields(kind: type) -> tuple[str, ...]:
    """The fields of an attrs type whose values could be changed."""
    try:
        hints = typing.get_type_hints(kind)
    except NameError:  # a name that only type checkers see
        hints = {}
    return tuple(
        field.name for field in attrs.fields(kind) if not is_frozen(hints.get(field.name, Any))
    )


def closed(value: T) -> T:
    """*value*, an attrs value, with copies that nobody can change of what could be in it."""
    kind: Any = type(value)
    names = open_fields(kind)
    if not names:
        return value
    copies: dict[str, Any] = {
        field.alias: frozen(thawed(getattr(value, field.name)))
        for field in attrs.fields(kind)
        if field.name in names
    }
    made: T = attrs.evolve(value, **copies)  # type: ignore[misc]
    return made
