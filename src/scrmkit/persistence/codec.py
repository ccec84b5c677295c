"""The one codec between attrs values and JSON text."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar, get_args, get_origin

import attrs
import cattrs
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn
from cattrs.strategies import configure_union_passthrough

from scrmkit.clock import aware
from scrmkit.domain.identity import PERSONAL
from scrmkit.domain.touchpoint import TouchpointKind
from scrmkit.errors import InvalidValueError

T = TypeVar("T")
Json = dict[str, Any]


class Codec:
    """
    Turns attrs values into JSON and back.

    Strict where cattrs is lenient: a number is a number, and ``True`` is not 1.
    Absent fields read as their defaults, so that stored values outlive new
    fields. Unknown fields are left alone for the same reason.
    """

    def __init__(self) -> None:
        self._converter = _converter()
        self._dumps: dict[type, Callable[[Any], Json]] = {}
        self._personal: dict[type, tuple[str, ...]] = {}

    def dump(self, value: Any) -> Any:
        """A value as JSON values; attrs classes become objects."""
        kind = type(value)
        hook = self._dumps.get(kind)
        if hook is None:
            hook = self._dumps[kind] = self._converter.get_unstructure_hook(kind)
        return hook(value)

    def load(self, value: Any, into: type[T]) -> T:
        """
        JSON values as a value of *into*.

        Raises:
            InvalidValueError: They do not fit; the message names the field, not the value.
        """
        try:
            return self._converter.structure(value, into)
        except InvalidValueError:
            raise
        except Exception as error:  # noqa: BLE001 - cattrs raises what the values raise
            where = "; ".join(_places(error)) or type(error).__name__
            raise InvalidValueError(f"not a {into.__name__}: {where}") from None

    def split(self, payload: Any) -> tuple[Json, Json | None]:
        """A payload as JSON values, and its personal fields apart (None if it has none)."""
        document = self.dump(payload)
        kind = type(payload)
        names = self._personal.get(kind)
        if names is None:
            names = self._personal[kind] = tuple(
                field.name for field in attrs.fields(kind) if PERSONAL in field.metadata
            )
        if not names:
            return document, None
        apart = {name: document.pop(name) for name in names if name in document}
        return document, apart or None

    def join(
        self, kind: TouchpointKind[Any], version: int, public: Json, apart: Json | None
    ) -> Any:
        """A payload from its two halves, brought up to the kind's version."""
        document = {**public, **(apart or {})}
        while version < kind.version:
            document = kind.upcasts[version](document)
            version += 1
        return self.load(document, kind.payload)


# json.dumps makes a new encoder at every call that differs from its defaults.
_COMPACT = json.JSONEncoder(
    separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
)
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


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=True)
    converter.register_unstructure_hook(datetime, lambda value: aware(value).isoformat())
    converter.register_structure_hook(datetime, _moment)
    converter.register_unstructure_hook(timedelta, lambda value: value // timedelta(microseconds=1))
    converter.register_structure_hook(
        timedelta, lambda value, _: timedelta(microseconds=_whole(value, int))
    )
    converter.register_unstructure_hook(date, date.isoformat)
    converter.register_structure_hook(date, _day)
    converter.register_structure_hook(int, _whole)
    converter.register_structure_hook(bool, _exactly(bool))
    converter.register_structure_hook(str, _exactly(str))
    converter.register_structure_hook(float, _number)
    # Before str and int, which these are too.
    for base in (enum.StrEnum, enum.IntEnum):
        converter.register_structure_hook(base, lambda value, kind: kind(value))
    configure_union_passthrough(str | int | float | bool | None, converter)
    for mapping in (dict, MappingProxyType):
        converter.register_unstructure_hook(mapping, thawed)
    converter.register_unstructure_hook_factory(_is_mapping, _mapping_out)
    converter.register_structure_hook_factory(_is_mapping, _mapping_in)
    converter.register_unstructure_hook_factory(_is_set, _set_out)
    # cattrs would walk through every item; JSON writes these tuples as they are.
    converter.register_unstructure_hook_func(_is_plain_tuple, lambda value: value)
    converter.register_unstructure_hook_factory(
        attrs.has,
        lambda cls: make_dict_unstructure_fn(cls, converter, _cattrs_omit_if_default=True),
    )
    converter.register_structure_hook_factory(attrs.has, lambda cls: _attrs_in(cls, converter))
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
    exactly = _exactly(dict)
    if inner is Any:
        return lambda value, _: frozen(exactly(value, dict))
    load = converter.get_structure_hook(inner)

    def structure(value: Any, _: Any) -> Any:
        loaded = {key: load(item, inner) for key, item in exactly(value, dict).items()}
        return loaded if get_origin(kind) is dict else MappingProxyType(loaded)

    return structure


def _is_set(kind: Any) -> bool:
    return get_origin(kind) in (set, frozenset)


def _set_out(kind: Any, converter: cattrs.Converter) -> Callable[[Any], Any]:
    """In one order, so that equal sets are equal text."""
    dump = converter.get_unstructure_hook(get_args(kind)[0])
    return lambda value: sorted(map(dump, value), key=canonical_json)


def _is_plain_tuple(kind: Any) -> bool:
    return get_origin(kind) is tuple and all(
        arg in (str, int, float, bool, Ellipsis) or _is_plain_tuple(arg) for arg in get_args(kind)
    )


def _moment(value: Any, _: type) -> datetime:
    return aware(datetime.fromisoformat(_exactly(str)(value, str)))


def _day(value: Any, _: type) -> date:
    return date.fromisoformat(_exactly(str)(value, str))


def _whole(value: Any, _: type) -> int:
    if type(value) is not int:
        raise InvalidValueError(f"a whole number is wanted, not {type(value).__name__}")
    return value


def _number(value: Any, _: type) -> float:
    if type(value) not in (int, float):
        raise InvalidValueError(f"a number is wanted, not {type(value).__name__}")
    return float(value)


def _exactly(kind: type) -> Callable[[Any, type], Any]:
    def structure(value: Any, _: type) -> Any:
        if type(value) is not kind and not (kind is str and isinstance(value, enum.StrEnum)):
            raise InvalidValueError(f"{kind.__name__} is wanted, not {type(value).__name__}")
        return value

    return structure


def _places(error: BaseException) -> list[str]:
    """Where a cattrs error lies, from its notes, without the values."""
    found: list[str] = []
    for inner in getattr(error, "exceptions", ()):
        notes = [getattr(note, "name", None) for note in getattr(inner, "__notes__", ())]
        name = next((str(note) for note in notes if note is not None), "")
        deeper = _places(inner)
        if deeper:
            found += [f"{name}.{place}" if name else place for place in deeper]
        else:
            text = str(inner) if isinstance(inner, InvalidValueError) else type(inner).__name__
            found.append(f"{name}: {text}" if name else text)
    return found
