"""The real orders arrive whole, and as they stand in the file."""

from __future__ import annotations

from collections import Counter
from datetime import date

from scrmkit_demo.orders import Order, read_orders

ORDERS = tuple(read_orders())


def test_every_order_line_of_every_customer_is_read():
    assert len(ORDERS) == 69_659
    assert {order.customer_id for order in ORDERS} == set(range(1, 23_571))


def test_the_first_order_is_the_second_line_of_the_file():
    assert ORDERS[0] == Order(line=2, customer_id=1, ordered_on=date(1997, 1, 1), quantity=1, amount_fen=1_177)


def test_lines_that_equal_another_line_keep_keys_of_their_own():
    contents = Counter((o.customer_id, o.ordered_on, o.quantity, o.amount_fen) for o in ORDERS)

    assert sum(n - 1 for n in contents.values()) == 255
    assert len({order.line for order in ORDERS}) == len(ORDERS)


def test_the_orders_span_eighteen_months_from_new_year_1997():
    days = [order.ordered_on for order in ORDERS]

    assert (min(days), max(days)) == (date(1997, 1, 1), date(1998, 6, 30))
