"""The bargain keeps what every mechanic keeps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scrmkit.domain.campaign import Campaign
from scrmkit.domain.ids import CampaignId, CustomerId
from scrmkit.domain.kinds import OrderCancelled, OrderPaid, OrderRefunded
from scrmkit.testing import NOON, FakePayments, MechanicSuite, Story, make_context, make_identity, make_touchpoint
from scrmkit_bargain import (
    Bargain,
    BargainMechanic,
    BargainRules,
    BargainSettings,
    Call,
    CutMode,
    CutStore,
    Delivered,
    Ordered,
    Phase,
    StockHold,
)

C1 = CampaignId("c1")
RULES = BargainRules(list_fen=9_900, floor_fen=900, stock=2, helpers=4)


def story(name, *told, **rules):
    campaign = Campaign(
        id=C1,
        mechanic="bargain",
        rules=BargainRules(**{"list_fen": 9_900, "floor_fen": 900, "stock": 2, **rules}),
        starts_at=NOON,
        ends_at=NOON + timedelta(days=7),
    )
    return Story(name=name, campaign=campaign, touchpoints=told)


def did(minute, who, kind, payload, *others):
    """A customer did something so many minutes after noon; *others* is the customer too."""
    people = [make_identity(f"+86139000000{number:02}") for number in (who, *others)]
    key = f"{kind}-{minute}-{who}"
    return make_touchpoint(kind, payload, key=key, at=NOON + timedelta(minutes=minute), identities=people)


def started(minute, who, key="b1"):
    return did(minute, who, "bargain.started", Call(campaign=C1, bargain=key))


def helped(minute, who, key="b1", *others):
    return did(minute, who, "bargain.helped", Call(campaign=C1, bargain=key), *others)


def ordered(minute, who, no, key="b1"):
    return did(minute, who, "bargain.ordered", Ordered(campaign=C1, bargain=key, order_no=no))


def paid(minute, who, no, fen):
    return did(minute, who, "order.paid", OrderPaid(order_no=no, amount_fen=fen))


class TestBargain(MechanicSuite):
    @pytest.fixture
    def mechanic(self):
        return BargainMechanic(make_context("bargain", BargainSettings(payments="payments")))

    @pytest.fixture
    def beside(self):
        return {"connector.payments": FakePayments}

    @pytest.fixture
    def stories(self):
        return [
            story(
                "won and bought",
                started(0, 1),
                *(helped(minute, minute) for minute in (2, 3, 4, 5)),
                ordered(20, 1, "o1"),
                paid(30, 1, "o1", 900),
                did(5_000, 1, "bargain.delivered", Delivered(order_no="o1")),
                helpers=4,
            ),
            story(
                "expired, and helped too late",
                started(0, 1),
                helped(5, 2),
                helped(24 * 60, 3),
                ordered(25 * 60, 1, "o1"),
                cut=CutMode.RANGE,
                range_low_fen=1_000,
                range_high_fen=2_000,
            ),
            story(
                "paid too late and too little, and given back",
                started(0, 1),
                helped(1, 2),
                ordered(2, 1, "o1"),
                did(200, 1, "order.cancelled", OrderCancelled(order_no="o1")),
                paid(3 * 60, 1, "o1", 899),
                helpers=2,
                min_cut_fen=100,
            ),
            story(
                "the last one is sold twice",
                started(0, 1),
                started(0, 5, "b2"),
                helped(1, 2),
                helped(2, 3, "b2"),
                ordered(10, 1, "o1"),
                ordered(11, 5, "o2", "b2"),
                paid(12, 1, "o1", 900),
                paid(13, 5, "o2", 900),
                did(300, 1, "order.refunded", OrderRefunded(order_no="o1", refund_no="host-1", amount_fen=900)),
                helpers=2,
                stock=1,
                stock_hold=StockHold.AT_ORDER,
                store=CutStore.PER_HELP,
            ),
            story(
                "two helpers turn out to be one, and the owner gives up",
                started(0, 1),
                helped(1, 2),
                helped(2, 3),
                helped(3, 2, "b1", 3),
                did(4, 1, "bargain.withdrawn", Call(campaign=C1, bargain="b1")),
                helped(5, 4),
                buy_at_any_price=True,
            ),
        ]

    @pytest.fixture
    def impossible(self):
        drawn = {"owner": CustomerId(1), "ends_at": NOON, "plan": (3_000, 3_000, 3_000)}
        return [
            (RULES, Bargain(**drawn, cut_fen=9_001)),
            (RULES, Bargain(**drawn, cut_fen=3_000, helps=2)),
            (RULES, Bargain(**drawn, phase=Phase.WON, price_fen=9_900)),
            (RULES, Bargain(**drawn, friends=1)),
            (RULES, Bargain(**drawn, phase=Phase.EXPIRED, has_stock=True)),
        ]
