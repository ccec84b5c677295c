"""Brands, shops, guides and entrances: the organisation, as data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from scrmkit.domain.identity import personal
from scrmkit.domain.ids import BrandId, CampaignId, GuideId, ShopId, StateToken
from scrmkit.domain.text import zone

DEFAULT_ZONE = "Asia/Shanghai"


def _known_zone(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    zone(value)


@attrs.frozen(kw_only=True)
class Brand:
    """A brand (品牌) that shops trade under."""

    id: BrandId
    name: str


@attrs.frozen(kw_only=True)
class Shop:
    """
    A shop (门店).

    Attributes:
        zone: IANA name of the zone of its business calendar.
    """

    id: ShopId
    name: str
    brand: BrandId | None = None
    zone: str = attrs.field(default=DEFAULT_ZONE, validator=_known_zone)


@attrs.frozen(kw_only=True)
class Guide:
    """
    A shop's guide (导购).

    Attributes:
        accounts: What platforms call the guide, by channel name, such as
            ``{"wecom": "zhangsan"}``. Personal.
    """

    id: GuideId
    name: str = personal()
    shop: ShopId | None = None
    accounts: Mapping[str, str] = personal(
        factory=dict, converter=lambda value: MappingProxyType(dict(value)), hash=False
    )


@attrs.frozen(kw_only=True)
class Incentive:
    """
    What an entrance promises to who comes in by it (钩子).

    Attributes:
        benefit: What is promised, such as ``coupon:welcome-20``.
        text: The promise in words, for the welcome message.
    """

    benefit: str
    text: str = ""


@attrs.frozen(kw_only=True)
class Entrance:
    """
    One place where customers come in (入口): a table card, a guide's badge, an ad.

    Attributes:
        token: The opaque state token that platforms carry; at most 30 of
            ``A-Z a-z 0-9``, unique within the tenant, meaning nothing.
        tags: Tags, as ``(group, name)``, for who comes in here.
        welcome: The welcome text, empty for the channel's default.
    """

    token: StateToken
    name: str
    source: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    welcome: str = ""
    incentive: Incentive | None = None
    campaign: CampaignId | None = None
    brand: BrandId | None = None
    shop: ShopId | None = None
    guide: GuideId | None = None
