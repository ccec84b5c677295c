"""The value score equals independently computed numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scrmkit_value_score import Dimension, Inputs, ValueScoreSettings, explain
from scrmkit_value_score.formula import engagement

GOLDEN = json.loads((Path(__file__).parent / "data" / "value_score_golden.json").read_text(encoding="utf-8"))


def inputs_of(case, *, idle_days=0):
    given = GOLDEN["cases"][case]["input"]
    return Inputs(
        days_since_order=given["d"] + idle_days if given["f"] else None,
        order_days=given["f"],
        spend_fen=given["m"],
        acts=tuple((weight, days + idle_days) for weight, days in given["ev"]),
        margin_fen=given["hist"],
        predicted_margin_fen=given["pred"],
        channels=given["reach"],
        group_chats=given["groups"],
        invites=given["inv"],
        tenure_days=given["tenure"] + idle_days,
        positives=given["pos"],
        negatives=given["neg"],
        paid_fen=given["m"],
        refunded_fen=given["ref"],
        complaints=given["comp"],
        freebies_pct=round(given["wool"] * 100),
    )


@pytest.mark.parametrize("case", GOLDEN["cases"])
def test_a_score_and_its_parts_are_the_golden_ones(case):
    expected = GOLDEN["cases"][case]

    found = explain(inputs_of(case), ValueScoreSettings())

    assert {part.dimension.value: part.hundredths for part in found.parts} == {
        **expected["parts_hundredths"],
        Dimension.PENALTY.value: -expected["penalty_hundredths"],
    }
    assert found.hundredths == expected["score_hundredths"]


def test_an_idle_super_user_loses_points_as_expected():
    settings = ValueScoreSettings()

    scores = [explain(inputs_of("super_user", idle_days=days), settings).hundredths for days in (0, 30, 60, 90, 180)]

    assert scores == GOLDEN["idle_super_user_days_0_30_60_90_180"]


def test_engagement_after_idle_days_is_the_decayed_engagement():
    expected = GOLDEN["decay_recursion"]

    now = engagement(inputs_of("super_user").acts, 14)
    later = engagement(inputs_of("super_user", idle_days=7).acts, 14)

    assert now == pytest.approx(expected["E_now"], rel=1e-9)
    assert later == pytest.approx(expected["E_7d_later_direct"], rel=1e-9)
    assert later == pytest.approx(now * 2 ** (-7 / 14), rel=1e-12)
