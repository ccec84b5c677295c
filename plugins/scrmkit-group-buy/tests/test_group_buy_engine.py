"""Group-buys in a real engine over a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from group_buy_stories import PRICE, make_rules, seat_order

from scrmkit.domain.campaign import Campaign
from scrmkit.domain.ids import CampaignId
from scrmkit.domain.kinds import OrderPaid
from scrmkit.testing import FakePayments, make_identity, make_touchpoint
from scrmkit_group_buy import GroupBuyMechanic, Overflow, Shipment


class Shop:
    """A shop that tells an engine what its customers do; customer n orders ``o<n>``."""

    def __init__(self, make_engine, **rules):
        self.engine = make_engine(
            {"connector.payments": FakePayments, "mechanic.group-buy": GroupBuyMechanic},
            options={"group-buy": {"payments": "payments"}},
        )
        self.clock = self.engine.clock
        now = self.clock.now()
        self.engine.publish(
            Campaign(
                id=CampaignId("c1"),
                mechanic="group-buy",
                rules=make_rules(**rules),
                starts_at=now,
                ends_at=now + timedelta(days=30),
            )
        )
        self.told = 0

    def tell(self, kind, payload, *numbers):
        self.told += 1
        return self.engine.record(
            make_touchpoint(
                kind,
                payload,
                key=f"k{self.told}",
                at=self.clock.now(),
                identities=[make_identity(f"+86139000000{number:02}") for number in numbers],
            )
        )

    def order(self, customer, key="g1", kind="joined"):
        return self.tell(f"group-buy.{kind}", seat_order(customer, key), customer)

    def pay(self, customer):
        paid = OrderPaid(order_no=f"o{customer}", amount_fen=PRICE)
        return self.tell("order.paid", paid, customer)

    def ship(self, customer):
        return self.tell("group-buy.shipment_requested", Shipment(order_no=f"o{customer}"))


@pytest.fixture
def shop(make_engine):
    return Shop(make_engine)


def test_a_group_from_start_to_shipping(shop):
    assert shop.order(1, kind="started").answer["phase"] == "pending"
    assert shop.pay(1).answer["missing"] == 2
    for customer in (2, 3):
        assert shop.order(customer).answer["seat"] == customer
        assert shop.ship(1).answer["code"] == "blocked"
        last = shop.pay(customer)

    assert last.answer["phase"] == "succeeded"
    assert shop.ship(1).answer["code"] == "ok"


def test_a_group_that_is_over_asks_for_every_refund(shop):
    shop.order(1, kind="started")
    shop.pay(1)
    shop.order(2)
    shop.pay(2)
    shop.clock.advance(timedelta(hours=25))

    said = [said for said in shop.order(3).decisions if said.plugin == "group-buy"]

    assert said[0].code == "over"
    assert said[0].effects.count("request") == 2


def test_a_late_payment_moves_to_a_group_of_its_own(make_engine):
    shop = Shop(make_engine, overflow=Overflow.NEW_GROUP)
    shop.order(1, kind="started")
    shop.pay(1)
    shop.order(2)
    shop.clock.advance(timedelta(hours=25))

    outcome = shop.pay(2)

    assert [said.code for said in outcome.decisions if said.plugin == "group-buy"] == ["moved"]
    assert shop.order(3, "late-o2").answer["code"] == "ok"
    assert shop.pay(3).answer["phase"] == "open"


def test_of_two_members_who_turn_out_to_be_one_the_later_gets_the_money_back(shop):
    shop.order(1, kind="started")
    shop.pay(1)
    shop.order(2)
    shop.pay(2)

    shop.tell("message.received", None, 1, 2)

    assert shop.order(3).answer["seat"] == 2
    assert shop.order(4).answer["seat"] == 3
    assert shop.order(5).answer["code"] == "full"
