"""
A shop for measurements: eight rules, one channel, and the orders that come in.

Every order leaves one event, its customer, two tags, one message and one timer.
Four rules bring these about; the other four read as much, and find nothing to do.
"""

from __future__ import annotations

import gc
import os
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import attrs

from scrmkit.cli.logs import log_to_stderr
from scrmkit.clock import Clock, VirtualClock
from scrmkit.domain.decisions import Decision, Now
from scrmkit.domain.effects import AddTag, Propose, StartTimer
from scrmkit.domain.identity import PHONE, Identity, personal
from scrmkit.domain.ids import BrandId, CustomerId, ShopId, TenantId
from scrmkit.domain.kinds import OrderPaid
from scrmkit.domain.messages import Accepted, DeliveryOutcome, Message, Operation, Outgoing
from scrmkit.domain.organisation import Shop
from scrmkit.domain.profile import TagSource
from scrmkit.domain.reads import ActivityOf, Attributes, Consents, Known, Memo, Read, ScoreOf, Tags
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit.protocols import CallbackRequest, Inbound, PluginContext
from scrmkit.settings import settings_from

START = datetime(2026, 3, 2, 4, tzinfo=UTC)
BATCH = 100
SECRET = "a secret of measurements and of nothing else"
SOURCES = ("miniapp", "till", "livestream")
WINDOW = timedelta(days=90)
SHOPS = tuple(ShopId(f"shop-{number}") for number in range(5))
NO_PLUGINS: Mapping[str, type] = MappingProxyType({})
NO_OPTIONS: Mapping[str, Mapping[str, Any]] = MappingProxyType({})


@attrs.frozen(kw_only=True)
class Notice:
    """What the channel carries."""

    text: str = personal()


class Notices:
    """A channel that takes everything; nothing is delivered while intake is measured."""

    operations: Mapping[str, Operation] = MappingProxyType({"send": Operation(body=Notice)})

    def __init__(self, context: PluginContext[Any]) -> None:
        self.name = context.name

    def send(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """Take it."""
        return [Accepted(provider_id=item.key) for item in batch]

    def ask(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """It was taken."""
        return [Accepted(provider_id=item.key) for item in batch]

    def reach(self, identities: Sequence[Identity]) -> Identity | None:
        """By phone."""
        return next((one for one in identities if one.kind == PHONE), None)

    def receive(self, request: CallbackRequest) -> Inbound:
        """Nothing calls back."""
        return Inbound()


class _OrderRule:
    kinds = frozenset({"order.paid"})

    def __init__(self, context: PluginContext[Any]) -> None:
        self.name = context.name


class SourceTag(_OrderRule):
    """Tags by where the order came from."""

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        """The tags so far."""
        return (Tags(_customer(touchpoint)),)

    def decide(self, touchpoint: Touchpoint[OrderPaid], known: Known, now: Now) -> Decision:
        """One tag, whether it is there already or not."""
        there = ("source", touchpoint.source) in known[Tags(_customer(touchpoint))]
        return Decision(
            reason=f"{'again' if there else 'first'} by {touchpoint.source}",
            effects=(AddTag(group="source", name=touchpoint.source, source=TagSource.SOURCE),),
        )


class SpendTag(_OrderRule):
    """Tags by what was spent so far."""

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        """All orders of the customer."""
        return (ActivityOf(_customer(touchpoint), "order.paid"),)

    def decide(self, touchpoint: Touchpoint[OrderPaid], known: Known, now: Now) -> Decision:
        """One tag."""
        earlier = known[ActivityOf(_customer(touchpoint), "order.paid")]
        fen = earlier.amount_fen + touchpoint.payload.amount_fen
        tag = AddTag(group="spend", name=band_of(fen), source=TagSource.INTERACTION)
        return Decision(reason=f"spent {fen} fen in {earlier.count + 1} orders", effects=(tag,))


class ThankYou(_OrderRule):
    """Thanks for the order."""

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        """What the customer allows."""
        return (Consents(_customer(touchpoint)),)

    def decide(self, touchpoint: Touchpoint[OrderPaid], known: Known, now: Now) -> Decision | None:
        """One message, unless the customer withdrew a consent."""
        order = touchpoint.payload
        if not all(consent.granted for consent in known[Consents(_customer(touchpoint))]):
            return None
        message = Message(channel="notices", content=Notice(text=thanks_for(order)))
        return Decision(reason="paid", effects=(Propose(message=message, once=order.order_no),))


class FollowUp(_OrderRule):
    """Comes back to the customer after a while."""

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        """The orders of the last three months."""
        return (_lately(touchpoint),)

    def decide(self, touchpoint: Touchpoint[OrderPaid], known: Known, now: Now) -> Decision:
        """One timer."""
        lately = known[_lately(touchpoint)]
        after = wait_after(lately.count)
        return Decision(
            reason=f"again in {after.days} days",
            effects=(StartTimer(key="follow-up", due_at=touchpoint.occurred_at + after),),
        )


class Complaint(_OrderRule):
    """Says sorry to who complained; nobody did."""

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        """What is known of the customer."""
        return (Attributes(_customer(touchpoint)),)

    def decide(self, touchpoint: Touchpoint[OrderPaid], known: Known, now: Now) -> Decision | None:
        """Nothing without a complaint."""
        complaint = known[Attributes(_customer(touchpoint))].get("desk.complaint")
        return None if complaint is None else Decision(reason=f"complained of {complaint}")


class BestCustomers(_OrderRule):
    """Calls for a guide when one of the best buys; nobody has a score."""

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        """The value score."""
        return (ScoreOf(_customer(touchpoint), "value"),)

    def decide(self, touchpoint: Touchpoint[OrderPaid], known: Known, now: Now) -> Decision | None:
        """Nothing for who is not among the best."""
        score = known[ScoreOf(_customer(touchpoint), "value")]
        best = score is not None and score.band == "A"
        return Decision(reason="one of the best") if best else None


class BigOrder(_OrderRule):
    """Looks at large orders of strangers; none is that large."""

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        """The tags so far."""
        return (Tags(_customer(touchpoint)),)

    def decide(self, touchpoint: Touchpoint[OrderPaid], known: Known, now: Now) -> Decision | None:
        """Nothing up to 10,000 yuan."""
        known_well = ("spend", "large") in known[Tags(_customer(touchpoint))]
        large = touchpoint.payload.amount_fen > 1_000_000 and not known_well
        return Decision(reason="a large order of a stranger") if large else None


class Promise(_OrderRule):
    """Keeps what was promised; nothing was."""

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        """What was promised."""
        return (Memo(_customer(touchpoint)),)

    def decide(self, touchpoint: Touchpoint[OrderPaid], known: Known, now: Now) -> Decision | None:
        """Nothing without a promise."""
        promise = known[Memo(_customer(touchpoint))]
        return None if promise is None else Decision(reason="kept a promise")


PLUGINS: Mapping[str, type] = MappingProxyType(
    {
        "channel.notices": Notices,
        "rule.source-tag": SourceTag,
        "rule.spend-tag": SpendTag,
        "rule.thank-you": ThankYou,
        "rule.follow-up": FollowUp,
        "rule.complaint": Complaint,
        "rule.best-customers": BestCustomers,
        "rule.big-order": BigOrder,
        "rule.promise": Promise,
    }
)


def _customer(touchpoint: Touchpoint[Any]) -> CustomerId:
    assert touchpoint.customer is not None
    return touchpoint.customer


def _lately(touchpoint: Touchpoint[Any]) -> ActivityOf:
    return ActivityOf(_customer(touchpoint), "order.paid", since=touchpoint.occurred_at - WINDOW)


# What the rules come to, for whoever does the same without them.


def band_of(fen: int) -> str:
    """The tag for what was spent in all."""
    return "small" if fen < 10_000 else "medium" if fen < 50_000 else "large"


def thanks_for(order: OrderPaid) -> str:
    """The message's text."""
    return f"Thank you: order {order.order_no} of {order.amount_fen / 100:.2f} yuan is paid."


def wait_after(count: int) -> timedelta:
    """When to come back to who bought *count* times lately."""
    return timedelta(days=30 if count == 0 else 7)


def orders(count: int, *, customers: int | None = None, seed: int = 1) -> list[Touchpoint[Any]]:
    """
    Paid orders, one a second.

    Args:
        customers: How many customers they are drawn from. If not given, each is a new
            customer's, so that each leaves a customer.
    """
    chance = random.Random(seed)

    def order(number: int) -> Touchpoint[OrderPaid]:
        customer = number if customers is None else chance.randrange(customers)
        return Touchpoint(
            kind="order.paid",
            tenant=TenantId("main"),
            key=f"S{seed}-{number:08}",
            occurred_at=START + timedelta(seconds=number),
            payload=OrderPaid(
                order_no=f"S{seed}-{number:08}",
                amount_fen=chance.randrange(900, 30_000),
                quantity=chance.randrange(1, 4),
            ),
            identities=(Identity(kind=PHONE, value=f"+86139{customer:08}"),),
            source=chance.choice(SOURCES),
            shop=chance.choice(SHOPS),
        )

    return [order(number) for number in range(count)]


def batches_of(touchpoints: Sequence[Touchpoint[Any]], size: int = BATCH) -> list[Sequence[Touchpoint[Any]]]:
    """*touchpoints* in batches, in their order."""
    return [touchpoints[at : at + size] for at in range(0, len(touchpoints), size)]


def engine_at(path: Path, plugins: Mapping[str, type] = PLUGINS, *, clock: Clock | None = None) -> Engine:
    """An engine with a new SQLite database, which waits for the disk at every commit."""
    log_to_stderr(os.environ, "error")
    gc.set_threshold(50_000, 20, 20)  # as the command does, and for the baselines as well
    settings = settings_from(
        {
            "scrmkit": {"database": f"sqlite:///{path}", "secret": {"env": "SECRET"}, "durability": "full"},
            "plugins": {use.partition(".")[2]: {"use": use} for use in plugins},
        },
        {"SECRET": SECRET},
    )
    engine = Engine(settings, clock=clock or VirtualClock(START), plugins=plugins, create=True)
    shops = [Shop(id=shop, brand=BrandId("brand"), name=shop) for shop in SHOPS]
    engine.organisation.put("main", *shops)
    return engine
