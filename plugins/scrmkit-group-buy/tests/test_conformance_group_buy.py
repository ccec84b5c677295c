"""The group-buy keeps what every mechanic keeps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scrmkit.domain.campaign import Campaign
from scrmkit.domain.ids import CampaignId
from scrmkit.domain.kinds import OrderCancelled, OrderPaid, OrderRefunded
from scrmkit.testing import NOON, FakePayments, MechanicSuite, Story, make_context, make_identity, make_touchpoint
from scrmkit_group_buy import (
    Call,
    GroupBuy,
    GroupBuyMechanic,
    GroupBuyRules,
    GroupBuySettings,
    Overflow,
    Phase,
    Seat,
    SeatOrder,
    SeatStatus,
    Shipment,
    Tier,
)

C1 = CampaignId("c1")
PRICE = 5_000


def story(name, *told, **rules):
    campaign = Campaign(
        id=C1,
        mechanic="group-buy",
        rules=GroupBuyRules(**{"price_fen": PRICE, **rules}),
        starts_at=NOON,
        ends_at=NOON + timedelta(days=7),
    )
    return Story(name=name, campaign=campaign, touchpoints=told)


def did(minute, who, kind, payload, *others):
    """A customer did something so many minutes after noon; *others* is the customer too."""
    people = [make_identity(f"+86139000000{number:02}") for number in (who, *others)]
    key = f"{kind}-{minute}-{who}"
    return make_touchpoint(kind, payload, key=key, at=NOON + timedelta(minutes=minute), identities=people)


def order(minute, who, kind="joined", group="g1", **more):
    payload = SeatOrder(campaign=C1, group=group, order_no=f"o{who}-{group}", **more)
    return did(minute, who, f"group-buy.{kind}", payload)


def started(minute, who, group="g1", **more):
    return order(minute, who, "started", group, **more)


def paid(minute, who, group="g1", fen=PRICE, others=()):
    return did(minute, who, "order.paid", OrderPaid(order_no=f"o{who}-{group}", amount_fen=fen), *others)


def shipped(minute, who, group="g1"):
    asked = Shipment(order_no=f"o{who}-{group}")
    return did(minute, who, "group-buy.shipment_requested", asked)


class TestGroupBuy(MechanicSuite):
    @pytest.fixture
    def mechanic(self):
        return GroupBuyMechanic(make_context("group-buy", GroupBuySettings(payments="payments")))

    @pytest.fixture
    def beside(self):
        return {"connector.payments": FakePayments}

    @pytest.fixture
    def stories(self):
        return [
            story(
                "fills, and ships",
                started(0, 1),
                paid(1, 1),
                order(2, 2),
                shipped(3, 1),
                paid(4, 2),
                order(5, 3),
                order(5, 4),
                paid(6, 3),
                shipped(7, 1),
                did(8, 2, "order.refunded", OrderRefunded(order_no="o2-g1", refund_no="host-1", amount_fen=PRICE)),
                commission=True,
                leader_perk_percent=10,
            ),
            story(
                "is short at its end, and pays back",
                started(0, 1),
                paid(1, 1),
                order(2, 2),
                paid(3, 2),
                order(4, 3),
                did(5, 3, "order.cancelled", OrderCancelled(order_no="o3-g1")),
                order(6, 4),
                paid(40, 4),
                order(25 * 60, 5),
            ),
            story(
                "a payment without a seat opens a group of its own",
                started(0, 1),
                paid(1, 1),
                order(2, 2),
                order(2, 3),
                paid(4, 2),
                order(20, 4),
                paid(21, 4),
                paid(22, 3),
                size=3,
                overflow=Overflow.NEW_GROUP,
                stock=10,
            ),
            story(
                "the leader leaves, and two members turn out to be one",
                started(0, 1),
                paid(1, 1),
                order(2, 2),
                paid(3, 2),
                order(4, 3),
                paid(5, 3),
                did(6, 1, "group-buy.left", Call(campaign=C1, group="g1")),
                paid(7, 2, others=(3,)),
                size=5,
                virtual_fill=True,
                min_real_percent=20,
            ),
            story(
                "the price falls with every member, until the stock is gone",
                started(0, 1, quantity=2),
                paid(1, 1, fen=2 * PRICE),
                order(2, 2, quantity=2),
                paid(3, 2, fen=2 * PRICE),
                order(4, 3, quantity=2),
                paid(5, 3, fen=2 * PRICE - 1),
                order(6, 4, quantity=2),
                started(7, 2, "g2"),
                size=2,
                tiers=(Tier(size=3, price_fen=4_500), Tier(size=4, price_fen=4_000)),
                per_order=2,
                stock=6,
            ),
        ]

    @pytest.fixture
    def impossible(self):
        rules = GroupBuyRules(price_fen=PRICE)
        seats = {
            number: Seat(order_no=f"o{number}", customer=None, pay_before=NOON, status=SeatStatus.PAID, paid_fen=PRICE)
            for number in range(1, 5)
        }
        few, many = (seats[1],), tuple(seats.values())
        return [
            (rules, GroupBuy(leader="o1", seats=many, phase=Phase.OPEN, expires_at=NOON)),
            (rules, GroupBuy(leader="o1", seats=few, phase=Phase.FAILED, expires_at=NOON)),
            (rules, GroupBuy(leader="o1", seats=few, phase=Phase.SUCCEEDED, expires_at=NOON)),
        ]
