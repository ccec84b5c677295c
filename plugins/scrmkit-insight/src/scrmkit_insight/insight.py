"""What a program asks of its engine's database."""

from __future__ import annotations

from scrmkit.engine import Engine
from scrmkit.engine.customers import Who
from scrmkit_insight import counting, digests, journeys, replaying
from scrmkit_insight.entries import EffectRef, Entry, Why


class Insight:
    """
    Reads what happened (洞察), of an engine's tenants and as of its clock; writes nothing.

    Every method raises ``TenantRequiredError`` where the tenant is none of the
    settings', or is not given and there are several.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._tenant = engine.intake.tenant

    def journey(self, who: Who, *, tenant: str | None = None) -> tuple[Entry, ...]:
        """
        Everything that is recorded of one customer, in the order in which it happened.

        Raises:
            UnknownNameError: The tenant has no such customer.
        """
        return journeys.journey(self._engine.database, self._tenant(tenant), who)

    def why(self, who: Who, effect: str | EffectRef, *, tenant: str | None = None) -> Why:
        """
        Why something is so of a customer: who decided it, at what, and for which reason.

        Args:
            effect: Such as ``tag:source/table card``; see ``EffectRef``.

        Raises:
            UnknownNameError: The tenant has no such customer, or the customer no such effect.
            InvalidValueError: The effect is not written so.
        """
        now = self._engine.clock.now()
        return journeys.why(self._engine.database, self._tenant(tenant), who, effect, now)

    def counts(self, *, tenant: str | None = None, since: int = 0) -> counting.Counts:
        """
        How much there is of everything.

        Args:
            since: Of messages and requests, count those from this id on.
        """
        return counting.counts(self._engine.database, self._tenant(tenant), since=since)

    def digest(self, tenant: str | None = None) -> digests.Digest:
        """One hash over all that somebody could read, of one tenant or of all together."""
        owner = None if tenant is None else self._tenant(tenant)
        return digests.digest(self._engine.database, owner)

    def replay(
        self, url: str | None = None, *, personal: bool = False, progress: replaying.Progress | None = None
    ) -> replaying.Replayed:
        """
        Rebuild the state from the stored decisions elsewhere, and say whether it is the same.

        Asks no plugin, sends nothing, and only reads here.

        Args:
            url: An empty database to build in and to keep; without one, a temporary file.
            personal: Whether texts and names are copied as well.
            progress: Called with how many touchpoints are done, and of how many.

        Raises:
            InvalidValueError: The database of *url* is not empty.
        """
        return replaying.replay(self._engine.database, url, personal=personal, progress=progress)
