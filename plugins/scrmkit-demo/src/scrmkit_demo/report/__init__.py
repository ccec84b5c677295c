"""The demo's report: one HTML file with charts that opens without a network."""

from __future__ import annotations

from scrmkit_demo.report.data import (
    Band,
    Bargain,
    Bargains,
    Bin,
    Cohort,
    GridCell,
    GroupBuy,
    GroupBuys,
    Journey,
    MessageCount,
    Rate,
    ReportData,
    ScorePart,
    Segment,
    Stage,
    Step,
)
from scrmkit_demo.report.page import mask_phone, render

__all__ = [
    "Band",
    "Bargain",
    "Bargains",
    "Bin",
    "Cohort",
    "GridCell",
    "GroupBuy",
    "GroupBuys",
    "Journey",
    "MessageCount",
    "Rate",
    "ReportData",
    "ScorePart",
    "Segment",
    "Stage",
    "Step",
    "mask_phone",
    "render",
]
