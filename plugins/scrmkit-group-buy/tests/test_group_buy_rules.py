"""What a group-buy campaign may set, and what it is told when it may not."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from scrmkit.errors import InvalidValueError
from scrmkit_group_buy import GroupBuyRules, GroupBuySettings, SeatOrder, Tier


def test_the_defaults():
    rules = GroupBuyRules(price_fen=5_000)

    assert attrs.asdict(rules) == {
        "price_fen": 5_000,
        "size": 3,
        "window": timedelta(hours=24),
        "pay_within": timedelta(minutes=15),
        "per_order": 1,
        "per_customer": 5,
        "one_open": True,
        "stock": None,
        "tiers": (),
        "virtual_fill": False,
        "min_real_percent": 50,
        "leader_perk_percent": 0,
        "commission": False,
        "overflow": "refund",
    }


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"price_fen": 0}, "price_fen is at least 1", id="no price"),
        pytest.param({"size": 1}, "size is at least 2", id="a group of one"),
        pytest.param({"size": 101}, "at most 100", id="a crowd"),
        pytest.param({"window": timedelta(minutes=59)}, "window is from 1", id="a short window"),
        pytest.param({"window": timedelta(hours=169)}, "to 168 hours", id="a long window"),
        pytest.param({"pay_within": timedelta(0)}, "pay_within is from", id="no time to pay"),
        pytest.param({"pay_within": timedelta(days=2)}, "to 1 day", id="two days to pay"),
        pytest.param({"per_order": 0}, "per_order is at least 1", id="an order of nothing"),
        pytest.param({"per_order": 6}, "per_customer is at least 6", id="more than allowed"),
        pytest.param({"stock": 0}, "stock is at least 1", id="nothing to sell"),
        pytest.param({"min_real_percent": 0}, "min_real_percent", id="only made-up buyers"),
        pytest.param({"leader_perk_percent": 101}, "leader_perk_percent", id="a large perk"),
        pytest.param({"tiers": (Tier(size=3, price_fen=1),)}, r"tiers\[0\].size is above 3", id="no growth"),
        pytest.param({"tiers": (Tier(size=5, price_fen=5_000),)}, r"price_fen is above 0", id="no discount"),
        pytest.param(
            {"tiers": (Tier(size=5, price_fen=4_000), Tier(size=9, price_fen=4_000))},
            r"tiers\[1\].price_fen is above 0 and below 4000",
            id="a price that does not fall",
        ),
        pytest.param({"tiers": (Tier(size=101, price_fen=1),)}, "at most 100", id="a tier for a crowd"),
    ],
)
def test_rules_that_make_no_sense_say_what_is_wrong(changes, told):
    with pytest.raises(InvalidValueError, match=told):
        GroupBuyRules(**{"price_fen": 5_000, **changes})


@pytest.mark.parametrize(
    ("members", "price_fen"),
    [
        pytest.param(3, 5_000, id="the size alone"),
        pytest.param(5, 4_000, id="the first tier"),
        pytest.param(9, 4_000, id="one short of the next"),
        pytest.param(10, 3_000, id="the last tier"),
    ],
)
def test_the_price_falls_with_the_members(members, price_fen):
    tiers = (Tier(size=5, price_fen=4_000), Tier(size=10, price_fen=3_000))
    rules = GroupBuyRules(price_fen=5_000, tiers=tiers)

    assert rules.seats == 10
    assert rules.price_for(members) == price_fen


@pytest.mark.parametrize(
    ("percent", "size", "members", "filled"),
    [
        pytest.param(40, 4, 2, True, id="two of four reach 40 %"),
        pytest.param(40, 4, 1, False, id="one of four does not"),
        pytest.param(100, 4, 3, False, id="100 % fills nothing up"),
        pytest.param(1, 4, 1, False, id="one real buyer is no group"),
        pytest.param(50, 2, 1, False, id="nor half of a pair"),
    ],
)
def test_a_group_is_filled_up_only_with_enough_real_members(percent, size, members, filled):
    rules = GroupBuyRules(price_fen=1, size=size, virtual_fill=True, min_real_percent=percent)

    assert rules.may_fill(members) is filled


def test_nothing_is_filled_up_unless_the_rules_say_so():
    assert not GroupBuyRules(price_fen=1, min_real_percent=1).may_fill(2)


def test_the_settings_name_a_payment_connector():
    with pytest.raises(InvalidValueError, match="payments names the connector"):
        GroupBuySettings(payments="")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({"group": ""}, "group has 1 to 64", id="a group without a number"),
        pytest.param({"order_no": "x" * 65}, "order_no has 1 to 64", id="a long order number"),
        pytest.param({"quantity": 0}, "quantity is 1 or more", id="nothing ordered"),
        pytest.param({"discount_fen": -1}, "discount_fen is 0 or more", id="a negative coupon"),
    ],
)
def test_an_order_that_makes_no_sense_says_what_is_wrong(changes, told):
    with pytest.raises(InvalidValueError, match=told):
        SeatOrder(**{"campaign": "c1", "group": "g1", "order_no": "o1", **changes})
