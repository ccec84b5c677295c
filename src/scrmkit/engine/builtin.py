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
    payload = frame.touchpoint.payload
    if isinstance(payload, ConsentChanged) and frame.person is not None:
        granted = frame.touchpoint.kind == "consent.granted"
        document: dict[str, Any] = {
            "type": "record_consent", "channel": payload.channel, "purpose": str(payload.purpose),
            "granted": granted, "proof": payload.proof,
        }  # fmt: skip
        deciding.core(
            frame, CORE, "the customer " + ("granted it" if granted else "withdrew it"), [document]
        )
    elif isinstance(payload, TimerDue):
        work.timers[timer_key(frame)] = None
    elif isinstance(payload, ReservationExpired):
        to = frame.touchpoint.to
        space = "" if to is None else f"{to.plugin}/{to.campaign}/"
        document = {
            "type": "release", "resource": space + payload.resource,
            "reservation": payload.reservation, "committed": False,
        }  # fmt: skip
        deciding.core(frame, CORE, "nobody committed it in time", [document])


def timer_key(frame: Frame) -> tuple[str, str, str, str]:
    """The key of the timer that a ``timer.due`` stands for."""
    payload, to = frame.touchpoint.payload, frame.touchpoint.to
    scope = f"customer:{frame.customer}" if to is None else instance_scope(to.campaign, to.key)
    return (frame.tenant, payload.plugin, scope, payload.key)
