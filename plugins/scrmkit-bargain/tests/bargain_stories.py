"""A bench with a bargain campaign, and the calls that the tests' stories are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bargain_bench import PLUGIN, Bench

from scrmkit.clock import VirtualClock
from scrmkit.domain.decisions import Decision
from scrmkit.domain.ids import CampaignId
from scrmkit.domain.kinds import OrderCancelled, OrderPaid, OrderRefunded
from scrmkit.protocols import PluginContext
from scrmkit_bargain import BargainMechanic, BargainRules, BargainSettings, Call, CutMode, Delivered, Ordered

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
OWNER, ANN, BEN, CAT, DAN = 1, 2, 3, 4, 5

FIXED = {"cut": CutMode.FIXED, "fixed_fen": 3_000, "self_cut": False}
"""Three friends reach the floor: 9,900 → 900."""


class Story(Bench):
    """A bench whose methods say what people do."""

    def __init__(self, seed: bytes = b"story", **rules: Any) -> None:
        context = PluginContext(name=PLUGIN, settings=BargainSettings(payments="payments"), clock=VirtualClock(NOON))
        super().__init__(BargainMechanic(context), NOON, seed)
        self.publish(make_rules(**rules))

    def start(self, owner: int | None = OWNER, key: str = "b1") -> Decision | None:
        return self.record("bargain.started", call(key), owner)

    def help(self, *friends: int | None, key: str = "b1") -> Decision | None:
        last = None
        for friend in friends:
            last = self.record("bargain.helped", call(key), friend)
        return last

    def order(self, no: str = "o1", owner: int = OWNER, key: str = "b1", **more: Any) -> Any:
        payload = Ordered(campaign=CampaignId("c1"), bargain=key, order_no=no, **more)
        return self.record("bargain.ordered", payload, owner)

    def pay(self, no: str = "o1", fen: int = 900, owner: int | None = OWNER) -> Decision | None:
        return self.record("order.paid", OrderPaid(order_no=no, amount_fen=fen), owner)

    def cancel(self, no: str = "o1") -> Decision | None:
        return self.record("order.cancelled", OrderCancelled(order_no=no), OWNER)

    def refund(self, no: str = "o1", fen: int = 900, refund_no: str = "r1") -> Decision | None:
        payload = OrderRefunded(order_no=no, refund_no=refund_no, amount_fen=fen)
        return self.record("order.refunded", payload, OWNER)

    def deliver(self, no: str = "o1") -> Decision | None:
        return self.record("bargain.delivered", Delivered(order_no=no), OWNER)

    def withdraw(self, key: str = "b1") -> Decision | None:
        return self.record("bargain.withdrawn", call(key), OWNER)

    def win(self, owner: int = OWNER, key: str = "b1", friends: tuple[int, ...] = (2, 3, 4)) -> None:
        self.start(owner, key)
        self.help(*friends, key=key)

    def free(self) -> int | None:
        stock = self.stock("stock")
        return None if stock is None else stock.free


def make_rules(**changes: Any) -> BargainRules:
    return BargainRules(**{"list_fen": 9_900, "floor_fen": 900, "stock": 2, **changes})


def call(key: str) -> Call:
    return Call(campaign=CampaignId("c1"), bargain=key)
