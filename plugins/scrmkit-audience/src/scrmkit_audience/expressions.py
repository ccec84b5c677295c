"""
Segments: who belongs to a group of customers, as an expression over what is known.

Every expression is true or false of every customer; there is no third value:

- What nobody has said is false: a tag, attribute, consent, score or stage that
  is not there answers every question with no, ``!=`` too, and so does ``DaysSince``
  of what never happened. ``Not`` of it is true.
- What did not happen is a zero: ``ActivityIs`` of fewer than three orders is true of
  somebody without any, and in an empty window all counts and sums are 0.
- A word counts as the newest one, by its moment and then its touchpoint's kind
  and key, over all customers that a person has been. Tags and the like are as
  they stand now; *as_of* moves what expires and the calendar.
- Days are days of the calendar of one zone, from their first moment up to the
  next day's. What was recorded as later than the day of *as_of* is not seen.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from datetime import datetime, tzinfo
from typing import Any, ClassVar

import attrs

from scrmkit.domain.ids import TenantId
from scrmkit.domain.messages import Purpose
from scrmkit.domain.policy import consent_for
from scrmkit.errors import InvalidValueError
from scrmkit_audience.facts import Calendar, Comparison, CustomerFacts

LONGEST_DAYS = 36_500
PAID, REFUNDED = "order.paid", "order.refunded"


class Measure(enum.StrEnum):
    """What is counted of a kind: how often it happened, or the sum of its amounts in fen."""

    COUNT = "count"
    SUM = "sum"


class Seen(enum.StrEnum):
    """Which touchpoints tell the shop or brand: the last that names one, or any."""

    LAST = "last"
    ANY = "any"


@attrs.frozen
class Expression:
    """
    What is true or false of every customer. The classes below are all there are.

    Attributes:
        word: What it is called where it is written down.
    """

    word: ClassVar[str]

    def _holds(self, facts: CustomerFacts, calendar: Calendar) -> bool:
        raise NotImplementedError


def matches(expression: Expression, facts: CustomerFacts, as_of: datetime, zone: tzinfo) -> bool:
    """
    Whether a customer belongs to a segment.

    Args:
        as_of: Timezone-aware; with *zone*, whose calendar counts, it says what day it is.
    """
    return expression._holds(facts, Calendar(as_of, zone))


def _text(instance: object, attribute: attrs.Attribute[Any], value: str | None) -> None:
    if value is not None and (not value or "\x00" in value):
        raise InvalidValueError(f"{attribute.name} has at least 1 character and no NUL")


def _texts(instance: object, attribute: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    for one in value:
        _text(instance, attribute, one)


def _some(instance: object, attribute: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    if not value:
        raise InvalidValueError(f"name at least one of {attribute.name}")
    _texts(instance, attribute, value)


def _days(instance: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and not 0 <= value <= LONGEST_DAYS:
        raise InvalidValueError(f"{attribute.name} is from 0 to {LONGEST_DAYS:,} days")


def _whole(instance: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and not -(1 << 53) <= value <= 1 << 53:
        raise InvalidValueError(f"{attribute.name} is between -2**53 and 2**53")


@attrs.frozen
class And(Expression):
    """All of them are true; without any, it is true of everybody."""

    word = "and"
    of: tuple[Expression, ...] = ()

    def _holds(self, facts: CustomerFacts, calendar: Calendar) -> bool:
        return all(one._holds(facts, calendar) for one in self.of)


@attrs.frozen
class Or(Expression):
    """At least one of them is true; without any, it is false of everybody."""

    word = "or"
    of: tuple[Expression, ...] = ()

    def _holds(self, facts: CustomerFacts, calendar: Calendar) -> bool:
        return any(one._holds(facts, calendar) for one in self.of)


@attrs.frozen
class Not(Expression):
    """It is false; true of whom nothing is known as well."""

    word = "not"
    of: Expression

    def _holds(self, facts: CustomerFacts, calendar: Calendar) -> bool:
        return not self.of._holds(facts, calendar)


@attrs.frozen(kw_only=True)
class HasTag(Expression):
    """The customer has the tag, or without *name* any of the group, and it has not expired."""

    word = "tag"
    group: str = attrs.field(validator=_text)
    name: str | None = attrs.field(default=None, validator=_text)

    def _holds(self, facts: CustomerFacts, calendar: Calendar) -> bool:
        return any(
            tag.group == self.group
            and self.name in (None, tag.name)
            and (tag.expires_at is None or tag.expires_at > calendar.as_of)
            for tag in facts.customer.tags
        )


@attrs.frozen(kw_only=True)
class HasAttribute(Expression):
    """
    An attribute is there, or stands in a relation to a value of its own type.

    Numbers compare with numbers, texts with texts and truth values with truth
    values; everything else is false, ``!=`` too.

    Attributes:
        name: ``plugin.name``.
        comparison: With *value*; without both, any value but None will do.
            Texts and truth values are only ``=`` or ``!=``.
        value: Numbers up to 15 digits compare exactly on every database.
    """

    word = "attribute"
    name: str = attrs.field(validator=_text)
    comparison: Comparison | None = None
    value: bool | int | float | str | None = None

    def __attrs_post_init__(self) -> None:
        if (self.comparison is None) != (self.value is None):
            raise InvalidValueError("give both comparison and value, or none of the two")
        if isinstance(self.value, int | float) and not abs(self.value) < 1e300:
            raise InvalidValueError("value is a finite number")
        unordered = (None, Comparison.EQUAL, Comparison.DIFFERENT)
        if not is_number(self.value) and self.comparison not in unordered:
            raise InvalidValueError("only numbers are more or less; write '=' or '!='")

    def _holds(self, facts: CustomerFacts, calendar: Calendar) -> bool:
        value = facts.customer.attributes.get(self.name)
        if value is None or self.comparison is None:
            return value is not None
        alike = is_number(value) if is_number(self.value) else type(value) is type(self.value)
        return alike and bool(self.comparison(value, self.value))


def is_number(value: object) -> bool:
    """Whether it is a number, which a truth value is not."""
    return type(value) in (int, float)


@attrs.frozen(kw_only=True)
class HasConsent(Expression):
    """
    The customer's word on a channel and purpose, as the contact policy reads it.

    A word on ``*`` is one on every channel, and of two a refusal wins.

    Attributes:
        granted: False asks for those who have withdrawn it, and not for those
            who never said anything.
    """

    word = "consent"
    channel: str = attrs.field(validator=_text)
    purpose: Purpose
    granted: bool = True

    def _holds(self, facts: CustomerFacts, calendar: Calendar) -> bool:
        said = {(one.channel, one.purpose): one.granted for one in facts.customer.consents}
        return consent_for(said, self.channel, self.purpose) is self.granted


@attrs.frozen(kw_only=True)
class ScoreIs(Expression):
    """
    A scorer's newest result; all that is given must hold.

    Attributes:
        comparison: With *hundredths* of a point.
        bands: One of the scorer's own bands.
        segments: One of the scorer's own segments.
    """

    word = "score"
    scorer: str = attrs.field(validator=_text)
    comparison: Comparison | None = None
    hundredths: int | None = attrs.field(default=None, validator=_whole)
    bands: tuple[str, ...] = attrs.field(default=(), validator=_texts)
    segments: tuple[str, ...] = attrs.field(default=(), validator=_texts)

    def __attrs_post_init__(self) -> None:
        if (self.comparison is None) != (self.hundredths is None):
            raise InvalidValueError("give both comparison and hundredths, or none of the two")

    def _holds(self, facts: CustomerFacts, calendar: Calendar) -> bool:
        return any(
            score.scorer == self.scorer
            and (self.comparison is None or self.comparison(score.hundredths, self.hundredths))
            and (not self.bands or score.band in self.bands)
            and (not self.segments or score.segment in self.segments)
            for score in facts.customer.scores
        )


@attrs.frozen(kw_only=True)
class StageIs(Expression):
    """The lifecycle stage, by the scorer that the settings name as ``stage_from``."""

    word = "stage"
    stages: tuple[str, ...] = attrs.field(validator=_some)

    def _holds(self, facts: CustomerFacts, calendar: Calendar) -> bool:
        return facts.customer.stage in self.stages


@attrs.frozen(kw_only=True)
class _PlaceIs(Expression):
    """
    Attributes:
        ids: One of them will do.
        seen: Whether the last that a touchpoint names counts, or any ever named.
    """

    ids: tuple[str, ...] = attrs.field(validator=_some)
    seen: Seen = Seen.LAST

    def _holds(self, facts: CustomerFacts, calendar: Calendar) -> bool:
        named = [
            (one.occurred_at, one.kind, one.key, place)
            for one in facts.happened
            if (place := getattr(one, self.word)) is not None and one.occurred_at < calendar.end
        ]
        if self.seen is Seen.LAST:
            named = [max(named)] if named else []
        return any(place in self.ids for *_, place in named)


@attrs.frozen(kw_only=True)
class ShopIs(_PlaceIs):
    """The customer was at one of these shops, the last time or ever."""

    word = "shop"


@attrs.frozen(kw_only=True)
class BrandIs(_PlaceIs):
    """One of these brands, as touchpoints name them; a shop's own brand is not looked up."""

    word = "brand"


@attrs.frozen(kw_only=True)
class ActivityIs(Expression):
    """
    How often something happened in a window, or what it came to.

    Attributes:
        kind: A kind of touchpoint, such as ``order.paid``.
        value: Times, or fen where the sum is measured.
        days: So many calendar days, the last of which is *ago* days before the
            day of *as_of*; None has no start. 0 days are an empty window.
        net: Less the refunds that happened in the same window, whenever their
            orders were paid; may fall below 0. For sums of ``order.paid``.
    """

    word = "activity"
    kind: str = attrs.field(validator=_text)
    comparison: Comparison
    value: int = attrs.field(validator=_whole)
    measure: Measure = Measure.COUNT
    days: int | None = attrs.field(default=None, validator=_days)
    ago: int = attrs.field(default=0, validator=_days)
    net: bool = False

    def __attrs_post_init__(self) -> None:
        if self.net and (self.kind, self.measure) != (PAID, Measure.SUM):
            raise InvalidValueError(f"net is for the sum of {PAID!r} alone")

    def window(self, calendar: Calendar) -> tuple[datetime | None, datetime]:
        """The half-open window that it looks at."""
        since = None if self.days is None else calendar.day(1 - self.ago - self.days)
        return since, calendar.day(1 - self.ago)

    def _holds(self, facts: CustomerFacts, calendar: Calendar) -> bool:
        found = facts.of(self.kind, *self.window(calendar))
        if self.measure is Measure.COUNT:
            return bool(self.comparison(len(found), self.value))
        back = facts.of(REFUNDED, *self.window(calendar)) if self.net else []
        total = sum(one.amount_fen for one in found) - sum(one.amount_fen for one in back)
        return bool(self.comparison(total, self.value))


@attrs.frozen(kw_only=True)
class DaysSince(Expression):
    """Calendar days since the newest touchpoint of a kind: 0 on the same day, 1 on the next."""

    word = "days_since"
    kind: str = attrs.field(validator=_text)
    comparison: Comparison
    days: int = attrs.field(validator=_days)

    def span(self, calendar: Calendar) -> tuple[datetime | None, datetime]:
        """
        When the newest must have happened, half-open; None leaves the start open.

        For ``!=`` it is when it must not.
        """
        day = calendar.day(-self.days)
        after = calendar.day(1 - self.days)
        return {
            Comparison.ABOVE: (None, day),
            Comparison.AT_LEAST: (None, after),
            Comparison.AT_MOST: (day, calendar.end),
            Comparison.BELOW: (after, calendar.end),
        }.get(self.comparison, (day, after))

    def _holds(self, facts: CustomerFacts, calendar: Calendar) -> bool:
        newest = max((one.occurred_at for one in facts.of(self.kind, None, calendar.end)), default=None)
        since, until = self.span(calendar)
        if newest is None:
            return False
        inside = newest < until and (since is None or newest >= since)
        return inside is not (self.comparison is Comparison.DIFFERENT)


@attrs.frozen(kw_only=True)
class Segment:
    """
    A segment (人群): customers of whom an expression is true.

    Attributes:
        tenant: Whose customers; None where the caller or the settings' only one says it.
    """

    name: str = attrs.field(validator=_text)
    expression: Expression
    tenant: TenantId | None = None


EXPRESSIONS: tuple[type[Expression], ...] = (
    And, Or, Not, HasTag, HasAttribute, HasConsent, ScoreIs, StageIs, ShopIs, BrandIs, ActivityIs,
    DaysSince,
)  # fmt: skip


def leaves(expression: Expression) -> Iterator[Expression]:
    """The parts of an expression that ask something."""
    if isinstance(expression, Not):
        yield from leaves(expression.of)
    elif isinstance(expression, And | Or):
        for one in expression.of:
            yield from leaves(one)
    else:
        yield expression
