"""RFM of the 2,357 sampled CDNOW customers equals independently computed numbers."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from scrmkit.clock import VirtualClock
from scrmkit.domain.kinds import OrderPaid
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.protocols import PluginContext
from scrmkit_rfm import SEGMENTS, Features, Language, Method, RfmScorer, RfmSettings

DATA = Path(__file__).parent / "data"
SHANGHAI = ZoneInfo("Asia/Shanghai")
AS_OF = datetime(1998, 6, 30, tzinfo=SHANGHAI)


@pytest.fixture(scope="module")
def expected():
    return json.loads((DATA / "rfm_full_sample.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def scorer():
    settings = RfmSettings(
        window_days=0,
        recency=Method.QUINTILE,
        frequency=Method.QUINTILE,
        monetary=Method.QUINTILE,
        language=Language.ZH,
    )
    clock = VirtualClock(datetime(1997, 1, 1, tzinfo=UTC))
    return RfmScorer(PluginContext(name="rfm", settings=settings, clock=clock))


@pytest.fixture(scope="module")
def features(scorer):
    people: dict[str, Features] = {}
    with (DATA / "cdnow_sample_orders.csv").open(encoding="utf-8", newline="") as lines:
        for number, line in enumerate(csv.DictReader(lines)):
            paid = Touchpoint(
                kind="order.paid",
                key=str(number),
                occurred_at=datetime.fromisoformat(line["date"]).replace(tzinfo=SHANGHAI),
                payload=OrderPaid(order_no=str(number), amount_fen=int(line["amount_cents"])),
            )
            known = people.get(line["sample_id"], scorer.empty())
            people[line["sample_id"]] = scorer.fold(known, paid)
    return people


@pytest.fixture(scope="module")
def calibration(scorer, features):
    return scorer.calibrate(features.values(), AS_OF)


@pytest.fixture(scope="module")
def ratings(scorer, features, calibration):
    return {who: scorer.rate(known, calibration, AS_OF) for who, known in features.items()}


def test_every_quintile_has_the_expected_number_of_customers(ratings, expected):
    counts = {
        "R": Counter(rating.recency for rating in ratings.values()),
        "F": Counter(rating.frequency for rating in ratings.values()),
        "M": Counter(rating.monetary for rating in ratings.values()),
    }

    assert counts == {
        name: {int(score): count for score, count in by_score.items()}
        for name, by_score in expected["score_counts"].items()
    }


def test_the_totals_are_the_samples(calibration, expected):
    assert {
        "customers": calibration.customers,
        "orders(days)": calibration.frequency_sum,
        "monetary_cents": calibration.monetary_fen_sum,
    } == expected["totals"]


def test_single_customers_have_the_expected_scores(ratings, expected):
    found = {
        who: {
            "recency_days": ratings[who].measures.recency_days,
            "frequency": ratings[who].measures.frequency,
            "monetary_cents": ratings[who].measures.monetary_fen,
            "R": ratings[who].recency,
            "F": ratings[who].frequency,
            "M": ratings[who].monetary,
        }
        for who in expected["ids"]
    }

    assert found == expected["ids"]


def test_the_means_are_the_expected_thresholds(calibration, expected):
    sums = (calibration.recency_days_sum, calibration.frequency_sum, calibration.monetary_fen_sum)

    means = [total / calibration.customers for total in sums]

    assert means == pytest.approx(expected["eight_segments_mean_threshold"]["means"], rel=1e-8)


def test_the_eight_segments_have_the_expected_sizes_and_members(ratings, expected):
    segments = expected["eight_segments_mean_threshold"]
    label = {who: SEGMENTS[rating.segment].label[Language.ZH] for who, rating in ratings.items()}

    assert Counter(label.values()) == segments["counts"]
    assert {who: label[who] for who in segments["ids"]} == segments["ids"]


def test_a_score_is_the_sum_of_its_parts_and_says_its_segment(scorer, features, calibration):
    score = scorer.score(features["1"], calibration, AS_OF, None)

    assert [(part.name, part.hundredths) for part in score.parts] == [
        ("recency", 400),
        ("frequency", 500),
        ("monetary", 400),
    ]
    assert score.hundredths == 1300
    assert (score.band, score.segment, score.words[0]) == ("110", "110", "一般价值")
    assert score.calibration == "1998-06-30/2357"
