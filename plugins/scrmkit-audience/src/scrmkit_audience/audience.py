"""The face of the package: everybody of one engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from scrmkit.clock import aware
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.profile import Score
from scrmkit.engine import Engine
from scrmkit.engine.customers import Who, find
from scrmkit_audience import broadcasts, scoring
from scrmkit_audience.expressions import Expression, matches
from scrmkit_audience.segments import Named, Segments, facts_of


class Audience:
    """
    The customers of an engine (人群): who belongs, what everybody scores, one message for all.

    Args:
        engine: Open; its settings' segments can be asked for by name.

    Raises:
        SettingsError: With every problem of the settings' segments and its TOML path.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._segments = Segments(engine.database, engine.plugins, engine.settings)

    # --- who belongs ---------------------------------------------------------------------

    def count(self, segment: Named, *, as_of: datetime | None = None, tenant: str | None = None) -> int:
        """How many customers belong to a segment now, or as of a moment; raises as ``members``."""
        expression, owner = self._meant(segment, tenant)
        return self._segments.count(expression, owner, self._moment(as_of))

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
        return self._segments.members(expression, owner, self._moment(as_of))

    def matches(self, segment: Named, who: Who, *, as_of: datetime | None = None, tenant: str | None = None) -> bool:
        """
        Whether one customer belongs to a segment; raises as ``members``.

        Raises:
            UnknownNameError: The tenant has no such customer.
        """
        expression, owner = self._meant(segment, tenant)
        self._segments.check(expression)
        engine = self._engine
        with engine.database.reading() as wire:
            person = find(wire, owner, who)
            facts = facts_of(engine, wire, owner, person)
        return matches(expression, facts, self._moment(as_of), engine.settings.zone)

    # --- what everybody scores -----------------------------------------------------------

    def score(
        self,
        scorer: str,
        *,
        as_of: datetime | None = None,
        tenant: str | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> scoring.ScoringReport:
        """
        Score every customer as of a moment (now, if none is given).

        What happened at or after that moment does not count. Durable chunk by
        chunk: a run that was interrupted can be run again, and the same run again
        changes nothing. An exception of the scorer is raised: unlike a decision's,
        there is nothing to go on with.

        Args:
            progress: Called with how many are done, and of how many.

        Raises:
            UnknownNameError: No scorer of that name is configured.
        """
        owner = self._engine.intake.tenant(tenant)
        return scoring.run(self._engine, scorer, owner, self._moment(as_of), progress)

    def scores(self, scorer: str, *, tenant: str | None = None) -> Iterator[tuple[CustomerId, Score]]:
        """Every customer with the newest score of one scorer, by customer."""
        return scoring.scores(self._engine, scorer, self._engine.intake.tenant(tenant))

    # --- one message for all of them -----------------------------------------------------

    def broadcast(
        self,
        broadcast: broadcasts.Broadcast,
        people: Iterable[CustomerId],
        *,
        author: str,
        tenant: str | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """
        Plan one message for each of *people* through the contact policy.

        Durable chunk by chunk: interrupted, it can be run again, and nobody gets
        one broadcast twice.

        Args:
            author: The configured plugin in whose name it is proposed.
            progress: Called with how many have been planned or suppressed.

        Returns:
            How many customers were looked at.

        Raises:
            UnknownNameError: No plugin is configured as *author*.
        """
        owner = self._engine.intake.tenant(tenant)
        return broadcasts.plan(self._engine, broadcast, people, author, owner, progress)

    def _meant(self, segment: Named, tenant: str | None) -> tuple[Expression, str]:
        expression, owner = self._segments.meant(segment, tenant)
        return expression, self._engine.intake.tenant(owner)

    def _moment(self, as_of: datetime | None) -> datetime:
        return aware(as_of) if as_of is not None else self._engine.clock.now()
