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
from zoneinfo import ZoneInfo

import attrs
import cattrs

from scrmkit.domain.text import zone
from scrmkit.errors import InvalidValueError, SettingsError
from scrmkit.settings.secret import DatabaseUrl, Secret, database_from, secret_from

T = TypeVar("T")
Make = Callable[[Any, Any], Any]
"""Makes of a value one of a type."""
ELSEWHERE = {"elsewhere": True}
"""The metadata of a field that does not stand in the table of its class."""
_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LENGTH = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_WORDS = {
    str: "a text", bool: "true or false", int: "a whole number", float: "a number", list: "a list",
    tuple: "a list", dict: "a table", date: "a date", datetime: "a moment", time: "a time of day",
}  # fmt: skip
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


_EXPECTED = (SettingsError, ValueError, TypeError)


def structure_options(
    cls: type[T], options: Mapping[str, Any], path: str, environ: Mapping[str, str], folder: Path = Path()
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
        return _converter(environ, folder).structure(options, cls)
    except _EXPECTED as error:
        found = _problems(path, error)
        raise SettingsError([problem.removeprefix(".") for problem in found]) from None


def join(path: str, key: str) -> str:
    """The TOML path of *key* below *path*."""
    quoted = key if _BARE_KEY.fullmatch(key) else f'"{key}"'
    return f"{path}.{quoted}" if path else quoted


def did_you_mean(name: str, known: Iterable[str], what: str = "there is") -> str:
    """A hint at the name that was meant, or at all of them; empty where there is none."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; {what} {', '.join(names)}" if names else ""


def expected(what: str, value: object) -> str:
    """That *what* was expected and something else found; never says the value."""
    return f"expected {what}, found {_WORDS.get(type(value), type(value).__name__)}"


def _problems(path: str, error: Exception) -> list[str]:
    if isinstance(error, SettingsError):
        return [path + problem for problem in error.problems]
    # Some validators of attrs put the attribute and the value behind the text.
    text = error.args[0] if error.args and isinstance(error.args[0], str) else ""
    return [f"{path}: {text or f'this value is refused ({type(error).__name__})'}"]


def _each(parts: Mapping[Any, Callable[[], Any]], problems: Sequence[str] = ()) -> dict[Any, Any]:
    """What all of *parts* make, by key or index; or the problems of all of them."""
    made, found = {}, list(problems)
    for key, make in parts.items():
        try:
            made[key] = make()
        except _EXPECTED as error:
            found += _problems(_step(key), error)
    if found:
        raise SettingsError(found)
    return made


def _step(key: str | int) -> str:
    return f"[{key}]" if isinstance(key, int) else f".{join('', key)}"


def _converter(environ: Mapping[str, str], folder: Path) -> cattrs.Converter:
    converter = cattrs.Converter(detailed_validation=False)
    make = converter.structure
    hooks: dict[Any, Make] = {
        **_SCALARS,
        Path: lambda value, _: folder / _one_of((str, Path), value, str),
        Secret: lambda value, _: secret_from(value, environ, folder),
        DatabaseUrl: lambda value, _: database_from(value, environ, folder),
        **dict.fromkeys((tuple, list, set, frozenset, Sequence), partial(_sequence, make)),
        **dict.fromkeys((dict, Mapping), partial(_mapping, make)),
        **dict.fromkeys((Union, types.UnionType), partial(_union, make)),
        Literal: _choice,
    }

    def hook_of(cls: Any) -> Any:
        return hooks.get(cls) or hooks.get(get_origin(cls))

    converter.register_structure_hook_factory(hook_of, hook_of)
    for kind in (*_SCALARS, Path):  # cattrs has hooks for these, which it would ask first
        converter.register_structure_hook(kind, hooks[kind])
    converter.register_structure_hook_func(_is_enum, _choice)
    converter.register_structure_hook_func(attrs.has, partial(_table, make))
    return converter


# --- types with parts ------------------------------------------------------------------------


def _table(make: Make, value: Any, cls: Any) -> Any:
    if isinstance(value, cls):
        return value
    table = _one_of(Mapping, value, dict)
    fields = {
        field.alias or field.name: field
        for field in attrs.fields(attrs.resolve_types(cls))
        if field.init and field.metadata != ELSEWHERE
    }
    unknown = [
        f"{_step(key)}: unknown setting{did_you_mean(key, fields, 'known here:')}"
        for key in map(str, table)
        if key not in fields
    ]
    wanted = {
        key: partial(_setting, make, table, key, field)
        for key, field in fields.items()
        if key in table or field.default is attrs.NOTHING
    }
    return cls(**_each(wanted, unknown))


def _setting(make: Make, table: Mapping[str, Any], key: str, field: attrs.Attribute[Any]) -> Any:
    if key not in table:
        raise InvalidValueError("this setting is missing and has no default")
    made = make(table[key], Any if field.type is None else field.type)
    # The class runs its validators itself, but stops at the first that refuses.
    # One that looks at the other fields has to wait for that.
    if field.validator is not None and field.converter is None:
        with contextlib.suppress(AttributeError):
            field.validator(None, field, made)
    return made


def _sequence(make: Make, value: Any, cls: Any) -> Any:
    items, kinds, kind = _one_of((list, tuple), value, list), get_args(cls), get_origin(cls) or cls
    if kind is not tuple or not kinds or kinds[-1] is Ellipsis:
        kinds = (*kinds, Any)[:1] * len(items)
    elif len(items) != len(kinds):
        raise InvalidValueError(f"expected {len(kinds)} values, found {len(items)}")
    parts = [partial(make, item, kind) for item, kind in zip(items, kinds, strict=True)]
    made = _each(dict(enumerate(parts))).values()
    return tuple(made) if kind is Sequence else kind(made)


def _mapping(make: Make, value: Any, cls: Any) -> Any:
    kind = (*get_args(cls), Any, Any)[1]
    table = _one_of(Mapping, value, dict)
    return _each({str(key): partial(make, item, kind) for key, item in table.items()})


def _union(make: Make, value: Any, cls: Any) -> Any:
    kinds = [kind for kind in get_args(cls) if kind is not types.NoneType]
    is_nothing = value is None or (value is False and attrs.has(kinds[0]))
    if is_nothing and types.NoneType in get_args(cls):
        return None
    for kind in kinds[:-1]:
        with contextlib.suppress(*_EXPECTED):
            return make(value, kind)
    return make(value, kinds[-1])


def _is_enum(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, enum.Enum)


def _choice(value: Any, cls: Any) -> Any:
    choices = {getattr(member, "value", member): member for member in get_args(cls) or cls}
    for written, meant in choices.items():
        if value is meant or (type(value) is type(written) and value == written):
            return meant
    hint = did_you_mean(str(value), map(str, choices), "known here:")
    raise InvalidValueError("this is none of the values that are known here" + hint)


# --- single values ---------------------------------------------------------------------------


def _one_of(kinds: Any, value: Any, kind: type) -> Any:
    if not isinstance(value, kinds):
        raise InvalidValueError(expected(_WORDS[kind], value))
    return value


def _exact(value: Any, kind: Any) -> Any:
    if _is_enum(kind):  # cattrs takes the hook of str for a StrEnum
        return _choice(value, kind)
    if type(value) is not kind:
        raise InvalidValueError(expected(_WORDS[kind], value))
    return value


def _number(value: Any, _: Any) -> float:
    return float(value if type(value) is int else _exact(value, float))


def _length(value: Any, _: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _LENGTH.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise InvalidValueError('write a length of time such as "500ms", "90s", "15m", "24h", "7d"')
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def _time_of_day(value: Any, _: Any) -> time:
    try:
        moment = value if isinstance(value, time) else time.fromisoformat(_exact(value, str))
    except ValueError:
        raise InvalidValueError('write a time of day such as "21:00"') from None
    if moment.tzinfo is not None:
        raise InvalidValueError('a time of day has no zone; write it such as "21:00"')
    return moment


def _moment(value: Any, _: Any) -> Any:
    if _exact(value, datetime).tzinfo is None:
        raise InvalidValueError("write a moment with its offset, such as 2026-11-01T09:00:00+08:00")
    return value


def _zone(value: Any, _: Any) -> ZoneInfo:
    return value if isinstance(value, ZoneInfo) else zone(_exact(value, str))


_SCALARS: dict[Any, Make] = {
    **dict.fromkeys((str, bool, int, date), _exact),
    float: _number, timedelta: _length, time: _time_of_day, datetime: _moment, ZoneInfo: _zone,
}  # fmt: skip
