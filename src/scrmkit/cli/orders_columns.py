"""Which column of an orders file is which: names, aliases, and what has to be there."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import attrs

from scrmkit.errors import InvalidValueError

ALIASES: Mapping[str, tuple[str, ...]] = {
    "order_no": ("order_id", "order", "订单号", "订单编号", "单号", "小票号"),
    "line_no": ("line", "item_no", "行号", "明细序号"),
    "type": ("kind", "order_type", "类型", "单据类型"),
    "store_code": ("store", "store_id", "shop", "shop_id", "shop_code", "门店", "门店编码", "门店编号"),
    "guide_code": ("guide", "guide_id", "导购", "导购编号", "导购工号"),
    "member_no": ("member", "member_id", "customer_id", "customer_no", "会员号", "会员编号", "会员卡号"),
    "phone": ("mobile", "tel", "手机", "手机号", "手机号码", "会员手机"),
    "openid": ("open_id",),
    "unionid": ("union_id",),
    "sku": ("sku_code", "商品编码", "货号"),
    "title": ("product", "商品名称", "商品"),
    "qty": ("quantity", "数量", "件数"),
    "price": ("unit_price", "单价"),
    "amount": ("total", "金额", "订单金额"),
    "discount": ("优惠", "优惠金额", "折扣"),
    "paid_amount": ("paid", "payment", "实付", "实付金额", "支付金额", "实收金额"),
    "pay_method": ("payment_method", "支付方式"),
    "paid_at": ("date", "time", "pay_time", "paid_time", "ordered_at", "支付时间", "付款时间", "下单时间"),
    "orig_order_no": ("original_order_no", "原订单号", "原单号"),
}
"""The columns that are known, each with the other names that a header may use for it."""
IDENTITIES = ("member_no", "phone", "openid", "unionid")


@attrs.frozen(kw_only=True)
class Columns:
    """
    A file's columns.

    Attributes:
        at: By our name, the place in the row, from 0.
        ignored: Headers that mean nothing to us.
        width: How many columns the header has.
    """

    at: Mapping[str, int]
    ignored: tuple[str, ...]
    width: int


def columns_of(header: Sequence[str], chosen: Mapping[str, str]) -> Columns:
    """
    Find out which column is which; the order of the columns makes no difference.

    Args:
        chosen: By our name, the header to use instead of the usual ones; an
            empty header leaves the column out.

    Raises:
        InvalidValueError: A column that is needed is missing, or there twice.
    """
    written = [_plain(name) for name in header]
    meanings = _meanings(chosen)
    at: dict[str, int] = {}
    for place, name in enumerate(written):
        column = meanings.get(name)
        if column is None:
            continue
        if column in at:
            raise InvalidValueError(
                f"line 1: {header[at[column]]!r} and {header[place]!r} both mean {column};"
                f" choose with --column {column}=HEADER"
            )
        at[column] = place
    for column, name in chosen.items():
        if name and column not in at:
            raise InvalidValueError(f"line 1: there is no column {name!r} to be {column}")
    _require(at)
    ignored = tuple(name for name in header if _plain(name) not in meanings and name.strip())
    return Columns(at=at, ignored=ignored, width=len(header))


def require_known(names: Iterable[str]) -> None:
    """
    Check names of ours.

    Raises:
        InvalidValueError: We call no column so.
    """
    unknown = sorted(set(names) - set(ALIASES))
    if unknown:
        raise InvalidValueError(f"no column is called {unknown[0]!r}; known: {', '.join(ALIASES)}")


def _meanings(chosen: Mapping[str, str]) -> dict[str, str]:
    require_known(chosen)
    meanings = {
        _plain(name): column
        for column, aliases in ALIASES.items()
        if column not in chosen
        for name in (column, *aliases)
    }
    return meanings | {_plain(name): column for column, name in chosen.items() if name}


def _require(at: Mapping[str, int]) -> None:
    if "paid_at" not in at:
        raise InvalidValueError("line 1: there is no column paid_at (支付时间)")
    if "paid_amount" not in at and "amount" not in at:
        raise InvalidValueError("line 1: there is no column paid_amount (实付金额) and no amount")
    if not any(column in at for column in IDENTITIES):
        raise InvalidValueError(f"line 1: there is none of the columns {', '.join(IDENTITIES)}")


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().strip("'\"").lower().replace(" ", "_")
