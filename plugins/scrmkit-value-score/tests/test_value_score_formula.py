"""The formula's promises: bounds, adding up, what raises a score and what lowers it, words."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit.errors import InvalidValueError
from scrmkit_value_score import (
    Act,
    Bands,
    Input,
    Inputs,
    InputSupplied,
    Language,
    Stages,
    ValueScoreSettings,
    Weights,
    explain,
    numbers,
    words,
)

SETTINGS = ValueScoreSettings()
counts = st.integers(min_value=0, max_value=50)
days = st.integers(min_value=0, max_value=2_000)
money = st.integers(min_value=0, max_value=10_000_000)
customers = st.builds(
    Inputs,
    days_since_order=days,
    order_days=counts,
    spend_fen=money,
    acts=st.lists(st.tuples(st.integers(1, 15), days), max_size=6).map(tuple),
    margin_fen=money,
    predicted_margin_fen=money,
    channels=st.integers(0, 6),
    group_chats=st.integers(0, 4),
    invites=counts,
    tenure_days=days,
    positives=counts,
    negatives=counts,
    paid_fen=money,
    refunded_fen=money,
    complaints=counts,
    freebies_pct=st.integers(0, 100),
)
leads = customers.map(lambda inputs: attrs.evolve(inputs, days_since_order=None, order_days=0, spend_fen=0))
settings_given = st.sampled_from(
    [
        SETTINGS,
        ValueScoreSettings(penalty=100),
        ValueScoreSettings(weights=Weights(rfm=0, engagement=55, ltv=45, relationship=0, trust=0)),
    ]
)


@given(inputs=st.one_of(customers, leads), settings=settings_given)
def test_a_score_is_between_0_and_100_and_its_lines_add_up(inputs, settings):
    found = explain(inputs, settings)

    assert 0 <= found.hundredths <= 10_000
    assert sum(part.hundredths for part in found.parts) == found.hundredths
    for part in found.parts:
        assert sum(line.hundredths for line in part.lines) == part.hundredths
    assert [line.input for line in found.lines] == list(Input)


@pytest.mark.parametrize(
    "name",
    [
        "order_days",
        "spend_fen",
        "margin_fen",
        "predicted_margin_fen",
        "channels",
        "group_chats",
        "invites",
        "tenure_days",
        "positives",
        "paid_fen",
    ],
)
@given(inputs=customers, more=st.integers(1, 100_000), settings=settings_given)
def test_more_of_what_is_good_never_lowers_a_score(name, inputs, more, settings):
    better = attrs.evolve(inputs, **{name: getattr(inputs, name) + more})

    assert explain(better, settings).hundredths >= explain(inputs, settings).hundredths


@pytest.mark.parametrize("name", ["days_since_order", "negatives", "refunded_fen", "complaints", "freebies_pct"])
@given(inputs=customers, more=st.integers(1, 100), settings=settings_given)
def test_more_of_what_is_bad_never_raises_a_score(name, inputs, more, settings):
    value = getattr(inputs, name) + more
    worse = attrs.evolve(inputs, **{name: min(value, 100) if name == "freebies_pct" else value})

    assert explain(worse, settings).hundredths <= explain(inputs, settings).hundredths


@given(inputs=customers, act=st.tuples(st.integers(1, 15), days))
def test_one_more_act_never_lowers_a_score(inputs, act):
    more = attrs.evolve(inputs, acts=(*inputs.acts, act))

    assert explain(more, SETTINGS).hundredths >= explain(inputs, SETTINGS).hundredths


@given(inputs=customers, data=st.data())
def test_the_order_of_acts_makes_no_difference(inputs, data):
    shuffled = attrs.evolve(inputs, acts=tuple(data.draw(st.permutations(inputs.acts))))

    assert explain(shuffled, SETTINGS) == explain(inputs, SETTINGS)


def _one_notch_better(inputs):
    return {
        Input.RECENCY: {"days_since_order": max(inputs.days_since_order - 30, 0)},
        Input.FREQUENCY: {"order_days": inputs.order_days + 1},
        Input.SPEND: {"spend_fen": inputs.spend_fen + 10_000},
        Input.ENGAGEMENT: {"acts": (*inputs.acts, (3, 0))},
        Input.MARGIN: {"margin_fen": inputs.margin_fen + 10_000},
        Input.PREDICTED_MARGIN: {"predicted_margin_fen": inputs.predicted_margin_fen + 10_000},
        Input.CHANNELS: {"channels": inputs.channels + 1},
        Input.GROUP_CHATS: {"group_chats": inputs.group_chats + 1},
        Input.INVITES: {"invites": inputs.invites + 1},
        Input.TENURE: {"tenure_days": inputs.tenure_days + 30},
        Input.POSITIVES: {"positives": inputs.positives + 1},
        Input.NEGATIVES: {"negatives": max(inputs.negatives - 1, 0)},
        Input.COMPLAINTS: {"complaints": max(inputs.complaints - 1, 0)},
        Input.FREEBIES: {"freebies_pct": max(inputs.freebies_pct - 10, 0)},
    }


@given(inputs=customers)
def test_what_is_to_gain_is_what_one_notch_more_really_gains(inputs):
    found = explain(inputs, SETTINGS)

    for line in found.lines:
        if line.input is Input.REFUNDS:
            continue
        better = attrs.evolve(inputs, **_one_notch_better(inputs)[line.input])
        gained = explain(better, SETTINGS).hundredths - found.hundredths
        # Sums of floats in another order may round to the next hundredth.
        assert abs(gained - line.gain_hundredths) <= 1, line.input


def test_ten_percent_fewer_refunds_gain_what_the_line_says():
    inputs = Inputs(days_since_order=1, order_days=5, spend_fen=70_000, paid_fen=100_000)
    many, fewer = (attrs.evolve(inputs, refunded_fen=fen) for fen in (30_000, 20_000))

    refunds = next(line for line in explain(many, SETTINGS).lines if line.input is Input.REFUNDS)

    difference = explain(fewer, SETTINGS).hundredths - explain(many, SETTINGS).hundredths
    assert refunds.gain_hundredths == difference == 375


def test_a_penalty_takes_no_more_than_there_is():
    inputs = Inputs(freebies_pct=100, complaints=3)

    found = explain(inputs, SETTINGS)

    assert (found.hundredths, found.parts[-1].hundredths) == (0, -750)
    assert [line.hundredths for line in found.parts[-1].lines] == [0, -228, -522]


def test_a_lead_gains_most_from_a_first_order():
    found = explain(Inputs(), SETTINGS)

    gains = {line.input: line.gain_hundredths for line in found.parts[0].lines}

    assert gains == {Input.RECENCY: 0, Input.FREQUENCY: 1_200 + 180, Input.SPEND: 0}


COMPLAINER = Inputs(
    days_since_order=20,
    order_days=5,
    spend_fen=90_050,
    positives=4,
    negatives=4,
    paid_fen=120_050,
    refunded_fen=30_000,
    complaints=2,
    missing=frozenset(
        {Input.ENGAGEMENT, Input.MARGIN, Input.PREDICTED_MARGIN, Input.CHANNELS, Input.GROUP_CHATS, Input.INVITES}
    ),
)


def _said(inputs, language):
    found = explain(inputs, SETTINGS)
    return words(inputs, found, numbers(inputs, found), language)


def test_the_words_name_three_reasons_for_and_three_against():
    assert _said(COMPLAINER, Language.EN) == (
        "4 signs of trust: +12.50",
        "last order 20 days ago: +9.53",
        "orders on 5 days: +5.00",
        "2 complaints: -9.84",
        "4 signs against trust: -5.00",
        "refunds are 24% of what was paid: -4.92",
    )


def test_the_words_can_be_chinese():
    assert _said(COMPLAINER, Language.ZH)[1:4] == ("最近一单在 20 天前: +9.53", "下单 5 天: +5.00", "投诉 2 次: -9.84")


def test_the_words_of_a_lead_say_that_there_is_no_order():
    assert "no order yet: 0.00 of 12.00" in _said(Inputs(), Language.EN)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda: Weights(rfm=40), "add up to 110", id="weights above 100"),
        pytest.param(lambda: Weights(rfm=-1, ltv=51), "rfm", id="a weight below zero"),
        pytest.param(lambda: Bands(a=80), "s > a > b > c", id="bands that cross"),
        pytest.param(lambda: Stages(active_days=200), "active_days < silent_days", id="stages that cross"),
        pytest.param(lambda: Stages(new_days=120), "not be above active_days", id="new longer than active"),
        pytest.param(lambda: Act(weight=0), "weight", id="an act without weight"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make, message):
    # attrs' own validators raise ValueError, which InvalidValueError also is.
    with pytest.raises(ValueError, match=message):
        make()


def test_a_wrong_sum_of_weights_is_one_of_our_errors():
    with pytest.raises(InvalidValueError):
        Weights(trust=16)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("spend", 1, id="an input that touchpoints supply"),
        pytest.param("margin", -1, id="a negative value"),
        pytest.param("freebies", 101, id="more than certain"),
    ],
)
def test_a_supplied_input_out_of_range_is_refused(name, value):
    with pytest.raises(InvalidValueError):
        InputSupplied(input=name, value=value)
