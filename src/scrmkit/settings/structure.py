"""From TOML values to typed ones: strict, and with all problems at once."""

from __future__ import annotations

import contextlib
import difflib
import enum
import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs
import cattrs

from scrmkit.errors import InvalidValueError, SettingsError
from scrmkit.settings.secret import Secret, secret_from

T = TypeVar("T")
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LENGTH = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_WORDS = {
    str: "a text", bool: "true or false", int: "a whole number", float: "a number", list: "a list",
    tuple: "a list", dict: "a table", date: "a date", datetime: "a moment", time: "a time of day",
}  # fmt: skip
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class _ProblemsError(Exception):
    """Several problems, each with the keys that lead to it."""

    def __init__(self, found: Sequence[tuple[tuple[str, ...], str]]) -> None:
        self.found = tuple(found)
        super().__init__()


def structure_options(
    cls: type[T],
    options: Mapping[str, Any],
    path: str,
    environ: Mapping[str, str],
    folder: Path = Path(),
) -> T:
    """
    Make a value of the attrs type *cls* from the table *options*.

    Nothing is converted silently: no text becomes a number, no number a truth
    value. Lengths of time are written ``"500ms"``, ``"90s"``, ``"15m"``,
    ``"24h"``, ``"7d"``; times of day ``"21:00"``; paths are relative to
    *folder*; ``false`` stands for None where an optional table is expected.

    Args:
        path: Where *options* stand in the file, such as ``plugins.sms``.

    Raises:
        SettingsError: With every problem and its TOML path.
    """
    try:
        value: T = _converter(environ, folder).structure(options, cls)
    except _EXPECTED as error:
        found = [f"{join(path, *keys)}: {text}" for keys, text in _found((), error)]
        raise SettingsError(found) from None
    return value


def join(path: str, *keys: str) -> str:
    """The TOML path of *keys* below *path*."""
    for key in keys:
        if key.startswith("["):
            path += key
        else:
            quoted = key if _BARE_KEY.fullmatch(key) else f'"{key}"'
            path = f"{path}.{quoted}" if path else quoted
    return path


def did_you_mean(name: str, known: Iterable[str], what: str = "there is") -> str:
    """A hint at the name that was meant, or at all of them; empty where there is none."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; {what} {', '.join(names)}" if names else ""


def _converter(environ: Mapping[str, str], folder: Path) -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    register = converter.register_structure_hook
    for exact in (str, bool, int):
        register(exact, partial(_scalar, exact))
    register(float, lambda value, _: float(value) if type(value) is int else _exact(float, value))
    register(timedelta, _length)
    register(time, _time_of_day)
    register(datetime, _moment)
    register(date, lambda value, _: _exact(date, value))
    register(ZoneInfo, lambda value, _: _zone(value))
    register(
        Path, lambda value, _: folder / (value if isinstance(value, Path) else _exact(str, value))
    )
    register(Secret, lambda value, _: secret_from(value, environ, folder))
    factories: tuple[tuple[Callable[[Any], bool], Callable[..., Any]], ...] = (
        (attrs.has, _attrs_hook),
        (lambda cls: isinstance(cls, type) and issubclass(cls, enum.Enum), _choice_hook),
        (lambda cls: get_origin(cls) is Literal, _choice_hook),
        (lambda cls: get_origin(cls) in (Union, types.UnionType), _union_hook),
        (lambda cls: _container(cls) in _SEQUENCES, _sequence_hook),
        (lambda cls: _container(cls) in (dict, Mapping), _mapping_hook),
    )
    for predicate, factory in factories:
        converter.register_structure_hook_factory(predicate, factory)
    return converter


_SEQUENCES: dict[Any, Any] = {kind: kind for kind in (tuple, list, set, frozenset)} | {
    Sequence: tuple
}


def _container(cls: Any) -> Any:
    return get_origin(cls) or cls


def _found(keys: tuple[str, ...], error: Exception) -> list[tuple[tuple[str, ...], str]]:
    if isinstance(error, _ProblemsError):
        return [((*keys, *inner), text) for inner, text in error.found]
    # Some validators of attrs put the attribute and the value behind the text.
    text = error.args[0] if error.args and isinstance(error.args[0], str) else ""
    return [(keys, text or f"this value is refused ({type(error).__name__})")]


_EXPECTED = (_ProblemsError, InvalidValueError, ValueError, TypeError)


def _attrs_hook(cls: type, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    fields = {
        field.alias or field.name: field
        for field in attrs.fields(attrs.resolve_types(cls))
        if field.init
    }

    def structure(value: Any, _: Any) -> Any:
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise InvalidValueError(expected("a table", value))
        problems: list[tuple[tuple[str, ...], str]] = [
            ((str(key),), "unknown setting" + did_you_mean(str(key), fields, "known here:"))
            for key in value
            if key not in fields
        ]
        made: dict[str, Any] = {}
        for key, field in fields.items():
            if key in value:
                try:
                    kind = Any if field.type is None else field.type
                    made[key] = converter.structure(value[key], kind)
                    _validate(field, made[key])
                except _EXPECTED as error:
                    problems += _found((key,), error)
            elif field.default is attrs.NOTHING:
                problems.append(((key,), "this setting is missing and has no default"))
        if problems:
            raise _ProblemsError(problems)
        return cls(**made)

    return structure


def _validate(field: attrs.Attribute[Any], value: Any) -> None:
    # The class runs its validators itself, but stops at the first that refuses.
    # One that looks at the other fields has to wait for that.
    if field.validator is not None and field.converter is None:
        with contextlib.suppress(AttributeError):
            field.validator(None, field, value)


def _sequence_hook(cls: Any, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    arguments = get_args(cls)
    fixed = _container(cls) is tuple and arguments and arguments[-1] is not Ellipsis
    make = _SEQUENCES[_container(cls)]

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, list | tuple):
            raise InvalidValueError(expected("a list", value))
        if fixed and len(value) != len(arguments):
            raise InvalidValueError(f"expected {len(arguments)} values, found {len(value)}")
        kinds = arguments if fixed else [arguments[0] if arguments else Any] * len(value)
        pairs = [
            (f"[{index}]", item, kind)
            for index, (item, kind) in enumerate(zip(value, kinds, strict=True))
        ]
        return make(list(_each(pairs, converter).values()))

    return structure


def _mapping_hook(cls: Any, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    arguments = get_args(cls)
    kind = arguments[1] if arguments else Any

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, Mapping):
            raise InvalidValueError(expected("a table", value))
        return _each([(str(key), item, kind) for key, item in value.items()], converter)

    return structure


def _each(items: Iterable[tuple[str, Any, Any]], converter: cattrs.Converter) -> dict[str, Any]:
    made: dict[str, Any] = {}
    problems: list[tuple[tuple[str, ...], str]] = []
    for key, item, kind in items:
        try:
            made[key] = converter.structure(item, kind)
        except _EXPECTED as error:
            problems += _found((key,), error)
    if problems:
        raise _ProblemsError(problems)
    return made


def _union_hook(cls: Any, converter: cattrs.Converter) -> Callable[[Any, Any], Any]:
    kinds = [kind for kind in get_args(cls) if kind is not types.NoneType]
    nothing = (None, False) if attrs.has(kinds[0]) else (None,)

    def structure(value: Any, _: Any) -> Any:
        if types.NoneType in get_args(cls) and any(value is one for one in nothing):
            return None
        for kind in kinds[:-1]:
            with contextlib.suppress(*_EXPECTED):
                return converter.structure(value, kind)
        return converter.structure(value, kinds[-1])

    return structure


def _choice_hook(cls: Any, converter: object) -> Callable[[Any, Any], Any]:
    members = get_args(cls) or tuple(cls)
    choices = {getattr(member, "value", member): member for member in members}

    def structure(value: Any, _: Any) -> Any:
        for written, meant in choices.items():
            if value is meant or (type(value) is type(written) and value == written):
                return meant
        hint = did_you_mean(str(value), map(str, choices), "known here:")
        raise InvalidValueError("this is none of the values that are known here" + hint)

    return structure


def expected(what: str, value: object) -> str:
    """That *what* was expected and something else found; never says the value."""
    return f"expected {what}, found {_WORDS.get(type(value), type(value).__name__)}"


def _scalar(kind: type, value: Any, cls: type) -> Any:
    # cattrs looks a StrEnum up by its base, and would take its hook for str.
    is_enum = issubclass(cls, enum.Enum)
    return _choice_hook(cls, None)(value, cls) if is_enum else _exact(kind, value)


def _exact(kind: type[T], value: Any) -> T:
    if type(value) is not kind:
        raise InvalidValueError(expected(_WORDS[kind], value))
    return value


def _length(value: Any, _: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _LENGTH.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InvalidValueError('write a length of time such as "500ms", "90s", "15m", "24h", "7d"')
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _time_of_day(value: Any, _: Any) -> time:
    try:
        moment = value if isinstance(value, time) else time.fromisoformat(_exact(str, value))
    except ValueError:
        raise InvalidValueError('write a time of day such as "21:00"') from None
    if moment.tzinfo is not None:
        raise InvalidValueError('a time of day has no zone; write it such as "21:00"')
    return moment


def _moment(value: Any, _: Any) -> datetime:
    if _exact(datetime, value).tzinfo is None:
        raise InvalidValueError("write a moment with its offset, such as 2026-11-01T09:00:00+08:00")
    return _exact(datetime, value)


def _zone(value: Any) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    name = _exact(str, value)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = 'this is no IANA time zone; write one such as "Asia/Shanghai"'
        raise InvalidValueError(message) from None
