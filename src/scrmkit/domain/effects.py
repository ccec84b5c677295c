"""
The closed list of effects: all that a plugin can make happen.

Each names the customer that it is about, or leaves ``customer`` at None for the
touchpoint's own. Names (tags, timers, resources, ledgers, attributes) live in
the plugin's own namespace unless the attribute says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

import attrs

from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.identity import personal
from scrmkit.domain.ids import CampaignId, CustomerId
from scrmkit.domain.messages import AnswerTo, Message, Purpose
from scrmkit.domain.profile import Score, TagSource
from scrmkit.domain.text import at_least
from scrmkit.errors import InvalidValueError


@attrs.frozen(kw_only=True)
class OfACustomer:
    """
    An effect that is about a customer.

    Attributes:
        customer: Who it is, None for the touchpoint's own.
    """

    customer: CustomerId | None = None


@attrs.frozen(kw_only=True)
class AddTag(OfACustomer):
    """Give the customer a tag; tags are shared by all plugins."""

    group: str
    name: str
    source: TagSource
    expires_at: datetime | None = None


@attrs.frozen(kw_only=True)
class RemoveTag(OfACustomer):
    """Take a tag away; removing one that is not there is no error."""

    group: str
    name: str


@attrs.frozen(kw_only=True)
class SetAttribute(OfACustomer):
    """
    Set a value about the customer, readable by all as ``plugin.name``.

    Attributes:
        value: A string, number, bool or None; never personal.
    """

    name: str
    value: str | int | float | bool | None


@attrs.frozen(kw_only=True)
class Remember(OfACustomer):
    """
    Keep a JSON value about the customer that only this plugin reads (``Memo``).

    It replaces the one before in the order of acceptance, whenever the touchpoints happened.
    """

    value: Mapping[str, Any] = attrs.field(hash=False)


@attrs.frozen(kw_only=True)
class SetScore(OfACustomer):
    """Set a scorer's result for the customer."""

    score: Score


@attrs.frozen(kw_only=True)
class RecordConsent(OfACustomer):
    """Record that the customer granted or withdrew a consent."""

    channel: str
    purpose: Purpose
    granted: bool
    proof: str = ""


@attrs.frozen(kw_only=True)
class Propose(OfACustomer):
    """
    Propose a message; the contact policy decides whether it is sent.

    Attributes:
        once: The step that it stands for: the same plugin, campaign, instance,
            customer and step never send twice.
        slot: Where the world allows one message, its name; proposals for one
            slot compete by the integrator's order and one wins. The core adds
            the customer.
        slot_closes_at: When the slot is settled; None: in this transaction.
    """

    message: Message
    once: str
    slot: str | None = None
    slot_closes_at: datetime | None = None


@attrs.frozen(kw_only=True)
class Request(OfACustomer):
    """
    Ask a connector to do something that is no message: a refund, a corp tag.

    Attributes:
        body: A value of the operation's body type. Personal.
        once: The step that it stands for, as with ``Propose``.
        answer_to: Whom the answer goes to, as ``request.answered``.
    """

    connector: str
    operation: str
    body: Any = personal()
    once: str
    answer_to: AnswerTo | None = None
    not_after: datetime | None = None


@attrs.frozen(kw_only=True)
class StartTimer(OfACustomer):
    """Wake this plugin's instance (or rule) at *due_at*; the same key starts it anew."""

    key: str
    due_at: datetime


@attrs.frozen(kw_only=True)
class CancelTimer(OfACustomer):
    """Forget a timer; cancelling one that is not running is no error."""

    key: str


@attrs.frozen(kw_only=True)
class OpenInstance:
    """Open another instance of this plugin; one of that key that exists drops the decision."""

    campaign: CampaignId
    key: str
    state: Any


@attrs.frozen(kw_only=True)
class AddAlias:
    """Make the instance findable by another name, such as an order's number."""

    kind: str
    value: str


@attrs.frozen(kw_only=True)
class Join(OfACustomer):
    """
    Make the customer take part in the instance.

    One part a customer and role; a second drops the whole decision (code ``guard``).
    """

    role: str
    data: Mapping[str, Any] = attrs.field(factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class ChangeParticipant(OfACustomer):
    """Change what is kept about a part; *data* replaces it."""

    role: str
    data: Mapping[str, Any] = attrs.field(hash=False)


@attrs.frozen(kw_only=True)
class Leave(OfACustomer):
    """End a customer's part; the customer may join again."""

    role: str


@attrs.frozen(kw_only=True)
class Reserve:
    """
    Hold some of a limited resource: stock, seats, a budget.

    More than is free drops the whole decision (code ``guard``).

    Attributes:
        resource: Its name; the core adds plugin and campaign.
        reservation: Names this hold within the resource.
        expires_at: When the core releases it unless it was committed; the
            instance then gets ``reservation.expired``.
        capacity: How much there is. A larger one than before raises it, as a
            campaign's next version may; a smaller one changes nothing.
    """

    resource: str
    quantity: int = attrs.field(validator=at_least(1))
    reservation: str
    capacity: int
    expires_at: datetime | None = None


@attrs.frozen(kw_only=True)
class CommitReservation:
    """Turn a hold into a use. One that was released before drops the decision (``guard``)."""

    resource: str
    reservation: str


@attrs.frozen(kw_only=True)
class ReleaseReservation:
    """
    Give a hold back; releasing one that is released already is no error.

    Attributes:
        committed: Whether a committed one is given back too (a refund's stock).
    """

    resource: str
    reservation: str
    committed: bool = False


@attrs.frozen(kw_only=True)
class Leg:
    """One side of a posting. *owner* is ``customer:<id>``, ``shop:<id>`` or any account name."""

    owner: str
    amount: int


@attrs.frozen(kw_only=True)
class Post:
    """
    Post to a ledger; balances are sums of entries, and nothing is ever deleted.

    Attributes:
        ledger: Its name, in the plugin's namespace.
        legs: They sum to zero, exactly.
        once: The step: the same posting is made once.
        floor: Lowest balance that any leg's account may be left with; None allows debt.
    """

    ledger: str
    legs: tuple[Leg, ...]
    once: str
    floor: int | None = None

    def __attrs_post_init__(self) -> None:
        if sum(leg.amount for leg in self.legs) != 0:
            raise InvalidValueError(f"the legs of posting {self.once!r} do not sum to zero")


@attrs.frozen(kw_only=True)
class Emit(OfACustomer):
    """
    Record another touchpoint, right after this one and in the same transaction.

    Attributes:
        step: Its key together with this touchpoint's; distinct steps are distinct touchpoints.
        to: The one instance that it is for, or None.
    """

    kind: str
    payload: Any
    step: str
    to: InstanceRef | None = None


Effect = (
    AddTag
    | RemoveTag
    | SetAttribute
    | Remember
    | SetScore
    | RecordConsent
    | Propose
    | Request
    | StartTimer
    | CancelTimer
    | OpenInstance
    | AddAlias
    | Join
    | ChangeParticipant
    | Leave
    | Reserve
    | CommitReservation
    | ReleaseReservation
    | Post
    | Emit
)

EFFECTS: tuple[type, ...] = get_args(Effect)
