"""Clocks, system and virtual; whoever needs the time is handed one."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Protocol

from scrmkit.errors import InvalidValueError


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The present moment, timezone-aware, in UTC."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)


class VirtualClock:
    """
    A clock that moves only when it is told to, and never backwards.

    The demo, the sandboxes and the tests share one. Safe to use from several
    threads.
    """

    def __init__(self, start: datetime) -> None:
        self._lock = threading.Lock()
        self._now = aware(start).astimezone(UTC)

    def now(self) -> datetime:
        """The moment it was last moved to, in UTC."""
        with self._lock:
            return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move on by *by*, which may not be negative, and return the new moment."""
        with self._lock:
            if by < timedelta(0):
                raise InvalidValueError("a virtual clock never moves backwards")
            self._now += by
            return self._now

    def move_to(self, moment: datetime) -> datetime:
        """Move on to *moment* (timezone-aware); an earlier one leaves it where it is."""
        with self._lock:
            self._now = max(self._now, aware(moment).astimezone(UTC))
            return self._now


def aware(moment: datetime) -> datetime:
    """
    Return *moment* as it is.

    Raises:
        InvalidValueError: It has no time zone.
    """
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise InvalidValueError("this moment has no time zone; write datetime(..., tzinfo=UTC) or use .astimezone()")
    return moment


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC: how moments are stored."""
    if moment.tzinfo is not UTC:
        aware(moment)
    return (moment - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The moment, in UTC, that *micros* microseconds since 1970-01-01 UTC stand for."""
    return EPOCH + micros * _MICROSECOND
