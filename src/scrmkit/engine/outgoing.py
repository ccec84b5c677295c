"""What goes out: its row, and the touchpoint that says what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from scrmkit.domain import ids, kinds, messages
from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.frame import key_of
from scrmkit.persistence.codec import to_json

FOREVER = 1 << 62
"""``not_after`` of what is of use for ever."""


def asleep_until(status: str, due_at: int, at: int) -> int:
    """
    ``leased_until`` of a row that nobody has, and that got its status *at* a moment.

    What is planned for later sleeps: no claim looks at it until it is due. What is due within
    half a minute does not: a welcome that is tried again never waits for others to wake.
    """
    return due_at if status == messages.Status.PLANNED and due_at - at > 30_000_000 else 0


def outgoing_row(
    id_: int, tenant: str, document: dict[str, Any], customer: int | None, person: int | None,
    plugin: str, planned_us: int, touchpoint: int,
) -> tuple[Any, ...]:  # fmt: skip
    """A row of ``outgoing`` from a planned document."""
    is_message, status = document["type"] == "propose", document["status"]
    reply, slot = document.get("reply_to"), document.get("slot")
    return (
        id_, tenant, document["key"], "message" if is_message else "request",
        document["connector"], document["operation"], customer, person,
        plugin, document.get("purpose", ""), status, document["code"], document["reason"][:300],
        document["priority"], document["due_at"], document.get("not_after", FOREVER), planned_us,
        None if status in messages.WAITING else planned_us, 0,
        asleep_until(status, document["due_at"], planned_us), None, document.get("address"),
        None if slot is None else slot_name(slot, person),
        None if reply is None else to_json(reply), touchpoint,
    )  # fmt: skip


def slot_name(slot: str, person: int | None) -> str:
    """A slot is one customer's."""
    return f"{slot}/{person}"


def settled(
    tenant: str, reply_to: Sequence[str], type_: str, status: str, reason: str, at: datetime,
    code: str = "", answer: Any = None,
) -> Touchpoint[Any]:  # fmt: skip
    """The touchpoint that tells an instance what became of what it asked for."""
    plugin, campaign, key, step, *once = reply_to
    ref = InstanceRef(plugin=plugin, campaign=ids.CampaignId(campaign), key=key)
    payload: Any = kinds.Answered(step=step, status=status, code=code, answer=dict(answer or {}))
    if type_ == "message":
        payload = kinds.Settled(key=step, status=status, reason=reason, once="".join(once))
    return Touchpoint(
        kind="message.settled" if type_ == "message" else "request.answered",
        key=key_of(tenant, plugin, campaign, key, step, status),
        tenant=ids.TenantId(tenant), occurred_at=at, payload=payload, source=plugin, to=ref,
    )  # fmt: skip
