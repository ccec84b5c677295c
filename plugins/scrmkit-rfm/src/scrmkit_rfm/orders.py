"""What RFM remembers of a customer: each order's day and money, in any order of arrival."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from operator import attrgetter

import attrs

_by_number = attrgetter("order_no")


@attrs.frozen(kw_only=True)
class Order:
    """
    One order, as far as it is known.

    Attributes:
        order_no: Orders of one customer are told apart by it alone, so that a
            refund may come from another source than its payment.
        day: The day of its first payment, as ``date.toordinal`` counts; 0 while
            only a refund is known.
        paid_fen: Sum of its payments, in fen.
        refunded_fen: Sum of its refunds, in fen.
    """

    order_no: str
    day: int = 0
    paid_fen: int = 0
    refunded_fen: int = 0

    @property
    def stands(self) -> bool:
        """
        Whether it counts: paid, and not refunded to zero.

        A free order counts: nothing was paid and nothing went back.
        """
        return self.day > 0 and (self.refunded_fen == 0 or self.refunded_fen < self.paid_fen)

    @property
    def net_fen(self) -> int:
        """What was paid less what went back, in fen."""
        return self.paid_fen - self.refunded_fen

    def plus(self, other: Order) -> Order:
        """Both halves of what is known of one order."""
        return Order(
            order_no=self.order_no,
            day=min(self.day, other.day) or max(self.day, other.day),
            paid_fen=self.paid_fen + other.paid_fen,
            refunded_fen=self.refunded_fen + other.refunded_fen,
        )


@attrs.frozen(kw_only=True)
class Features:
    """
    A customer's orders, by number.

    Folding is adding, so neither the order of touchpoints nor the way in which
    identities were merged makes a difference.
    """

    orders: tuple[Order, ...] = ()

    def with_order(self, order: Order) -> Features:
        """Take one payment or refund in."""
        orders = self.orders
        at = bisect_left(orders, order.order_no, key=_by_number)
        if at < len(orders) and orders[at].order_no == order.order_no:
            return Features(orders=(*orders[:at], orders[at].plus(order), *orders[at + 1 :]))
        return Features(orders=(*orders[:at], order, *orders[at:]))

    def plus(self, other: Features) -> Features:
        """The orders of two identities of one customer together."""
        if not (self.orders and other.orders):
            return self if self.orders else other
        merged = {order.order_no: order for order in self.orders}
        for order in other.orders:
            known = merged.get(order.order_no)
            merged[order.order_no] = order if known is None else known.plus(order)
        return Features(orders=tuple(sorted(merged.values(), key=_by_number)))


@attrs.frozen(kw_only=True)
class Measures:
    """
    The three raw numbers of RFM.

    Attributes:
        recency_days: Days since the last order that stands.
        frequency: Days with an order that stands, within the window.
        monetary_fen: Paid less refunded for these orders, in fen.
    """

    recency_days: int
    frequency: int
    monetary_fen: int


def measure(features: Features, as_of_day: int, window_days: int) -> Measures | None:
    """
    Measure a customer as of a day, which itself counts; None without any order by then.

    Args:
        as_of_day: As ``date.toordinal`` counts. Later orders are left out.
        window_days: How many days frequency and money look back; 0 for the
            whole history. Recency always looks at the whole history.
    """
    first_day = as_of_day - window_days + 1 if window_days else 1
    last_day = 0
    days: set[int] = set()
    monetary_fen = 0
    for order in features.orders:
        day = order.day
        if day > as_of_day or not order.stands:
            continue
        last_day = max(last_day, day)
        if day >= first_day:
            days.add(day)
            monetary_fen += order.net_fen
    if not last_day:
        return None
    return Measures(recency_days=as_of_day - last_day, frequency=len(days), monetary_fen=monetary_fen)


def measure_all(population: Iterable[Features], as_of_day: int, window_days: int) -> list[Measures]:
    """Measure everybody who has an order; the others are left out."""
    measured = (measure(features, as_of_day, window_days) for features in population)
    return [one for one in measured if one is not None]
