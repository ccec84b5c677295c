"""How many parts a text is billed as."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import attrs

from scrmkit.errors import InvalidValueError

Encoding = Literal["GSM-7", "UCS-2"]

UCS2_SINGLE = 70
UCS2_PART = 67
GSM7_SINGLE = 160
GSM7_PART = 153
"""Units of one message, and of each part of a longer one (the rest is the header that
joins them). Source: Alibaba Cloud SMS billing rules and 3GPP TS 23.038, read 2026-11."""

GSM7_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM7_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Characters that GSM-7 sends as two septets. Source: 3GPP TS 23.038, 6.2.1, read 2026-11."""


@attrs.frozen(kw_only=True)
class Segments:
    """
    The billed size of one text (计费条数).

    Attributes:
        encoding: What the text travels in.
        units: UTF-16 code units for UCS-2 (an emoji counts 2), septets for GSM-7.
        parts: How many messages are billed; 0 for an empty text.
        remaining: Units that the last part still takes.
    """

    encoding: Encoding
    units: int
    parts: int
    remaining: int


def segment(text: str, *, region: str = "CN") -> Segments:
    """
    Count the parts that *text* is billed as.

    Args:
        text: The whole text as it arrives: signature with its brackets, body, opt-out.
        region: ``CN`` counts as mainland carriers bill, every character as one
            unit and parts cut anywhere. Any other two-letter country counts by
            the GSM rules, where neither an emoji nor an extension character is
            split between two parts.

    Raises:
        InvalidValueError: *region* is not two capital letters.
    """
    if len(region) != 2 or not (region.isascii() and region.isupper()):
        raise InvalidValueError("a region is two capital letters, such as CN or SG")
    if region == "CN":
        return _mainland(text)
    if all(char in GSM7_BASIC or char in GSM7_EXTENSION for char in text):
        widths = (2 if char in GSM7_EXTENSION else 1 for char in text)
        return _packed("GSM-7", widths, GSM7_SINGLE, GSM7_PART)
    return _packed("UCS-2", _utf16_widths(text), UCS2_SINGLE, UCS2_PART)


def _mainland(text: str) -> Segments:
    units = sum(_utf16_widths(text))
    if units <= UCS2_SINGLE:
        parts, room = min(units, 1), UCS2_SINGLE
    else:
        parts = -(-units // UCS2_PART)
        room = parts * UCS2_PART
    return Segments(encoding="UCS-2", units=units, parts=parts, remaining=room - units)


def _utf16_widths(text: str) -> Iterator[int]:
    return (2 if ord(char) > 0xFFFF else 1 for char in text)


def _packed(encoding: Encoding, widths: Iterable[int], single: int, part: int) -> Segments:
    whole = list(widths)
    units = sum(whole)
    if units <= single:
        parts, remaining = min(units, 1), single - units
    else:
        parts, remaining = 1, part
        for width in whole:
            if width > remaining:
                parts, remaining = parts + 1, part
            remaining -= width
    return Segments(encoding=encoding, units=units, parts=parts, remaining=remaining)
