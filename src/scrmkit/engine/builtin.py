"""What the core itself does at some kinds of touchpoints, written down like any decision."""

from __future__ import annotations

from typing import Any

from scrmkit.domain.kinds import ConsentChanged, ReservationExpired, TimerDue
from scrmkit.engine.apply import instance_scope
from scrmkit.engine.deciding import Deciding
from scrmkit.engine.frame import Frame
from scrmkit.engine.workset import WorkSet

CORE = "core"


def core_documents(frame: Frame, work: WorkSet, deciding: Deciding) -> None:
    """Apply the core's own effects, before any plugin is asked."""
    payload, to = frame.touchpoint.payload, frame.touchpoint.to
    if isinstance(payload, TimerDue):
        own = f"customer:{frame.customer}" if to is None else instance_scope(to.campaign, to.key)
        work.timers[frame.tenant, payload.plugin, own, payload.key] = None
    elif isinstance(payload, ConsentChanged) and frame.person is not None:
        granted = frame.touchpoint.kind == "consent.granted"
        document: dict[str, Any] = {
            "type": "record_consent", "channel": payload.channel, "purpose": str(payload.purpose),
            "granted": granted, "proof": payload.proof,
        }  # fmt: skip
        reason = "the customer " + ("granted it" if granted else "withdrew it")
        deciding.core(frame, CORE, reason, [document])
    elif isinstance(payload, ReservationExpired):
        space = "" if to is None else f"{to.plugin}/{to.campaign}/"
        document = {
            "type": "release", "resource": space + payload.resource,
            "reservation": payload.reservation, "committed": False,
        }  # fmt: skip
        deciding.core(frame, CORE, "nobody committed it in time", [document])
