"""
What a mechanic's decisions change, in memory: the core's tables as dicts.

A decision applies whole or not at all; a merge redirects and rewrites nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs

from scrmkit.domain import effects as e
from scrmkit.domain import reads as r
from scrmkit.domain.campaign import Instance, InstanceRef, Participant
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.touchpoint import Touchpoint


class GuardError(Exception):
    """A limit refused an effect."""


@attrs.define
class Hold:
    """A reservation."""

    resource: tuple[str, str]
    name: str
    quantity: int
    status: str
    expires_at: datetime | None
    ref: InstanceRef


@attrs.frozen
class World:
    """What a decision may change, copied before and put back when a limit refuses."""

    parts: dict[tuple[InstanceRef, str, CustomerId], Participant] = attrs.field(factory=dict)
    aliases: dict[tuple[str, str], InstanceRef] = attrs.field(factory=dict)
    capacity: dict[tuple[str, str], int] = attrs.field(factory=dict)
    holds: dict[tuple[tuple[str, str], str], Hold] = attrs.field(factory=dict)
    timers: dict[tuple[InstanceRef, str], datetime] = attrs.field(factory=dict)

    def copy(self) -> World:
        return World(
            dict(self.parts),
            dict(self.aliases),
            dict(self.capacity),
            {key: attrs.evolve(hold) for key, hold in self.holds.items()},
            dict(self.timers),
        )


class Storage:
    """What is stored, how it is read, and how effects change it."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.world = World()
        self.stale: World | None = None
        self.instances: dict[InstanceRef, Instance[Any, Any]] = {}
        self.kept: dict[CustomerId, CustomerId] = {}
        self.requests: dict[str, tuple[InstanceRef, e.Request]] = {}
        self.recorded: list[Touchpoint[Any]] = []

    def person(self, customer: CustomerId) -> CustomerId:
        """The canonical customer."""
        return self.kept.get(customer, customer)

    def stock(self, resource: str, campaign: str = "c1") -> r.Stock | None:
        """A resource, None where it was never named."""
        name = (campaign, resource)
        if name not in self.world.capacity:
            return None
        holds = [hold for hold in self.world.holds.values() if hold.resource == name]
        by_status = {
            status: sum(hold.quantity for hold in holds if hold.status == status) for status in ("held", "used")
        }
        return r.Stock(self.world.capacity[name], by_status["held"], by_status["used"])

    def _read_stale(self, read: r.Read[Any]) -> Any:
        """Answer from ``stale`` where a test lets two writers read the same world."""
        if self.stale is None:
            return self._read(read)
        real, self.world = self.world, self.stale
        try:
            return self._read(read)
        finally:
            self.world = real

    def _read(self, read: r.Read[Any]) -> Any:
        if isinstance(read, r.ParticipantOf):
            return next((p for p in self._roles(read.ref, read.role) if p.customer == read.customer), None)
        if isinstance(read, r.Participants):
            return tuple(self._roles(read.ref, read.role))[: read.limit]
        if isinstance(read, r.PartsOf):
            closed = [
                self.instances[ref].closed
                for (ref, role, _), part in self.world.parts.items()
                if (ref.campaign, role) == (read.campaign, read.role) and self.person(part.customer) == read.customer
            ]
            return r.Parts(len(closed) - sum(closed), sum(closed))
        if isinstance(read, r.StockOf):
            return self.stock(read.resource, read.campaign)
        if isinstance(read, r.ActivityOf):
            mine = [
                touchpoint
                for touchpoint in self.recorded[:-1]
                if touchpoint.kind == read.kind and touchpoint.customer == read.customer
            ]
            return r.Activity(len(mine), 0, None, None)
        raise NotImplementedError(type(read).__name__)

    def _roles(self, ref: InstanceRef, role: str) -> list[Participant]:
        found = [part for key, part in self.world.parts.items() if key[:2] == (ref, role)]
        redirected = [attrs.evolve(part, customer=self.person(part.customer)) for part in found]
        return sorted(redirected, key=lambda part: part.order)

    def _guarded(self, ref: InstanceRef, effect: Any, touchpoint: Touchpoint[Any]) -> None:
        world = self.world
        if isinstance(effect, e.Join):
            customer = self._whom(effect, touchpoint)
            if any(part.customer == customer for part in self._roles(ref, effect.role)):
                raise GuardError(f"a {effect.role} already")
            world.parts[ref, effect.role, customer] = Participant(
                customer=customer, role=effect.role, data=effect.data, joined_at=self.now, order=len(self.recorded)
            )
        elif isinstance(effect, e.ChangeParticipant):
            customer = self._whom(effect, touchpoint)
            key = self._part_key(ref, effect.role, customer)
            if key is None:
                raise GuardError(f"no {effect.role}")
            world.parts[key] = attrs.evolve(world.parts[key], data=effect.data)
        elif isinstance(effect, e.AddAlias):
            if world.aliases.setdefault((effect.kind, effect.value), ref) != ref:
                raise GuardError("the alias leads elsewhere")
        elif isinstance(effect, e.Reserve):
            self._reserve(ref, effect)
        elif isinstance(effect, e.CommitReservation | e.ReleaseReservation):
            self._settle(ref, effect)

    def _reserve(self, ref: InstanceRef, effect: e.Reserve) -> None:
        name = (ref.campaign, effect.resource)
        self.world.capacity.setdefault(name, effect.capacity)
        there = self.world.holds.get((name, effect.reservation))
        stock = self.stock(effect.resource, ref.campaign)
        if there is not None and there.status != "released":
            raise GuardError("the reservation exists")
        if stock is None or stock.free < effect.quantity:
            raise GuardError(f"nothing left of {effect.resource}")
        self.world.holds[name, effect.reservation] = Hold(
            name, effect.reservation, effect.quantity, "held", effect.expires_at, ref
        )

    def _settle(self, ref: InstanceRef, effect: Any) -> None:
        hold = self.world.holds.get(((ref.campaign, effect.resource), effect.reservation))
        if isinstance(effect, e.CommitReservation):
            if hold is None or hold.status == "released":
                raise GuardError("the reservation was released")
            hold.status = "used"
        elif hold is not None and (hold.status == "held" or effect.committed):
            hold.status = "released"

    def _simple(self, ref: InstanceRef, effect: Any, touchpoint: Touchpoint[Any]) -> None:
        if isinstance(effect, e.StartTimer):
            self.world.timers[ref, effect.key] = effect.due_at
        elif isinstance(effect, e.CancelTimer):
            self.world.timers.pop((ref, effect.key), None)
        elif isinstance(effect, e.Leave):
            key = self._part_key(ref, effect.role, self._whom(effect, touchpoint))
            if key is not None:
                del self.world.parts[key]
        elif isinstance(effect, e.Request):
            assert effect.once not in self.requests, "asked for twice"
            self.requests[effect.once] = (ref, effect)

    def _part_key(self, ref: InstanceRef, role: str, customer: CustomerId) -> Any:
        for key in self.world.parts:
            if key[:2] == (ref, role) and self.person(key[2]) == customer:
                return key
        return None

    def _whom(self, effect: Any, touchpoint: Touchpoint[Any]) -> CustomerId:
        customer = effect.customer if effect.customer is not None else touchpoint.customer
        assert customer is not None, "this touchpoint has no customer"
        return self.person(customer)
