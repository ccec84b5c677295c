"""Looking through values: what is personal, what changed, what survives being stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import attrs

from scrmkit.domain.identity import PERSONAL, Identity
from scrmkit.persistence.codec import Codec, thawed, to_json

_SHORTEST = 3
"""Shorter personal texts occur anywhere by chance."""

_codec = Codec()


def walk(value: Any, path: str = "", *, personal: bool = False) -> Iterator[tuple[str, Any, bool]]:
    """Every value inside *value*: where it lies, itself, and whether it is marked as personal."""
    yield path, value, personal
    if attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            inner = getattr(value, field.name)
            marked = personal or PERSONAL in field.metadata
            yield from walk(inner, f"{path}.{field.name}".strip("."), personal=marked)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from walk(inner, f"{path}[{key!r}]", personal=personal)
    elif isinstance(value, list | tuple | set | frozenset):
        for number, inner in enumerate(value):
            yield from walk(inner, f"{path}[{number}]", personal=personal)


def personal_texts(*values: Any) -> frozenset[str]:
    """The texts that *values* mark as personal, too short ones left out."""
    return frozenset(
        inner
        for value in values
        for _, inner, is_personal in walk(value)
        if is_personal and isinstance(inner, str) and len(inner) >= _SHORTEST
    )


def shown(text: str, canaries: Iterable[str]) -> list[str]:
    """Those of *canaries* that stand in *text*."""
    return sorted(canary for canary in set(canaries) if canary and canary in text)


def naive_moments(value: Any) -> list[str]:
    """Where in *value* a moment has no time zone."""
    return [path for path, inner, _ in walk(value) if isinstance(inner, datetime) and inner.utcoffset() is None]


def snapshot(value: Any) -> Any:
    """A copy of *value* to compare with later; lists and tuples of equal items are equal."""
    if attrs.has(type(value)):
        fields = attrs.fields(type(value))
        own = tuple((field.name, snapshot(getattr(value, field.name))) for field in fields)
        return (type(value).__qualname__, own)
    if isinstance(value, Mapping):
        return ("mapping", {key: snapshot(inner) for key, inner in value.items()})
    if isinstance(value, list | tuple):
        return ("sequence", [snapshot(inner) for inner in value])
    if isinstance(value, set | frozenset):
        return ("set", frozenset(value))
    return value


def storing_problem(value: Any, kind: Any) -> str | None:
    """Why *value* does not come back from the database as it went in; None if it does."""
    try:
        text = to_json(_codec.dump(value))
    except Exception as error:  # noqa: BLE001 - whatever the codec raises is the problem
        return f"it cannot be written as JSON ({_told(error)})"
    try:
        loaded = _codec.load(json.loads(text), kind)
    except Exception as error:  # noqa: BLE001 - whatever the codec raises is the problem
        return f"it cannot be read back ({_told(error)})"
    if loaded == value or snapshot(loaded) == snapshot(value):
        return None
    places = [
        path
        for (path, before, _), (_, after, _) in zip(walk(value), walk(loaded), strict=False)
        if not attrs.has(type(before)) and snapshot(before) != snapshot(after)
    ]
    return f"it reads back as another value: see {', '.join(places[:3]) or 'its type'}"


def json_problem(value: Any) -> str | None:
    """Why *value* (attrs, or a mapping) is no object of JSON values; None if it is one."""
    try:
        document = thawed(_codec.dump(value))
        json.dumps(document, allow_nan=False)
    except Exception as error:  # noqa: BLE001 - whatever the codec raises is the problem
        return _told(error)
    return None if isinstance(document, dict) else f"a {type(value).__name__} is no object"


def stored_size(value: Any) -> int:
    """How many bytes *value* takes as JSON."""
    return len(to_json(_codec.dump(value)).encode(errors="surrogatepass"))


def hidden(identity: Identity) -> tuple[str, ...]:
    """What of an identity must not show."""
    return (identity.value,) if len(identity.value) >= _SHORTEST else ()


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:300]
