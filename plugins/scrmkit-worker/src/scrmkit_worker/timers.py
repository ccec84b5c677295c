"""What the clock brings: timers, and reservations that nobody committed in time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from scrmkit.clock import Clock, from_micros, to_micros
from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.ids import CampaignId, CustomerId, TenantId
from scrmkit.domain.kinds import ReservationExpired, TimerDue
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.calls import Calls
from scrmkit.engine.frame import Frame, key_of
from scrmkit.engine.intake import Intake
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import ConflictError, StorageUnavailableError
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database, Wire, keys_json
from scrmkit.persistence.statements import constant
from scrmkit.plugins import PluginSet
from scrmkit_worker.rows import due

MANY = 100
_TIMER = ("tenant", "plugin", "scope", "key")
_HOLD = ("tenant", "resource", "name")
_OF_CUSTOMER = "customer:"
Due = tuple[tuple[Any, ...], Touchpoint[Any]]
"""A row's key, and the touchpoint that the row becomes."""


class Timers:
    """
    Records what is due, in due order.

    A row and its touchpoint go in one transaction, so that a timer that was
    cancelled or moved at the last moment does not fire. Timers of a plugin that
    is not configured, or is in quarantine, wait for it.
    """

    def __init__(self, database: Database, intake: Intake, plugins: PluginSet, calls: Calls, clock: Clock) -> None:
        self._database = database
        self._intake = intake
        self._plugins = plugins
        self._calls = calls
        self._clock = clock

    def fire(self) -> int:
        """Record each timer that is due as ``timer.due``; how many there were."""
        return self._run(self._timers, self._forget_timers, "timers.fire")

    def release(self) -> int:
        """Take back each reservation whose time is over, and tell its holder; how many."""
        return self._run(self._holds, self._forget_holds, "timers.release")

    def _run(
        self, find: Callable[[WorkSet, datetime, int], list[Due]],
        forget: Callable[[Wire, list[Any]], object], name: str,
    ) -> int:  # fmt: skip
        until, many, done = self._clock.now(), MANY, 0
        rows: list[Due] = []

        def work(wire: Wire) -> list[Frame]:
            rows[:] = find(WorkSet(wire), until, many)
            outcomes, frames = self._intake.record_in(wire, [touchpoint for _, touchpoint in rows])
            # One that was recorded before would come again and again.
            over = [row for (row, _), one in zip(rows, outcomes, strict=True) if one.duplicate]
            if over:
                forget(wire, over)
            return frames

        while True:
            try:
                self._intake.announce(self._database.transaction(work, name))
            except (StorageUnavailableError, ConflictError):
                raise
            except Exception as error:
                if many == 1 and rows:
                    self._intake.park(rows[0][1], error)
                    with self._database.writing() as wire:
                        forget(wire, [rows[0][0]])
                elif many == 1:
                    raise
                many = MANY if many == 1 else 1
                continue
            done += len(rows)
            if len(rows) < many:
                return done

    def _timers(self, work: WorkSet, until: datetime, many: int) -> list[Due]:
        t = schema.timer

        def build() -> Any:
            source, (plugin,) = work.statements.keys([t.c.plugin])
            timers = select(*t.columns).select_from(source.join(t, t.c.plugin == plugin))
            return due(timers, t.c.due_at, t.c.due_at, *(t.c[name] for name in _TIMER), of=t)

        asked = [[one.name] for one in self._plugins.plugins if self._calls.is_asked(one)]
        given = (*keys_json(asked), to_micros(until), many)
        rows = work.wire.rows(work.statements.once(("due_timers",), build), given)
        return [((*row[:4],), _timer_due(until, *row)) for row in rows]

    def _forget_timers(self, wire: Wire, keys: list[Any]) -> None:
        wire.many(self._database.statements.delete(schema.timer, where=_TIMER), keys)

    def _holds(self, work: WorkSet, until: datetime, many: int) -> list[Due]:
        r, i = schema.reservation, schema.instance

        def build() -> Any:
            names = [r.c[name] for name in _HOLD]
            whose = (i.c.plugin, i.c.campaign, i.c.key)
            holds = select(*names, r.c.quantity, r.c.expires_at, *whose)
            holds = holds.select_from(r.outerjoin(i, i.c.id == r.c.instance))
            holds = holds.where(r.c.status == constant("held"))
            return due(holds, r.c.expires_at, r.c.expires_at, *names, of=r)

        given = (to_micros(until), many)
        rows = work.wire.rows(work.statements.once(("over_reservations",), build), given)
        return [((*row[:3],), _hold_over(until, *row)) for row in rows]

    def _forget_holds(self, wire: Wire, keys: list[Any]) -> None:
        """They stay held, and nothing but a person takes them back."""
        values, statements = ("expires_at",), self._database.statements
        forget = statements.update(schema.reservation, values=values, where=_HOLD)
        wire.many(forget, [(None, *key) for key in keys])


def _timer_due(
    now: datetime, tenant: str, plugin: str, scope: str, key: str, due_at: int, customer: int | None
) -> Touchpoint[Any]:
    to, moment = None, from_micros(due_at)
    if not scope.startswith(_OF_CUSTOMER):
        campaign, instance = json.loads(scope)
        to = InstanceRef(plugin=plugin, campaign=CampaignId(campaign), key=instance)
    # With the moment: it may have been started again for one that has passed.
    once = key_of(tenant, plugin, scope, key, due_at, now)
    who = None if customer is None else CustomerId(customer)
    payload = TimerDue(plugin=plugin, key=key, due_at=moment)
    return _told("timer.due", tenant, once, moment, to, payload, who)


def _hold_over(
    now: datetime, tenant: str, resource: str, name: str, quantity: int, expires_at: int,
    plugin: str | None, campaign: str | None, key: str | None,
) -> Touchpoint[Any]:  # fmt: skip
    to = None
    if plugin is not None:
        to = InstanceRef(plugin=plugin, campaign=CampaignId(str(campaign)), key=str(key))
        resource = resource.removeprefix(f"{plugin}/{campaign}/")
    once = key_of(tenant, to, resource, name, expires_at, now)
    payload = ReservationExpired(resource=resource, reservation=name, quantity=quantity)
    return _told("reservation.expired", tenant, once, from_micros(expires_at), to, payload)


def _told(
    kind: str, tenant: str, key: str, at: datetime, to: InstanceRef | None, payload: Any,
    customer: CustomerId | None = None,
) -> Touchpoint[Any]:  # fmt: skip
    return Touchpoint(
        kind=kind, tenant=TenantId(tenant), source="core", to=to, key=key, occurred_at=at,
        payload=payload, customer=customer,
    )  # fmt: skip
