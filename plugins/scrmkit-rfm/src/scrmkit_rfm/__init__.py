"""RFM scores and the eight segments."""

from __future__ import annotations

from scrmkit_rfm.cuts import Calibration, Cut, Thresholds, quintile_cuts, score_by_cuts
from scrmkit_rfm.orders import Features, Measures, Order, measure
from scrmkit_rfm.scorer import Rating, RfmScorer
from scrmkit_rfm.segments import NO_SEGMENT, SEGMENTS, Language, Segment, code_of
from scrmkit_rfm.settings import Method, RfmSettings, SegmentBy

__all__ = [
    "NO_SEGMENT",
    "SEGMENTS",
    "Calibration",
    "Cut",
    "Features",
    "Language",
    "Measures",
    "Method",
    "Order",
    "Rating",
    "RfmScorer",
    "RfmSettings",
    "Segment",
    "SegmentBy",
    "Thresholds",
    "code_of",
    "measure",
    "quintile_cuts",
    "score_by_cuts",
]
