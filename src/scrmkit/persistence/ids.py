"""64-bit ids, time-ordered, from one allocator for each process."""

from __future__ import annotations

import itertools
import secrets
import threading
import time

_EPOCH_MS = 1_735_689_600_000  # 2025-01-01 UTC
_NODE_BITS = 12
_COUNT_BITS = 10


class IdAllocator:
    """
    Ids that rise with the machine's time.

    41 bits of milliseconds (to the year 2094), 12 bits drawn for the process, 10
    bits that count. Two processes that draw the same bits and allocate in the
    same millisecond collide on a primary key: that is a conflict like any
    other, and the unit of work runs again with new ids.
    """

    def __init__(self) -> None:
        self._node = secrets.randbits(_NODE_BITS) << _COUNT_BITS
        self._lock = threading.Lock()
        self._last_ms = 0
        self._count = itertools.count()

    def take(self) -> int:
        """The next id, above every earlier one of this allocator."""
        with self._lock:
            now_ms = time.time_ns() // 1_000_000 - _EPOCH_MS
            if now_ms > self._last_ms:
                self._last_ms, self._count = now_ms, itertools.count()
            count = next(self._count)
            if count >> _COUNT_BITS:  # more than 1,024 in this millisecond: borrow the next
                self._last_ms, self._count = self._last_ms + 1, itertools.count(1)
                count = 0
            return (self._last_ms << (_NODE_BITS + _COUNT_BITS)) | self._node | count
