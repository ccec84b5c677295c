"""What the report shows: plain counts, texts and tuples, nothing to compute and nobody to know."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Rate:
    """*customers* of those *of* whom it could have been seen."""

    customers: int
    of: int

    @property
    def percent(self) -> float:
        """From 0 to 100; 0 where nobody could have been seen."""
        return 100 * self.customers / self.of if self.of else 0.0


@attrs.frozen(kw_only=True)
class Bin:
    """
    One bar of a histogram.

    Attributes:
        low: First value that counts here.
        high: First value that counts in the next bar; the last bar holds it too.
        count: How many values fall in.
    """

    low: int
    high: int
    count: int


@attrs.frozen(kw_only=True)
class Band:
    """
    One band (分层) of the value score.

    Attributes:
        name: Such as ``S`` or ``A``.
        low_hundredths: The score at which it begins, in hundredths of a point.
        customers: How many are in it; hysteresis can keep one past its edge.
    """

    name: str
    low_hundredths: int
    customers: int


@attrs.frozen(kw_only=True)
class GridCell:
    """Everybody with one pair of R and F scores (each 1 to 5), and what they spent."""

    r: int
    f: int
    customers: int
    spend_fen: int


@attrs.frozen(kw_only=True)
class Segment:
    """
    One RFM segment (客群) and what is done for it.

    Attributes:
        code: R, F and M as high (1) or low (0), such as ``101``.
        strategy: What its strategy says, in words.
    """

    code: str
    name: str
    name_zh: str
    customers: int
    spend_fen: int
    strategy: str


@attrs.frozen(kw_only=True)
class Cohort:
    """
    The customers who first bought in one calendar month (同期群).

    Attributes:
        month: Such as ``1997-01``.
        active: How many of them bought in that month, in the next one, and so on;
            None where the month had not wholly passed on the last day.
        spend_fen: What they had spent by the end of each of these months, likewise.
    """

    month: str
    size: int
    active: tuple[int | None, ...]
    spend_fen: tuple[int | None, ...]


@attrs.frozen(kw_only=True)
class Stage:
    """
    One stage of the funnel (漏斗).

    Attributes:
        phase: 导, 接, 运 or 转.
        customers: How many reached it; normally no more than reached the one before.
    """

    phase: str
    name: str
    name_zh: str
    customers: int


@attrs.frozen(kw_only=True)
class MessageCount:
    """
    Messages that ended alike.

    Attributes:
        channel: Such as ``sms``.
        outcome: ``accepted``, ``delivered``, ``undelivered``, ``refused``,
            ``suppressed``, ``expired``, ``dead`` or ``unknown``.
        reason: Why, in words; empty where nothing needs saying.
    """

    channel: str
    outcome: str
    reason: str
    messages: int


@attrs.frozen(kw_only=True)
class Bargain:
    """
    One bargain (砍价) to look at.

    Attributes:
        outcome: How it ended, in words.
        floor_fen: The lowest price, in fen.
        prices_fen: The price at the start and after each cut, in fen.
        told: What is worth telling, such as the refusal of a late help.
    """

    name: str
    outcome: str
    floor_fen: int
    prices_fen: tuple[int, ...]
    told: str = ""


@attrs.frozen(kw_only=True)
class Bargains:
    """All bargains in numbers, and some to look at."""

    started: int
    won: int
    expired: int
    helps: int
    refused_helps: int
    shown: tuple[Bargain, ...] = ()


@attrs.frozen(kw_only=True)
class GroupBuy:
    """
    One group-buy (拼团) to look at.

    Attributes:
        outcome: How it ended, in words.
        size: Seats that had to be paid.
        paid: Seats that were.
        refunded_fen: What went back to its members, in fen.
    """

    name: str
    outcome: str
    size: int
    paid: int
    refunded_fen: int = 0
    told: str = ""


@attrs.frozen(kw_only=True)
class GroupBuys:
    """All group-buys in numbers, and some to look at."""

    opened: int
    succeeded: int
    failed: int
    refunds_asked: int
    refunded_fen: int
    shown: tuple[GroupBuy, ...] = ()


@attrs.frozen(kw_only=True)
class ScorePart:
    """
    One addend of a customer's value score.

    Attributes:
        points_hundredths: Hundredths of a point; negative for a penalty.
        most_hundredths: The most that it can give; 0 for a penalty.
        why: Which inputs led to it, in words.
    """

    name: str
    name_zh: str
    points_hundredths: int
    most_hundredths: int
    why: str


@attrs.frozen(kw_only=True)
class Step:
    """
    One step of a customer's journey.

    Attributes:
        at: When, as ISO 8601 to the minute without a zone: the shop's own time.
        kind: ``touchpoint``, ``decision``, ``message`` or ``score``.
        title: What happened.
        why: The reason that was stored with it; empty for a bare touchpoint.
        plugin: Who decided; empty where nobody did.
        outcome: A message's outcome, empty for the rest.
    """

    at: str
    kind: str
    title: str
    why: str = ""
    plugin: str = ""
    outcome: str = ""


@attrs.frozen(kw_only=True)
class Journey:
    """
    One customer's journey (客户旅程) with the why of each step.

    Attributes:
        customer: An invented name or a number, never a real name.
        phone: Masked, as `mask_phone` gives it; empty for none.
        score_hundredths: The value score, in hundredths of a point; the sum of the parts.
        steps: In the order in which they happened.
    """

    customer: str
    phone: str = ""
    shop: str
    guide: str
    segment: str
    band: str
    score_hundredths: int
    parts: tuple[ScorePart, ...]
    steps: tuple[Step, ...]


@attrs.frozen(kw_only=True)
class ReportData:
    """
    Everything that the report (报告) shows.

    Attributes:
        first_day: Day of the first order, ISO 8601.
        last_day: The day as of which everything is counted, ISO 8601.
        seconds: How long this run took.
        digest: The digest of the state, for comparing two runs.
        invented: What is invented, in sentences.
        plugins: Plugins that were enabled.
        repurchased_90d: Bought again within 90 days of the first order.
        repeat_buyers: Bought on two or more days.
        score_bins: Value scores in hundredths of a point.
        rfm_grid: All 25 cells.
    """

    first_day: str
    last_day: str
    seconds: int
    digest: str
    invented: tuple[str, ...]
    plugins: tuple[str, ...]
    customers: int
    orders: int
    spend_fen: int
    touchpoints: int
    duplicates_ignored: int
    scored: int
    repurchased_90d: Rate
    repeat_buyers: Rate
    funnel: tuple[Stage, ...]
    messages: tuple[MessageCount, ...]
    score_bins: tuple[Bin, ...]
    bands: tuple[Band, ...]
    rfm_grid: tuple[GridCell, ...]
    segments: tuple[Segment, ...]
    cohorts: tuple[Cohort, ...]
    bargains: Bargains
    group_buys: GroupBuys
    journey: Journey | None
