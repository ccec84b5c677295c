"""What the demo says at its end: counted from the state, and drawn in a report."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from scrmkit.domain.ids import CustomerId
from scrmkit.domain.profile import Score
from scrmkit_audience import ActivityIs, And, Comparison, Expression, HasTag
from scrmkit_demo.journeys import journey_of
from scrmkit_demo.orders import Order
from scrmkit_demo.playing import FLOOR_FEN, SEAT_FEN, SEATS, BargainSeen
from scrmkit_demo.report import render
from scrmkit_demo.report.data import (
    Band,
    Bargain,
    Bargains,
    GroupBuy,
    GroupBuys,
    MessageCount,
    ReportData,
    Segment,
    Stage,
)
from scrmkit_demo.report.statistics import Purchase, cohorts, histogram, repeat_buyers, repurchased_within, rfm_grid
from scrmkit_demo.world import World
from scrmkit_insight import Insight
from scrmkit_rfm.segments import SEGMENTS, Language

_ACCEPTED = frozenset({"accepted", "delivered"})
_SUPPRESSED = frozenset({"suppressed", "expired"})
BANDS = (("S", 7500), ("A", 6000), ("B", 4000), ("C", 2000), ("D", 0))


@attrs.frozen(kw_only=True)
class Summary:
    """
    The demo's result.

    Attributes:
        duplicates_ignored, messages, seconds: Of this run; all the rest counts
            the state of the directory.
        messages: accepted, suppressed and failed; they sum to what was planned.
    """

    customers: int
    orders: int
    touchpoints: int
    bargains: Mapping[str, int]
    groups: Mapping[str, int]
    scored: int
    duplicates_ignored: int
    messages: Mapping[str, int]
    seconds: float
    digest: str
    report: str

    def as_json(self) -> dict[str, Any]:
        """As one JSON object."""
        return attrs.asdict(self)


Scores = Mapping[CustomerId, Score]


def summarise(world: World, started: float, value: Scores) -> Summary:
    """
    Count.

    Args:
        started: The monotonic moment at which the run began.
        value: Everybody's value score.
    """
    insight = Insight(world.engine)
    state, run = insight.counts(), insight.counts(since=world.since)
    sent = {"accepted": 0, "suppressed": 0, "failed": 0}
    for one in run.outgoing:
        if one.type == "message":
            how = one.status
            sent["accepted" if how in _ACCEPTED else "suppressed" if how in _SUPPRESSED else "failed"] += one.count
    kinds = state.kinds
    return Summary(
        customers=state.customers,
        # What was paid for bargains and group-buys is not of the order set.
        orders=kinds.get("order.paid", 0) - world.paid,
        touchpoints=state.touchpoints,
        bargains={
            "started": sum(state.instances.get("bargain", (0, 0))),
            "won": kinds.get("bargain.won", 0),
            "expired": kinds.get("bargain.expired", 0),
        },
        groups={
            "opened": kinds.get("group-buy.opened", 0),
            "succeeded": kinds.get("group-buy.succeeded", 0),
            "failed": kinds.get("group-buy.failed", 0),
        },
        scored=len(value),
        duplicates_ignored=world.duplicates,
        messages=sent,
        seconds=round(time.monotonic() - started, 1),
        digest=insight.digest().value,
        report=str(world.folder / "report.html"),
    )


def write_report(
    world: World,
    summary: Summary,
    orders: Sequence[tuple[datetime, Order]],
    bargains: Mapping[str, BargainSeen],
    rfm: Scores,
    value: Scores,
) -> None:
    """Write the one-file HTML report."""
    purchases = [
        Purchase(customer=order.customer_id, day=order.ordered_on, amount_fen=order.amount_fen) for _, order in orders
    ]
    last_day = orders[-1][1].ordered_on
    data = ReportData(
        first_day=orders[0][1].ordered_on.isoformat(),
        last_day=last_day.isoformat(),
        seconds=int(summary.seconds),
        digest=summary.digest,
        invented=world.invented.notes,
        plugins=tuple(loaded.name for loaded in world.engine.plugins.plugins),
        customers=summary.customers,
        orders=summary.orders,
        spend_fen=sum(purchase.amount_fen for purchase in purchases),
        touchpoints=summary.touchpoints,
        duplicates_ignored=summary.duplicates_ignored,
        scored=summary.scored,
        repurchased_90d=repurchased_within(purchases, 90, last_day),
        repeat_buyers=repeat_buyers(purchases),
        funnel=_funnel(world),
        messages=_messages(world),
        score_bins=histogram([score.hundredths for score in value.values()], low=0, high=10_000, width=500),
        bands=_bands(value),
        rfm_grid=rfm_grid(
            (_digit(score, 0), _digit(score, 1), _spend(score)) for score in rfm.values() if score.segment
        ),
        segments=_segments(rfm),
        cohorts=cohorts(purchases, last_day),
        bargains=_bargains(summary, bargains),
        group_buys=_group_buys(world, summary),
        journey=journey_of(world, rfm, value),
    )
    Path(summary.report).write_text(render(data), encoding="utf-8")


def _digit(score: Score, part: int) -> int:
    """R, F or M, from 1 to 5: each part of an RFM score is a hundred times it."""
    return score.parts[part].hundredths // 100


def _spend(score: Score) -> int:
    """The net spend in fen, as the score's own explanation says it in yuan."""
    _, said = score.parts[2].inputs[0]
    return int(Decimal(said.split()[0]) * 100)


def _bands(value: Scores) -> tuple[Band, ...]:
    counts = dict.fromkeys((name for name, _ in BANDS), 0)
    for score in value.values():
        counts[score.band] += 1
    return tuple(Band(name=name, low_hundredths=low, customers=counts[name]) for name, low in BANDS)


def _segments(rfm: Scores) -> tuple[Segment, ...]:
    people: dict[str, list[Score]] = {code: [] for code in SEGMENTS}
    for score in rfm.values():
        if score.segment:
            people[score.segment].append(score)
    return tuple(
        Segment(
            code=code,
            name=SEGMENTS[code].label[Language.EN], name_zh=SEGMENTS[code].label[Language.ZH],
            customers=len(scores), spend_fen=sum(_spend(score) for score in scores),
            strategy=SEGMENTS[code].strategy[Language.EN],
        )
        for code, scores in people.items()
    )  # fmt: skip


def _funnel(world: World) -> tuple[Stage, ...]:
    def did(kind: str, times: int = 1) -> ActivityIs:
        return ActivityIs(kind=kind, comparison=Comparison.AT_LEAST, value=times)

    def count(*expressions: Expression) -> int:
        return world.audience.count(And(of=expressions))

    scanned = did("entrance.scanned")
    added = (scanned, did("contact.added"))
    welcomed = (*added, HasTag(group="source"))
    stages = (
        ("导", "scanned an entrance", "扫码", count(scanned)),
        ("接", "added a guide", "加好友", count(*added)),
        ("运", "was welcomed and tagged", "欢迎并打标签", count(*welcomed)),
        ("转", "has ordered", "下单", count(*welcomed, did("order.paid"))),
        ("转", "has ordered again", "复购", count(*welcomed, did("order.paid", 2))),
    )
    return tuple(
        Stage(phase=phase, name=name, name_zh=name_zh, customers=people) for phase, name, name_zh, people in stages
    )


def _messages(world: World) -> tuple[MessageCount, ...]:
    counts: dict[tuple[str, str, str], int] = {}
    for one in Insight(world.engine).counts().outgoing:
        if one.type == "message":
            reason = "" if one.code in ("ok", "deferred") else one.code.replace("_", " ")
            key = (one.connector, one.status, reason)
            counts[key] = counts.get(key, 0) + one.count
    return tuple(
        MessageCount(channel=channel, outcome=outcome, reason=reason, messages=count)
        for (channel, outcome, reason), count in sorted(counts.items())
    )


def _bargains(summary: Summary, seen: Mapping[str, BargainSeen]) -> Bargains:
    shown = []
    for one in seen.values():
        won = one.prices_fen[-1] == FLOOR_FEN
        told = f"A late help was refused: {one.refused[-1]}" if one.refused else ""
        outcome = "won at the floor and bought" if won else "expired"
        shown.append(
            Bargain(
                name=one.name, outcome=outcome, floor_fen=FLOOR_FEN, told=told,
                prices_fen=tuple(dict.fromkeys(one.prices_fen)),
            )
        )  # fmt: skip
    return Bargains(
        started=summary.bargains["started"],
        won=summary.bargains["won"],
        expired=summary.bargains["expired"],
        helps=sum(one.helps for one in seen.values()),
        refused_helps=sum(len(one.refused) for one in seen.values()),
        shown=tuple(shown),
    )


def _group_buys(world: World, summary: Summary) -> GroupBuys:
    refunds = [
        one.count
        for one in Insight(world.engine).counts().outgoing
        if one.connector == "payments" and one.operation == "refund"
    ]
    asked = sum(refunds)
    shown = (
        GroupBuy(name="g-1", outcome="succeeded", size=SEATS, paid=3),
        GroupBuy(
            name="g-2", outcome="failed", size=SEATS, paid=2, refunded_fen=asked * SEAT_FEN,
            told="Too few came in time; every payment went back.",
        ),
    )  # fmt: skip
    return GroupBuys(
        opened=summary.groups["opened"],
        succeeded=summary.groups["succeeded"],
        failed=summary.groups["failed"],
        refunds_asked=asked,
        refunded_fen=asked * SEAT_FEN,
        shown=shown,
    )
