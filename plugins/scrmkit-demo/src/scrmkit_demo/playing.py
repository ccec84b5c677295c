"""Chapter 3: bargains and group-buys, won and lost, with everybody's money where it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import attrs

from scrmkit.domain.campaign import Campaign
from scrmkit.domain.ids import BrandId, CampaignId, ShopId
from scrmkit.domain.kinds import OrderPaid
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit_bargain.kinds import HELPED, ORDERED, STARTED, Call, Ordered
from scrmkit_bargain.rules import BargainRules
from scrmkit_demo.buying import member
from scrmkit_demo.world import World
from scrmkit_group_buy.kinds import JOINED, SeatOrder
from scrmkit_group_buy.kinds import STARTED as GROUP_STARTED
from scrmkit_group_buy.rules import GroupBuyRules

BARGAIN = CampaignId("summer-bargain")
GROUP = CampaignId("vinyl-group")
LIST_FEN, FLOOR_FEN, CUTS = 9_900, 4_900, 5
SEAT_FEN, SEATS = 6_600, 3


@attrs.define(slots=True)
class BargainSeen:
    """What the shop's counter saw of one bargain."""

    name: str
    prices_fen: list[int] = attrs.field(factory=lambda: [LIST_FEN])
    helps: int = 0
    refused: list[str] = attrs.field(factory=list)


@attrs.define(slots=True)
class Play:
    """Who does what; the moments come from the world's clock."""

    world: World
    seen: dict[str, BargainSeen] = attrs.field(factory=dict)

    def act(self, kind: str, key: str, payload: Any, customer_id: int) -> Any:
        """Record one act of a customer in the mini-program."""
        return self.world.record(
            Touchpoint(
                kind=kind, key=key, occurred_at=self.world.clock.now(), payload=payload,
                identities=(member(customer_id),), source="mini-program",
                brand=BrandId("tingshan"), shop=ShopId("tingshan-lakeside"),
            )
        )  # fmt: skip

    def pay(self, order_no: str, amount_fen: int, customer_id: int) -> None:
        """Pay an order."""
        self.world.paid += 1
        payload = OrderPaid(order_no=order_no, amount_fen=amount_fen, transaction=f"t-{order_no}")
        self.act("order.paid", f"paid:{order_no}", payload, customer_id)


def play(world: World) -> dict[str, BargainSeen]:
    """
    Act both campaigns to their ends, and say what the counter saw of each bargain.

    Acted again, every act is a repetition: it changes nothing and gets the same answer.
    """
    now = world.clock.now()
    world.engine.publish(
        Campaign(
            id=BARGAIN, mechanic="bargain", name="Summer bargain", starts_at=now,
            ends_at=now + timedelta(days=14),
            rules=BargainRules(list_fen=LIST_FEN, floor_fen=FLOOR_FEN, stock=20, helpers=CUTS),
        )
    )  # fmt: skip
    world.engine.publish(
        Campaign(
            id=GROUP, mechanic="group-buy", name="Vinyl for three", starts_at=now,
            ends_at=now + timedelta(days=14),
            rules=GroupBuyRules(price_fen=SEAT_FEN, size=SEATS, stock=100),
        )
    )  # fmt: skip
    acting = Play(world)
    with world.progress("campaigns", 4) as bar:
        _bargains(acting)
        bar.update(1)
        _groups(acting)
        bar.update(1)
        world.pass_time(timedelta(hours=25))
        _late_help(acting)
        bar.update(1)
        world.pass_time(timedelta(days=2))
        bar.update(1)
    return acting.seen


def _bargains(acting: Play) -> None:
    """One reaches the floor and is bought, one is helped too little, one by nobody."""
    _bargain(acting, "b-1", 101, [102, 103, 104, 105, 106])
    acting.act(ORDERED, "order:b-1", Ordered(campaign=BARGAIN, bargain="b-1", order_no="bargain-1"), 101)
    acting.world.clock.advance(timedelta(minutes=5))
    acting.pay("bargain-1", FLOOR_FEN, 101)
    _bargain(acting, "b-2", 201, [202, 203])
    _bargain(acting, "b-3", 301, [])


def _bargain(acting: Play, name: str, owner: int, friends: Sequence[int]) -> None:
    call = Call(campaign=BARGAIN, bargain=name)
    seen = acting.seen[name] = BargainSeen(name)
    _note(seen, acting.act(STARTED, f"start:{name}", call, owner))
    for friend in friends:
        acting.world.clock.advance(timedelta(minutes=7))
        _note(seen, acting.act(HELPED, f"help:{name}:{friend}", call, friend))


def _late_help(acting: Play) -> None:
    """A friend who comes after the end is refused, and told why."""
    call = Call(campaign=BARGAIN, bargain="b-2")
    _note(acting.seen["b-2"], acting.act(HELPED, "help:b-2:late", call, 204))


def _note(seen: BargainSeen, outcome: Any) -> None:
    answer = outcome.answer or {}
    if answer.get("code", "ok") == "ok":
        seen.helps += bool(answer.get("cut_fen", 0))
        if answer.get("price_fen") is not None:
            seen.prices_fen.append(answer["price_fen"])
    else:
        seen.refused += [said.reason for said in outcome.decisions if said.code != "ok"]


def _groups(acting: Play) -> None:
    """One group fills in time; one does not, and asks for its refunds."""
    for group, members in (("g-1", (401, 402, 403)), ("g-2", (501, 502))):
        for n, customer_id in enumerate(members):
            order_no = f"{group}-{n + 1}"
            payload = SeatOrder(campaign=GROUP, group=group, order_no=order_no)
            acting.act(GROUP_STARTED if n == 0 else JOINED, f"seat:{order_no}", payload, customer_id)
            acting.world.clock.advance(timedelta(minutes=2))
            acting.pay(order_no, SEAT_FEN, customer_id)
            acting.world.clock.advance(timedelta(minutes=20))
    acting.world.work()
