"""Phone numbers: E.164 here, the platforms' own forms on the wire."""

from __future__ import annotations

import re

from scrmkit.errors import InvalidValueError

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_MAINLAND = re.compile(r"1[3-9][0-9]{9}")


def is_phone(value: str) -> bool:
    """Whether *value* is a number in E.164 form; one of the mainland must be a mobile."""
    if not _E164.fullmatch(value):
        return False
    return not value.startswith("+86") or _MAINLAND.fullmatch(value[3:]) is not None


def region_of(phone: str) -> str:
    """``CN`` for a mainland number, ``ZZ`` (elsewhere) for any other."""
    return "CN" if phone.startswith("+86") else "ZZ"


def bare(phone: str) -> str:
    """An E.164 number as Chinese platforms write it: no ``+``, and no 86 for the mainland."""
    return phone[3:] if phone.startswith("+86") else phone[1:]


def read_phone(text: str) -> str:
    """
    Turn a number in any of the platforms' forms into E.164.

    Eleven digits that look like a mainland mobile are one, though a number
    abroad may look the same: the platforms cannot tell them apart either.

    Raises:
        InvalidValueError: It is no phone number.
    """
    digits = text.strip().removeprefix("+").removeprefix("00")
    phone = f"+86{digits}" if _MAINLAND.fullmatch(digits) else f"+{digits}"
    if not is_phone(phone):
        raise InvalidValueError(f"{len(text)} characters that are no phone number")
    return phone
