"""Reads the real orders that the demo runs on."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from importlib import resources

import attrs

from scrmkit.errors import InvalidValueError

ORDERS_FILE = "cdnow_orders.csv"
COLUMNS = ("customer_id", "date", "quantity", "amount_cents")


@attrs.frozen(kw_only=True)
class Order:
    """
    One order line (订单) of the CDNOW set, as it stands in the file.

    Attributes:
        line: Number of its line in the file, the first order on line 2. The set
            has no order number and 255 lines that equal another one, so this is
            the order's key.
        customer_id: The set's own number of the customer, from 1.
        ordered_on: The day of the order; the set has no time of day.
        quantity: CDs bought.
        amount_fen: What was paid: US cents, taken as fen. 0 occurs.
    """

    line: int
    customer_id: int
    ordered_on: date
    quantity: int
    amount_fen: int


def read_orders() -> Iterator[Order]:
    """
    All 69,659 order lines, in the file's order: by customer, then by day.

    Raises:
        InvalidValueError: A line of the packaged file is damaged; the message
            names the line.
    """
    file = resources.files("scrmkit_demo.data") / ORDERS_FILE
    with file.open("r", encoding="utf-8") as text:
        rows = csv.reader(text)
        if tuple(next(rows, ())) != COLUMNS:
            raise InvalidValueError(f"{ORDERS_FILE}, line 1: the columns must be {COLUMNS}")
        for row in rows:
            yield _order(rows.line_num, row)


def _order(line: int, row: list[str]) -> Order:
    try:
        customer_id, ordered_on, quantity, amount_cents = row
        return Order(
            line=line,
            customer_id=int(customer_id),
            ordered_on=date.fromisoformat(ordered_on),
            quantity=int(quantity),
            amount_fen=int(amount_cents),
        )
    except ValueError as error:
        raise InvalidValueError(
            f"{ORDERS_FILE}, line {line}: cannot be read as {COLUMNS}; install scrmkit-demo again"
        ) from error
