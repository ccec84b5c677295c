"""What an engine tells of its customers: who belongs to a segment, and one of them in full."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from scrmkit.clock import Clock, aware
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.journey import EffectRef, Entry, Why
from scrmkit.domain.profile import Customer
from scrmkit.domain.segments import Expression, Segment, matches
from scrmkit.engine.customers import Customers, Who
from scrmkit.engine.intake import Intake
from scrmkit.engine.journey import Journeys
from scrmkit.engine.segments import Segments
from scrmkit.errors import TenantRequiredError
from scrmkit.persistence.codec import Codec
from scrmkit.persistence.database import Database
from scrmkit.plugins import PluginSet
from scrmkit.settings import Settings

Named = str | Segment | Expression
"""A segment of the settings by its name, one that the caller made, or a bare expression."""


class Viewing:
    """The part of the engine that looks at customers, and writes nothing."""

    settings: Settings
    clock: Clock
    plugins: PluginSet
    database: Database
    codec: Codec
    intake: Intake

    def _compose_views(self) -> None:
        self.segments = Segments(self.database, self.plugins, self.settings)
        self._customers = Customers(self.database, self.codec, self.settings.stage_from)
        self._journeys = Journeys(self._customers)

    def count_members(
        self, segment: Named, *, as_of: datetime | None = None, tenant: str | None = None
    ) -> int:
        """How many customers belong to a segment now, or as of a moment; raises as ``members``."""
        expression, owner = self._meant(segment, tenant)
        return self.segments.count(expression, owner, self._moment(as_of))

    def members(
        self, segment: Named, *, as_of: datetime | None = None, tenant: str | None = None
    ) -> Iterator[CustomerId]:
        """
        The customers that belong to a segment, by id.

        Read in pages, so that nothing is held open between them: who joins or
        leaves meanwhile may be missed, and nobody comes twice.

        Raises:
            UnknownNameError: No segment of the settings is called so, or it
                asks for a stage that nobody says.
            UnknownKindError: It asks for a kind of touchpoint that nobody registers.
            InvalidValueError: It asks for the sum of a kind without amounts.
            TenantRequiredError: The segment is another tenant's.
        """
        expression, owner = self._meant(segment, tenant)
        return self.segments.members(expression, owner, self._moment(as_of))

    def matches(
        self, segment: Named, who: Who, *, as_of: datetime | None = None, tenant: str | None = None
    ) -> bool:
        """Whether one customer belongs to a segment; raises as ``members`` and ``customer`` do."""
        expression, owner = self._meant(segment, tenant)
        self.segments.check(expression)
        with self.database.reading() as wire:
            facts = self._customers.facts(wire, owner, self._customers.find(wire, owner, who))
        return matches(expression, facts, self._moment(as_of), self.settings.zone)

    def customer(self, who: Who, *, tenant: str | None = None) -> Customer:
        """
        One customer as they stand, by id or by what a platform calls them.

        Raises:
            UnknownNameError: The tenant has no such customer.
        """
        owner, now = self.intake.tenant(tenant), self.clock.now()
        with self.database.reading() as wire:
            person = self._customers.find(wire, owner, who)
            return self._customers.customer(wire, owner, person, now)

    def journey(self, who: Who, *, tenant: str | None = None) -> tuple[Entry, ...]:
        """
        Everything that is recorded of one customer, in the order in which it happened.

        Raises:
            UnknownNameError: The tenant has no such customer.
        """
        owner = self.intake.tenant(tenant)
        with self.database.reading() as wire:
            person = self._customers.find(wire, owner, who)
            return self._journeys.journey(wire, owner, person)

    def why(self, who: Who, effect: str | EffectRef, *, tenant: str | None = None) -> Why:
        """
        Why something is so of a customer: who decided it, at what, and for which reason.

        Args:
            effect: Such as ``tag:source/table card``; see ``EffectRef``.

        Raises:
            UnknownNameError: The tenant has no such customer, or the customer no such effect.
            InvalidValueError: The effect is not written so.
        """
        asked = EffectRef.of(effect) if isinstance(effect, str) else effect
        owner, now = self.intake.tenant(tenant), self.clock.now()
        with self.database.reading() as wire:
            person = self._customers.find(wire, owner, who)
            return self._journeys.why(wire, owner, person, asked, now)

    def _meant(self, segment: Named, tenant: str | None) -> tuple[Expression, str]:
        if isinstance(segment, str):
            segment = self.segments.named(segment)
        if isinstance(segment, Expression):
            return segment, self.intake.tenant(tenant)
        if tenant is not None and segment.tenant not in (None, tenant):
            raise TenantRequiredError(
                f"segment {segment.name!r} is of tenant {segment.tenant!r}, not of {tenant!r}"
            )
        return segment.expression, self.intake.tenant(tenant or segment.tenant)

    def _moment(self, as_of: datetime | None) -> datetime:
        return aware(as_of) if as_of is not None else self.clock.now()
