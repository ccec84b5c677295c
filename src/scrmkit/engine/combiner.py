"""Combines concurrent callers into group commits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from scrmkit.domain.decisions import Outcome
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import StorageError, StorageUnavailableError


@attrs.define(slots=True, eq=False)
class _Waiter:
    touchpoint: Touchpoint[Any]
    done: threading.Event = attrs.field(factory=threading.Event)
    outcome: Outcome | None = None
    error: Exception | None = None

    def result(self) -> Outcome:
        if self.error is not None:
            raise self.error
        assert self.outcome is not None
        return self.outcome


class Combiner:
    """
    Lets the first of several callers write for all who wait.

    Each caller returns when its own touchpoint is durable. There is no thread
    that could die: whoever finds nobody writing writes, and hands over when the
    batch is done. An error of the batch reaches every caller in it. Who records
    while being told what was recorded does not wait for itself.
    """

    def __init__(
        self,
        record: Callable[[Sequence[Touchpoint[Any]]], Sequence[Outcome | StorageError]],
        *,
        limit: int = 200,
    ) -> None:
        self._record = record
        self._limit = limit
        self._lock = threading.Lock()
        self._queue: list[_Waiter] = []
        self._writing = False
        self._leader = 0

    def record(self, touchpoint: Touchpoint[Any]) -> Outcome:
        """Record one touchpoint, together with those of other callers if there are any."""
        waiter = _Waiter(touchpoint)
        if self._leader == threading.get_ident():
            self._write([waiter])
            return waiter.result()
        with self._lock:
            self._queue.append(waiter)
            leads = not self._writing
            self._writing = True
        if not leads:
            waiter.done.wait()
            if waiter.outcome is None and waiter.error is None:  # made the leader
                leads = True
        if leads:
            self._lead(waiter)
        return waiter.result()

    def _lead(self, own: _Waiter) -> None:
        """Write one batch with one's own touchpoint in it, then hand over."""
        with self._lock:
            batch, self._queue = self._queue[: self._limit], self._queue[self._limit :]
            if own not in batch:
                self._queue.remove(own)
                batch.append(own)
        self._leader = threading.get_ident()
        try:
            self._write(batch)
        except BaseException:  # this thread is to end: the others are to try again
            for waiter in batch:
                waiter.error = StorageUnavailableError("whoever wrote for all was interrupted")
            raise
        finally:
            self._leader = 0
            for waiter in batch:
                if waiter is not own:
                    waiter.done.set()
            self._hand_over()

    def _write(self, batch: Sequence[_Waiter]) -> None:
        try:
            results = self._record([waiter.touchpoint for waiter in batch])
            for waiter, result in zip(batch, results, strict=True):
                if isinstance(result, Outcome):
                    waiter.outcome = result
                else:
                    waiter.error = result
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            for waiter in batch:
                waiter.error = error

    def _hand_over(self) -> None:
        with self._lock:
            if self._queue:
                self._queue[0].done.set()
            else:
                self._writing = False
