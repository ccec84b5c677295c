"""
Reads a file of orders row by row: typed rows, and what cannot be one.

Pure but for reading the file. A refused row is put aside with its line number
and the reason, and the next one is read.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

import attrs

from scrmkit.cli import orders_cells as cells
from scrmkit.cli.orders_columns import IDENTITIES, Columns, columns_of
from scrmkit.domain.identity import personal
from scrmkit.errors import InvalidValueError

_ENCODINGS = ("utf-8-sig", "gb18030")
_REFUND_WORDS = frozenset({"refund", "return", "退款", "退货", "退单"})
_SALE_WORDS = frozenset({"", "sale", "order", "销售", "消费", "订单"})
_MOST_LINES = 100
ASIDE = ("line", "reason")
"""What a side file says before the cells of a row that was put aside."""


@attrs.frozen(kw_only=True)
class OrderRow:
    """
    One row that can be recorded.

    Attributes:
        line: Where it starts in the file; the header is on line 1.
        order_no: None where the file names none: the line is the key then.
        is_refund: Whether money went back: by its type, or a negative amount.
        amount_fen: 0 or more; above 0 for a refund.
        quantity: 0 or more.
        original_order_no: The order that a refund is for, where it is another.
    """

    line: int
    order_no: str | None = None
    line_no: str = ""
    is_refund: bool = False
    amount_fen: int
    quantity: int = 1
    paid_at: datetime
    shop: str | None = None
    guide: str | None = None
    pay_method: str = ""
    original_order_no: str | None = None
    member: str | None = personal(default=None)
    phone: str | None = personal(default=None)
    openid: str | None = personal(default=None)
    unionid: str | None = personal(default=None)


@attrs.frozen(kw_only=True)
class Reject:
    """
    A row that is put aside.

    Attributes:
        cells: As they were. Personal.
    """

    line: int
    reason: str
    cells: tuple[str, ...] = personal(default=())


@attrs.frozen(kw_only=True)
class Repeated:
    """A row that says again what an earlier one said."""

    line: int
    first_line: int


Read = OrderRow | Reject | Repeated


def encoding_of(path: Path) -> str:
    """
    How the file is encoded: UTF-8, with or without a mark, else GB18030.

    Raises:
        InvalidValueError: It is neither.
    """
    for encoding in _ENCODINGS:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise InvalidValueError(f"{path.name} is neither UTF-8 nor GB18030; export it as UTF-8")


class _Lines:
    """Lines that say when they are over: a row that asks for more than there are is not closed."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        yield from self._text
        self.ended = True


class OrdersFile:
    """
    A file of orders that is read once, from its start.

    Iterating gives every row that is not empty, in the file's order.

    A side file of an earlier run is read as the file that it came from: its
    lines are those of that file.

    Args:
        zone: The clock that moments without an offset are on.
        chosen: By our column name, the header to use for it; see ``columns_of``.
        now: Rows more than a day later are refused.

    Raises:
        InvalidValueError: The file is empty, or its header lacks what is needed.
    """

    def __init__(self, text: TextIO, *, zone: ZoneInfo, chosen: Mapping[str, str], now: datetime) -> None:
        self._zone = zone
        self._latest = cells.latest(now)
        first = text.readline()
        if not first.strip():
            raise InvalidValueError("line 1 is empty; it must name the columns")
        delimiter = max(",\t;", key=first.count)
        header = next(csv.reader([first], delimiter=delimiter))
        self.is_aside = tuple(header[:2]) == ASIDE
        self.header = header[2:] if self.is_aside else header
        self.columns: Columns = columns_of(self.header, chosen)
        self._lines = _Lines(text)
        self._rows = csv.reader(self._lines, delimiter=delimiter)
        self._seen: dict[str, tuple[int, bytes]] = {}

    def __iter__(self) -> Iterator[Read]:
        """
        Every row, the empty ones left out.

        Raises:
            InvalidValueError: A quote is opened and never closed; nothing after
                it can be told apart.
        """
        for line, row in self._numbered():
            if not any(cell.strip() for cell in row):
                continue
            if not self.is_aside:
                yield self._read(line, row)
            elif row[0].isdecimal() and int(row[0]) > 1:
                yield self._read(int(row[0]), row[2:])
            else:
                yield Reject(line=line, reason="line is not the number that was put there", cells=tuple(row[2:]))

    def _numbered(self) -> Iterator[tuple[int, list[str]]]:
        start = 2
        while True:
            try:
                row = next(self._rows)
            except StopIteration:
                return
            except csv.Error:
                raise InvalidValueError(_unclosed(start)) from None
            after = self._rows.line_num + 2
            if self._lines.ended or after - start > _MOST_LINES:
                raise InvalidValueError(_unclosed(start))
            yield start, row
            start = after

    def _read(self, line: int, row: Sequence[str]) -> Read:
        if any(cell.strip() for cell in row[self.columns.width :]):
            reason = "it has more cells than the header; quote what contains the separator"
            return Reject(line=line, reason=reason, cells=tuple(row))
        try:
            read = self._typed(line, row)
            return read if read.order_no is None else self._once(read, row)
        except InvalidValueError as error:
            return Reject(line=line, reason=str(error), cells=tuple(row))

    def _once(self, read: OrderRow, row: Iterable[str]) -> Read:
        key = f"{read.order_no}\n{read.line_no}\n{read.is_refund}"
        said = blake2b("\x1f".join(map(cells.clean, row)).encode(), digest_size=12).digest()
        first_line, first = self._seen.setdefault(key, (read.line, said))
        if first_line == read.line:
            return read
        if first == said:
            return Repeated(line=read.line, first_line=first_line)
        raise InvalidValueError(
            f"line {first_line} has the same order_no and says otherwise; rows of one order need a line_no"
        )

    def _typed(self, line: int, row: Sequence[str]) -> OrderRow:
        found = {name: cells.clean(row[place]) if place < len(row) else "" for name, place in self.columns.at.items()}
        if not any(found.get(name) for name in IDENTITIES):
            raise InvalidValueError(f"nobody is named: {', '.join(IDENTITIES)} are empty")
        amount_fen = _amount(found)
        is_refund = _is_refund(found.get("type", ""), amount_fen)
        if is_refund and amount_fen == 0:
            raise InvalidValueError("a refund of 0 is no refund")
        paid_at = cells.moment(found["paid_at"], self._zone)
        if paid_at > self._latest:
            raise InvalidValueError("paid_at lies in the future")
        return OrderRow(
            line=line,
            order_no=_code(found, "order_no"),
            line_no=_code(found, "line_no", 20) or "",
            is_refund=is_refund,
            amount_fen=abs(amount_fen),
            quantity=abs(cells.quantity(found.get("qty") or "1")),
            paid_at=paid_at,
            shop=_code(found, "store_code"),
            guide=_code(found, "guide_code"),
            pay_method=_code(found, "pay_method") or "",
            original_order_no=_code(found, "orig_order_no"),
            member=_code(found, "member_no"),
            phone=cells.phone(found["phone"]) if found.get("phone") else None,
            openid=_code(found, "openid"),
            unionid=_code(found, "unionid"),
        )


def _code(found: Mapping[str, str], name: str, longest: int = 64) -> str | None:
    cell = found.get(name)
    return cells.code(name, cell, longest) if cell else None


def _amount(found: Mapping[str, str]) -> int:
    for name in ("paid_amount", "amount"):
        if found.get(name):
            return cells.fen(name, found[name])
    raise InvalidValueError("there is no amount")


def _is_refund(word: str, amount_fen: int) -> bool:
    if word.lower() in _REFUND_WORDS:
        return True
    if word.lower() not in _SALE_WORDS:
        raise InvalidValueError("type is neither sale nor refund")
    return amount_fen < 0


def _unclosed(line: int) -> str:
    return f"line {line}: a quote is opened and not closed; only what comes before it was read"
