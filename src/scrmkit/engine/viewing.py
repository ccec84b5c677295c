"""What an engine tells of one of its customers."""

from __future__ import annotations

from scrmkit.clock import Clock
from scrmkit.domain.journey import EffectRef, Entry, Why
from scrmkit.domain.profile import Customer
from scrmkit.engine.customers import Customers, Who
from scrmkit.engine.intake import Intake
from scrmkit.engine.journey import Journeys
from scrmkit.persistence.codec import Codec
from scrmkit.persistence.database import Database
from scrmkit.plugins import PluginSet
from scrmkit.settings import Settings


class Viewing:
    """The part of the engine that looks at customers, and writes nothing."""

    settings: Settings
    clock: Clock
    plugins: PluginSet
    database: Database
    codec: Codec
    intake: Intake

    def _compose_views(self) -> None:
        self._customers = Customers(self.database, self.codec, self.settings.stage_from)
        self._journeys = Journeys(self._customers)

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
