"""The scorer: from touchpoints to features, inputs and scores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scrmkit import (
    ConsentChanged,
    ContactAdded,
    ContactRemoved,
    GroupChatJoined,
    GroupChatLeft,
    MessageReceived,
    Nothing,
    OrderPaid,
    OrderRefunded,
    PluginContext,
    Purpose,
    Touchpoint,
    VirtualClock,
)
from scrmkit_value_score import SUPPLIED, Act, Features, Input, InputSupplied, Stage, ValueScorer, ValueScoreSettings

START = datetime(2026, 1, 1, 4, tzinfo=UTC)


def make_scorer(**given_settings):
    context = PluginContext(name="value", settings=ValueScoreSettings(**given_settings), clock=VirtualClock(START))
    return ValueScorer(context)


def happened(kind, payload, *, day=0, source="wecom-hq"):
    return Touchpoint(
        kind=kind, key=f"{kind}-{day}", occurred_at=START + timedelta(days=day), payload=payload, source=source
    )


def paid(order_no="a", fen=1_000, day=0):
    return happened("order.paid", OrderPaid(order_no=order_no, amount_fen=fen), day=day)


def refunded(order_no="a", fen=1_000, day=0):
    payload = OrderRefunded(order_no=order_no, refund_no=f"r{day}", amount_fen=fen)
    return happened("order.refunded", payload, day=day)


def added(account="ann", day=0, source="wecom-hq"):
    return happened("contact.added", ContactAdded(account=account), day=day, source=source)


def removed(account="ann", day=0, by="customer"):
    return happened("contact.removed", ContactRemoved(account=account, by=by), day=day)


def wrote(day=0):
    return happened("message.received", MessageReceived(text="hello"), day=day)


def consent(kind, channel="sms", day=0, purpose=Purpose.MARKETING):
    return happened(f"consent.{kind}", ConsentChanged(channel=channel, purpose=purpose), day=day)


def joined(chat="c1", day=0):
    return happened("group_chat.joined", GroupChatJoined(chat=chat), day=day)


def left(chat="c1", day=0):
    return happened("group_chat.left", GroupChatLeft(chat=chat), day=day)


def supplied(name, value, day=0):
    return happened(SUPPLIED, InputSupplied(input=name, value=value), day=day)


def fold(scorer, touchpoints):
    features = scorer.empty()
    for touchpoint in touchpoints:
        features = scorer.fold(features, touchpoint)
    return features


def as_of(day):
    return START + timedelta(days=day)


def inputs_of(touchpoints, *, day=10, **given_settings):
    scorer = make_scorer(**given_settings)
    features = fold(scorer, touchpoints)
    return scorer.inputs(features, scorer.calibrate([features], as_of(day)), as_of(day))


def test_a_new_contact_without_an_order_scores_as_a_lead():
    scorer = make_scorer()
    features = fold(scorer, [added()])

    score = scorer.score(features, scorer.calibrate([features], START), START, None)

    assert {part.name: part.hundredths for part in score.parts} == {
        "rfm": 0,
        "engagement": 333,
        "ltv": 0,
        "relationship": 200,
        "trust": 750,
        "penalty": 0,
    }
    assert (score.hundredths, score.band, score.stage) == (1_283, "D", Stage.LEAD)
    assert (score.scorer, score.calibration) == ("value", "2026-01-01/1")


@pytest.mark.parametrize(
    ("touchpoints", "expected"),
    [
        pytest.param(
            [paid("a"), paid("b", day=4)], {"days_since_order": 6, "order_days": 2, "spend_fen": 2_000}, id="two orders"
        ),
        pytest.param(
            [paid("a"), paid("b", day=4), refunded("b", day=5)],
            {
                "days_since_order": 10,
                "order_days": 1,
                "spend_fen": 1_000,
                "paid_fen": 2_000,
                "refunded_fen": 1_000,
                "acts": ((5, 10),),
            },
            id="an order refunded to zero is only a refund",
        ),
        pytest.param([refunded("a")], {"refunded_fen": 0}, id="a refund waits for its payment"),
        pytest.param([paid("a", day=11)], {"days_since_order": None}, id="a later order is not yet"),
        pytest.param([added()], {"channels": 1}, id="a contact can be reached"),
        pytest.param([added(), removed(day=1)], {"channels": 0, "negatives": 1}, id="a lost contact"),
        pytest.param([added(), removed(day=1, by="guide")], {"negatives": 0}, id="the guide ended the contact"),
        pytest.param(
            [added("ann"), added("bob"), removed("ann", day=1)], {"channels": 1}, id="another guide is still there"
        ),
        pytest.param([added(), removed(day=1), added(day=2)], {"channels": 1}, id="a contact that came back"),
        pytest.param([removed(day=1), added(day=1)], {"channels": 0}, id="of one moment, off wins"),
        pytest.param(
            [added(), consent("granted"), consent("granted", "mini")],
            {"channels": 3},
            id="each channel with consent counts",
        ),
        pytest.param([consent("granted"), consent("withdrawn", day=1)], {"channels": 0}, id="a withdrawn consent"),
        pytest.param(
            [consent("granted"), consent("withdrawn", "*", day=1)], {"channels": 0}, id="all consents withdrawn at once"
        ),
        pytest.param(
            [consent("withdrawn", "*"), consent("granted", day=1)], {"channels": 1}, id="a consent since then"
        ),
        pytest.param([consent("granted", "*")], {"channels": 1}, id="a consent to every channel"),
        pytest.param(
            [consent("granted", purpose=Purpose.SERVICE)], {"channels": 0}, id="consent to service is none to marketing"
        ),
        pytest.param([joined("c1"), joined("c2"), left("c1", day=1)], {"group_chats": 1}, id="chats"),
        pytest.param([wrote(), wrote(day=1)], {"positives": 2}, id="messages are signs of trust"),
        pytest.param(
            [supplied("margin", 5), supplied("margin", 3, day=1)],
            {"margin_fen": 3},
            id="the newest supplied value counts",
        ),
        pytest.param(
            [supplied("freebies", 40), supplied("predicted_margin", 9), supplied("invites", 2)],
            {"freebies_pct": 40, "predicted_margin_fen": 9, "invites": 2},
            id="other supplied values",
        ),
    ],
)
def test_touchpoints_become_inputs(touchpoints, expected):
    inputs = inputs_of(touchpoints)

    assert {name: getattr(inputs, name) for name in expected} == expected


def test_the_margin_can_be_a_share_of_net_spend_where_nobody_supplied_it():
    bought = [paid("a", fen=10_000), refunded("a", fen=999, day=1)]

    assert inputs_of(bought, gross_margin_pct=50).margin_fen == 4_500
    assert inputs_of([*bought, supplied("margin", 7)], gross_margin_pct=50).margin_fen == 7


def test_acts_of_one_kind_and_day_count_only_so_often():
    acts = {"message.received": Act(weight=3, per_day=2), "order.paid": Act(weight=5)}

    inputs = inputs_of([wrote(), wrote(), wrote(), wrote(day=1), paid("a"), paid("b")], acts=acts)

    assert sorted(inputs.acts) == [(3, 9), (5, 10), (6, 10)]


def test_a_touchpoint_of_any_plugin_can_count_as_act_invite_or_complaint():
    scorer_settings = {
        "acts": {"bargain.helped": Act(weight=5)},
        "invites": frozenset({"bargain.helped"}),
        "complaints": frozenset({"desk.complained"}),
    }
    touchpoints = [happened("bargain.helped", Nothing()), happened("desk.complained", Nothing())]

    inputs = inputs_of(touchpoints, **scorer_settings)

    assert (inputs.acts, inputs.invites, inputs.complaints) == (((5, 10),), 1, 1)
    assert {"bargain.helped", "desk.complained"} <= make_scorer(**scorer_settings).kinds


def test_other_kinds_change_nothing():
    scorer = make_scorer()

    assert scorer.fold(scorer.empty(), happened("platform.noted", Nothing())) == scorer.empty()


def test_tenure_stops_growing_90_days_after_the_last_act():
    touchpoints = [added(), wrote(day=20)]

    assert [inputs_of(touchpoints, day=day).tenure_days for day in (50, 110, 111, 400)] == [50, 110, 110, 110]


def test_what_nobody_supplies_is_neutral_and_named():
    scorer = make_scorer()
    buyer = fold(scorer, [paid("a")])
    calibration = scorer.calibrate([buyer], START)

    score = scorer.score(buyer, calibration, START, None)

    assert {part.name: part.missing for part in score.parts} == {
        "rfm": (),
        "engagement": (),
        "ltv": ("margin", "predicted_margin"),
        "relationship": ("channels", "group_chats", "invites"),
        "trust": ("positives", "negatives"),
        "penalty": ("complaints", "freebies"),
    }
    assert {part.name: part.hundredths for part in score.parts}["trust"] == 750


def test_what_somebody_supplies_is_missing_for_nobody_but_amounts_are_personal():
    scorer = make_scorer()
    buyer = fold(scorer, [paid("a")])
    friend = fold(scorer, [added(), joined(), wrote(), supplied("margin", 1)])
    calibration = scorer.calibrate([buyer, friend], START)

    missing = scorer.inputs(buyer, calibration, START).missing

    assert missing == {Input.MARGIN, Input.PREDICTED_MARGIN, Input.INVITES, Input.COMPLAINTS, Input.FREEBIES}


def test_the_previous_band_is_kept_within_two_points():
    scorer = make_scorer()
    features = fold(scorer, [paid("a", fen=100_000), added(), wrote()])
    calibration = scorer.calibrate([features], START)
    plain = scorer.score(features, calibration, START, None)
    falling = scorer.score(features, calibration, as_of(4), None)

    kept = scorer.score(features, calibration, as_of(4), plain)

    assert (plain.band, falling.band, kept.band) == ("B", "C", "B")


days = st.integers(min_value=0, max_value=900)
fens = st.integers(min_value=0, max_value=200_000)
orders = st.sampled_from("abcde")
events = st.lists(
    st.one_of(
        st.builds(paid, orders, fens, days),
        st.builds(refunded, orders, st.integers(1, 200_000), days),
        st.builds(added, st.sampled_from(["ann", "bob"]), days),
        st.builds(removed, st.sampled_from(["ann", "bob"]), days),
        st.builds(wrote, days),
        st.builds(consent, st.sampled_from(["granted", "withdrawn"]), st.sampled_from("sm*"), days),
        st.builds(joined, st.sampled_from("xy"), days),
        st.builds(left, st.sampled_from("xy"), days),
        st.builds(supplied, st.sampled_from(["margin", "complaints"]), fens, days),
    ),
    max_size=14,
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
    assert scorer.combine(whole, Features()) == whole


@given(one=events, other=events, third=events)
def test_merging_is_associative(one, other, third):
    scorer = make_scorer()
    a, b, c = (fold(scorer, some) for some in (one, other, third))

    assert scorer.combine(scorer.combine(a, b), c) == scorer.combine(a, scorer.combine(b, c))


def _score(scorer, events, day):
    features = fold(scorer, events)
    return scorer.score(features, scorer.calibrate([features], as_of(day)), as_of(day), None)


MOST_TENURE_GROWTH = 57
"""Hundredths of a point: 90 of 365 days of 2.25 points, and the rounding of one part."""


@settings(max_examples=60)
@given(events=events, idle=st.integers(min_value=1, max_value=900))
def test_time_passing_without_events_raises_a_score_by_growing_tenure_only(events, idle):
    scorer = make_scorer()
    now, later = (_score(scorer, events, 900 + days) for days in (0, idle))
    grown = {part.name: part.hundredths for part in later.parts}["relationship"] - {
        part.name: part.hundredths for part in now.parts
    }["relationship"]

    assert 0 <= grown <= MOST_TENURE_GROWTH
    assert later.hundredths <= now.hundredths + grown


@settings(max_examples=60)
@given(events=events, idle=st.integers(min_value=1, max_value=900))
def test_after_90_idle_days_time_passing_never_raises_a_score(events, idle):
    scorer = make_scorer()

    now, later = (_score(scorer, events, 990 + days) for days in (0, idle))

    assert later.hundredths <= now.hundredths


@settings(max_examples=60)
@example(events=[added("ann", 0), consent("granted", "*", 1)], bad=consent("withdrawn", "s", 0))
@given(
    events=events,
    bad=st.one_of(
        st.builds(refunded, orders, st.integers(1, 200_000), days),
        st.builds(removed, st.sampled_from(["ann", "bob"]), days),
        st.builds(left, st.sampled_from("xy"), days),
        st.builds(consent, st.just("withdrawn"), st.sampled_from("sm*"), days),
    ),
)
def test_a_refund_or_a_farewell_never_raises_a_score(events, bad):
    scorer = make_scorer()

    before = _score(scorer, events, 900)
    assert _score(scorer, [*events, bad], 900).hundredths <= before.hundredths
