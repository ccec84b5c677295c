"""What segments are evaluated over and with: a customer, what happened, a calendar."""

from __future__ import annotations

import enum
import operator
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

import attrs

from scrmkit.clock import aware
from scrmkit.domain.ids import BrandId, ShopId
from scrmkit.domain.profile import Customer


def _aware(instance: object, attribute: attrs.Attribute[datetime], value: datetime) -> None:
    aware(value)


class Comparison(enum.StrEnum):
    """How the left side, what is known, stands to the right side, what is asked."""

    EQUAL = "="
    DIFFERENT = "!="
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="

    def __call__(self, left: Any, right: Any) -> Any:
        """Compare two values, or make the condition on a column."""
        return _OPERATORS[self](left, right)


_OPERATORS: dict[Comparison, Callable[[Any, Any], Any]] = {
    Comparison.EQUAL: operator.eq,
    Comparison.DIFFERENT: operator.ne,
    Comparison.BELOW: operator.lt,
    Comparison.AT_MOST: operator.le,
    Comparison.ABOVE: operator.gt,
    Comparison.AT_LEAST: operator.ge,
}


@attrs.frozen
class Calendar:
    """A moment, and the days of a zone around it."""

    as_of: datetime = attrs.field(validator=_aware)
    zone: tzinfo

    def day(self, offset: int) -> datetime:
        """The first moment of the day *offset* days after the day of *as_of*."""
        day = self.as_of.astimezone(self.zone).date() + timedelta(days=offset)
        # In UTC: moments of one zone compare by their clocks, blind to the hour that comes twice.
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """The first moment after the day of *as_of*."""
        return self.day(1)


@attrs.frozen(kw_only=True)
class Happened:
    """As much of a recorded touchpoint as segments look at."""

    kind: str
    key: str
    occurred_at: datetime
    amount_fen: int = 0
    shop: ShopId | None = None
    brand: BrandId | None = None


@attrs.frozen(kw_only=True)
class CustomerFacts:
    """
    What segments are evaluated over.

    Attributes:
        customer: With the newest words; tags that have expired may be among them.
        happened: All that was recorded of the customer, in any order.
    """

    customer: Customer
    happened: tuple[Happened, ...] = ()

    def of(self, kind: str, since: datetime | None, until: datetime) -> list[Happened]:
        """What happened of a kind in ``[since, until)``; None leaves the start open."""
        return [
            one
            for one in self.happened
            if one.kind == kind and one.occurred_at < until and (since is None or one.occurred_at >= since)
        ]
