"""The settings of the value score: weights, scales, events, stages, bands."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from zoneinfo import ZoneInfo

import attrs

from scrmkit.domain.organisation import DEFAULT_ZONE
from scrmkit.errors import InvalidValueError

_not_negative = attrs.validators.ge(0)
_positive = attrs.validators.gt(0)


class Language(enum.StrEnum):
    """The language of a score's words."""

    ZH = "zh"
    EN = "en"


@attrs.frozen(kw_only=True)
class Weights:
    """
    The most points that each dimension gives; together 100.

    Raises:
        InvalidValueError: They do not add up to 100.
    """

    rfm: int = attrs.field(default=30, validator=_not_negative)
    engagement: int = attrs.field(default=20, validator=_not_negative)
    ltv: int = attrs.field(default=20, validator=_not_negative)
    relationship: int = attrs.field(default=15, validator=_not_negative)
    trust: int = attrs.field(default=15, validator=_not_negative)

    def __attrs_post_init__(self) -> None:
        total = sum(attrs.astuple(self))
        if total != 100:
            raise InvalidValueError(f"the weights add up to {total}; change them so that they add up to 100")


@attrs.frozen(kw_only=True)
class Scales:
    """
    Where each input is worth half of what it can be worth.

    Attributes:
        recency_days: Half-life of the last order.
        engagement_days: Half-life of an act of the customer's, at most 60.
        engagement: Decayed weight of acts that is worth half.
        order_days: Order days in the window.
        spend_fen: Net spend in the window, in fen.
        margin_fen: Gross margin so far, and likewise the predicted one, in fen.
    """

    recency_days: int = attrs.field(default=60, validator=_positive)
    engagement_days: int = attrs.field(default=14, validator=[_positive, attrs.validators.le(60)])
    engagement: int = attrs.field(default=10, validator=_positive)
    order_days: int = attrs.field(default=4, validator=_positive)
    spend_fen: int = attrs.field(default=100_000, validator=_positive)
    margin_fen: int = attrs.field(default=150_000, validator=_positive)


@attrs.frozen(kw_only=True)
class Act:
    """
    What one kind of touchpoint adds to the engagement.

    Attributes:
        per_day: How many of one day count at most.
    """

    weight: int = attrs.field(validator=_positive)
    per_day: int = attrs.field(default=1, validator=_positive)


DEFAULT_ACTS: Mapping[str, Act] = MappingProxyType(
    {
        "order.paid": Act(weight=5, per_day=3),
        "message.received": Act(weight=3, per_day=3),
        "contact.added": Act(weight=2),
        "group_chat.joined": Act(weight=2),
        "entrance.scanned": Act(weight=1, per_day=3),
    }
)
"""What counts as engagement by default: a convention of this project."""


@attrs.frozen(kw_only=True)
class Stages:
    """
    The lifecycle (生命周期), in days since the last order; the defaults are for retail.

    Attributes:
        new_days: How long a first order makes a customer new.
        active_days: The most days since the last order of an active customer;
            likewise the next two. Later than *dormant_days* is lost.
        returned_days: How long a dormant or lost customer who orders is returned.
    """

    new_days: int = attrs.field(default=30, validator=_not_negative)
    active_days: int = attrs.field(default=90, validator=_not_negative)
    silent_days: int = 180
    dormant_days: int = 365
    returned_days: int = attrs.field(default=30, validator=_not_negative)

    def __attrs_post_init__(self) -> None:
        if not (self.active_days < self.silent_days < self.dormant_days):
            raise InvalidValueError("write active_days < silent_days < dormant_days")
        if max(self.new_days, self.returned_days) > self.active_days:
            raise InvalidValueError("new_days and returned_days may not be above active_days")


@attrs.frozen(kw_only=True)
class Bands:
    """
    From how many points on a customer is in band S, A, B or C; below that, D.

    Attributes:
        hysteresis: How many points below its edge a band is still kept.
    """

    s: int = 75
    a: int = 60
    b: int = 40
    c: int = 20
    hysteresis: int = attrs.field(default=2, validator=_not_negative)

    def __attrs_post_init__(self) -> None:
        if not (100 >= self.s > self.a > self.b > self.c >= 0):
            raise InvalidValueError("write the bands' edges as 100 >= s > a > b > c >= 0")


@attrs.frozen(kw_only=True)
class ValueScoreSettings:
    """
    How the value score is computed.

    Touchpoints of any installed plugin can be named by their kind in the four
    settings that list kinds.

    Attributes:
        zone: Whose calendar days count.
        window_days: How many days order days and net spend look back; 0 for
            the whole history.
        penalty: The most points that refunds, complaints and freebie hunting cost.
        acts: What counts as engagement, by kind; replaces the default table.
            Paid orders are ``order.paid``; those refunded to zero do not count.
        positives: Kinds that each count once for trust.
        negatives: Kinds that each count once against trust. Of
            ``contact.removed`` only the customer's own count.
        invites: Kinds that each count as one valid invite.
        complaints: Kinds that each count as one complaint.
        gross_margin_pct: Percent of the net spend that counts as margin for
            customers whose margin nobody supplied; 0 leaves it unknown.
        language: Of a score's words.
    """

    zone: ZoneInfo = attrs.field(default=ZoneInfo(DEFAULT_ZONE))
    window_days: int = attrs.field(default=365, validator=_not_negative)
    weights: Weights = attrs.field(factory=Weights)
    scales: Scales = attrs.field(factory=Scales)
    penalty: int = attrs.field(default=30, validator=[_not_negative, attrs.validators.le(100)])
    acts: Mapping[str, Act] = attrs.field(default=DEFAULT_ACTS, hash=False)
    positives: frozenset[str] = frozenset({"message.received"})
    negatives: frozenset[str] = frozenset({"contact.removed"})
    invites: frozenset[str] = frozenset()
    complaints: frozenset[str] = frozenset()
    gross_margin_pct: int = attrs.field(default=0, validator=[_not_negative, attrs.validators.le(100)])
    stages: Stages = attrs.field(factory=Stages)
    bands: Bands = attrs.field(factory=Bands)
    language: Language = Language.EN
