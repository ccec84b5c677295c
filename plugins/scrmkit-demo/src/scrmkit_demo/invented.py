"""Invents from a seed what the real orders do not say, so that it can be labelled as invented."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from functools import cached_property
from hashlib import blake2b
from zoneinfo import ZoneInfo

import attrs

from scrmkit.errors import InvalidValueError
from scrmkit_demo.orders import Order

ZONE = ZoneInfo("Asia/Shanghai")
"""The business calendar of every invented shop."""

PHONE_PER_MILLE = 220
"""How many customers of a thousand left a phone number."""

CONSENT_PER_MILLE = 550
"""How many of a thousand customers with a phone agreed to marketing by SMS."""

PHONE_PREFIX = "154"
"""Mainland form, yet in no operator's hands, so that no number can be a person's.
Source: libphonenumber, metadata of CN (mobile: no 154), read 2026-11."""

TELLING_ENDINGS = {"990001": 100, "990002": 80, "990003": 30, "990004": 50}
"""Last six digits that make the SMS sandbox do something else than deliver, with how many
of 30,000 numbers end so: a dead number, a black-listed one, an error once, never a report.
990005 (an answer later than a client waits) is left out: it would only hold the demo up."""

MAX_CUSTOMER_ID = 29_999
"""Above it two customers could be given the same phone number."""

OPENS = time(10)
OPEN_FOR = timedelta(hours=10)

_SURNAMES = "林陈周吴许何苏沈韩程夏方石叶白江唐卢梁顾孟秦尹段雷贺龙陶"
_GIVEN_NAMES = (  # two characters each
    "小满清和知秋立夏谷雨白露子墨书言若溪安然思远一鸣嘉木语桐明月听澜"
    "乐山青禾晓舟望舒星野南乔云起初晴景行怀瑾念真可心天朗其琛"
)


@attrs.frozen(kw_only=True)
class InventedBrand:
    """A brand (品牌) that does not exist."""

    id: str
    name: str


@attrs.frozen(kw_only=True)
class InventedShop:
    """A shop (门店) that does not exist, of an invented brand."""

    id: str
    brand_id: str
    name: str


@attrs.frozen(kw_only=True)
class InventedGuide:
    """A guide (导购) who does not exist, at an invented shop."""

    id: str
    shop_id: str
    name: str


@attrs.frozen(kw_only=True)
class InventedCustomer:
    """
    What is invented about a real, nameless customer of the order set.

    Attributes:
        name: Invented name.
        phone: Eleven digits in mainland form, unique per customer; None for most.
        sms_consent: Whether the customer agreed to marketing by SMS; never true
            without a phone.
        home_shop_id: Where the customer usually buys.
        guide_id: Who looks after the customer there.
    """

    customer_id: int
    name: str = attrs.field(repr=False)
    phone: str | None = attrs.field(repr=False)
    sms_consent: bool
    home_shop_id: str
    guide_id: str


BRANDS = (InventedBrand(id="tingshan", name="听山唱片"), InventedBrand(id="bayin", name="八音小馆"))
SHOPS = (
    InventedShop(id="tingshan-lakeside", brand_id="tingshan", name="听山唱片 · 湖滨店"),
    InventedShop(id="tingshan-old-town", brand_id="tingshan", name="听山唱片 · 老城店"),
    InventedShop(id="tingshan-campus", brand_id="tingshan", name="听山唱片 · 大学城店"),
    InventedShop(id="bayin-station", brand_id="bayin", name="八音小馆 · 南站店"),
    InventedShop(id="bayin-riverside", brand_id="bayin", name="八音小馆 · 江畔店"),
)
GUIDES_PER_SHOP = 3


@attrs.frozen(kw_only=True, slots=False)
class Invented:
    """
    Everything that is invented, for one seed.

    Each answer is a hash of the seed, the purpose and the id, not a step of a
    shared random stream: it does not depend on what was asked before.

    Attributes:
        seed: Equal seeds invent equal worlds, on every machine.
    """

    seed: int
    brands: tuple[InventedBrand, ...] = BRANDS
    shops: tuple[InventedShop, ...] = SHOPS

    @cached_property
    def guides(self) -> tuple[InventedGuide, ...]:
        """The guides of all shops."""
        return tuple(
            InventedGuide(id=f"{shop.id}-{n}", shop_id=shop.id, name=self._name(shop.id, n))
            for shop in self.shops
            for n in range(1, GUIDES_PER_SHOP + 1)
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What is invented, in sentences for whoever looks at the result."""
        return (
            f"Brands, shops and guides are invented: {len(self.brands)} brands, "
            f"{len(self.shops)} shops, {len(self.guides)} guides.",
            "Names, phone numbers (all in the unassigned range 154) and consents are drawn "
            f"from the seed {self.seed}; the order set holds nothing personal.",
            "Which shop an order belongs to and its time of day are drawn from the same seed; "
            "customer, day, quantity and amount are real.",
        )

    def customer(self, customer_id: int) -> InventedCustomer:
        """
        Invent a customer's name, phone, consent, shop and guide.

        Raises:
            InvalidValueError: The id is below 1 or above 9,999,999.
        """
        if not 1 <= customer_id <= MAX_CUSTOMER_ID:
            raise InvalidValueError(f"a customer id must be from 1 to {MAX_CUSTOMER_ID}")
        has_phone = self.draw("phone", customer_id, below=1000) < PHONE_PER_MILLE
        agreed = self.draw("consent", customer_id, below=1000) < CONSENT_PER_MILLE
        shop = self.shops[self.draw("home", customer_id, below=len(self.shops))]
        guide = self.draw("guide", customer_id, below=GUIDES_PER_SHOP) + 1
        return InventedCustomer(
            customer_id=customer_id,
            name=self._name("customer", customer_id),
            phone=self._phone(customer_id) if has_phone else None,
            sms_consent=has_phone and agreed,
            home_shop_id=shop.id,
            guide_id=f"{shop.id}-{guide}",
        )

    def shop_of(self, order: Order) -> InventedShop:
        """
        The shop at which an order was placed.

        Of a hundred orders 85 are at the customer's home shop, 12 anywhere in
        the same brand, 3 at the other brand.
        """
        home = self.shops[self.draw("home", order.customer_id, below=len(self.shops))]
        where = self.draw("where", order.line, below=100)
        if where < 85:
            return home
        same_brand = where < 97
        choice = [shop for shop in self.shops if (shop.brand_id == home.brand_id) is same_brand]
        return choice[self.draw("elsewhere", order.line, below=len(choice))]

    def ordered_at(self, order: Order) -> datetime:
        """When on its day the order was placed: from 10:00 up to 20:00 in Asia/Shanghai."""
        opens = datetime.combine(order.ordered_on, OPENS, tzinfo=ZONE)
        seconds = self.draw("time", order.line, below=int(OPEN_FOR.total_seconds()))
        return opens + timedelta(seconds=seconds)

    def draw(self, purpose: str, *ids: int | str, below: int) -> int:
        """A number from 0 up to *below*, always the same for the same seed, purpose and ids."""
        said = ":".join(map(str, (self.seed, purpose, *ids)))
        return int.from_bytes(blake2b(said.encode(), digest_size=8).digest()) % below

    def _name(self, *ids: int | str) -> str:
        surname = self.draw("surname", *ids, below=len(_SURNAMES))
        given = 2 * self.draw("given", *ids, below=len(_GIVEN_NAMES) // 2)
        return _SURNAMES[surname] + _GIVEN_NAMES[given : given + 2]

    def _phone(self, customer_id: int) -> str:
        # A step that shares no factor with 30,000 visits every number once, so that no two
        # customers share a phone, which would merge them.
        factor = 30 * self.draw("phone factor", below=1_000) + 7
        shift = self.draw("phone shift", below=30_000)
        number = (customer_id * factor + shift) % 30_000
        for ending, count in TELLING_ENDINGS.items():
            if number < count:
                return f"{PHONE_PREFIX}{number % 100:02d}{ending}"
            number -= count
        last = self.draw("phone end", customer_id, below=100)
        return f"{PHONE_PREFIX}{number:05d}1{last:02d}"


def invent(seed: int) -> Invented:
    """Invent the world around the orders from *seed*."""
    return Invented(seed=seed)
