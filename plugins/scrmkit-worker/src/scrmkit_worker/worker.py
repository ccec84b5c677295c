"""The worker that the engine finds: delivery, timers, slots and callbacks put together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from scrmkit.domain.messages import Report
from scrmkit.engine import Engine
from scrmkit.protocols import CallbackRequest, Reply
from scrmkit.worker import Done
from scrmkit_worker.delivery import Delivery
from scrmkit_worker.lanes import lanes_of
from scrmkit_worker.reception import Reception
from scrmkit_worker.running import Running
from scrmkit_worker.settling import Settling
from scrmkit_worker.slots import Slots
from scrmkit_worker.timers import Timers


class ThreadWorker:
    """Does what is due on the caller's thread, or on threads of its own; see ``Worker``."""

    def __init__(self, engine: Engine) -> None:
        database, intake, shared = engine.database, engine.intake, engine.shared
        plugins, calls = engine.plugins, engine.calls
        lanes = lanes_of(plugins)
        settling = Settling(shared, database, intake, engine.clock, lanes, engine.settings.policy)
        self.delivery = Delivery(settling, calls, alone=database.dialect_name == "sqlite")
        self.outbox = settling
        self._reception = Reception(engine, settling)
        self._running = Running(
            self.delivery, Timers(database, intake, plugins, calls, engine.clock),
            Slots(settling, plugins), settling, intake, engine.keep_health,
        )  # fmt: skip

    def once(self) -> Done:
        """Do all that is due now, and what that leads to, on this thread."""
        return self._running.once()

    def start(self, threads: int) -> None:
        """Start *threads* threads for each lane and one for the clock; once."""
        self._running.start(threads=threads)

    def stop(self, timeout: timedelta) -> bool:
        """Finish what is being sent and end the threads; whether all ended in time."""
        return self._running.stop(timeout)

    def receive(self, channel: str, request: CallbackRequest) -> Reply:
        """Take in a platform's callback, and say what it is answered."""
        return self._reception.receive(channel, request)

    def apply_reports(self, connector: str, reports: Sequence[Report], tenant: str | None) -> int:
        """Take in reports on what was sent; how many said something new."""
        return self._reception.apply_reports(connector, tenant, reports)
