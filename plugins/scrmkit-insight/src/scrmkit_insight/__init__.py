"""
Reading what happened: a customer's journey and the why of anything, counts, digest and replay.

``Insight`` looks through an engine. The functions look into a database without one.
"""

from __future__ import annotations

from scrmkit_insight.counting import Counts, OutgoingCount, counts
from scrmkit_insight.digests import Digest, digest
from scrmkit_insight.entries import (
    Attempt,
    DecisionEntry,
    EffectRef,
    Entry,
    MergeEntry,
    OutgoingEntry,
    ScoreEntry,
    TouchpointEntry,
    Why,
)
from scrmkit_insight.insight import Insight
from scrmkit_insight.journeys import journey, why
from scrmkit_insight.replaying import Difference, Replayed, replay

__all__ = [
    "Attempt",
    "Counts",
    "DecisionEntry",
    "Difference",
    "Digest",
    "EffectRef",
    "Entry",
    "Insight",
    "MergeEntry",
    "OutgoingCount",
    "OutgoingEntry",
    "Replayed",
    "ScoreEntry",
    "TouchpointEntry",
    "Why",
    "counts",
    "digest",
    "journey",
    "replay",
    "why",
]
