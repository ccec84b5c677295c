"""What may stand in the fields of a document: whatever every database can hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from scrmkit.domain.messages import Purpose
from scrmkit.domain.profile import TagSource
from scrmkit.domain.text import is_storable
from scrmkit.errors import InvalidValueError
from scrmkit.persistence.codec import to_json

_Check = Callable[[Any], bool]
_MOST = 1 << 60


def _word(most: int, least: int = 1) -> _Check:
    def fits(value: Any) -> bool:
        return isinstance(value, str) and least <= len(value) <= most and is_storable(value)

    return fits


def _one_of(words: Any) -> _Check:
    known = frozenset(map(str, words))
    return lambda value: value in known


def _whole(value: Any) -> bool:
    return type(value) is int and -_MOST < value < _MOST


def _moment(value: Any) -> bool:
    return value is None or _whole(value)


def _plain(value: Any) -> bool:
    if isinstance(value, str):
        return is_storable(value)
    return value is None or isinstance(value, int) or _finite(value)


def _finite(value: Any) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _object(value: Any) -> bool:
    return isinstance(storable(value), dict)


def _legs(value: Any) -> bool:
    return all(_owner(owner) and _whole(amount) for owner, amount in value)


_owner = _word(128)
_FIELDS: Mapping[str, tuple[tuple[str, _Check], ...]] = {
    "add_tag": (("group", _word(64)), ("name", _word(64)), ("source", _one_of(TagSource))),
    "remove_tag": (("group", _word(64)), ("name", _word(64))),
    "set_attribute": (("name", _word(128)), ("value", _plain)),
    "remember": (("value", _object),),
    "set_score": (
        *(("scorer", _word(64)), ("hundredths", _whole), ("detail", is_storable)),
        *((name, _word(32, 0)) for name in ("band", "segment", "stage")),
    ),
    "record_consent": (
        ("channel", _word(64)), ("purpose", _one_of(Purpose)), ("proof", _word(200, 0)),
    ),
    "start_timer": (("key", _word(128)),),
    "cancel_timer": (("key", _word(128)),),
    "open_instance": (("key", _word(128)), ("state", _object)),
    "add_alias": (("kind", _word(32)), ("value", _word(200))),
    "join": (("role", _word(32)), ("data", _object)),
    "change_participant": (("role", _word(32)), ("data", _object)),
    "leave": (("role", _word(32)),),
    "reserve": (
        *(("resource", _word(200)), ("name", _word(128)), ("quantity", _whole)),
        *(("capacity", _whole), ("expires_at", _moment)),
    ),
    "commit": (("resource", _word(200)), ("name", _word(128))),
    "release": (("resource", _word(200)), ("name", _word(128))),
    "post": (("ledger", _word(128)), ("legs", _legs), ("floor", _moment)),
    "propose": (("slot", _word(170)),),
}  # fmt: skip
"""By type of document: its fields, and what they may hold."""


def check_fields(document: dict[str, Any]) -> None:
    """
    Refuse a document that a database could not take.

    Raises:
        InvalidValueError: The message names the field, not the value.
    """
    type_ = document["type"]
    for name, fits in _FIELDS[type_]:
        if not fits(document[name]):
            raise InvalidValueError(f"{name} of {type_} does not fit")


def storable(value: Any) -> Any:
    """JSON values, as they are, if they can be written down; raises as ``text_of`` does."""
    text_of(value)
    return value


def text_of(value: Any) -> str:
    """
    JSON values as text.

    Raises:
        InvalidValueError: They hold something else, or half characters.
    """
    try:
        text = to_json(value)
    except (TypeError, ValueError, RecursionError):
        raise InvalidValueError("not all of it are JSON values") from None
    if not is_storable(text):
        raise InvalidValueError("a text in it holds half a character")
    return text
