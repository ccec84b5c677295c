"""The rules of one group-buy campaign, each with its range."""

from __future__ import annotations

import enum
from datetime import timedelta

import attrs

from scrmkit.errors import InvalidValueError

GRACE = timedelta(seconds=60)
"""How long a payment's callback may be under way: a payment made in time still counts."""

MAX_SEATS = 100


class Overflow(enum.StrEnum):
    """What becomes of a payment for a seat that is gone: a new group, or the money back."""

    REFUND = "refund"
    NEW_GROUP = "new_group"


@attrs.frozen(kw_only=True)
class Tier:
    """
    A price for more members (阶梯团).

    Attributes:
        size: Paying members from which on it holds.
        price_fen: What a unit costs all of them then, in fen.
    """

    size: int
    price_fen: int


@attrs.frozen(kw_only=True)
class GroupBuyRules:
    """
    The rules of a group-buy campaign.

    Attributes:
        price_fen: What a unit costs, in fen, at least 1; everybody pays it, and
            a tier reached gives the difference back.
        size: Paying members that make a group, 2 to 100.
        window: From the leader's payment to the group's end, 1 to 168 hours.
        pay_within: How long a seat is held for an unpaid order, 1 minute to 1 day.
        per_order: Units in one order, at least 1.
        per_customer: Units of one customer in the whole campaign, at least *per_order*.
        one_open: Whether a customer takes part in one open group at a time.
        stock: Units for the whole campaign, None for no limit.
        tiers: Rising sizes above *size* with falling prices. The largest size
            is then how many seats a group has, and a group that is not full
            lasts until its end.
        virtual_fill: Whether a group that is short is filled up at its end
            (虚拟成团). Off: made-up buyers may count as fabricated transactions.
        min_real_percent: Share of *size* that must have paid for that, 1 to
            100; two real buyers are needed in any case.
        leader_perk_percent: Share of a unit's price that the leader is owed on
            success, 0 to 100; told in ``group-buy.succeeded``, paid by others.
        commission: Whether these orders earn commission; told with each seat.
        overflow: For payments that come when the seat is gone.
    """

    price_fen: int
    size: int = 3
    window: timedelta = timedelta(hours=24)
    pay_within: timedelta = timedelta(minutes=15)
    per_order: int = 1
    per_customer: int = 5
    one_open: bool = True
    stock: int | None = None
    tiers: tuple[Tier, ...] = ()
    virtual_fill: bool = False
    min_real_percent: int = 50
    leader_perk_percent: int = 0
    commission: bool = False
    overflow: Overflow = attrs.field(default=Overflow.REFUND, converter=Overflow)

    def __attrs_post_init__(self) -> None:
        _between("price_fen", self.price_fen, 1, None)
        _between("size", self.size, 2, MAX_SEATS)
        _between("per_order", self.per_order, 1, None)
        _between("per_customer", self.per_customer, self.per_order, None)
        _between("min_real_percent", self.min_real_percent, 1, 100)
        _between("leader_perk_percent", self.leader_perk_percent, 0, 100)
        if self.stock is not None:
            _between("stock", self.stock, 1, None)
        if not timedelta(hours=1) <= self.window <= timedelta(hours=168):
            raise InvalidValueError(f"window is from 1 to 168 hours; it is {self.window}")
        if not timedelta(minutes=1) <= self.pay_within <= timedelta(days=1):
            raise InvalidValueError(f"pay_within is from 1 minute to 1 day; it is {self.pay_within}")
        self._check_tiers()

    def _check_tiers(self) -> None:
        size, price_fen = self.size, self.price_fen
        for number, tier in enumerate(self.tiers):
            if not size < tier.size <= MAX_SEATS:
                raise InvalidValueError(
                    f"tiers[{number}].size is above {size} and at most {MAX_SEATS}; it is {tier.size}"
                )
            if not 0 < tier.price_fen < price_fen:
                raise InvalidValueError(
                    f"tiers[{number}].price_fen is above 0 and below {price_fen}; it is {tier.price_fen}"
                )
            size, price_fen = tier.size, tier.price_fen

    @property
    def seats(self) -> int:
        """How many a group takes at most."""
        return self.tiers[-1].size if self.tiers else self.size

    def price_for(self, members: int) -> int:
        """What a unit costs a group of so many paying members, in fen."""
        reached = [tier.price_fen for tier in self.tiers if members >= tier.size]
        return reached[-1] if reached else self.price_fen

    def may_fill(self, members: int) -> bool:
        """Whether a group with so many paying members is filled up at its end."""
        if not self.virtual_fill or members < 2:
            return False
        return members * 100 >= self.size * self.min_real_percent


def _between(name: str, value: int, low: int, high: int | None) -> None:
    if value < low or (high is not None and value > high):
        upper = "" if high is None else f" and at most {high}"
        raise InvalidValueError(f"{name} is at least {low}{upper}; it is {value}")
