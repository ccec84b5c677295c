"""
What the cells of an orders file mean; what is not clear is refused and never guessed.

Refusals say what is wrong and never repeat the cell, which may be personal.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from scrmkit.errors import InvalidValueError

_SCIENTIFIC = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")
_NUMBER = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?|[+-]?\.\d+")
_FORMULA = re.compile(r'="(.*)"')
_MOMENT = re.compile(
    r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))"
    r"(?:[ T]*(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)? ?(Z|[+-]\d{2}:?\d{2})?"
)
_MOBILE = re.compile(r"(?:\+86|0086|86)?(1[3-9]\d{9})")
_INTERNATIONAL = re.compile(r"\+[1-9]\d{6,14}")
_MOST_FEN = 10**13
_YEARS = (1970, 2200)


def clean(cell: str) -> str:
    """
    The cell's text: full-width characters narrow, without blanks around it.

    What spreadsheets put before a text (an apostrophe, or ``="…"`` around it)
    is taken away.
    """
    text = unicodedata.normalize("NFKC", cell).strip()
    formula = _FORMULA.fullmatch(text)
    return (formula[1] if formula else text).lstrip("'").strip()


def code(name: str, cell: str, longest: int = 64) -> str:
    """
    A number or code that must be exact, such as an order's.

    Raises:
        InvalidValueError: A spreadsheet rounded it, or it is too long.
    """
    if _SCIENTIFIC.fullmatch(cell) and re.search(r"[.+]", cell):
        raise InvalidValueError(f"{name} is in scientific notation, so digits are lost; export it as text")
    if len(cell) > longest or not cell.isprintable():
        raise InvalidValueError(f"{name} is longer than {longest} characters or not printable")
    return cell


def phone(cell: str) -> str:
    """
    A phone number as ``+8613900000001``.

    Raises:
        InvalidValueError: It is no mobile number of the mainland and has no
            country code, or digits are hidden or lost.
    """
    digits = re.sub(r"[ ()\-]", "", code("phone", cell))
    mobile = _MOBILE.fullmatch(digits)
    if mobile:
        return f"+86{mobile[1]}"
    if _INTERNATIONAL.fullmatch(digits) and not digits.startswith("+86"):
        return digits
    raise InvalidValueError("phone is no mobile number, nor one with its country code")


def fen(name: str, cell: str) -> int:
    """
    An amount in yuan as fen, half a fen up (away from zero); may be negative.

    Raises:
        InvalidValueError: It is no amount.
    """
    text = cell.replace("\N{MINUS SIGN}", "-").replace("¥", "").removesuffix("元").replace(" ", "")
    negative = re.fullmatch(r"\((.+)\)", text)
    text = f"-{negative[1]}" if negative else text
    if _SCIENTIFIC.fullmatch(text):
        raise InvalidValueError(f"{name} is in scientific notation; export it as a number")
    if not _NUMBER.fullmatch(text):
        raise InvalidValueError(f"{name} is no amount")
    exact = Decimal(text.replace(",", "")) * 100
    amount = int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)) if len(text) < 30 else _MOST_FEN
    if abs(amount) >= _MOST_FEN:
        raise InvalidValueError(f"{name} is too large to be an amount")
    return amount


def quantity(cell: str) -> int:
    """
    A number of units; may be negative.

    Raises:
        InvalidValueError: It is no whole number.
    """
    text = cell.replace("\N{MINUS SIGN}", "-")
    if not _NUMBER.fullmatch(text) or len(text) > 15:
        raise InvalidValueError("qty is no number")
    number = Decimal(text.replace(",", ""))
    if number != int(number):
        raise InvalidValueError("qty is no whole number")
    return int(number)


def moment(cell: str, zone: ZoneInfo) -> datetime:
    """
    A moment, the year first; without an offset on the clock of *zone*.

    ``2026/1/2 11:04``, ``2026-01-02T11:04:05+08:00``, ``2026年1月2日``, ``20260102``.
    A day without a time is its first moment.

    Raises:
        InvalidValueError: It is no moment, or not written with the year first.
    """
    found = _MOMENT.fullmatch(cell)
    if found is None:
        raise InvalidValueError("paid_at is no moment with the year first, such as 2026-01-02 11:04")
    year, hour, minute, second = (int(found[place] or 0) for place in (1, 8, 9, 10))
    month, day = (int(text) for text in (found.group(2, 3, 4, 5, 6, 7)) if text is not None)
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        if found[11]:
            offset = "+00:00" if found[11] == "Z" else found[11]
            local = datetime.fromisoformat(f"{local:%Y-%m-%dT%H:%M:%S}{_colon(offset)}")
    except ValueError:
        raise InvalidValueError("paid_at is no moment that the calendar has") from None
    if not _YEARS[0] <= year < _YEARS[1]:
        raise InvalidValueError(f"paid_at is not between {_YEARS[0]} and {_YEARS[1]}")
    return local


def latest(now: datetime) -> datetime:
    """The last moment that a row may have: clocks differ by less than a day."""
    return now + timedelta(days=1)


def _colon(offset: str) -> str:
    return offset if ":" in offset else f"{offset[:3]}:{offset[3:]}"
