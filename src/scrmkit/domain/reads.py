"""
Declared reads: what a plugin may know when it decides.

A plugin names them in ``needs``; the engine loads them for a whole batch at
once. Asking ``known`` for anything else is an ``UndeclaredReadError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

import attrs

from scrmkit.domain.campaign import InstanceRef, Participant
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.profile import Consent, Score, Tag

V = TypeVar("V")


class Read(Generic[V]):
    """One thing to know; ``V`` is the type of the answer."""

    __slots__ = ()


class Known(Protocol):
    """The answers to what was declared, as they stood before this touchpoint."""

    def __getitem__(self, read: Read[V]) -> V:
        """
        The answer to *read*; immutable.

        Raises:
            UndeclaredReadError: ``needs`` did not name it.
        """
        ...


@attrs.frozen
class Tags(Read[Mapping[tuple[str, str], Tag]]):
    """The customer's tags that hold now, by ``(group, name)``."""

    customer: CustomerId


@attrs.frozen
class Attributes(Read[Mapping[str, Any]]):
    """The customer's attributes, by ``plugin.name``."""

    customer: CustomerId


@attrs.frozen
class Consents(Read[tuple[Consent, ...]]):
    """The newest word of the customer on each channel and purpose."""

    customer: CustomerId


@attrs.frozen
class Memo(Read[Mapping[str, Any] | None]):
    """What this plugin remembers of the customer, None if nothing."""

    customer: CustomerId


@attrs.frozen
class ScoreOf(Read[Score | None]):
    """A scorer's newest result for the customer."""

    customer: CustomerId
    scorer: str


@attrs.frozen
class Activity:
    """
    How often something happened, and what it came to.

    Attributes:
        amount_fen: Sum of the kind's amounts.
        first_at: The first moment in the window, None where *count* is 0.
    """

    count: int
    amount_fen: int
    first_at: datetime | None
    last_at: datetime | None


@attrs.frozen
class ActivityOf(Read[Activity]):
    """
    What the customer did of a kind in ``[since, until)``, by ``occurred_at``.

    None leaves that end open. The touchpoint being decided is not counted.
    """

    customer: CustomerId
    kind: str
    since: datetime | None = None
    until: datetime | None = None


@attrs.frozen
class ParticipantOf(Read[Participant | None]):
    """A customer's part in an instance."""

    ref: InstanceRef
    role: str
    customer: CustomerId


@attrs.frozen
class Participants(Read[tuple[Participant, ...]]):
    """The parts of a role in an instance in join order, at most *limit* of them."""

    ref: InstanceRef
    role: str
    limit: int = 1000


@attrs.frozen
class Parts:
    """How many instances of this plugin's campaign a customer has a part in."""

    open: int
    closed: int


@attrs.frozen
class PartsOf(Read[Parts]):
    """In how many instances of this plugin's *campaign* the customer has *role*."""

    customer: CustomerId
    campaign: str
    role: str


@attrs.frozen
class Stock:
    """A resource: ``free = capacity - held - used``."""

    capacity: int
    held: int
    used: int

    @property
    def free(self) -> int:
        """How much can still be reserved."""
        return self.capacity - self.held - self.used


@attrs.frozen
class StockOf(Read[Stock | None]):
    """A resource of this plugin's campaign, None where it was never named."""

    campaign: str
    resource: str


@attrs.frozen
class BalanceOf(Read[int]):
    """The sum of an account's entries in a ledger of this plugin."""

    ledger: str
    owner: str
