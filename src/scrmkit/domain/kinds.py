"""The kinds of touchpoints that the core itself registers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from scrmkit.domain.identity import personal
from scrmkit.domain.ids import CampaignId, CustomerId
from scrmkit.domain.messages import Purpose
from scrmkit.domain.text import at_least, text
from scrmkit.domain.touchpoint import TouchpointKind, Witness


@attrs.frozen(kw_only=True)
class Nothing:
    """A payload without fields."""


@attrs.frozen(kw_only=True)
class ContactAdded:
    """
    A customer became a guide's contact (加好友).

    Attributes:
        account: The guide's account at the platform.
        name: The customer's name there. Personal.
        welcome_code: What a welcome message is sent with, once. Personal.
        half: Whether the customer has not confirmed yet.
    """

    account: str = ""
    name: str | None = personal(default=None)
    welcome_code: str | None = personal(default=None)
    half: bool = False


@attrs.frozen(kw_only=True)
class ContactRemoved:
    """A contact ended. *by* is ``customer`` or ``guide``."""

    account: str = ""
    by: str = "customer"


@attrs.frozen(kw_only=True)
class OrderCancelled:
    """An order that was never paid is over: cancelled, or timed out."""

    order_no: str = attrs.field(validator=text(128))


@attrs.frozen(kw_only=True)
class OrderPaid:
    """
    An order was paid.

    Attributes:
        order_no: The order's number within its source, up to 128 characters.
        amount_fen: What was paid, in fen, 0 or more.
        quantity: How many units, 0 or more.
        transaction: The payment's number at the payment platform, if known.
    """

    order_no: str = attrs.field(validator=text(128))
    amount_fen: int = attrs.field(validator=at_least(0))
    quantity: int = attrs.field(default=1, validator=at_least(0))
    transaction: str | None = None


@attrs.frozen(kw_only=True)
class OrderRefunded:
    """
    Money of an order went back.

    Attributes:
        refund_no: The refund's number; several of one order differ in it.
        amount_fen: What went back, in fen, above 0.
    """

    order_no: str = attrs.field(validator=text(128))
    refund_no: str = attrs.field(validator=text(128))
    amount_fen: int = attrs.field(validator=at_least(1))


@attrs.frozen(kw_only=True)
class MessageReceived:
    """A customer wrote to us. *text* is personal."""

    text: str = personal(default="")
    form: str = "text"


@attrs.frozen(kw_only=True)
class ConsentChanged:
    """A customer granted or withdrew a consent; ``*`` is every channel."""

    channel: str
    purpose: Purpose = Purpose.MARKETING
    proof: str = ""


@attrs.frozen(kw_only=True)
class GroupChatJoined:
    """A customer joined a group chat (客户群)."""

    chat: str


@attrs.frozen(kw_only=True)
class GroupChatLeft:
    """A customer left a group chat or was removed."""

    chat: str


@attrs.frozen(kw_only=True)
class TimerDue:
    """A timer that a plugin started is due. *key* is what the plugin named it."""

    plugin: str
    key: str
    due_at: datetime


@attrs.frozen(kw_only=True)
class CampaignChanged:
    """A campaign's version took effect (``campaign.activated``) or ended (``campaign.ended``)."""

    campaign: CampaignId
    version: int


@attrs.frozen(kw_only=True)
class CustomerMerged:
    """Two customers turned out to be one; *kept* is canonical from now on."""

    kept: CustomerId
    moved: CustomerId


@attrs.frozen(kw_only=True)
class CustomerSplit:
    """A merge was undone; *moved* is a customer of its own again."""

    kept: CustomerId
    moved: CustomerId


@attrs.frozen(kw_only=True)
class Settled:
    """
    A message reached its end.

    Attributes:
        key: The message's own: what its channel was given and its report names.
        once: The step that its plugin proposed it with.
    """

    key: str
    status: str
    reason: str = ""
    once: str = ""


@attrs.frozen(kw_only=True)
class Answered:
    """
    A connector answered a request.

    Attributes:
        step: What the request named in its ``answer_to``.
        status: The end that it reached, as of ``Status``.
    """

    step: str
    status: str
    code: str = ""
    answer: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class ReservationExpired:
    """The core released a reservation that nobody committed in time."""

    resource: str
    reservation: str
    quantity: int


@attrs.frozen(kw_only=True)
class ScoresComputed:
    """
    A scorer's results for some customers, kept with the decision that set them.

    Attributes:
        calibration: The snapshot of the population that they were measured
            against, as JSON values, so that a score can be computed again.
    """

    scorer: str
    calibration: Mapping[str, Any] = attrs.field(factory=dict)
    count: int


@attrs.frozen(kw_only=True)
class ScoreBanded:
    """A customer's score moved to another band."""

    scorer: str
    before: str
    after: str


@attrs.frozen(kw_only=True)
class BroadcastPlanned:
    """Some customers of a broadcast (群发) had their messages planned or suppressed."""

    broadcast: str
    customers: tuple[CustomerId, ...]


@attrs.frozen(kw_only=True)
class Noted:
    """Something a platform said that no kind of ours stands for; kept and counted."""

    what: str
    detail: Mapping[str, Any] = attrs.field(factory=dict)


def _kind(name: str, payload: type, **options: Any) -> TouchpointKind[Any]:
    return TouchpointKind(name=name, payload=payload, **options)


CORE_KINDS: tuple[TouchpointKind[Any], ...] = (
    _kind("entrance.scanned", Nothing),
    _kind("contact.added", ContactAdded),
    _kind("contact.removed", ContactRemoved),
    _kind("order.cancelled", OrderCancelled, witness=Witness.PLATFORM),
    _kind("order.paid", OrderPaid, amount="amount_fen", witness=Witness.PLATFORM),
    _kind("order.refunded", OrderRefunded, amount="amount_fen", witness=Witness.PLATFORM),
    _kind("message.received", MessageReceived),
    _kind("consent.granted", ConsentChanged, witness=Witness.PLATFORM),
    _kind("consent.withdrawn", ConsentChanged, witness=Witness.PLATFORM),
    _kind("group_chat.joined", GroupChatJoined),
    _kind("group_chat.left", GroupChatLeft),
    _kind("platform.noted", Noted),
    _kind("timer.due", TimerDue),
    _kind("campaign.activated", CampaignChanged),
    _kind("campaign.ended", CampaignChanged),
    _kind("customer.merged", CustomerMerged),
    _kind("customer.split", CustomerSplit),
    _kind("message.settled", Settled),
    _kind("request.answered", Answered),
    _kind("reservation.expired", ReservationExpired),
    _kind("score.computed", ScoresComputed),
    _kind("score.banded", ScoreBanded),
    _kind("broadcast.planned", BroadcastPlanned),
)
