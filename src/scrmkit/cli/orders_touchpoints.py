"""Rows of an orders file as touchpoints."""

from __future__ import annotations

from typing import Any

import attrs

from scrmkit.cli.orders_csv import OrderRow
from scrmkit.domain.identity import MEMBER, OPENID, PHONE, UNIONID, Identity
from scrmkit.domain.ids import GuideId, ShopId, TenantId
from scrmkit.domain.kinds import OrderPaid, OrderRefunded
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import InvalidValueError


def _at_most_64(instance: object, attribute: attrs.Attribute[str], value: str) -> None:
    if len(value) > 64:
        raise InvalidValueError(f"{attribute.name} has at most 64 characters; choose a shorter one")


@attrs.frozen(kw_only=True)
class Origin:
    """
    Where a file comes from, and so whose numbers are in it.

    Attributes:
        source: The system; order numbers are unique in it.
        file: The file's name without its ending: rows without an order number
            are told apart by it and their line.
        member_scope: Where member numbers are unique, empty for everywhere.
        openid_scope: The app that openids are of.
    """

    tenant: str
    source: str = attrs.field(validator=_at_most_64)
    file: str = attrs.field(validator=_at_most_64)
    member_scope: str = ""
    openid_scope: str = ""


def touchpoint_of(row: OrderRow, origin: Origin) -> Touchpoint[Any]:
    """
    ``order.paid`` or ``order.refunded``, with a key that is the same in every run.

    A row without an order number is an order of its own, called by its line.
    """
    if row.order_no is None:
        order_no = f"{origin.file}-{row.line}"
        key = f"{origin.source}:{origin.file}#{row.line}"
    else:
        order_no = row.order_no
        key = f"{origin.source}:{row.order_no}:{row.line_no}"
    payload: OrderPaid | OrderRefunded = OrderPaid(order_no=order_no, amount_fen=row.amount_fen, quantity=row.quantity)
    if row.is_refund:
        payload = OrderRefunded(
            order_no=row.original_order_no or order_no,
            refund_no=f"{order_no}:{row.line_no}" if row.line_no else order_no,
            amount_fen=row.amount_fen,
        )
    return Touchpoint(
        kind="order.refunded" if row.is_refund else "order.paid",
        key=key,
        occurred_at=row.paid_at,
        payload=payload,
        tenant=TenantId(origin.tenant),
        identities=_identities(row, origin),
        source=origin.source,
        shop=ShopId(row.shop) if row.shop else None,
        guide=GuideId(row.guide) if row.guide else None,
    )


def _identities(row: OrderRow, origin: Origin) -> tuple[Identity, ...]:
    named = (
        (MEMBER, row.member, origin.member_scope),
        (PHONE, row.phone, ""),
        (OPENID, row.openid, origin.openid_scope),
        (UNIONID, row.unionid, ""),
    )
    return tuple(Identity(kind=kind, value=value, scope=scope) for kind, value, scope in named if value)
