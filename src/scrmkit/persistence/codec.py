"""The one codec between attrs values and JSON text."""

from __future__ import annotations

import enum
import functools
import json
import typing
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn
from cattrs.strategies import configure_union_passthrough

from scrmkit.clock import aware
from scrmkit.domain.identity import PERSONAL
from scrmkit.domain.touchpoint import TouchpointKind
from scrmkit.errors import InvalidValueError

T = TypeVar("T")
Json = dict[str, Any]
_PLAIN = (int, str, float, bytes, bool, NoneType, date, datetime, time, timedelta, enum.Enum)


class Codec:
    """
    Turns attrs values into JSON and back.

    Strict where cattrs is lenient: a number is a number, and ``True`` is not 1.
    Absent fields read as their defaults, so that stored values outlive new
    fields. Unknown fields are left alone for the same reason.
    """

    def __init__(self) -> None:
        self._converter = _converter()
        self._dumps = functools.cache(self._converter.get_unstructure_hook)

    def dump(self, value: Any) -> Any:
        """A value as JSON values; attrs classes become objects."""
        return self._dumps(value.__class__)(value)

    def load(self, value: Any, into: type[T]) -> T:
        """
        JSON values as a value of *into*.

        Raises:
            InvalidValueError: They do not fit; the message names the field, not the value.
        """
        try:
            return self._converter.structure(value, into)
        except Exception as error:  # noqa: BLE001 - cattrs raises what the values raise
            found = cattrs.transform_error(error, into.__name__, format_exception=_says)
            raise InvalidValueError("; ".join(found)) from None

    def split(self, payload: Any) -> tuple[Json, Json | None]:
        """A payload as JSON values, and its personal fields apart (None if it has none)."""
        document = self.dump(payload)
        names = _personal_fields(payload.__class__)
        apart = {name: document.pop(name) for name in names if name in document}
        return document, apart or None

    def join(self, kind: TouchpointKind[Any], version: int, public: Json, apart: Json | None) -> Any:
        """A payload from its two halves, brought up to the kind's version."""
        document = {**public, **(apart or {})}
        while version < kind.version:
            document = kind.upcasts[version](document)
            version += 1
        return self.load(document, kind.payload)


@functools.cache
def _personal_fields(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind) if PERSONAL in field.metadata)


def _says(error: BaseException, _: type | None) -> str:
    """What is wrong, in our words alone: others may repeat the value."""
    return str(error) if isinstance(error, InvalidValueError) else type(error).__name__


# json.dumps makes a new encoder at every call that differs from its defaults.
_COMPACT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False)
_CANONICAL = json.JSONEncoder(separators=(",", ":"), sort_keys=True, allow_nan=False)


def to_json(value: Any) -> str:
    """Compact JSON text with its keys in the order given."""
    return _COMPACT.encode(value)


def canonical_json(value: Any) -> str:
    """JSON text that is equal for equal values."""
    return _CANONICAL.encode(value)


def frozen(value: Any) -> Any:
    """JSON values that nobody can change: read-only mappings and tuples."""
    if isinstance(value, dict):
        return MappingProxyType({key: frozen(item) for key, item in value.items()})
    if isinstance(value, list):
        return tuple(frozen(item) for item in value)
    return value


def thawed(value: Any) -> Any:
    """Plain dicts and lists from read-only ones."""
    if isinstance(value, Mapping):
        return {str(key): thawed(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [thawed(item) for item in value]
    return value


@functools.cache
def is_frozen(kind: Any) -> bool:
    """Whether no value of a type can be changed, as far as its annotations say."""
    origin = get_origin(kind)
    if origin in (typing.Union, UnionType, tuple, frozenset):
        return all(is_frozen(one) for one in get_args(kind) if one is not Ellipsis)
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
    return tuple(field.name for field in attrs.fields(kind) if not is_frozen(hints.get(field.name, Any)))


def closed(value: T) -> T:
    """*value*, an attrs value, with copies that nobody can change of what could be in it."""
    kind: Any = type(value)
    names = open_fields(kind)
    if not names:
        return value
    copies: dict[str, Any] = {
        field.alias: frozen(thawed(getattr(value, field.name))) for field in attrs.fields(kind) if field.name in names
    }
    made: T = attrs.evolve(value, **copies)  # type: ignore[misc]
    return made


def _converter() -> cattrs.Converter:
    # Sets in one order, so that equal sets are equal text.
    sets = functools.partial(sorted, key=canonical_json)
    converter = cattrs.Converter(omit_if_default=True, unstruct_collection_overrides={AbstractSet: sets})
    converter.register_unstructure_hook(datetime, lambda value: aware(value).isoformat())
    converter.register_structure_hook(datetime, lambda value, _: aware(datetime.fromisoformat(_exactly(value, str))))
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_structure_hook(date, lambda value, _: date.fromisoformat(_exactly(value, str)))
    converter.register_unstructure_hook(timedelta, lambda value: value // timedelta(microseconds=1))
    converter.register_structure_hook(timedelta, lambda value, _: timedelta(microseconds=_exactly(value, int)))
    for plain in (int, bool, str, float):
        converter.register_structure_hook(plain, _exactly)
    # Before str and int, which these are too.
    for words in (enum.StrEnum, enum.IntEnum):
        converter.register_structure_hook(words, lambda value, kind: kind(value))
    configure_union_passthrough(str | int | float | bool | None, converter)
    for mapping in (dict, MappingProxyType):
        converter.register_unstructure_hook(mapping, thawed)
    converter.register_unstructure_hook_factory(_is_mapping, _mapping_out)
    converter.register_structure_hook_factory(_is_mapping, _mapping_in)
    converter.register_structure_hook_factory(attrs.has, _attrs_in)
    return converter


def _attrs_in(cls: type, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    load: Callable[[Any, Any], Any] = make_dict_structure_fn(cls, converter)

    def structure(value: Any, kind: Any) -> Any:
        # A list or a word would read as a value with nothing but defaults.
        if not isinstance(value, Mapping):
            raise InvalidValueError(f"an object is wanted, not {type(value).__name__}")
        return load(value, kind)

    return structure


def _is_mapping(kind: Any) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _mapping_out(kind: Any, converter: cattrs.Converter) -> Callable[[Any], Any]:
    inner = get_args(kind)[1]
    if inner is Any:
        return thawed
    dump = converter.get_unstructure_hook(inner)
    return lambda value: {str(key): dump(item) for key, item in value.items()}


def _mapping_in(kind: Any, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    inner = get_args(kind)[1]
    if inner is Any:
        return lambda value, _: frozen(_exactly(value, dict))
    load = converter.get_structure_hook(inner)
    whole = dict if get_origin(kind) is dict else MappingProxyType

    def structure(value: Any, _: Any) -> Any:
        return whole({key: load(item, inner) for key, item in _exactly(value, dict).items()})

    return structure


def _exactly(value: Any, kind: type) -> Any:
    """A value of this very type; but an enumeration has words, and a number may be whole."""
    given = type(value)
    if given is kind or (kind is str and isinstance(value, enum.StrEnum)):
        return value
    if kind is float and given is int:
        return float(value)
    raise InvalidValueError(f"{kind.__name__} is wanted, not {given.__name__}")
