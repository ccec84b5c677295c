"""What goes wrong on purpose: faults for the next calls that a sandbox gets or makes."""

from __future__ import annotations

import fnmatch
import threading
from typing import Literal

import attrs

from scrmkit.errors import InvalidValueError

FaultKind = Literal["slow", "hang", "status", "rate_limit", "drop", "token_revoked", "code"]


@attrs.frozen(kw_only=True)
class Fault:
    """
    What goes wrong with the next calls.

    * ``slow``: the work is done at once, the answer comes *seconds* later;
    * ``hang``: nothing is done and no answer comes, until the caller gives up;
    * ``status``: nothing is done, the HTTP status is *status*;
    * ``rate_limit``: nothing is done, the platform's own "too often";
    * ``drop``: the work is done, the connection is closed without an answer;
    * ``token_revoked``: the platform forgets its tokens first;
    * ``code``: nothing is done, the platform's own error *code*.

    Attributes:
        path: A path, or a pattern with ``*``; empty for every call.
        times: How many calls; from 1.
        seconds: Real seconds, for ``slow``.
    """

    kind: FaultKind
    path: str = ""
    times: int = attrs.field(default=1)
    seconds: float = attrs.field(default=2.0)
    status: int = attrs.field(default=503)
    code: str = ""

    @times.validator
    def _at_least_one(self, _: object, value: int) -> None:
        if value < 1:
            raise InvalidValueError("'times' counts the calls to spoil; it starts at 1")

    @seconds.validator
    def _not_negative(self, _: object, value: float) -> None:
        if value < 0:
            raise InvalidValueError("'seconds' is how late the answer comes; it starts at 0")

    @status.validator
    def _is_an_error(self, _: object, value: int) -> None:
        if not 400 <= value <= 599:
            raise InvalidValueError("'status' is an HTTP status from 400 to 599")

    def matches(self, path: str) -> bool:
        """Whether this fault is meant for a call of *path*."""
        return not self.path or fnmatch.fnmatchcase(path, self.path)


class Faults:
    """The faults still to come, oldest first. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Spoil the next calls with *fault*, after those that wait already."""
        with self._lock:
            self._waiting.append(fault)

    def take(self, path: str) -> Fault | None:
        """The fault for a call of *path*, counted down by one; None if it goes well."""
        with self._lock:
            for index, fault in enumerate(self._waiting):
                if fault.matches(path):
                    left = fault.times - 1
                    self._waiting[index : index + 1] = [attrs.evolve(fault, times=left)] if left else []
                    return fault
        return None

    def waiting(self) -> tuple[Fault, ...]:
        """The faults that have not been used up."""
        with self._lock:
            return tuple(self._waiting)

    def clear(self) -> None:
        """Let everything go well again."""
        with self._lock:
            self._waiting.clear()
