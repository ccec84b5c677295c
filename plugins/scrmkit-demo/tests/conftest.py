"""A small report for the tests of the report."""

from __future__ import annotations

import attrs
import pytest

from scrmkit_demo.report import (
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

REPORT = ReportData(
    first_day="2026-01-03",
    last_day="2026-03-31",
    seconds=7,
    digest="0f" * 32,
    invented=("Shops are invented.",),
    plugins=("bargain", "sms"),
    customers=12,
    orders=31,
    spend_fen=123_456,
    touchpoints=44,
    duplicates_ignored=2,
    scored=12,
    repurchased_90d=Rate(customers=3, of=10),
    repeat_buyers=Rate(customers=5, of=12),
    funnel=(
        Stage(phase="导", name="Entrance scanned", name_zh="扫码", customers=12),
        Stage(phase="接", name="Contact added", name_zh="加企微", customers=9),
        Stage(phase="转", name="Ordered", name_zh="下单", customers=4),
    ),
    messages=(
        MessageCount(channel="sms", outcome="accepted", reason="", messages=3),
        MessageCount(channel="sms", outcome="suppressed", reason="no consent", messages=9),
    ),
    score_bins=tuple(Bin(low=low, high=low + 1_000, count=low // 1_000) for low in range(0, 10_000, 1_000)),
    bands=(Band(name="A", low_hundredths=6_000, customers=2), Band(name="D", low_hundredths=0, customers=10)),
    rfm_grid=tuple(
        GridCell(r=r, f=f, customers=r * f, spend_fen=r * f * 1_000) for r in range(1, 6) for f in range(1, 6)
    ),
    segments=(
        Segment(
            code="101",
            name="Raise frequency",
            name_zh="重要发展",
            customers=12,
            spend_fen=123_456,
            strategy="A coupon after 14 days",
        ),
    ),
    cohorts=(
        Cohort(month="2026-01", size=8, active=(8, 3, 1), spend_fen=(800, 1_100, 1_200)),
        Cohort(month="2026-02", size=4, active=(4, 1, None), spend_fen=(400, 500, None)),
    ),
    bargains=Bargains(
        started=2,
        won=1,
        expired=1,
        helps=4,
        refused_helps=1,
        shown=(
            Bargain(
                name="Record player",
                outcome="reached the floor",
                floor_fen=5_000,
                prices_fen=(9_900, 8_000, 5_000),
                told="A late help was refused.",
            ),
        ),
    ),
    group_buys=GroupBuys(
        opened=2,
        succeeded=1,
        failed=1,
        refunds_asked=2,
        refunded_fen=11_800,
        shown=(GroupBuy(name="Concert", outcome="failed", size=3, paid=2, refunded_fen=11_800),),
    ),
    journey=Journey(
        customer="周小满",
        phone="154****1234",
        shop="湖滨店",
        guide="林知秋",
        segment="重要发展 101",
        band="A",
        score_hundredths=6_250,
        parts=(
            ScorePart(
                name="RFM", name_zh="消费", points_hundredths=6_500, most_hundredths=7_000, why="last order 5 days ago"
            ),
            ScorePart(name="Penalty", name_zh="扣分", points_hundredths=-250, most_hundredths=0, why="one complaint"),
        ),
        steps=(
            *(Step(at=f"2026-01-{day:02d}T10:00", kind="touchpoint", title=f"Order {day} paid") for day in range(3, 9)),
            Step(
                at="2026-03-31T09:00",
                kind="score",
                title="Value score 62.50",
                why="last order 5 days ago",
                plugin="value-score",
            ),
            Step(
                at="2026-03-31T09:01",
                kind="message",
                title="SMS: a coupon",
                why="the daily cap was used up",
                plugin="rfm",
                outcome="suppressed",
            ),
        ),
    ),
)


@pytest.fixture
def report() -> ReportData:
    """A report with something in every part."""
    return REPORT


@pytest.fixture
def empty_report() -> ReportData:
    """A report of a run in which nothing happened."""
    return attrs.evolve(
        REPORT,
        customers=0,
        orders=0,
        spend_fen=0,
        scored=0,
        repurchased_90d=Rate(customers=0, of=0),
        repeat_buyers=Rate(customers=0, of=0),
        funnel=(),
        messages=(),
        score_bins=(),
        bands=(),
        rfm_grid=(),
        segments=(),
        cohorts=(),
        bargains=Bargains(started=0, won=0, expired=0, helps=0, refused_helps=0),
        group_buys=GroupBuys(opened=0, succeeded=0, failed=0, refunds_asked=0, refunded_fen=0),
        journey=None,
    )


HOSTILE = '</script><img src=x onerror="window.broken=1">{{7*7}}{a|b}\'&\u2028'


@pytest.fixture
def hostile_report() -> ReportData:
    """The same report with every text replaced by one that wants to run."""
    return _spoil(REPORT)


def _spoil(value):
    if isinstance(value, tuple):
        return tuple(_spoil(item) for item in value)
    if not attrs.has(type(value)):
        return value
    kept = ("first_day", "last_day", "at", "kind", "month", "phase", "code")
    return attrs.evolve(
        value,
        **{
            field.name: HOSTILE
            if isinstance(getattr(value, field.name), str) and field.name not in kept
            else _spoil(getattr(value, field.name))
            for field in attrs.fields(type(value))
        },
    )
