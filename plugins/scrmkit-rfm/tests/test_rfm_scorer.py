"""RFM by rule: refunds, free orders, windows, thresholds, cuts, merges."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit.clock import VirtualClock
from scrmkit.domain.kinds import MessageReceived, OrderPaid, OrderRefunded
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import InvalidValueError
from scrmkit.protocols import PluginContext
from scrmkit_rfm import (
    SEGMENTS,
    Calibration,
    Features,
    Language,
    Measures,
    Method,
    RfmScorer,
    RfmSettings,
    SegmentBy,
    Thresholds,
    measure,
    quintile_cuts,
    score_by_cuts,
)

START = datetime(2026, 1, 1, 4, tzinfo=UTC)


def make_scorer(**settings):
    return RfmScorer(PluginContext(name="rfm", settings=RfmSettings(**settings), clock=VirtualClock(START)))


def paid(order_no, fen=1_000, day=0, hours=0):
    return Touchpoint(
        kind="order.paid",
        key=f"paid-{order_no}",
        occurred_at=START + timedelta(days=day, hours=hours),
        payload=OrderPaid(order_no=order_no, amount_fen=fen),
    )


def refunded(order_no, fen, day=0):
    return Touchpoint(
        kind="order.refunded",
        key=f"refund-{order_no}-{fen}-{day}",
        occurred_at=START + timedelta(days=day),
        payload=OrderRefunded(order_no=order_no, refund_no=f"r{fen}-{day}", amount_fen=fen),
    )


def fold(scorer, touchpoints):
    features = scorer.empty()
    for touchpoint in touchpoints:
        features = scorer.fold(features, touchpoint)
    return features


def measured(touchpoints, *, day=10, window_days=0):
    return measure(fold(make_scorer(), touchpoints), (START.date() + timedelta(days=day)).toordinal(), window_days)


@pytest.mark.parametrize(
    ("touchpoints", "expected"),
    [
        pytest.param([], None, id="nothing happened"),
        pytest.param([paid("a")], (10, 1, 1_000), id="one order"),
        pytest.param([paid("a"), paid("b", hours=1)], (10, 1, 2_000), id="two orders of a day are one day"),
        pytest.param([paid("a", fen=0)], (10, 1, 0), id="a free order counts"),
        pytest.param([refunded("a", 1_000)], None, id="a refund without its payment is no order"),
        pytest.param([paid("a"), refunded("a", 1_000)], None, id="an order refunded to zero vanishes"),
        pytest.param(
            [paid("a"), paid("b", day=5), refunded("b", 400, 6), refunded("b", 600, 7)],
            (10, 1, 1_000),
            id="two partial refunds can take an order away",
        ),
        pytest.param(
            [paid("a"), paid("b", day=5), refunded("b", 400, 6)],
            (5, 2, 1_600),
            id="a partial refund takes only its money",
        ),
        pytest.param([paid("a"), paid("b", day=11)], (10, 1, 1_000), id="a later order is not yet"),
    ],
)
def test_orders_are_measured_net_of_refunds(touchpoints, expected):
    found = measured(touchpoints)

    assert (None if found is None else attrs.astuple(found)) == expected


def test_the_window_limits_frequency_and_money_but_not_recency():
    touchpoints = [paid("a", day=0), paid("b", day=1)]

    assert measured(touchpoints, day=10, window_days=10) == Measures(recency_days=9, frequency=1, monetary_fen=1_000)
    assert measured(touchpoints, day=20, window_days=10) == Measures(recency_days=19, frequency=0, monetary_fen=0)


def test_days_are_those_of_the_configured_zone():
    before_midnight_in_utc = paid("a", hours=19)
    as_of = START + timedelta(days=1)

    recency = {
        zone: make_scorer(zone=zone)
        .rate(
            fold(make_scorer(zone=zone), [before_midnight_in_utc]), make_scorer(zone=zone).calibrate([], as_of), as_of
        )
        .measures.recency_days
        for zone in (ZoneInfo("UTC"), ZoneInfo("Asia/Shanghai"))
    }

    assert recency == {ZoneInfo("UTC"): 1, ZoneInfo("Asia/Shanghai"): 0}


def test_every_moment_of_a_day_gives_the_same_score():
    scorer = make_scorer()
    features = fold(scorer, [paid("a", hours=8)])
    morning, evening = START - timedelta(hours=12), START + timedelta(hours=11)
    calibration = scorer.calibrate([features], morning)

    scores = [scorer.rate(features, calibration, at) for at in (morning, evening)]

    assert scores[0] is not None
    assert scores[0] == scores[1]


@pytest.mark.parametrize(
    ("recency_days", "frequency", "monetary_fen", "expected"),
    [
        pytest.param(0, 10, 500_000, (5, 5, 5), id="best"),
        pytest.param(30, 9, 499_999, (5, 4, 4), id="thirty days are still five"),
        pytest.param(31, 4, 80_000, (4, 3, 3), id="thirty-one days are four"),
        pytest.param(180, 2, 30_000, (2, 2, 2), id="half a year is two"),
        pytest.param(181, 1, 1, (1, 1, 1), id="later is one"),
        pytest.param(900, 0, 0, (1, 1, 1), id="nobody who ordered is below one"),
    ],
)
def test_fixed_thresholds_of_retail(recency_days, frequency, monetary_fen, expected):
    measures = Measures(recency_days=recency_days, frequency=frequency, monetary_fen=monetary_fen)

    assert Thresholds().rate(measures) == expected


def test_thresholds_that_do_not_rise_are_refused():
    with pytest.raises(InvalidValueError, match="frequency takes four numbers"):
        Thresholds(frequency=(2, 2, 6, 10))


def test_a_value_that_the_population_never_saw_scores_as_the_nearest_below_it():
    cuts = quintile_cuts([10, 20, 30, 40, 50])

    assert [score_by_cuts(cuts, value) for value in (1, 10, 19, 20, 45, 50, 99)] == [1, 1, 1, 2, 4, 5, 5]


@given(st.lists(st.integers(min_value=-500, max_value=500), min_size=1, max_size=60))
def test_cuts_give_everybody_in_the_population_their_midrank_score(values):
    cuts = quintile_cuts(values)

    for value in values:
        below = sum(other < value for other in values)
        equal = values.count(value)
        midrank = 1 + int(5 * (below + 0.5 * (equal - 1)) / len(values))
        assert score_by_cuts(cuts, value) == midrank


def test_a_stored_calibration_reproduces_a_score_after_the_population_has_changed():
    scorer = make_scorer(recency=Method.QUINTILE, monetary=Method.QUINTILE)
    people = [fold(scorer, [paid("a", fen=100 * fen, day=fen)]) for fen in range(1, 11)]
    as_of = START + timedelta(days=20)
    stored = scorer.calibrate(people, as_of)
    before = scorer.score(people[4], stored, as_of, None)

    later = scorer.calibrate([*people, *people[:3]], as_of)

    assert scorer.score(people[4], stored, as_of, None) == before
    assert scorer.score(people[4], later, as_of, None) != before


def test_without_a_population_the_fixed_thresholds_stand_in_and_the_parts_say_so():
    scorer = make_scorer(recency=Method.QUINTILE)
    features = fold(scorer, [paid("a", fen=100_000)])

    score = scorer.score(features, scorer.calibrate([], START), START, None)

    assert score.segment == "101"
    assert {part.missing for part in score.parts} == {("population",)}


def test_segments_by_fixed_threshold_need_no_population():
    scorer = make_scorer(segment_by=SegmentBy.FIXED)
    features = fold(scorer, [paid("a", fen=100_000)])
    as_of = START + timedelta(days=90)
    nobody = Calibration(as_of_day=date(2026, 1, 1).toordinal(), window_days=365)

    score = scorer.score(features, nobody, as_of, None)

    assert (score.segment, {part.missing for part in score.parts}) == ("101", {()})


def test_a_customer_without_an_order_has_no_segment():
    scorer = make_scorer()

    score = scorer.score(scorer.empty(), scorer.calibrate([], START), START, None)

    assert (score.hundredths, score.band, score.segment, score.parts) == (0, "none", "", ())


def test_labels_and_strategies_can_be_replaced_by_code():
    scorer = make_scorer(
        segment_by=SegmentBy.FIXED, language=Language.ZH, labels={"101": "潜力客"}, strategies={"101": "发券"}
    )
    features = fold(scorer, [paid("a", fen=100_000)])

    score = scorer.score(features, scorer.calibrate([], START), START, None)

    assert score.words == ("潜力客", "发券")


def test_a_label_for_an_unknown_segment_is_refused():
    with pytest.raises(InvalidValueError, match="unknown segments"):
        RfmSettings(labels={"112": "?"})


def test_every_segment_has_a_label_and_a_strategy_in_both_languages():
    assert len(SEGMENTS) == 8
    for segment in SEGMENTS.values():
        assert set(segment.label) == set(segment.strategy) == set(Language)


def test_other_kinds_change_nothing():
    scorer = make_scorer()
    message = Touchpoint(kind="message.received", key="m", occurred_at=START, payload=MessageReceived(text="hi"))

    assert scorer.fold(scorer.empty(), message) == scorer.empty()


events = st.lists(
    st.one_of(
        st.builds(
            paid,
            st.sampled_from("abcd"),
            st.integers(min_value=0, max_value=500),
            st.integers(min_value=0, max_value=40),
        ),
        st.builds(
            refunded,
            st.sampled_from("abcd"),
            st.integers(min_value=1, max_value=500),
            st.integers(min_value=0, max_value=40),
        ),
    ),
    max_size=12,
)


@given(events=events, data=st.data())
def test_neither_order_nor_merging_makes_a_difference(events, data):
    scorer = make_scorer()
    shuffled = data.draw(st.permutations(events))
    cut = data.draw(st.integers(min_value=0, max_value=len(events)))

    whole = fold(scorer, events)

    assert fold(scorer, shuffled) == whole
    one, other = fold(scorer, shuffled[:cut]), fold(scorer, shuffled[cut:])
    assert scorer.combine(one, other) == scorer.combine(other, one) == whole


@given(one=events, other=events, third=events)
def test_merging_is_associative(one, other, third):
    scorer = make_scorer()
    a, b, c = (fold(scorer, some) for some in (one, other, third))

    assert scorer.combine(scorer.combine(a, b), c) == scorer.combine(a, scorer.combine(b, c))
    assert scorer.combine(a, Features()) == a
