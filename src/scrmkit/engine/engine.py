"""The engine: composes the plugins over one database."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Self

from sqlalchemy.engine import Connection

from scrmkit.clock import Clock, SystemClock
from scrmkit.domain.campaign import Campaign, CampaignStatus
from scrmkit.domain.decisions import Decision, Outcome
from scrmkit.domain.ids import CustomerId, TenantId
from scrmkit.domain.kinds import CampaignChanged
from scrmkit.domain.messages import Report
from scrmkit.domain.profile import Customer
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.calls import Calls
from scrmkit.engine.campaigns import Campaigns
from scrmkit.engine.combiner import Combiner
from scrmkit.engine.customers import Who, customer_of, find
from scrmkit.engine.deciding import Shared
from scrmkit.engine.documents import Documents
from scrmkit.engine.health import keep_health, load_health
from scrmkit.engine.intake import Intake, all_of
from scrmkit.engine.joining import Joined, Joining
from scrmkit.engine.merging import split
from scrmkit.engine.organisation import Organisation
from scrmkit.engine.targets import Interests
from scrmkit.errors import StorageError
from scrmkit.persistence.codec import Codec
from scrmkit.persistence.database import Database
from scrmkit.persistence.ids import IdAllocator
from scrmkit.persistence.migrate import require_current, upgrade
from scrmkit.plugins import PluginSet, load_plugins, load_worker
from scrmkit.protocols import CallbackRequest, Reply
from scrmkit.settings import Settings
from scrmkit.worker import Done, Outbox, Worker


class Engine:
    """
    Records touchpoints, lets the plugins decide, and delivers what they ask for.

    One engine a process and database. Safe to use from several threads: callers
    who record at the same time share commits.

    Args:
        plugins: In-process plugins by ``family.type``, beside the installed ones: a class,
            or a function that makes the object of its ``PluginContext``.
        create: Whether to bring the schema up to date first, as tests and demos
            do; in production ``scrmkit db upgrade`` does.

    Raises:
        PluginError: With every problem of every plugin.
        SchemaOutOfDateError: The schema is not this version's, and *create* is off.
        SecondWriterError: Another process writes to this SQLite file.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        plugins: Mapping[str, Callable[..., Any]] = MappingProxyType({}),
        create: bool = False,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.plugins: PluginSet = load_plugins(settings, self.clock, extra=plugins)
        self.database = Database(settings.database.reveal(), durability=str(settings.durability))
        try:
            upgrade(self.database) if create else require_current(self.database)
            self._compose()
        except BaseException:
            self.database.close()
            raise

    def _compose(self) -> None:
        settings, plugins = self.settings, self.plugins
        self.codec = Codec()
        self.ids = IdAllocator()
        self.calls = Calls(
            plugins, budget_ms=settings.calls.budget_ms, quarantine_after=settings.calls.quarantine_after
        )
        load_health(self.database, self.calls)
        self.organisation = Organisation(self.database, self.codec, settings)
        self.campaigns = Campaigns(self.database, self.codec, plugins)
        self.shared = Shared(
            plugins, self.calls, self.codec, self.campaigns, self.organisation,
            Documents(plugins, self.codec), Interests(plugins), self.ids,
            settings.secret.reveal().encode(),
        )  # fmt: skip
        self.intake = Intake(self.shared, self.database, settings, self.clock)
        self._joining = Joining(self.intake, self.database)
        self._combiner = Combiner(self._record_each)
        self._making = threading.Lock()
        self._worker: Worker | None = None

    @property
    def worker(self) -> Worker:
        """
        Who does what is due; made when it is first asked for.

        Raises:
            MissingExtraError: None is installed.
            PluginError: More than one is, or the one there is cannot be used.
        """
        with self._making:
            if self._worker is None:
                self._worker = load_worker()(self)
            return self._worker

    @property
    def outbox(self) -> Outbox:
        """What a person does about what delivery gave up."""
        return self.worker.outbox

    def close(self) -> None:
        """Give the database back; what is durable stays, what is under way is finished first."""
        self.stop()
        self.keep_health()
        for loaded in self.plugins.plugins:
            close = getattr(loaded.plugin, "close", None)
            if close is not None:
                self.calls.call(loaded, "close", close, timed=False)
        self.database.close()

    def keep_health(self) -> None:
        """Write down how the plugins have been doing, where that has changed."""
        keep_health(self.database, self.calls)

    def check_storage(self) -> None:
        """
        Ask the database for an answer.

        Raises:
            StorageError: It gives none.
        """
        with self.database.reading(begin="SELECT 1"):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    # --- intake --------------------------------------------------------------------------

    def record(self, touchpoint: Touchpoint[Any]) -> Outcome:
        """
        Record one touchpoint durably and return what was decided.

        A repetition changes nothing and returns the stored outcome. One that
        the database refuses for good is parked, and the outcome says so.

        Raises:
            InvalidValueError, UnknownKindError, TenantRequiredError: It is not
                a touchpoint that can be recorded; nothing has happened.
            StorageUnavailableError, ConflictError: Nothing was recorded; try again later.
        """
        return self._combiner.record(self.intake.checked(touchpoint))

    def record_many(self, touchpoints: Sequence[Touchpoint[Any]]) -> list[Outcome]:
        """
        Record several in one transaction, in their order; as ``record`` otherwise.

        Raises:
            StorageUnavailableError, ConflictError: Not all were recorded; try all
                again later, and those that were are repetitions.
        """
        return all_of(self._record_each([self.intake.checked(touchpoint) for touchpoint in touchpoints]))

    def _record_each(self, touchpoints: Sequence[Touchpoint[Any]]) -> list[Outcome | StorageError]:
        outcomes = self.intake.record_each(touchpoints)
        with contextlib.suppress(StorageError):  # it is kept the next time
            self.keep_health()
        return outcomes

    def record_decided(self, touchpoint: Touchpoint[Any], plugin: str, decision: Decision) -> Outcome:
        """
        Record a touchpoint with a decision that a program has already taken over many customers.

        Its effects name their customers. It is kept, applied and replayed like the
        decisions of plugins, before theirs; a repetition changes nothing.

        Args:
            plugin: The configured plugin in whose name it is decided.

        Raises:
            UnknownNameError: No plugin is configured as *plugin*.
            InvalidValueError, UnknownKindError, TenantRequiredError: As of ``record``.
            StorageUnavailableError, ConflictError: Nothing was recorded; try again later.
        """
        return self.intake.record_decided(touchpoint, self.plugins.named(plugin), decision)

    def joined(self, connection: Connection) -> contextlib.AbstractContextManager[Joined]:
        """
        Record inside a host's transaction, on its SQLAlchemy connection.

        Nothing is committed, rolled back or tried again here: our writes stand
        in a savepoint, and whatever fails is rolled back to it and raised.
        Observers are told, and delivery may start, when the host has committed:
        when its connection is given back or goes on at the latest.

        Raises:
            InvalidValueError: The connection commits every statement by itself.
        """
        return self._joining.join(connection)

    def ask(self, touchpoint: Touchpoint[Any]) -> Outcome:
        """
        What would be decided if this were recorded now: a quote, a preview.

        Nothing is recorded, nothing is sent; the ids in the outcome mean nothing.
        """
        return self.intake.ask(touchpoint)

    def find(self, kind: str, key: str, *, tenant: str | None = None) -> Outcome | None:
        """The outcome of a touchpoint that was recorded before, None where it was not."""
        return self.intake.find(kind, key, self.intake.tenant(tenant))

    def customer(self, who: Who, *, tenant: str | None = None) -> Customer:
        """
        One customer as they stand, by id or by what a platform calls them.

        Raises:
            UnknownNameError: The tenant has no such customer.
        """
        owner, now = self.intake.tenant(tenant), self.clock.now()
        with self.database.reading() as wire:
            person = find(wire, owner, who)
            return customer_of(wire, self.codec, self.settings.stage_from, owner, person, now)

    def undo_merge(self, kept: CustomerId, moved: CustomerId, *, tenant: str | None = None) -> None:
        """
        Make *moved* a customer of its own again, exactly as before it was merged into *kept*.

        Raises:
            UnknownNameError: There is no such merge that is not undone.
            ConflictError: *kept* was merged into somebody since; undo that first.
        """
        owner = self.intake.tenant(tenant)
        split(self.database, self.intake, self.clock, owner, int(kept), int(moved))

    # --- delivery ------------------------------------------------------------------------

    def run_once(self) -> Done:
        """
        Fire timers and deliver until nothing is due now, on this thread.

        Raises:
            StorageUnavailableError, ConflictError: The rest is done next time.
        """
        return self.worker.once()

    def start(self, *, threads: int = 4) -> None:
        """Fire timers and deliver from now on, on *threads* threads for each lane."""
        self.worker.start(threads)

    def stop(self, timeout: timedelta = timedelta(seconds=30)) -> bool:
        """Finish what is being sent and end the threads; whether all ended in time."""
        return self._worker is None or self._worker.stop(timeout)

    def receive(self, channel: str, request: CallbackRequest) -> Reply:
        """
        Take in a platform's callback; the reply is what the platform is answered.

        Raises:
            UnknownNameError: No channel is configured as *channel*.
            StorageError: Answer 503: nothing is lost if the platform calls again.
        """
        return self.worker.receive(channel, request)

    def apply_reports(self, connector: str, reports: Sequence[Report], *, tenant: str | None = None) -> int:
        """Take in what a platform said of what was sent; how many reports said something new."""
        return self.worker.apply_reports(connector, reports, tenant)

    # --- campaigns -----------------------------------------------------------------------

    def publish(self, campaign: Campaign[Any], *, tenant: str | None = None) -> Campaign[Any]:
        """
        Publish a campaign as its next version, and record that it took effect.

        Publishing the same again changes nothing. Running instances keep the
        version that they started under.
        """
        owner = self.intake.tenant(tenant)
        published = self.campaigns.publish(owner, campaign)
        ended = published.status is CampaignStatus.ENDED
        self.record(
            Touchpoint(
                kind="campaign.ended" if ended else "campaign.activated",
                key=f"{published.id}@{published.version}",
                tenant=TenantId(owner),
                occurred_at=self.clock.now(),
                payload=CampaignChanged(campaign=published.id, version=published.version),
                source="core",
            )
        )
        return published
