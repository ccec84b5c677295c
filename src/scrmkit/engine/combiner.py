"""Combines concurrent callers into group commits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import attrs

from scrmkit.domain.decisions import Outcome
from scrmkit.domain.touchpoint import Touchpoint


@attrs.define(slots=True, eq=False)
class _Waiter:
    touchpoint: Touchpoint[Any]
    done: threading.Event = attrs.field(factory=threading.Event)
    outcome: Outcome | None = None
    error: BaseException | None = None


class Combiner:
    """
    Lets the first of several callers write for all who wait.

    Each caller returns when its own touchpoint is durable. There is no thread
    that could die: whoever finds nobody writing writes, and hands over when the
    batch is done. An error of the batch reaches every caller in it.
    """

    def __init__(
        self, record: Callable[[Sequence[Touchpoint[Any]]], list[Outcome]], *, limit: int = 200
    ) -> None:
        self._record = record
        self._limit = limit
        self._lock = threading.Lock()
        self._queue: list[_Waiter] = []
        self._writing = False

    def record(self, touchpoint: Touchpoint[Any]) -> Outcome:
        """Record one touchpoint, together with those of other callers if there are any."""
        waiter = _Waiter(touchpoint)
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
        if waiter.error is not None:
            raise waiter.error
        assert waiter.outcome is not None
        return waiter.outcome

    def _lead(self, own: _Waiter) -> None:
        """Write one batch with one's own touchpoint in it, then hand over."""
        with self._lock:
            batch, self._queue = self._queue[: self._limit], self._queue[self._limit :]
            if own not in batch:
                self._queue.remove(own)
                batch.append(own)
        try:
            outcomes = self._record([waiter.touchpoint for waiter in batch])
            for waiter, outcome in zip(batch, outcomes, strict=True):
                waiter.outcome = outcome
        except BaseException as error:  # noqa: BLE001 - whoever waits must hear of it
            for waiter in batch:
                if waiter.outcome is None:
                    waiter.error = error
        finally:
            for waiter in batch:
                if waiter is not own:
                    waiter.done.set()
            self._hand_over()

    def _hand_over(self) -> None:
        with self._lock:
            if self._queue:
                self._queue[0].done.set()
            else:
                self._writing = False
