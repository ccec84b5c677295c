"""What a bargain campaign may set, and what it is told when it may not."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from scrmkit.errors import InvalidValueError
from scrmkit_bargain import BargainRules, BargainSettings, CutMode


def test_the_defaults():
    rules = BargainRules(list_fen=9_900, floor_fen=900, stock=5)

    assert attrs.asdict(rules, value_serializer=lambda *a: a[2]) == {
        "list_fen": 9_900,
        "floor_fen": 900,
        "stock": 5,
        "helpers": 10,
        "success": "strict",
        "buy_at_any_price": False,
        "window": timedelta(hours=24),
        "order_within": timedelta(hours=24),
        "pay_within": timedelta(hours=2),
        "cut": "double_mean",
        "store": "pre_split",
        "min_cut_fen": 1,
        "range_low_fen": None,
        "range_high_fen": None,
        "fixed_fen": None,
        "self_cut": True,
        "helps_per_customer": 3,
        "open_per_customer": 1,
        "wins_per_customer": 1,
        "new_helpers_only": False,
        "new_helper_weight": 1,
        "stock_hold": "at_success",
    }


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"list_fen": 0, "floor_fen": -1}, "list_fen is above 0", id="no price"),
        pytest.param({"floor_fen": 9_900}, "floor_fen is from 0 to below list_fen", id="no span"),
        pytest.param({"floor_fen": -1}, "floor_fen is from 0", id="a floor below nothing"),
        pytest.param({"stock": 0}, "stock is at least 1", id="nothing to sell"),
        pytest.param({"helpers": 1}, "helpers is from 2 to 1000", id="only the owner"),
        pytest.param({"helpers": 1_001}, "helpers is from 2 to 1000", id="too many helpers"),
        pytest.param({"helpers": 0, "self_cut": False}, "from 1 to 1000", id="no helper"),
        pytest.param({"floor_fen": 9_895}, "do not fit into the 5 fen", id="less than a fen each"),
        pytest.param({"min_cut_fen": 0}, "min_cut_fen is at least 1", id="a cut of nothing"),
        pytest.param({"min_cut_fen": 901}, "do not fit", id="cuts that are too large"),
        pytest.param({"cut": CutMode.RANGE}, "needs range_low_fen", id="a range without bounds"),
        pytest.param(
            {"cut": CutMode.RANGE, "range_low_fen": 50, "range_high_fen": 49},
            "range_high_fen is at least range_low_fen",
            id="a range upside down",
        ),
        pytest.param(
            {"cut": CutMode.RANGE, "range_low_fen": 8, "range_high_fen": 9},
            "more than 1000 helps",
            id="a range that never gets there",
        ),
        pytest.param({"cut": CutMode.FIXED}, "needs fixed_fen", id="fixed without a cut"),
        pytest.param({"window": timedelta(0)}, "window is above 0", id="no window"),
        pytest.param({"window": timedelta(hours=1_000)}, "below 1,000 hours", id="a long window"),
        pytest.param({"order_within": timedelta(days=31)}, "order_within is from", id="order late"),
        pytest.param({"pay_within": timedelta(0)}, "pay_within is from", id="no time to pay"),
        pytest.param({"helps_per_customer": 0}, "helps_per_customer is at least", id="no help"),
        pytest.param({"open_per_customer": 0}, "open_per_customer is at least", id="none open"),
        pytest.param({"wins_per_customer": 0}, "wins_per_customer is at least", id="no win"),
        pytest.param({"new_helper_weight": 11}, "new_helper_weight is from 1 to 10", id="heavy"),
    ],
)
def test_rules_that_make_no_sense_say_what_is_wrong(changes, told):
    with pytest.raises(InvalidValueError, match=told):
        BargainRules(**{"list_fen": 9_900, "floor_fen": 900, "stock": 5, **changes})


def test_a_choice_is_written_by_its_name_and_a_wrong_one_is_refused():
    rules = BargainRules(list_fen=9_900, floor_fen=900, stock=5, cut="fixed", fixed_fen=100)

    assert rules.cut is CutMode.FIXED
    with pytest.raises(ValueError, match="'magic' is not a valid CutMode"):
        BargainRules(list_fen=9_900, floor_fen=900, stock=5, cut="magic")


def test_the_settings_name_a_payment_connector():
    with pytest.raises(InvalidValueError, match="payments names the connector"):
        BargainSettings(payments=" ")
