"""
The echo field of a call that carries several messages.

A provider echoes one short string for a whole call. Ours names every message
of the call by a digest of its key, so that a message whose answer was lost can
be found again by its key alone, also after a crash.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence

LONGEST = 255
"""Characters of an echo. Source: Alibaba Cloud SMS, SendSms, OutId, read 2026-11."""

_SEVERAL = re.compile(r"scrm\.([0-9]+)\.([A-Za-z0-9_-]*)")
_WIDEST = 22


def echo_of(keys: Sequence[str]) -> str:
    """
    The echo for a call with these messages: the key itself where there is one.

    A digest has 12 bits where a call carries 100 messages (and more where it
    carries fewer): compare the phone as well, and the day.
    """
    if len(keys) == 1 and len(keys[0]) <= LONGEST and not _SEVERAL.match(keys[0]):
        return keys[0]
    width = min(_WIDEST, (LONGEST - len("scrm.00.")) // len(keys))
    return f"scrm.{width}." + "".join(_digest(key, width) for key in keys)


def echoed_key(echo: str) -> str | None:
    """The one key that *echo* holds, None where it names several, or none of ours."""
    return None if not echo or _SEVERAL.fullmatch(echo) else echo


def is_echo_of(echo: str, key: str) -> bool:
    """Whether the call with this echo carried the message with this key."""
    several = _SEVERAL.fullmatch(echo)
    if several is None:
        return echo == key
    width, digests = int(several[1]), several[2]
    if not 0 < width <= _WIDEST:
        return False
    wanted = _digest(key, width)
    return any(digests[start : start + width] == wanted for start in range(0, len(digests), width))


def _digest(key: str, width: int) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())[:width].decode()
