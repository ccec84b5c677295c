"""RFM keeps what every scorer keeps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scrmkit.domain.kinds import OrderRefunded
from scrmkit.testing import NOON, ScorerSuite, make_context, make_order_paid, make_touchpoint
from scrmkit_rfm import Method, RfmScorer, RfmSettings, SegmentBy


def paid(order_no, day, fen=9_900):
    return make_order_paid(order_no, fen, at=NOON + timedelta(days=day))


def refunded(order_no, day, fen):
    payload = OrderRefunded(order_no=order_no, refund_no=f"r-{day}", amount_fen=fen)
    at = NOON + timedelta(days=day)
    return make_touchpoint("order.refunded", payload, key=f"r-{order_no}-{day}", at=at)


class TestRfm(ScorerSuite):
    bounds = (0, 1_500)
    falls_with_time = True

    @pytest.fixture(
        params=[
            pytest.param({}, id="as it comes"),
            pytest.param({"window_days": 90}, id="with a window"),
            pytest.param(
                {
                    "recency": Method.QUINTILE,
                    "frequency": Method.QUINTILE,
                    "monetary": Method.QUINTILE,
                    "segment_by": SegmentBy.MEAN,
                },
                id="by the population",
            ),
        ]
    )
    def scorer(self, request):
        return RfmScorer(make_context("rfm", RfmSettings(**request.param)))

    @pytest.fixture
    def histories(self):
        return [
            [paid("a1", 0), paid("a2", 40, fen=1), refunded("a1", 41, 900), paid("a3", 90)],
            [refunded("b1", 3, 9_900), paid("b1", 1), paid("b2", 2), paid("b2", 80)],
            [paid("c1", 20, fen=0)],
            [refunded("d1", 5, 100)],
        ]
