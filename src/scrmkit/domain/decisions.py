"""What deciders return, and what the caller of ``record`` gets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar
from zoneinfo import ZoneInfo

import attrs

from scrmkit.domain.chance import Chance
from scrmkit.domain.effects import Effect
from scrmkit.domain.ids import CustomerId, TouchpointId

S = TypeVar("S")


# A frozen value is made in half the time without slots, and these are made for every call.
@attrs.frozen(kw_only=True, slots=False)
class Now:
    """
    The only source of time and chance that a decision has.

    Attributes:
        at: The moment of recording. Timezone-aware, UTC.
        counts_at: The moment that deadlines compare: the platform's word where
            the kind names it as the witness, *at* otherwise.
        zone: The shop's zone, or the tenant's where no shop is known.
        chance: Draws that are equal for equal touchpoints and plugins.
    """

    at: datetime
    counts_at: datetime
    zone: ZoneInfo
    chance: Chance

    @property
    def local(self) -> datetime:
        """*at* on the shop's clock."""
        return self.at.astimezone(self.zone)


@attrs.frozen(kw_only=True)
class Decision:
    """
    What a plugin decided, and why. All its effects happen, or none.

    Attributes:
        reason: In words that an operator can read; nothing personal.
        answer: A value (attrs, or a mapping of JSON values) that ``record``
            returns to its caller, now and to every repetition.
        code: ``ok``, or a short name of the refusal.
    """

    reason: str
    effects: tuple[Effect, ...] = ()
    answer: Any = None
    code: str = "ok"


@attrs.frozen(kw_only=True)
class Step(Decision, Generic[S]):
    """
    A mechanic's decision about one instance.

    Attributes:
        state: The new state; None keeps it as it is.
        closed: Whether nothing more will come: the instance is no longer open.
    """

    state: S | None = None
    closed: bool = False


@attrs.frozen(kw_only=True)
class Deny:
    """A refusal by a gate hook, with a short code and a reason in words."""

    code: str
    reason: str


@attrs.frozen(kw_only=True, slots=False)
class Said:
    """
    One decision as it was kept.

    Attributes:
        plugin: The configured plugin's name.
        instance: ``campaign/key`` for a mechanic, else empty.
        code: As the plugin said, or ``guard`` where a limit was reached at the
            last moment, or ``failed`` where the plugin broke.
        effects: The names of the effects that were applied.
    """

    plugin: str
    instance: str
    code: str
    reason: str
    effects: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Outcome:
    """
    What became of a touchpoint; the same again for a repetition.

    Attributes:
        duplicate: Whether it had been recorded before; nothing changed then.
        parked: Why it was put aside, None where it was recorded.
        answers: By the configured plugin's name, as JSON values.
    """

    touchpoint: TouchpointId
    customer: CustomerId | None
    duplicate: bool = False
    parked: str | None = None
    answers: Mapping[str, Mapping[str, Any]] = attrs.field(factory=dict, hash=False)
    decisions: tuple[Said, ...] = ()

    @property
    def answer(self) -> Mapping[str, Any] | None:
        """The only answer, or None where there is none or more than one."""
        return next(iter(self.answers.values())) if len(self.answers) == 1 else None
