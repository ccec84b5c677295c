"""Bargains in a real engine over a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bargain_stories import FIXED, call, make_rules

from scrmkit.domain.campaign import Campaign
from scrmkit.domain.ids import CampaignId
from scrmkit.domain.kinds import OrderPaid
from scrmkit.testing import FakePayments, make_identity, make_touchpoint
from scrmkit_bargain import BargainMechanic, Ordered


def phone(number):
    return make_identity(f"+86139000000{number:02}")


class Shop:
    """A shop that tells an engine what its customers do."""

    def __init__(self, make_engine, **rules):
        self.engine = make_engine(
            {"connector.payments": FakePayments, "mechanic.bargain": BargainMechanic},
            options={"bargain": {"payments": "payments"}},
        )
        self.clock = self.engine.clock
        now = self.clock.now()
        self.engine.publish(
            Campaign(
                id=CampaignId("c1"),
                mechanic="bargain",
                rules=make_rules(**rules),
                starts_at=now,
                ends_at=now + timedelta(days=30),
            )
        )
        self.told = 0

    def tell(self, kind, payload, *numbers, key=None):
        self.told += 1
        return self.engine.record(
            make_touchpoint(
                kind,
                payload,
                key=key or f"k{self.told}",
                at=self.clock.now(),
                identities=[phone(number) for number in numbers],
            )
        )

    def start(self, owner=1, key="b1"):
        return self.tell("bargain.started", call(key), owner)

    def help(self, *friend, key=None):
        return self.tell("bargain.helped", call("b1"), *friend, key=key)

    def order(self, no="o1", owner=1):
        payload = Ordered(campaign=CampaignId("c1"), bargain="b1", order_no=no)
        return self.tell("bargain.ordered", payload, owner)

    def pay(self, no="o1", fen=900):
        return self.tell("order.paid", OrderPaid(order_no=no, amount_fen=fen), 1)


@pytest.fixture
def shop(make_engine):
    return Shop(make_engine, **FIXED)


def test_a_bargain_from_start_to_sale(shop):
    assert shop.start().answer == {
        "code": "ok",
        "phase": "bargaining",
        "price_fen": 9_900,
        "ends_at": (shop.clock.now() + timedelta(hours=24)).isoformat(),
    }
    prices = [shop.help(friend).answer["price_fen"] for friend in (2, 3, 4)]
    assert prices == [6_900, 3_900, 900]

    assert shop.order().answer["phase"] == "ordered"
    assert shop.pay().answer["phase"] == "paid"


def test_a_help_told_again_gets_the_same_answer_and_no_second_cut(shop):
    shop.start()
    first = shop.help(2, key="once")

    again = shop.help(2, key="once")

    assert (again.duplicate, again.answer) == (True, first.answer)
    assert shop.help(2).answer["code"] == "helped"


def test_a_help_after_the_deadline_is_refused_with_its_reason(shop):
    shop.start()
    shop.clock.advance(timedelta(hours=24))

    outcome = shop.help(2)

    assert (outcome.answer["code"], outcome.answer["phase"]) == ("over", "expired")
    said = [said for said in outcome.decisions if said.plugin == "bargain"]
    assert [(each.code, each.instance) for each in said] == [("over", "c1/b1")]


def test_drawn_cuts_survive_the_database(make_engine):
    shop = Shop(make_engine)
    shop.start()
    for friend in range(2, 11):
        last = shop.help(friend)

    assert (last.answer["phase"], last.answer["price_fen"]) == ("won", 900)


def test_two_friends_who_turn_out_to_be_one_help_no_more(shop):
    shop.start()
    shop.help(2)
    shop.help(3)

    merging = shop.help(2, 3)

    assert merging.answer["code"] == "helped"
    assert merging.answer["price_fen"] == 3_900


def test_too_little_money_is_asked_back_and_the_owner_may_order_again(shop):
    shop.start()
    for friend in (2, 3, 4):
        shop.help(friend)
    shop.order()

    (said,) = shop.pay(fen=899).decisions

    assert (said.code, said.effects.count("request")) == ("underpaid", 1)
    assert shop.order("o2").answer["phase"] == "ordered"
    assert shop.pay("o2").answer["phase"] == "paid"


def test_a_success_that_nobody_ordered_is_forfeited_and_frees_the_stock(make_engine):
    shop = Shop(make_engine, **FIXED, stock=1)
    shop.start()
    for friend in (2, 3, 4):
        shop.help(friend)
    assert shop.start(9, "b9").answer["code"] == "sold_out"
    shop.clock.advance(timedelta(hours=24))

    assert shop.order().answer["phase"] == "forfeited"
    assert shop.start(9, "b9").answer["code"] == "ok"
