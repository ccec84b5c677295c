"""The settings of the RFM scorer."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from zoneinfo import ZoneInfo

import attrs

from scrmkit.domain.organisation import DEFAULT_ZONE
from scrmkit.errors import InvalidValueError
from scrmkit_rfm.cuts import Thresholds
from scrmkit_rfm.segments import SEGMENTS, Language


class Method(enum.StrEnum):
    """How one of the three is scored from 1 to 5."""

    FIXED = "fixed"
    QUINTILE = "quintile"


class SegmentBy(enum.StrEnum):
    """What "high" means in a segment's code."""

    MEAN = "mean"
    FIXED = "fixed"


def _segment_codes(instance: object, attribute: attrs.Attribute[Mapping[str, str]], value: Mapping[str, str]) -> None:
    unknown = sorted(set(value) - set(SEGMENTS))
    if unknown:
        raise InvalidValueError(f"{attribute.name} has unknown segments {unknown}; the codes are {', '.join(SEGMENTS)}")


@attrs.frozen(kw_only=True)
class RfmSettings:
    """
    How customers are scored and segmented.

    Attributes:
        zone: Whose calendar days count.
        window_days: How many days frequency and money look back; 0 for the
            whole history.
        recency: Fixed thresholds or quintiles; likewise the next two. Order days
            are so often tied that their quintiles leave scores empty: prefer
            ``fixed`` for frequency.
        thresholds: The fixed thresholds.
        segment_by: ``mean``: high is at least as good as the population's mean.
            ``fixed``: high is a score of *high_from* by the fixed thresholds.
        high_from: From 2 to 5.
        language: Of labels and strategies in a score's words.
        labels: A segment's label by code, instead of ours.
        strategies: A segment's strategy by code, instead of ours.
    """

    zone: ZoneInfo = attrs.field(default=ZoneInfo(DEFAULT_ZONE))
    window_days: int = attrs.field(default=365, validator=attrs.validators.ge(0))
    recency: Method = Method.FIXED
    frequency: Method = Method.FIXED
    monetary: Method = Method.FIXED
    thresholds: Thresholds = attrs.field(factory=Thresholds)
    segment_by: SegmentBy = SegmentBy.MEAN
    high_from: int = attrs.field(default=3, validator=[attrs.validators.ge(2), attrs.validators.le(5)])
    language: Language = Language.EN
    labels: Mapping[str, str] = attrs.field(factory=dict, validator=_segment_codes, hash=False)
    strategies: Mapping[str, str] = attrs.field(factory=dict, validator=_segment_codes, hash=False)

    def label(self, code: str) -> str:
        """What to call a segment."""
        return self.labels.get(code) or SEGMENTS[code].label[self.language]

    def strategy(self, code: str) -> str:
        """What to do with a segment."""
        return self.strategies.get(code) or SEGMENTS[code].strategy[self.language]
