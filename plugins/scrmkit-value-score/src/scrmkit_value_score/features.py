"""What the value score remembers of a customer, in any order of arrival."""

from __future__ import annotations

import enum
from bisect import bisect_left
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, TypeVar

import attrs

T = TypeVar("T")

ACTS_KEPT_DAYS = 400
"""Acts longer ago than this count no more, and are forgotten once a newer act is known."""


@attrs.frozen(kw_only=True)
class Order:
    """
    One order, as far as it is known.

    Attributes:
        order_no: Orders of one customer are told apart by it alone, so that a
            refund may come from another source than its payment.
        day: The day of its first payment, as ``date.toordinal`` counts; 0 while
            only a refund is known.
        paid_fen: Sum of its payments, in fen.
        refunded_fen: Sum of its refunds, in fen.
    """

    order_no: str
    day: int = 0
    paid_fen: int = 0
    refunded_fen: int = 0

    @property
    def stands(self) -> bool:
        """Whether it was paid, and not refunded to zero; a free order stands."""
        return self.day > 0 and (self.refunded_fen == 0 or self.refunded_fen < self.paid_fen)

    def plus(self, other: Order) -> Order:
        """Both halves of what is known of one order."""
        return Order(
            order_no=self.order_no,
            day=min(self.day, other.day) or max(self.day, other.day),
            paid_fen=self.paid_fen + other.paid_fen,
            refunded_fen=self.refunded_fen + other.refunded_fen,
        )


@attrs.frozen(kw_only=True)
class Acts:
    """How often a customer did one kind of thing on one day."""

    day: int
    kind: str
    count: int = 1

    def plus(self, other: Acts) -> Acts:
        """Both counts of one kind and day."""
        return Acts(day=self.day, kind=self.kind, count=self.count + other.count)


@attrs.frozen(kw_only=True)
class Count:
    """How often one kind of touchpoint was seen, whenever it was."""

    kind: str
    count: int = 1

    def plus(self, other: Count) -> Count:
        """Both counts of one kind."""
        return Count(kind=self.kind, count=self.count + other.count)


class SwitchKind(enum.StrEnum):
    """What can be on or off."""

    CONTACT = "contact"
    CHAT = "chat"
    CONSENT = "consent"


@attrs.frozen(kw_only=True)
class Switch:
    """
    A contact, a group chat or a consent: whether it holds, by the newest word on it.

    Attributes:
        channel: The source of a contact or chat; what a consent is for.
        name: The guide's account or the chat; empty for a consent.
        at: When that was said, in microseconds since 1970-01-01 UTC.
        on: Whether it holds. Of two words of one moment, off wins.
    """

    kind: SwitchKind
    channel: str
    name: str
    at: int
    on: bool

    def plus(self, other: Switch) -> Switch:
        """The newer word."""
        return max(self, other, key=lambda switch: (switch.at, not switch.on))


@attrs.frozen(kw_only=True)
class Supplied:
    """The newest value of an input computed elsewhere; of equal moments the highest."""

    input: str
    at: int
    value: int

    def plus(self, other: Supplied) -> Supplied:
        """The newer value."""
        return max(self, other, key=lambda supplied: (supplied.at, supplied.value))


_order_key: Callable[[Order], Any] = attrgetter("order_no")
_acts_key: Callable[[Acts], Any] = attrgetter("day", "kind")
_count_key: Callable[[Count], Any] = attrgetter("kind")
_switch_key: Callable[[Switch], Any] = attrgetter("kind", "channel", "name")
_supplied_key: Callable[[Supplied], Any] = attrgetter("input")


def _insert(rows: tuple[T, ...], row: T, key: Callable[[T], Any]) -> tuple[T, ...]:
    """*rows*, sorted by *key*, with *row* added to the one of its key or put in its place."""
    own = key(row)
    at = bisect_left(rows, own, key=key)
    if at < len(rows) and key(rows[at]) == own:
        both: T = rows[at].plus(row)  # type: ignore[attr-defined]
        return (*rows[:at], both, *rows[at + 1 :])
    return (*rows[:at], row, *rows[at:])


def _merge(rows: tuple[T, ...], others: tuple[T, ...], key: Callable[[T], Any]) -> tuple[T, ...]:
    if len(rows) < len(others):
        rows, others = others, rows
    for row in others:
        rows = _insert(rows, row, key)
    return rows


def _forget(acts: tuple[Acts, ...]) -> tuple[Acts, ...]:
    """Drop what is too old to count beside the newest; the order of folding cannot matter."""
    oldest = acts[-1].day - ACTS_KEPT_DAYS if acts else 0
    if not acts or acts[0].day >= oldest:
        return acts
    return tuple(one for one in acts if one.day >= oldest)


@attrs.frozen(kw_only=True)
class Features:
    """
    A customer's orders, acts, counts and switches.

    Folding adds, or keeps the newest word, so neither the order of touchpoints
    nor the way in which identities were merged makes a difference. Days are as
    ``date.toordinal`` counts.

    Attributes:
        first_day: When the customer was first met, 0 for never.
        last_day: When the customer last did something, 0 for never.
    """

    orders: tuple[Order, ...] = ()
    acts: tuple[Acts, ...] = ()
    counts: tuple[Count, ...] = ()
    switches: tuple[Switch, ...] = ()
    supplied: tuple[Supplied, ...] = ()
    first_day: int = 0
    last_day: int = 0

    def plus(self, other: Features) -> Features:
        """The features of two identities of one customer together."""
        return Features(
            orders=_merge(self.orders, other.orders, _order_key),
            acts=_forget(_merge(self.acts, other.acts, _acts_key)),
            counts=_merge(self.counts, other.counts, _count_key),
            switches=_merge(self.switches, other.switches, _switch_key),
            supplied=_merge(self.supplied, other.supplied, _supplied_key),
            first_day=min(self.first_day, other.first_day) or max(self.first_day, other.first_day),
            last_day=max(self.last_day, other.last_day),
        )

    def count(self, kinds: Iterable[str]) -> int:
        """How often any of *kinds* was seen."""
        wanted = frozenset(kinds)
        return sum(count.count for count in self.counts if count.kind in wanted)
