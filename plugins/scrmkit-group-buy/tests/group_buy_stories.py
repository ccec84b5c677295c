"""A bench with a group-buy campaign, and the calls that the tests' stories are made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from group_buy_bench import PLUGIN, Bench

from scrmkit.clock import VirtualClock
from scrmkit.domain.decisions import Decision
from scrmkit.domain.ids import CampaignId
from scrmkit.domain.kinds import OrderCancelled, OrderPaid, OrderRefunded
from scrmkit.domain.messages import Refund
from scrmkit.protocols import PluginContext
from scrmkit_group_buy import Call, GroupBuyMechanic, GroupBuyRules, GroupBuySettings, SeatOrder, Shipment

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
ANN, BEN, CAT, DAN, EVE = 1, 2, 3, 4, 5
PRICE = 5_000


class Story(Bench):
    """A bench whose methods say what people do; customer n orders with the number ``o<n>``."""

    def __init__(self, seed: bytes = b"story", **rules: Any) -> None:
        settings = GroupBuySettings(payments="payments")
        context = PluginContext(name=PLUGIN, settings=settings, clock=VirtualClock(NOON))
        super().__init__(GroupBuyMechanic(context), NOON, seed)
        self.publish(make_rules(**rules))

    def start(self, customer: int | None = ANN, key: str = "g1", **more: Any) -> Any:
        return self.record("group-buy.started", seat_order(customer, key, **more), customer)

    def join(self, customer: int | None, key: str = "g1", **more: Any) -> Any:
        return self.record("group-buy.joined", seat_order(customer, key, **more), customer)

    def pay(
        self, *customers: int, no: str | None = None, fen: int = PRICE, ago: timedelta = timedelta(0), units: int = 1
    ) -> Decision | None:
        last = None
        for customer in customers:
            paid = OrderPaid(order_no=no or f"o{customer}", amount_fen=fen, quantity=units)
            last = self.record("order.paid", paid, customer, self.now - ago)
        return last

    def open(self, *members: int, key: str = "g1") -> None:
        """A group whose members have all paid; the first one leads."""
        leader, *others = members
        self.start(leader, key)
        self.pay(leader)
        for member in others:
            self.join(member, key)
            self.pay(member)

    def cancel(self, customer: int) -> Decision | None:
        return self.record("order.cancelled", OrderCancelled(order_no=f"o{customer}"), customer)

    def refund(self, customer: int, fen: int = PRICE, refund_no: str = "r") -> Decision | None:
        payload = OrderRefunded(order_no=f"o{customer}", refund_no=refund_no, amount_fen=fen)
        return self.record("order.refunded", payload, customer)

    def leave(self, customer: int, key: str = "g1") -> Decision | None:
        return self.record("group-buy.left", Call(campaign=CampaignId("c1"), group=key), customer)

    def ship(self, customer: int) -> Decision | None:
        return self.record("group-buy.shipment_requested", Shipment(order_no=f"o{customer}"))

    def refunds(self) -> list[Refund]:
        return [request.body for _, request in self.requests.values()]

    def seats(self, key: str = "g1") -> dict[str, str]:
        """The status of every order of a group."""
        return {seat.order_no: str(seat.status) for seat in self.state(key).seats}


def make_rules(**changes: Any) -> GroupBuyRules:
    return GroupBuyRules(**{"price_fen": PRICE, **changes})


def seat_order(customer: int | None, key: str, **more: Any) -> SeatOrder:
    campaign = CampaignId(more.pop("campaign", "c1"))
    no = more.pop("no", f"o{customer}")
    return SeatOrder(campaign=campaign, group=key, order_no=no, **more)
