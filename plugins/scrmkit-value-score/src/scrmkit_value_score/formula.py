"""The formula: inputs in, points of each input out, exact to a hundredth of a point."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Sequence

import attrs

from scrmkit_value_score.settings import Scales, ValueScoreSettings, Weights


class Dimension(enum.StrEnum):
    """What the score consists of: five that add, one that takes away."""

    RFM = "rfm"
    ENGAGEMENT = "engagement"
    LTV = "ltv"
    RELATIONSHIP = "relationship"
    TRUST = "trust"
    PENALTY = "penalty"


class Input(enum.StrEnum):
    """What goes into the score, in the order of an explanation's lines."""

    __hash__ = str.__hash__

    RECENCY = "recency"
    FREQUENCY = "frequency"
    SPEND = "spend"
    ENGAGEMENT = "engagement"
    MARGIN = "margin"
    PREDICTED_MARGIN = "predicted_margin"
    CHANNELS = "channels"
    GROUP_CHATS = "group_chats"
    INVITES = "invites"
    TENURE = "tenure"
    POSITIVES = "positives"
    NEGATIVES = "negatives"
    REFUNDS = "refunds"
    COMPLAINTS = "complaints"
    FREEBIES = "freebies"


@attrs.frozen(kw_only=True)
class Inputs:
    """
    What the score is computed from; each field's default is its neutral value.

    Attributes:
        days_since_order: Since the last order that was not refunded to zero,
            None without one; then the next two do not count either.
        order_days: Days with such an order, in the window.
        spend_fen: Paid less refunded, in the window, in fen.
        acts: ``(weight, days ago)`` of what the customer did.
        margin_fen: Gross margin so far, in fen; likewise predicted for 12 months.
        channels: By how many channels the customer can be reached; 3 is the most
            that counts.
        invites: Customers whom this one brought and who stayed.
        tenure_days: How long the customer is known; 365 is the most that counts.
        positives: Signs that the customer can be trusted; likewise *negatives*
            that not. Without any, trust is one half.
        paid_fen: All that was ever paid, in fen; likewise *refunded_fen*.
        freebies_pct: How sure it is that the customer only hunts freebies
            (羊毛党), from 0 to 100.
        missing: Inputs that nobody supplied; they stand at their neutral value.
    """

    days_since_order: int | None = None
    order_days: int = 0
    spend_fen: int = 0
    acts: tuple[tuple[int, int], ...] = ()
    margin_fen: int = 0
    predicted_margin_fen: int = 0
    channels: int = 0
    group_chats: int = 0
    invites: int = 0
    tenure_days: int = 0
    positives: int = 0
    negatives: int = 0
    paid_fen: int = 0
    refunded_fen: int = 0
    complaints: int = 0
    freebies_pct: int = 0
    missing: frozenset[Input] = frozenset()


@attrs.frozen(kw_only=True)
class Line:
    """
    What one input adds to the score.

    Attributes:
        share: How much of the most that it can add it adds, from 0 to 1; for
            what takes away, how much of its own worst.
        hundredths: In hundredths of a point; below 0 for what takes away.
        most_hundredths: The most that it could add; 0 for what takes away.
        gain_hundredths: What the score would gain if the input were one notch better.
    """

    input: Input
    share: float
    hundredths: int
    most_hundredths: int
    gain_hundredths: int


@attrs.frozen(kw_only=True)
class PartLines:
    """A dimension's share of the score, in hundredths of a point: the sum of its lines."""

    dimension: Dimension
    hundredths: int
    lines: tuple[Line, ...]


@attrs.frozen(kw_only=True)
class Explanation:
    """
    A value score that adds up: the sum of its parts.

    Attributes:
        hundredths: From 0 to 10,000.
        parts: One for each dimension, in order.
        engagement: The decayed weight of acts.
    """

    hundredths: int
    parts: tuple[PartLines, ...]
    engagement: float

    @property
    def lines(self) -> list[Line]:
        """One line for each input, in order."""
        return [line for part in self.parts for line in part.lines]


NOTCH_DAYS = 30
"""One notch of recency and tenure."""
NOTCH_FEN = 10_000
"""One notch of spend and margin, in fen."""
NOTCH_ENGAGEMENT = 3
"""One notch of engagement: what one reply of the customer weighs."""
NOTCH_PCT = 10
"""One notch of the share of refunds and of freebie hunting, in percent."""


def half(value: float, at: float) -> float:
    """From 0 towards 1, and one half at *at*; never falls."""
    return value / (value + at)


def decay(days: float, half_life: float) -> float:
    """From 1 towards 0, and one half after *half_life*."""
    return float(2.0 ** (-days / half_life))


def engagement(acts: Iterable[tuple[int, int]], half_life: float) -> float:
    """
    The decayed weight of acts, ``(weight, days ago)`` each, in any order.

    After n days without an act it is ``decay(n, half_life)`` of what it was.
    """
    return math.fsum(weight * decay(days, half_life) for weight, days in acts)


def to_hundredths(points: float) -> int:
    """Points, rounded half up to hundredths."""
    return math.floor(points * 100 + 0.5)


_Term = tuple[Input, float, float, float]
"""An input, its points now and at most, and its dimension's points one notch on; a plain tuple
because fifteen of them are made for every score."""


def _rfm(inputs: Inputs, weight: int, scales: Scales) -> list[_Term]:
    recency_most, other_most = 0.40 * weight, 0.30 * weight
    if inputs.days_since_order is None:
        first_order = recency_most + other_most * half(1, scales.order_days)
        return [
            (Input.RECENCY, 0.0, recency_most, 0.0),
            (Input.FREQUENCY, 0.0, other_most, first_order),
            (Input.SPEND, 0.0, other_most, 0.0),
        ]
    days = inputs.days_since_order
    recency = recency_most * decay(days, scales.recency_days)
    often = other_most * half(inputs.order_days, scales.order_days)
    spend = other_most * half(inputs.spend_fen, scales.spend_fen)
    sooner = recency_most * decay(max(days - NOTCH_DAYS, 0), scales.recency_days)
    more_often = other_most * half(inputs.order_days + 1, scales.order_days)
    more = other_most * half(inputs.spend_fen + NOTCH_FEN, scales.spend_fen)
    return [
        (Input.RECENCY, recency, recency_most, sooner + often + spend),
        (Input.FREQUENCY, often, other_most, recency + more_often + spend),
        (Input.SPEND, spend, other_most, recency + often + more),
    ]


def _engagement(value: float, weight: int, scales: Scales) -> list[_Term]:
    now = weight * half(value, scales.engagement)
    after = weight * half(value + NOTCH_ENGAGEMENT, scales.engagement)
    return [(Input.ENGAGEMENT, now, weight, after)]


def _ltv(inputs: Inputs, weight: int, scales: Scales) -> list[_Term]:
    most, at = 0.50 * weight, scales.margin_fen
    margin = most * half(inputs.margin_fen, at)
    predicted = most * half(inputs.predicted_margin_fen, at)
    more = most * half(inputs.margin_fen + NOTCH_FEN, at)
    more_predicted = most * half(inputs.predicted_margin_fen + NOTCH_FEN, at)
    return [
        (Input.MARGIN, margin, most, more + predicted),
        (Input.PREDICTED_MARGIN, predicted, most, margin + more_predicted),
    ]


def _relationship(inputs: Inputs, weight: int) -> list[_Term]:
    def channels(count: int) -> float:
        return 0.40 * weight * min(count, 3) / 3

    def invites(count: int) -> float:
        return 0.25 * weight * (1 - decay(count, 2))

    def tenure(days: int) -> float:
        return 0.15 * weight * min(days, 365) / 365

    in_group = 0.20 * weight
    rows = (
        (Input.CHANNELS, channels(inputs.channels), channels(3), channels(inputs.channels + 1)),
        (Input.GROUP_CHATS, in_group * (inputs.group_chats > 0), in_group, in_group),
        (Input.INVITES, invites(inputs.invites), 0.25 * weight, invites(inputs.invites + 1)),
        (Input.TENURE, tenure(inputs.tenure_days), tenure(365), tenure(inputs.tenure_days + NOTCH_DAYS)),
    )
    total = sum(now for _, now, _, _ in rows)
    return [(name, now, most, total - now + better) for name, now, most, better in rows]


def _trust(inputs: Inputs, weight: int) -> list[_Term]:
    def trust(positives: int, negatives: int) -> float:
        return weight * (1 + positives) / (2 + positives + negatives)

    good, bad = inputs.positives, inputs.negatives
    without_bad = trust(good, 0)
    return [
        (Input.POSITIVES, without_bad, weight, trust(good + 1, bad)),
        (Input.NEGATIVES, trust(good, bad) - without_bad, 0.0, trust(good, max(bad - 1, 0))),
    ]


def _penalty(inputs: Inputs, most: int) -> list[_Term]:
    def refunds(share: float) -> float:
        return 0.5 * min(max((share - 0.10) / 0.40, 0.0), 1.0)

    def complaints(count: int) -> float:
        return 0.5 * (1 - decay(count, 1))

    def together(*chances: float) -> float:
        return most * (1 - math.prod(1 - chance for chance in chances))

    share = inputs.refunded_fen / max(inputs.paid_fen, 1)
    a, b, c = refunds(share), complaints(inputs.complaints), inputs.freebies_pct / 100
    if not (a or b or c):
        return [
            (Input.REFUNDS, 0.0, 0.5 * most, 0.0),
            (Input.COMPLAINTS, 0.0, 0.5 * most, 0.0),
            (Input.FREEBIES, 0.0, most, 0.0),
        ]
    scale = together(a, b, c) / (a + b + c)
    milder = refunds(share - NOTCH_PCT / 100)
    fewer = complaints(max(inputs.complaints - 1, 0))
    surer = max(inputs.freebies_pct - NOTCH_PCT, 0) / 100
    return [
        (Input.REFUNDS, a * scale, 0.5 * most, together(milder, b, c)),
        (Input.COMPLAINTS, b * scale, 0.5 * most, together(a, fewer, c)),
        (Input.FREEBIES, c * scale, most, together(a, b, surer)),
    ]


def _spread(total: int, points: Sequence[float]) -> list[int]:
    """Split *total* over *points* that sum to about it: rounded down, the rest by remainder."""
    if len(points) == 1:
        return [total]
    shares = [math.floor(value) for value in points]
    rest = total - sum(shares)
    if rest:
        by_remainder = sorted(range(len(points)), key=lambda at: shares[at] - points[at])
        for at in by_remainder[:rest]:
            shares[at] += 1
    return shares


def _part(
    dimension: Dimension, terms: Sequence[_Term], total: int, shares: Sequence[int], gains: Sequence[int]
) -> PartLines:
    takes = dimension is Dimension.PENALTY
    lines = [
        Line(
            input=name,
            share=now / most if most else 0.0,
            hundredths=own,
            most_hundredths=0 if takes else math.floor(100 * most + 0.5),
            gain_hundredths=gain,
        )
        for (name, now, most, _), own, gain in zip(terms, shares, gains, strict=True)
    ]
    return PartLines(dimension=dimension, hundredths=total, lines=tuple(lines))


def explain(inputs: Inputs, settings: ValueScoreSettings) -> Explanation:
    """
    Score a customer and say what each input adds.

    Each dimension is rounded to hundredths and then split over its inputs, so
    that the lines, the dimensions and the score add up exactly. A penalty takes
    away no more than there is.
    """
    weights: Weights = settings.weights
    heat = engagement(inputs.acts, settings.scales.engagement_days)
    dimensions = (
        (Dimension.RFM, _rfm(inputs, weights.rfm, settings.scales)),
        (Dimension.ENGAGEMENT, _engagement(heat, weights.engagement, settings.scales)),
        (Dimension.LTV, _ltv(inputs, weights.ltv, settings.scales)),
        (Dimension.RELATIONSHIP, _relationship(inputs, weights.relationship)),
        (Dimension.TRUST, _trust(inputs, weights.trust)),
    )
    penalties = _penalty(inputs, settings.penalty)
    penalty = to_hundredths(sum([term[1] for term in penalties]))
    totals = [to_hundredths(sum([term[1] for term in terms])) for _, terms in dimensions]
    earned = sum(totals)
    taken = min(penalty, earned)
    score = earned - taken

    parts: list[PartLines] = []
    for (dimension, terms), total in zip(dimensions, totals, strict=True):
        others = earned - total - penalty
        gains = [max(others + to_hundredths(term[3]), 0) - score for term in terms]
        shares = _spread(total, [100 * term[1] for term in terms])
        parts.append(_part(dimension, terms, total, shares, gains))
    to_taken = 100 * taken / penalty if penalty else 0.0
    minus = [-own for own in _spread(taken, [to_taken * term[1] for term in penalties])]
    gains = [max(earned - to_hundredths(term[3]), 0) - score for term in penalties]
    parts.append(_part(Dimension.PENALTY, penalties, -taken, minus, gains))
    return Explanation(hundredths=score, parts=tuple(parts), engagement=heat)
