"""Customers in the plural: who belongs, what everybody scores, one message for all of them."""

from __future__ import annotations

from scrmkit_audience.audience import Audience
from scrmkit_audience.broadcasts import Broadcast
from scrmkit_audience.expressions import (
    ActivityIs,
    And,
    BrandIs,
    DaysSince,
    Expression,
    HasAttribute,
    HasConsent,
    HasTag,
    Measure,
    Not,
    Or,
    ScoreIs,
    Seen,
    Segment,
    ShopIs,
    StageIs,
)
from scrmkit_audience.facts import Comparison
from scrmkit_audience.scoring import ScoringReport
from scrmkit_audience.segments import Named
from scrmkit_audience.written import expression_from, segments_of, table_of

__all__ = [
    "ActivityIs",
    "And",
    "Audience",
    "BrandIs",
    "Broadcast",
    "Comparison",
    "DaysSince",
    "Expression",
    "HasAttribute",
    "HasConsent",
    "HasTag",
    "Measure",
    "Named",
    "Not",
    "Or",
    "ScoreIs",
    "ScoringReport",
    "Seen",
    "Segment",
    "ShopIs",
    "StageIs",
    "expression_from",
    "segments_of",
    "table_of",
]
