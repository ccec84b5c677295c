"""What values may hold: text that every database takes, moments with a zone, zones there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo

import attrs

from scrmkit.clock import aware
from scrmkit.errors import InvalidValueError


def text(most: int, *, least: int = 1, but: str = "") -> Callable[[object, attrs.Attribute[Any], Any], None]:
    """
    Make a validator: text of *least* to *most* characters, without NUL and lone surrogates.

    Args:
        but: What no character may be, such as ``/``.
    """

    def check(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        if is_text(value, most, least) and not (but and set(but).intersection(value)):
            return
        besides = f" and {but!r}" if but else ""
        raise InvalidValueError(
            f"{attribute.name} of {type(instance).__name__} is text of {least} to {most} "
            f"characters without NUL, lone surrogates{besides}; "
            + (f"this one has {len(value)}" if isinstance(value, str) else "this is none")
        )

    return check


def is_text(value: object, most: int, least: int = 0) -> TypeGuard[str]:
    """Whether it is a text of *least* to *most* characters that can be stored."""
    return isinstance(value, str) and least <= len(value) <= most and is_storable(value)


def is_storable(value: str) -> bool:
    """Whether every database and wire can hold a text: no NUL, no lone surrogate."""
    if value.isascii():
        return "\x00" not in value
    return "\x00" not in value and not any("\ud800" <= each <= "\udfff" for each in value)


def at_least(least: int) -> Callable[[object, attrs.Attribute[Any], Any], None]:
    """Make a validator: a whole number that is *least* or more."""

    def check(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        if type(value) is not int or value < least:
            raise InvalidValueError(f"{attribute.name} is a whole number and at least {least}")

    return check


def zone(name: str) -> ZoneInfo:
    """
    The time zone of an IANA name.

    Raises:
        InvalidValueError: There is none.
    """
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        message = 'this is no IANA time zone; write one such as "Asia/Shanghai"'
        raise InvalidValueError(message) from None


def moment(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    """A validator: a moment with a time zone."""
    aware(value)
