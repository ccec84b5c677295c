"""What does what is due: the family ``worker``, of which one is installed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Protocol

import attrs

from scrmkit.domain.messages import REDRIVEN, Report, Status
from scrmkit.protocols import CallbackRequest, Reply


@attrs.frozen(kw_only=True)
class Done:
    """
    How much was done.

    Attributes:
        sent: Messages and requests that were handed to their connectors.
        put_off: Those that were due and that the contact policy deferred or stopped.
        recovered: Those that a worker had taken before it died.
        asked: Those of unknown outcome that platforms were asked about.
    """

    timers: int = 0
    reservations: int = 0
    slots: int = 0
    sent: int = 0
    put_off: int = 0
    recovered: int = 0
    asked: int = 0


class Outbox(Protocol):
    """What a person does about what delivery gave up."""

    def redrive(
        self, tenant: str, *, connector: str | None = None, code: str | None = None,
        reason: str | None = None, statuses: Collection[Status] = REDRIVEN,
    ) -> int:  # fmt: skip
        """
        Plan dead letters and lost ones again, with fresh attempts; how many there were.

        The contact policy is asked again when they leave.

        Args:
            reason: What their reason contains.

        Raises:
            InvalidValueError: *statuses* holds one that is not dead or lost.
        """
        ...

    def settle(self, tenant: str, id_: int, status: Status) -> None:
        """
        Say of something unknown that it was done (``DELIVERED``), that it was not
        and is to be sent again (``PLANNED``), or that it is given up (``LOST``).

        Raises:
            UnknownNameError: The tenant has no such message or request.
            InvalidValueError: It is not unknown any more.
        """
        ...


class Worker(Protocol):
    """
    Does what is due: fires timers, closes slots, carries out what was planned.

    The engine makes the one that is installed (the family ``worker``) when it is
    first needed, as ``Class(engine)``. It works on the engine's database alone,
    so that several may be at work on one: whatever it takes it takes by lease.
    """

    outbox: Outbox

    def once(self) -> Done:
        """
        Do all that is due now, and what that leads to, on this thread.

        Raises:
            StorageUnavailableError, ConflictError: The rest is done next time.
        """
        ...

    def start(self, threads: int) -> None:
        """Work from now on, on *threads* threads for each lane; started twice, it works once."""
        ...

    def stop(self, timeout: timedelta) -> bool:
        """Finish what is being sent, write it down and end; whether all ended in time."""
        ...

    def receive(self, channel: str, request: CallbackRequest) -> Reply:
        """
        Take in one callback and say what the platform is answered, once all of it is durable.

        Raises:
            UnknownNameError: No channel is configured as *channel*.
            StorageError: Nothing is lost if the platform calls again: answer it 503.
        """
        ...

    def apply_reports(self, connector: str, reports: Sequence[Report], tenant: str | None) -> int:
        """Take in what a platform said of what was sent; how many reports said something new."""
        ...
