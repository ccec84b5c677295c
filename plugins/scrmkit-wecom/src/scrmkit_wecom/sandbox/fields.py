"""Reading what a caller sent: JSON whose members may be missing, null, too long or wrong."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from scrmkit.testing.sandbox import Incoming
from scrmkit_wecom.sandbox.errors import BAD_PARAMETER, ApiError

UINT32 = 2**32 - 1
_ABSENT: tuple[Any, ...] = (None, "")
_MOST_DIGITS = 20


class Fields:
    """
    The members of a JSON object, read one by one; null counts as absent.

    Args:
        name: Where the object stands, for error texts.
    """

    def __init__(self, members: Mapping[str, Any], name: str = "") -> None:
        self._members = members
        self._prefix = f"{name}." if name else ""

    def __contains__(self, name: str) -> bool:
        return self._members.get(name) is not None

    def text(
        self,
        name: str,
        *,
        default: str = "",
        most_chars: int | None = None,
        most_bytes: int | None = None,
        missing: int | None = None,
        wrong: int = BAD_PARAMETER,
    ) -> str:
        """
        A text.

        Args:
            most_chars: Longest allowed, in characters.
            most_bytes: Longest allowed, in bytes of UTF-8.
            missing: The errcode if it is absent or empty; None allows that.
            wrong: The errcode if it is no text, or too long.
        """
        value = self._members.get(name)
        if missing is not None and value in _ABSENT:
            raise ApiError(missing, self._prefix + name)
        if value is None:
            return default
        if not isinstance(value, str):
            raise ApiError(wrong, f"{self._prefix}{name} is no string")
        if most_chars is not None and len(value) > most_chars:
            raise ApiError(wrong, f"{self._prefix}{name} is longer than {most_chars} characters")
        if most_bytes is not None and len(value.encode(errors="replace")) > most_bytes:
            raise ApiError(wrong, f"{self._prefix}{name} is longer than {most_bytes} bytes")
        return value

    def integer(
        self,
        name: str,
        *,
        default: int = 0,
        low: int = 0,
        high: int = UINT32,
        missing: int | None = None,
        wrong: int = BAD_PARAMETER,
    ) -> int:
        """An integer from *low* to *high*; digits in a string count as one."""
        value = self._members.get(name)
        if value is None:
            if missing is not None:
                raise ApiError(missing, self._prefix + name)
            return default
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ApiError(wrong, f"{self._prefix}{name} is no integer from {low} to {high}")
        return value

    def truth(self, name: str, *, default: bool) -> bool:
        """A boolean; 0 and 1 count as one."""
        value = self._members.get(name)
        if value is None:
            return default
        if value not in (True, False):
            raise ApiError(BAD_PARAMETER, f"{self._prefix}{name} is no boolean")
        return bool(value)

    def texts(self, name: str) -> list[str]:
        """A list of texts; absent counts as empty."""
        value = self._list(name)
        if not all(isinstance(each, str) for each in value):
            raise ApiError(BAD_PARAMETER, f"{self._prefix}{name} is no list of strings")
        return value

    def integers(self, name: str) -> list[int]:
        """A list of integers; absent counts as empty."""
        value = self._list(name)
        if not all(isinstance(each, int) and not isinstance(each, bool) for each in value):
            raise ApiError(BAD_PARAMETER, f"{self._prefix}{name} is no list of integers")
        return value

    def part(self, name: str) -> Fields:
        """An object inside this one; absent counts as empty."""
        value = self._members.get(name)
        if value is None:
            return Fields({}, self._prefix + name)
        if not isinstance(value, dict):
            raise ApiError(BAD_PARAMETER, f"{self._prefix}{name} is no object")
        return Fields(value, self._prefix + name)

    def parts(self, name: str) -> list[Fields]:
        """A list of objects; absent counts as empty."""
        value = self._list(name)
        if not all(isinstance(each, dict) for each in value):
            raise ApiError(BAD_PARAMETER, f"{self._prefix}{name} is no list of objects")
        return [Fields(each, f"{self._prefix}{name}[{i}]") for i, each in enumerate(value)]

    def raw(self, name: str) -> Any:
        """The member as it was sent."""
        return self._members.get(name)

    def _list(self, name: str) -> list[Any]:
        value = self._members.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise ApiError(BAD_PARAMETER, f"{self._prefix}{name} is no list")
        return value


@attrs.frozen(kw_only=True)
class Call:
    """
    One API call.

    Attributes:
        at: When it came, on the sandbox's clock.
        agent_id: The app whose token it carries.
        is_well_formed: Whether the body was one JSON object, or none at all.
    """

    at: datetime
    query: Fields
    body: Fields
    agent_id: str
    is_well_formed: bool = True


def read_call(incoming: Incoming, agent_id: str) -> Call:
    """Read a request; a body that is not one JSON object counts as an empty one."""
    members: Any = {}
    if incoming.body:
        try:
            members = incoming.json()
        except ValueError:
            members = None
    is_well_formed = isinstance(members, dict)
    return Call(
        at=incoming.at,
        query=Fields(incoming.query),
        body=Fields(members if is_well_formed else {}),
        agent_id=agent_id,
        is_well_formed=is_well_formed,
    )


def cursor(*position: int) -> str:
    """An opaque cursor for the page after *position*."""
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode().rstrip("=")


def after(text: str, length: int) -> tuple[int, ...] | None:
    """
    The position inside a cursor of ours, None for the first page.

    Raises:
        ApiError: It is none of ours.
    """
    if not text:
        return None
    try:
        position = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        position = None
    if not isinstance(position, list) or len(position) != length or not all(isinstance(each, int) for each in position):
        raise ApiError(BAD_PARAMETER, "cursor")
    return tuple(position)
