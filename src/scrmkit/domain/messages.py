"""Messages, requests, and what becomes of them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
from attrs.validators import optional

from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.identity import Identity, personal
from scrmkit.domain.ids import CustomerId, OutgoingId, TenantId
from scrmkit.domain.text import moment
from scrmkit.errors import InvalidValueError


class Purpose(enum.StrEnum):
    """
    Why a message is sent; the contact policy asks less of the lower ones.

    Marketing needs a consent, waits for the quiet hours and counts against the
    caps. Service is expected by the customer (a welcome, a bargain's result).
    Transactional is owed to the customer (a refund, a code).
    """

    MARKETING = "marketing"
    SERVICE = "service"
    TRANSACTIONAL = "transactional"


def _purpose(instance: object, attribute: attrs.Attribute[Any], value: object) -> None:
    # The policy compares by identity: a mere word would slip through it.
    if not isinstance(value, Purpose):
        raise InvalidValueError(f"a message's purpose is a Purpose, not a {type(value).__name__}")


@attrs.frozen(kw_only=True)
class Message:
    """
    Something to say to a customer through a channel.

    Attributes:
        channel: The configured channel's name, such as ``sms``.
        operation: Which of the channel's operations carries it.
        content: A value of the operation's own body type. Personal.
        not_after: The first moment at which it is of no use any more.
        not_before: The earliest moment to send it.
        tell: Whether the proposing instance hears of its end (``message.settled``).
    """

    channel: str
    content: Any = personal()
    purpose: Purpose = attrs.field(default=Purpose.SERVICE, validator=_purpose)
    operation: str = "send"
    not_before: datetime | None = attrs.field(default=None, validator=optional(moment))
    not_after: datetime | None = attrs.field(default=None, validator=optional(moment))
    tell: bool = False


class Status(enum.StrEnum):
    """
    Where an outgoing message or request is.

    ``proposed`` waits for its slot, ``planned`` for its time, ``sending`` is
    with a worker. ``unknown`` waits for a query, a report or a person; all the
    others are final, but that a report may still turn ``accepted`` into
    ``delivered`` or ``undelivered``.
    """

    PROPOSED = "proposed"
    PLANNED = "planned"
    SENDING = "sending"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    REFUSED = "refused"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    DEAD = "dead"
    LOST = "lost"


WAITING = frozenset({Status.PROPOSED, Status.PLANNED, Status.SENDING, Status.UNKNOWN})
SENT = frozenset({Status.ACCEPTED, Status.DELIVERED})
REDRIVEN = (Status.DEAD, Status.LOST)


@attrs.frozen(kw_only=True)
class Operation:
    """
    What a connector can be asked to do, and how the core may ask it.

    Attributes:
        body: The attrs type of what it is asked with.
        idempotent: Whether the platform honours our key, so that asking twice
            does once. If not, a lost answer is ``unknown`` and never asked again.
        addressed: Whether the customer must be reachable (``reach``).
        max_batch: How many one call takes at most.
        priority: Lower goes first in its lane.
        rate_per_s: Calls a second that the platform allows, None for no limit.
        max_attempts: How often it is tried before it is a dead letter.
        quota: How many messages one customer gets from the platform in each
            calendar day of the tenant's zone, None for no limit.
    """

    body: type
    idempotent: bool = False
    addressed: bool = True
    max_batch: int = 1
    priority: int = 5
    rate_per_s: float | None = None
    max_attempts: int = 6
    quota: int | None = None


@attrs.frozen(kw_only=True)
class Outgoing:
    """
    One message or request on its way to a connector.

    Attributes:
        key: Unique within the tenant and the same at every attempt: hand it to
            the platform as its idempotency key or echo field.
        body: A value of the operation's body type. Personal.
        address: What ``reach`` chose, None where the operation is not addressed. Personal.
        attempt: Counts from 1.
        provider_id: What the platform called it when it was accepted before.
        planned_at: When it was planned, timezone-aware.
    """

    id: OutgoingId
    tenant: TenantId
    key: str
    body: Any = personal()
    customer: CustomerId | None = None
    address: Identity | None = personal(default=None)
    attempt: int = 1
    provider_id: str | None = None
    planned_at: datetime
    purpose: Purpose | None = None


@attrs.frozen(kw_only=True)
class Accepted:
    """The platform took it; a report may follow. ``answer`` goes to who asked."""

    provider_id: str | None = None
    answer: Mapping[str, Any] = attrs.field(factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class Delivered:
    """The platform says that it arrived, or that the request is done."""

    provider_id: str | None = None
    answer: Mapping[str, Any] = attrs.field(factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class Undelivered:
    """
    The platform took it and later said that it did not arrive.

    Attributes:
        suppress: Whether this address must never be written to again by this channel.
    """

    code: str
    reason: str
    suppress: bool = False


@attrs.frozen(kw_only=True)
class Refused:
    """The platform will not do it, now or later. ``suppress`` also stops what comes after it.

    Attributes:
        code: The platform's own.
        suppress: Whether this address must never be written to again by this channel.
    """

    code: str
    reason: str
    suppress: bool = False


@attrs.frozen(kw_only=True)
class TryLater:
    """
    Certainly not done, and may be done later.

    Attributes:
        after: How long to wait; None leaves it to the lane's own schedule.
        lane: Whether the whole lane should wait, and not only this one.
    """

    reason: str
    after: timedelta | None = None
    lane: bool = False


@attrs.frozen(kw_only=True)
class Unknown:
    """It may or may not have been done: the answer was lost.

    Attributes:
        provider_id: What a later report would name it by, if that is known.
    """

    reason: str
    provider_id: str | None = None


DeliveryOutcome = Accepted | Delivered | Undelivered | Refused | TryLater | Unknown


@attrs.frozen(kw_only=True)
class Report:
    """
    What a platform said later about something sent.

    Attributes:
        key: Our key, where the platform echoes it.
        provider_id: What the platform calls it; one of the two must be there.
        address: Tells items of one provider id apart. Personal.
    """

    outcome: DeliveryOutcome
    key: str | None = None
    provider_id: str | None = None
    address: Identity | None = personal(default=None)


@attrs.frozen(kw_only=True)
class AnswerTo:
    """Whom a request's answer goes to (``request.answered``), and the step it names."""

    ref: InstanceRef
    step: str


@attrs.frozen(kw_only=True)
class Refund:
    """
    The body of the operation ``refund`` that payment connectors share (退款).

    Attributes:
        refund_no: Ours, and the same at every attempt: a platform refunds once for one number.
        amount_fen: From 1 to what was paid, in fen.
    """

    order_no: str
    refund_no: str
    amount_fen: int
    reason: str
