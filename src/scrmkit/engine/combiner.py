"""Combines concurrent callers into group commits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

from scrmkit.domain.decisions import Outcome
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.intake import all_of
from scrmkit.errors import StorageError, StorageUnavailableError

_MOST = 200
"""How many one batch takes at most."""

_PATIENCE_S, _PAUSE_S = 0.001, 0.00005
"""How long the writer waits for those whom the last batch answered, and how long at a time."""

_Record = Callable[[Sequence[Touchpoint[Any]]], Sequence[Outcome | StorageError]]


class _Waiter(Future[Outcome | None]):
    """A caller who waits for the outcome; None instead makes it the one who writes."""

    def __init__(self, touchpoint: Touchpoint[Any]) -> None:
        super().__init__()
        self.touchpoint = touchpoint


class Combiner:
    """
    Lets the first of several callers write for all who wait.

    Each caller returns when its own touchpoint is durable. There is no thread
    that could die: whoever finds nobody writing writes, and hands over when the
    batch is done. An error of the batch reaches every caller in it. Who records
    while being told what was recorded does not wait for itself.
    """

    def __init__(self, record: _Record) -> None:
        self._record = record
        self._lock = threading.Lock()
        self._queue: list[_Waiter] = []
        self._writing = False
        self._leader = 0
        self._together = 1

    def record(self, touchpoint: Touchpoint[Any]) -> Outcome:
        """Record one touchpoint, together with those of other callers if there are any."""
        if self._leader == threading.get_ident():
            return all_of(self._record([touchpoint]))[0]
        own = _Waiter(touchpoint)
        with self._lock:
            self._queue.append(own)
            if not self._writing:
                self._writing = True
                own.set_result(None)
        try:
            outcome = own.result()
            if outcome is None:
                self._gather()
        except BaseException:
            self._leave(own)
            raise
        return self._lead() if outcome is None else outcome

    def _leave(self, own: _Waiter) -> None:
        """Wait no longer: whoever was interrupted while waiting must not be waited for."""
        with self._lock:
            waits = own in self._queue
            if waits:
                self._queue.remove(own)
        if waits and own.done():  # it was to write
            self._hand_over()

    def _gather(self) -> None:
        """
        Wait a moment for those who were answered together: they come back together.

        Without that, every second batch would be that of the fastest alone.
        """
        until = time.perf_counter() + _PATIENCE_S
        while len(self._queue) < self._together and time.perf_counter() < until:
            time.sleep(_PAUSE_S)

    def _lead(self) -> Outcome:
        """Write one batch, in which one's own touchpoint is the first, then hand over."""
        with self._lock:
            batch, self._queue = self._queue[:_MOST], self._queue[_MOST:]
            self._together = len(batch)
        told: Exception = StorageUnavailableError("whoever wrote for all was interrupted")
        self._leader = threading.get_ident()
        try:
            results = self._record([waiter.touchpoint for waiter in batch])
            for waiter, result in zip(batch[1:], results[1:], strict=True):
                if isinstance(result, Outcome):
                    waiter.set_result(result)
                else:
                    waiter.set_exception(result)
            return all_of(results[:1])[0]
        except Exception as error:
            told = error
            raise
        finally:
            self._leader = 0
            for waiter in batch[1:]:
                if not waiter.done():
                    waiter.set_exception(told)
            self._hand_over()

    def _hand_over(self) -> None:
        with self._lock:
            if self._queue:
                self._queue[0].set_result(None)
            else:
                self._writing = False
