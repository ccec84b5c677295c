"""Rows of ``outgoing``, and the touchpoints that say what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.ids import CampaignId, TenantId
from scrmkit.domain.kinds import Answered, Settled
from scrmkit.domain.messages import Status
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.frame import Proposed, key_of
from scrmkit.persistence.codec import to_json

FOREVER = 1 << 62
"""``not_after`` of what is of use for ever."""


def outgoing_row(
    id_: int, tenant: str, document: dict[str, Any], connector: str, type_: str, purpose: str,
    priority: int, customer: int | None, person: int | None, plugin: str, address: int | None,
    planned_us: int, touchpoint: int,
) -> tuple[Any, ...]:  # fmt: skip
    """A row of ``outgoing`` from a planned document."""
    status, reply = document["status"], document.get("reply_to")
    waiting = status in (Status.PLANNED, Status.PROPOSED)
    slot = document.get("slot")
    return (
        id_, tenant, document["key"], type_, connector, document["operation"], customer, person,
        plugin, purpose, status, document["code"], document["reason"][:300], priority,
        document["due_at"], document.get("not_after", FOREVER), planned_us,
        None if waiting else planned_us, 0, 0, None, address,
        None if slot is None else f"{slot}/{person}",
        None if reply is None else to_json(reply), touchpoint,
    )  # fmt: skip


def slot_name(one: Proposed) -> str:
    """A slot is one customer's."""
    return f"{one.document['slot']}/{one.person}"


def settled(
    tenant: str, reply_to: Sequence[str], type_: str, status: str, reason: str, at: datetime,
    code: str = "", answer: Any = None,
) -> Touchpoint[Any]:  # fmt: skip
    """The touchpoint that tells an instance what became of what it asked for."""
    plugin, campaign, key, step = reply_to
    ref = InstanceRef(plugin=plugin, campaign=CampaignId(campaign), key=key)
    payload: Any
    if type_ == "message":
        payload = Settled(key=step, status=status, reason=reason)
    else:
        payload = Answered(step=step, status=status, code=code, answer=dict(answer or {}))
    return Touchpoint(
        kind="message.settled" if type_ == "message" else "request.answered",
        key=key_of(tenant, plugin, campaign, key, step, status),
        tenant=TenantId(tenant),
        occurred_at=at, payload=payload, source=plugin, to=ref,
    )  # fmt: skip
