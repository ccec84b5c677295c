"""
Small makers of domain values, so that a test says only what it is about.

Everything has a default, and nothing is random: two calls with equal arguments
make equal values. What a plugin calls its own (a kind, a payload, a body) a
test still makes itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from scrmkit.clock import VirtualClock
from scrmkit.domain.decisions import Now
from scrmkit.domain.identity import EXTERNAL_USERID, PHONE, Identity
from scrmkit.domain.ids import OutgoingId, TenantId
from scrmkit.domain.kinds import ContactAdded, MessageReceived, OrderPaid
from scrmkit.domain.messages import Outgoing, Purpose
from scrmkit.domain.organisation import DEFAULT_ZONE
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.protocols import PluginContext
from scrmkit.testing.chances import ScriptedChance, seeded_chance

T = TypeVar("T")

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
"""A Monday, 12:00 in Shanghai: outside quiet hours, far from the ends of month and year."""

PHONE_OF_NOBODY = "+8613900000001"


def make_identity(value: str = PHONE_OF_NOBODY, *, kind: str = PHONE, scope: str = "") -> Identity:
    """A phone number, or what else is asked for."""
    return Identity(kind=kind, value=value, scope=scope)


def make_touchpoint(
    kind: str = "message.received",
    payload: Any = None,
    *,
    key: str = "t1",
    at: datetime = NOON,
    identities: Iterable[Identity] = (),
    **more: Any,
) -> Touchpoint[Any]:
    """A touchpoint; without a payload one of a customer who wrote "hello"."""
    return Touchpoint(
        kind=kind,
        key=key,
        occurred_at=at,
        payload=MessageReceived(text="hello") if payload is None else payload,
        identities=tuple(identities),
        **more,
    )


def make_order_paid(
    order_no: str = "o1",
    amount_fen: int = 9_900,
    *,
    at: datetime = NOON,
    quantity: int = 1,
    identities: Iterable[Identity] | None = None,
    **more: Any,
) -> Touchpoint[Any]:
    """A paid order of 99 yuan; its key is the order's number, as in an import."""
    return make_touchpoint(
        "order.paid",
        OrderPaid(order_no=order_no, amount_fen=amount_fen, quantity=quantity),
        key=more.pop("key", order_no),
        at=at,
        identities=(make_identity(),) if identities is None else identities,
        **more,
    )


def make_contact_added(
    external_userid: str = "wm-ann",
    *,
    account: str = "zhangsan",
    scope: str = "corp-1",
    welcome_code: str | None = "welcome-code-1",
    name: str | None = None,
    at: datetime = NOON,
    **more: Any,
) -> Touchpoint[Any]:
    """A new contact of a guide, who may still be welcomed; as ever, the key is not personal."""
    digest = blake2b(external_userid.encode(), digest_size=8).hexdigest()
    return make_touchpoint(
        "contact.added",
        ContactAdded(account=account, name=name, welcome_code=welcome_code),
        key=more.pop("key", f"added-{digest}"),
        at=at,
        identities=(make_identity(external_userid, kind=EXTERNAL_USERID, scope=scope),),
        **more,
    )


def make_now(
    at: datetime = NOON,
    *,
    counts_at: datetime | None = None,
    zone: str = DEFAULT_ZONE,
    draws: Iterable[int] | None = None,
    seed: str | bytes = b"",
) -> Now:
    """
    The ``now`` of a decision.

    Args:
        counts_at: What deadlines compare; *at* where nothing is said.
        draws: What ``now.chance`` draws, one after another.
        seed: What it is seeded with where *draws* are not given.
    """
    return Now(
        at=at,
        counts_at=at if counts_at is None else counts_at,
        zone=ZoneInfo(zone),
        chance=seeded_chance(seed) if draws is None else ScriptedChance(draws),
    )


def make_context(
    name: str = "plugin", settings: Any = None, *, clock: VirtualClock | None = None
) -> PluginContext[Any]:
    """What a plugin object is made with; *settings* is a value of its ``Settings``."""
    return PluginContext(name=name, settings=settings, clock=clock or VirtualClock(NOON))


def make_outgoing(
    body: Any,
    *,
    number: int = 1,
    key: str | None = None,
    address: Identity | None = None,
    at: datetime = NOON,
    purpose: Purpose | None = Purpose.SERVICE,
    attempt: int = 1,
) -> Outgoing:
    """One item for ``send`` or ``ask``; its key tells *number* unless it is given."""
    return Outgoing(
        id=OutgoingId(number),
        tenant=TenantId("main"),
        key=f"key-{number}" if key is None else key,
        body=body,
        address=address,
        attempt=attempt,
        planned_at=at,
        purpose=purpose,
    )
