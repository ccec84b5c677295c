"""The platform's limits, in bytes here and in characters there, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import attrs

from scrmkit.errors import InvalidValueError

Validator = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def max_bytes(limit: int, *, called: str = "") -> Validator:
    """Refuse a text of more than *limit* bytes of UTF-8; None passes."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: str | None) -> None:
        if value is None:
            return
        size = len(encodable(value, called or attribute.name))
        if size > limit:
            raise InvalidValueError(
                f"{called or attribute.name} has {size} bytes of UTF-8; WeCom takes at most {limit} bytes"
            )

    return check


def max_characters(limit: int, *, called: str = "") -> Validator:
    """Refuse a text of more than *limit* characters; None passes."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: str | None) -> None:
        if value is None:
            return
        encodable(value, called or attribute.name)
        if len(value) > limit:
            raise InvalidValueError(
                f"{called or attribute.name} has {len(value)} characters; WeCom takes at most {limit} characters"
            )

    return check


def max_items(limit: int, *, called: str = "") -> Validator:
    """Refuse more than *limit* of something; None passes."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: Collection[Any] | None) -> None:
        if value is not None and len(value) > limit:
            raise InvalidValueError(f"{called or attribute.name} holds {len(value)}; WeCom takes at most {limit}")

    return check


def between(lowest: int, highest: int, *, called: str = "") -> Validator:
    """Refuse a number outside *lowest* to *highest*; None passes."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
        if value is not None and not lowest <= value <= highest:
            raise InvalidValueError(f"{called or attribute.name} is {value}; WeCom takes {lowest} to {highest}")

    return check


def encodable(text: str, name: str) -> bytes:
    """*text* in UTF-8, which half a surrogate pair has no place in."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    # Outside the except: the codec's error carries the text.
    raise InvalidValueError(f"{name} holds half a surrogate pair and cannot be sent as UTF-8")


def needed(value: object, name: str) -> None:
    """Refuse an empty value."""
    if not value:
        raise InvalidValueError(f"{name} is missing; WeCom requires it")
