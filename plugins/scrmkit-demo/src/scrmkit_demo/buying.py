"""Chapter 1: the real orders, each a touchpoint, in the order in which they were placed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from scrmkit.domain.identity import MEMBER, PHONE, Identity
from scrmkit.domain.ids import BrandId, GuideId, ShopId, TenantId
from scrmkit.domain.kinds import ConsentChanged, OrderPaid
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit_demo.invented import Invented
from scrmkit_demo.orders import Order, read_orders
from scrmkit_demo.plugins import MEMBER_BOUND, MemberBound
from scrmkit_demo.world import World

CHUNK = 500
SCOPE = "cdnow"
TENANT = TenantId("main")


def member(customer_id: int) -> Identity:
    """The member card of a customer of the order set."""
    return Identity(kind=MEMBER, scope=SCOPE, value=str(customer_id))


def by_time(invented: Invented, customers: int) -> list[tuple[datetime, Order]]:
    """The orders of the first so many *customers* with their moments, earliest first."""
    timed = [(invented.ordered_at(order), order) for order in read_orders() if order.customer_id <= customers]
    return sorted(timed, key=lambda pair: (pair[0], pair[1].line))


def record_orders(world: World, orders: Sequence[tuple[datetime, Order]]) -> None:
    """Record every order, and at a customer's first what else the shop learns then."""
    seen: set[int] = set()
    with world.progress("orders", len(orders)) as bar:
        for start in range(0, len(orders), CHUNK):
            chunk = orders[start : start + CHUNK]
            world.clock.move_to(chunk[-1][0])
            touchpoints = [t for at, order in chunk for t in _touchpoints(world, at, order, seen)]
            outcomes = world.engine.record_many(touchpoints)
            world.duplicates += sum(outcome.duplicate for outcome in outcomes)
            bar.update(len(chunk))


def _touchpoints(world: World, at: datetime, order: Order, seen: set[int]) -> Iterator[Touchpoint[Any]]:
    shop = world.invented.shop_of(order)
    who = world.invented.customer(order.customer_id)
    yield Touchpoint(
        tenant=TENANT,
        kind="order.paid",
        # The file has no order number and some equal rows: the line is the key.
        key=f"{SCOPE}:{order.line}",
        occurred_at=at,
        payload=OrderPaid(order_no=f"{SCOPE}:{order.line}", amount_fen=order.amount_fen, quantity=order.quantity),
        identities=(member(order.customer_id),),
        source="pos",
        shop=ShopId(shop.id),
        brand=BrandId(shop.brand_id),
        guide=GuideId(who.guide_id) if who.home_shop_id == shop.id else None,
    )
    if order.customer_id in seen or who.phone is None:
        return
    seen.add(order.customer_id)
    kind = "consent.granted" if who.sms_consent else MEMBER_BOUND
    payload: Any = ConsentChanged(channel="sms", proof="member form") if who.sms_consent else None
    yield Touchpoint(
        tenant=TENANT,
        kind=kind,
        key=f"phone:{order.customer_id}",
        occurred_at=at + timedelta(minutes=1),
        payload=payload or MemberBound(where="till"),
        identities=(member(order.customer_id), Identity(kind=PHONE, value=f"+86{who.phone}")),
        source="pos",
        shop=ShopId(shop.id),
        brand=BrandId(shop.brand_id),
    )
