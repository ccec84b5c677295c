"""The rules of one bargain campaign, each with its range."""

from __future__ import annotations

import enum
from datetime import timedelta

import attrs

from scrmkit.errors import InvalidValueError

GRACE = timedelta(seconds=60)
"""How long a payment's callback may be under way after the moment to pay by."""

MAX_HELPS = 1000
_MINUTE = timedelta(minutes=1)


class CutMode(enum.StrEnum):
    """
    How large a cut is.

    ``double_mean`` draws up to twice the mean of what is left, so that every
    position gets the same on average. ``percent`` takes 20 to 50 % of the rest:
    large first cuts, tiny last ones. Both reach the floor with exactly
    ``helpers`` cuts. ``range`` and ``fixed`` reach it when they reach it.
    """

    DOUBLE_MEAN = "double_mean"
    PERCENT = "percent"
    RANGE = "range"
    FIXED = "fixed"


class CutStore(enum.StrEnum):
    """Whether all cuts are drawn when the bargain starts, or each when it is made."""

    PRE_SPLIT = "pre_split"
    PER_HELP = "per_help"


class Success(enum.StrEnum):
    """What wins: only the floor (``strict``), or also ``helpers`` cuts above it."""

    STRICT = "strict"
    HELPERS_OR_FLOOR = "helpers_or_floor"


class StockHold(enum.StrEnum):
    """When a unit of the stock is held for the owner."""

    AT_SUCCESS = "at_success"
    AT_ORDER = "at_order"


@attrs.frozen(kw_only=True)
class BargainRules:
    """
    The rules of a bargain campaign.

    Attributes:
        list_fen: Price before the first cut, in fen, above 0.
        floor_fen: Lowest price, in fen, from 0 to below *list_fen*.
        stock: Units for the whole campaign, at least 1.
        helpers: Cuts to the floor, the owner's own included, 1 to 1,000 and no
            more than the fen to cut (``double_mean``, ``percent``); with
            ``range`` and ``fixed`` it counts for ``helpers_or_floor`` only.
        buy_at_any_price: Whether the owner may order before the floor; that
            locks the price. At the deadline the price reached is won.
        window: How long friends may help, above 0 and below 1,000 hours;
            clipped by the campaign's end.
        order_within: From success to the last moment to order, 1 minute to 30 days.
        pay_within: From order to the last moment to pay, 1 minute to 7 days.
        min_cut_fen: Least cut of ``double_mean`` and ``percent``, at least 1.
        range_low_fen, range_high_fen: Bounds of a cut of ``range``, both included.
        fixed_fen: The cut of ``fixed``.
        self_cut: Whether the owner makes the first cut by starting.
        helps_per_customer: In the whole campaign; in one bargain it is always one.
        open_per_customer: Bargains of one owner that run at the same time.
        wins_per_customer: Bargains that one owner may win; one that lapsed
            without payment does not count.
        new_helpers_only: Whether only friends who never paid an order may help.
        new_helper_weight: How many cuts such a friend makes at once, 1 to 10.
    """

    list_fen: int
    floor_fen: int
    stock: int
    helpers: int = 10
    success: Success = attrs.field(default=Success.STRICT, converter=Success)
    buy_at_any_price: bool = False
    window: timedelta = timedelta(hours=24)
    order_within: timedelta = timedelta(hours=24)
    pay_within: timedelta = timedelta(hours=2)
    cut: CutMode = attrs.field(default=CutMode.DOUBLE_MEAN, converter=CutMode)
    store: CutStore = attrs.field(default=CutStore.PRE_SPLIT, converter=CutStore)
    min_cut_fen: int = 1
    range_low_fen: int | None = None
    range_high_fen: int | None = None
    fixed_fen: int | None = None
    self_cut: bool = True
    helps_per_customer: int = 3
    open_per_customer: int = 1
    wins_per_customer: int = 1
    new_helpers_only: bool = False
    new_helper_weight: int = 1
    stock_hold: StockHold = attrs.field(default=StockHold.AT_SUCCESS, converter=StockHold)

    def __attrs_post_init__(self) -> None:
        self._check_prices()
        self._check_cuts()
        self._check_times()
        for name in ("stock", "helps_per_customer", "open_per_customer", "wins_per_customer"):
            value = getattr(self, name)
            if value < 1:
                raise InvalidValueError(f"{name} is at least 1; it is {value}")
        if not 1 <= self.new_helper_weight <= 10:
            raise InvalidValueError(f"new_helper_weight is from 1 to 10; it is {self.new_helper_weight}")

    def _check_prices(self) -> None:
        if self.list_fen < 1:
            raise InvalidValueError(f"list_fen is above 0; it is {self.list_fen}")
        if not 0 <= self.floor_fen < self.list_fen:
            raise InvalidValueError(f"floor_fen is from 0 to below list_fen ({self.list_fen}); it is {self.floor_fen}")

    def _check_cuts(self) -> None:
        least = 2 if self.self_cut else 1
        if not least <= self.helpers <= MAX_HELPS:
            raise InvalidValueError(
                f"helpers is from {least} to {MAX_HELPS} (the owner's own cut included); it is {self.helpers}"
            )
        if self.cut is CutMode.RANGE:
            self._check_range()
        elif self.cut is CutMode.FIXED:
            self._check_smallest("fixed_fen", self.fixed_fen)
        else:
            self._check_split()

    def _check_split(self) -> None:
        if self.min_cut_fen < 1:
            raise InvalidValueError(f"min_cut_fen is at least 1; it is {self.min_cut_fen}")
        if self.helpers * self.min_cut_fen > self.span_fen:
            raise InvalidValueError(
                f"{self.helpers} cuts of at least {self.min_cut_fen} fen do not fit into the "
                f"{self.span_fen} fen between list_fen and floor_fen; lower helpers or min_cut_fen"
            )

    def _check_range(self) -> None:
        self._check_smallest("range_low_fen", self.range_low_fen)
        low = self.range_low_fen or 0
        if self.range_high_fen is None or self.range_high_fen < low:
            raise InvalidValueError(f"range_high_fen is at least range_low_fen ({low}); it is {self.range_high_fen}")

    def _check_smallest(self, name: str, fen: int | None) -> None:
        if fen is None or fen < 1:
            raise InvalidValueError(f"the cut mode {self.cut} needs {name} of at least 1 fen")
        if -(-self.span_fen // fen) > MAX_HELPS:
            raise InvalidValueError(f"with {name} = {fen} the floor could take more than {MAX_HELPS} helps; raise it")

    def _check_times(self) -> None:
        if not timedelta(0) < self.window < timedelta(hours=1000):
            raise InvalidValueError(f"window is above 0 and below 1,000 hours; it is {self.window}")
        for name, days in (("order_within", 30), ("pay_within", 7)):
            value = getattr(self, name)
            if not _MINUTE <= value <= timedelta(days=days):
                raise InvalidValueError(f"{name} is from 1 minute to {days} days; it is {value}")

    @property
    def span_fen(self) -> int:
        """What can be cut in all, in fen."""
        return self.list_fen - self.floor_fen
