"""Campaigns, their instances, and who takes part."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

import attrs
from attrs.validators import optional

from scrmkit.domain.ids import BrandId, CampaignId, CustomerId, ShopId
from scrmkit.domain.text import moment, text
from scrmkit.errors import InvalidValueError

R = TypeVar("R")
S = TypeVar("S")


class CampaignStatus(enum.StrEnum):
    """What an operator has decided; whether its time has come is the clock's business."""

    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


@attrs.frozen(kw_only=True)
class Campaign(Generic[R]):
    """
    A campaign (活动): one mechanic with the rules of one occasion.

    Publishing it again makes the next version; running instances keep theirs.

    Attributes:
        mechanic: The configured plugin that runs it, such as ``bargain``.
        rules: The mechanic's own typed rules.
        starts_at: First moment at which it counts. Timezone-aware.
        ends_at: First moment at which it no longer counts; later than *starts_at*.
        version: Counted by the core from 1; 0 before it is published.
    """

    id: CampaignId = attrs.field(validator=text(64, but="/"))
    mechanic: str
    rules: R
    starts_at: datetime = attrs.field(validator=moment)
    ends_at: datetime = attrs.field(validator=moment)
    name: str = attrs.field(default="", validator=text(200, least=0))
    brand: BrandId | None = attrs.field(default=None, validator=optional(text(64)))
    shop: ShopId | None = attrs.field(default=None, validator=optional(text(64)))
    status: CampaignStatus = CampaignStatus.ACTIVE
    version: int = 0

    def __attrs_post_init__(self) -> None:
        if self.ends_at <= self.starts_at:
            raise InvalidValueError(f"campaign {self.id!r} ends before it starts")

    def is_open(self, at: datetime) -> bool:
        """Whether new instances may start at *at* (half-open: not at the end itself)."""
        return self.status is CampaignStatus.ACTIVE and self.starts_at <= at < self.ends_at


@attrs.frozen(kw_only=True)
class InstanceRef:
    """
    Which instance of which campaign of which plugin.

    Attributes:
        key: Unique within the campaign; ``""`` is the campaign's root instance.
    """

    plugin: str
    campaign: CampaignId
    key: str


@attrs.frozen(kw_only=True)
class Instance(Generic[R, S]):
    """
    One running case of a campaign: one bargain, one group.

    Attributes:
        campaign: The version that the instance started under.
        state: The mechanic's own typed state.
        version: How often the state has been written.
        closed: Whether the mechanic has said that nothing more will come.
    """

    ref: InstanceRef
    campaign: Campaign[R]
    state: S
    version: int
    opened_at: datetime
    closed: bool = False

    @property
    def rules(self) -> R:
        """The rules that the instance started under."""
        return self.campaign.rules


@attrs.frozen(kw_only=True)
class Participant:
    """
    A customer's part in an instance; one a customer, role and instance.

    Attributes:
        customer: The canonical customer.
        data: The mechanic's own JSON values about this part.
        order: Rises from part to part of an instance in the order of acceptance; no more.
    """

    customer: CustomerId
    role: str
    data: Mapping[str, Any] = attrs.field(factory=dict, hash=False)
    joined_at: datetime
    order: int
