"""Does what is due: once, for hosts with a scheduler of their own, or on threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from time import monotonic

import structlog

from scrmkit.domain.messages import Status
from scrmkit.engine.calls import line_of
from scrmkit.engine.frame import Frame
from scrmkit.engine.intake import Intake
from scrmkit.errors import ScrmkitError
from scrmkit.worker import Done
from scrmkit_worker.delivery import Counts, Delivery
from scrmkit_worker.lanes import Lane, LaneKey
from scrmkit_worker.settling import Settling
from scrmkit_worker.slots import Slots
from scrmkit_worker.timers import Timers

log = structlog.get_logger("scrmkit.delivery")
_ROUNDS = 100
_TICK_S = 0.25
_POLL_S = 1.0


class Running:
    """Drives timers, slots and delivery."""

    def __init__(
        self, delivery: Delivery, timers: Timers, slots: Slots, settling: Settling, intake: Intake,
        keep_health: Callable[[], None],
    ) -> None:  # fmt: skip
        self._delivery = delivery
        self._tasks = {
            "recovered": delivery.recover, "timers": timers.fire, "reservations": timers.release,
            "slots": slots.close, "asked": delivery.ask,
        }  # fmt: skip
        self._keep_health = keep_health
        self._bells = {key: threading.Event() for key in delivery.lanes}
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        settling.wake = self._ring
        intake.listeners.append(self._listen)

    def once(self) -> Done:
        """
        Do all that is due now, and what that leads to, on this thread.

        Raises:
            StorageUnavailableError, ConflictError: The rest is done next time.
        """
        done: Counts = Counter()
        for _ in range(_ROUNDS):
            found = self._tick()
            for lane in self._delivery.lanes.values():
                while counts := self._delivery.work(lane):
                    found += counts
            if not found:
                break
            done += found
        self._keep_health()
        return Done(**done)

    def _tick(self) -> Counts:
        """What the clock brings."""
        return +Counter({name: task() for name, task in self._tasks.items()})

    # --- threads -------------------------------------------------------------------------

    def start(self, *, threads: int = 4) -> None:
        """Start *threads* threads for each lane and one for the clock; once."""
        if self._threads:
            return
        self._stopping.clear()
        self._thread("scrmkit-clock", self._watch)
        for key, lane in self._delivery.lanes.items():
            for number in range(threads):
                name = f"scrmkit-{key[0]}-{key[1]}-{number}"
                self._thread(name, partial(self._deliver, lane))

    def stop(self, timeout: timedelta = timedelta(seconds=30)) -> bool:
        """Finish what is being sent, write it down, and end the threads; whether all ended."""
        self._stopping.set()
        until = monotonic() + timeout.total_seconds()
        while self._threads and monotonic() < until:
            for bell in self._bells.values():
                bell.set()
            self._threads[0].join(_TICK_S / 10)
            self._threads = [thread for thread in self._threads if thread.is_alive()]
        with suppress(ScrmkitError):
            self._delivery.flush()
        return not self._threads

    def _thread(self, name: str, run: Callable[[], None]) -> None:
        thread = threading.Thread(target=run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _watch(self) -> None:
        while not self._stopping.wait(_TICK_S):
            self._try(self._tick)
            self._try(self._keep_health)

    def _deliver(self, lane: Lane) -> None:
        bell, work = self._bells[lane.key], partial(self._delivery.work, lane)
        while not self._stopping.is_set():
            # Whoever clears it looks once more: what was committed before is seen by that look.
            bell.clear()
            if not self._try(work):
                bell.wait(_POLL_S)

    def _try(self, work: Callable[[], Counts | None]) -> bool:
        """Whether *work* did anything."""
        try:
            return bool(work())
        except Exception as error:  # noqa: BLE001 - a worker goes on, whatever happens
            text = str(error) if isinstance(error, ScrmkitError) else type(error).__name__
            log.error("delivery_interrupted", error=text + line_of(error))
            self._stopping.wait(_POLL_S)
            return False

    def _ring(self, key: LaneKey) -> None:
        if key in self._bells:
            self._bells[key].set()

    def _listen(self, frames: Sequence[Frame]) -> None:
        """Wake the lanes that something was planned for."""
        if not self._threads:
            return
        effects = [e for f in frames for d in f.decisions for e in d.get("effects", ())]
        planned = [effect for effect in effects if effect.get("status") == Status.PLANNED]
        for key in {(e["connector"], e["operation"]) for e in planned}:
            self._ring(key)
