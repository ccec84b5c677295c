"""The scorer: touchpoints in, scores and segments out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import attrs

from scrmkit.clock import aware
from scrmkit.domain.kinds import OrderPaid, OrderRefunded
from scrmkit.domain.profile import Part, Score
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.protocols import PluginContext
from scrmkit_rfm import cuts
from scrmkit_rfm.cuts import Calibration
from scrmkit_rfm.orders import Features, Measures, Order, measure, measure_all
from scrmkit_rfm.segments import NO_SEGMENT, Language, code_of
from scrmkit_rfm.settings import Method, RfmSettings, SegmentBy


@attrs.frozen(kw_only=True)
class Rating:
    """
    What RFM says of one customer.

    Attributes:
        recency: From 1 to 5, 5 for the most recent; likewise the next two.
        segment: The segment's code, ``111`` to ``000``.
        calibrated: False where a population was asked for and had nobody in it,
            so that the fixed thresholds stood in.
    """

    measures: Measures
    recency: int
    frequency: int
    monetary: int
    segment: str
    calibrated: bool = True


class RfmScorer:
    """
    Recency, frequency and money (RFM), each scored from 1 to 5.

    The score is their sum, 3 to 15 points, and 0 without an order. Band and
    segment are the code of one of the eight segments; the band of a customer
    without an order is ``none``. Scores are by calendar day: every moment of a
    day gives the same one, and what happened on that day counts.
    """

    Settings = RfmSettings
    kinds = frozenset({"order.paid", "order.refunded"})

    def __init__(self, context: PluginContext[RfmSettings]) -> None:
        self._name = context.name
        self._settings = context.settings
        self._zone = context.settings.zone

    def empty(self) -> Features:
        """A customer without orders."""
        return Features()

    def fold(self, features: Features, touchpoint: Touchpoint[Any]) -> Features:
        """Take a payment or a refund in; other kinds change nothing."""
        payload = touchpoint.payload
        match payload:
            case OrderPaid():
                return features.with_order(
                    Order(
                        order_no=payload.order_no,
                        day=touchpoint.occurred_at.astimezone(self._zone).toordinal(),
                        paid_fen=payload.amount_fen,
                    )
                )
            case OrderRefunded():
                return features.with_order(Order(order_no=payload.order_no, refunded_fen=payload.amount_fen))
            case _:
                return features

    def combine(self, one: Features, other: Features) -> Features:
        """All orders of two identities of one customer."""
        return one.plus(other)

    def calibrate(self, population: Iterable[Features], as_of: datetime) -> Calibration:
        """Take the population's quintiles and means; who has no order is left out."""
        day, window_days = self._day(as_of), self._settings.window_days
        return cuts.calibrate(measure_all(population, day, window_days), day, window_days)

    def score(self, features: Features, calibration: Calibration, as_of: datetime, previous: Score | None) -> Score:
        """Score and segment one customer; *previous* makes no difference here."""
        rating = self.rate(features, calibration, as_of)
        snapshot = f"{date.fromordinal(calibration.as_of_day)}/{calibration.customers}"
        if rating is None:
            zh = self._settings.language is Language.ZH
            return Score(
                scorer=self._name,
                hundredths=0,
                band=NO_SEGMENT,
                as_of=as_of,
                words=("还没有订单" if zh else "no order yet",),
                calibration=snapshot,
            )
        parts = _parts(rating)
        return Score(
            scorer=self._name,
            hundredths=sum(part.hundredths for part in parts),
            band=rating.segment,
            segment=rating.segment,
            as_of=as_of,
            parts=parts,
            words=(self._settings.label(rating.segment), self._settings.strategy(rating.segment)),
            calibration=snapshot,
        )

    def rate(self, features: Features, calibration: Calibration, as_of: datetime) -> Rating | None:
        """The raw numbers, the three scores and the segment; None without an order by then."""
        settings = self._settings
        measures = measure(features, self._day(as_of), settings.window_days)
        if measures is None:
            return None
        fixed = settings.thresholds.rate(measures)
        methods = (settings.recency, settings.frequency, settings.monetary)
        known = calibration.customers > 0
        scores = fixed
        if known and Method.QUINTILE in methods:
            quintile = calibration.rate(measures)
            scores = (
                quintile[0] if methods[0] is Method.QUINTILE else fixed[0],
                quintile[1] if methods[1] is Method.QUINTILE else fixed[1],
                quintile[2] if methods[2] is Method.QUINTILE else fixed[2],
            )
        if known and settings.segment_by is SegmentBy.MEAN:
            high = calibration.against_means(measures)
        else:
            least = settings.high_from
            high = (fixed[0] >= least, fixed[1] >= least, fixed[2] >= least)
        needed = settings.segment_by is SegmentBy.MEAN or Method.QUINTILE in methods
        return Rating(
            measures=measures,
            recency=scores[0],
            frequency=scores[1],
            monetary=scores[2],
            segment=code_of(*high),
            calibrated=known or not needed,
        )

    def _day(self, as_of: datetime) -> int:
        return aware(as_of).astimezone(self._zone).toordinal()


def _parts(rating: Rating) -> tuple[Part, ...]:
    measures = rating.measures
    missing = () if rating.calibrated else ("population",)
    yuan = f"{measures.monetary_fen // 100}.{measures.monetary_fen % 100:02d} yuan"
    rows = (
        ("recency", rating.recency, ("last order", f"{measures.recency_days} days ago")),
        ("frequency", rating.frequency, ("order days", f"{measures.frequency} days")),
        ("monetary", rating.monetary, ("net spend", yuan)),
    )
    return tuple(
        Part(
            name=name, hundredths=100 * score, inputs=(value,), gain_hundredths=100 if score < 5 else 0, missing=missing
        )
        for name, score, value in rows
    )
