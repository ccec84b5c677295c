"""Timers and reservations whose touchpoint was parked when they were due."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from scrmkit.clock import to_micros
from scrmkit.engine.apply import instance_scope
from scrmkit.persistence import schema
from scrmkit.persistence.database import Wire
from scrmkit.persistence.statements import Statements

_TIMER = ("tenant", "plugin", "scope", "key", "due_at")
_HOLD = ("tenant", "resource", "name", "expires_at")


def forget(wire: Wire, statements: Statements, parked: Iterable[tuple[str, str, str]]) -> None:
    """
    Let go of what would come again and again, as the engine did when it parked it.

    Args:
        parked: Tenant, kind and document of all parked touchpoints.
    """
    timers, holds = [], []
    for tenant, kind, text in parked:
        document = json.loads(text)
        if kind not in ("timer.due", "reservation.expired") or not document:
            continue
        due = to_micros(datetime.fromisoformat(document["occurred_at"]))
        payload, to = document["payload"], document.get("to")
        if kind == "timer.due":
            scope = f"customer:{document.get('customer')}"
            scope = scope if to is None else instance_scope(to["campaign"], to["key"])
            timers.append((tenant, payload["plugin"], scope, payload["key"], due))
        else:
            owner = "" if to is None else f"{to['plugin']}/{to['campaign']}/"
            resource = owner + payload["resource"]
            holds.append((None, tenant, resource, payload["reservation"], due))
    wire.many(statements.delete(schema.timer, where=_TIMER), timers)
    no_end = statements.update(schema.reservation, values=("expires_at",), where=_HOLD)
    wire.many(no_end, holds)
