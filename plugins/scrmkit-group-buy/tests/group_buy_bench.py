"""
A mechanic run in memory: what the core does with decisions, in a hundred lines of dicts.

It keeps the core's rules: a decision applies whole or not at all, what a limit
can refuse goes first, emitted touchpoints run depth first, a reservation that
expires is released and told, a merge redirects and rewrites nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from scrmkit.domain import effects as e
from scrmkit.domain import reads as r
from scrmkit.domain.campaign import Campaign, Instance, InstanceRef, Participant
from scrmkit.domain.chance import Chance
from scrmkit.domain.decisions import Decision, Now, Step
from scrmkit.domain.ids import CampaignId, CustomerId
from scrmkit.domain.kinds import CORE_KINDS, Answered, CustomerMerged, ReservationExpired, TimerDue
from scrmkit.domain.touchpoint import Touchpoint, Witness
from scrmkit.errors import UndeclaredReadError
from scrmkit.protocols import Alias, NewInstance, OpenInstances
from scrmkit.protocols import InstanceRef as Ref

PLUGIN = "mechanic"


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


@attrs.frozen
class Declared:
    """Answers to exactly what was declared."""

    reads: frozenset[r.Read[Any]]
    answer: Callable[[r.Read[Any]], Any]

    def __getitem__(self, read: r.Read[Any]) -> Any:
        if read not in self.reads:
            raise UndeclaredReadError(repr(read))
        return self.answer(read)


class Bench:
    """Records touchpoints for one mechanic and remembers everything."""

    def __init__(self, mechanic: Any, now: datetime, seed: bytes = b"bench") -> None:
        self.mechanic, self.now, self.seed = mechanic, now, seed
        self.world = World()
        self.campaigns: dict[str, Campaign[Any]] = {}
        self.instances: dict[InstanceRef, Instance[Any, Any]] = {}
        self.kept: dict[CustomerId, CustomerId] = {}
        self.requests: dict[str, tuple[InstanceRef, e.Request]] = {}
        self.emitted: list[Touchpoint[Any]] = []
        self.recorded: list[Touchpoint[Any]] = []
        self.said: list[Decision] = []
        self.stale: World | None = None
        self._witness = {
            kind.name: kind.witness for kind in (*CORE_KINDS, *mechanic.touchpoint_kinds)
        }

    # --- what a test does ----------------------------------------------------------------

    def publish(self, rules: Any, campaign: str = "c1", days: int = 30, **options: Any) -> None:
        """Publish a campaign that started an hour ago."""
        self.campaigns[campaign] = Campaign(
            id=CampaignId(campaign),
            mechanic=PLUGIN,
            rules=rules,
            starts_at=self.now - timedelta(hours=1),
            ends_at=self.now + timedelta(days=days),
            version=1,
            **options,
        )

    def record(
        self,
        kind: str,
        payload: Any,
        customer: int | None = None,
        occurred_at: datetime | None = None,
    ) -> Decision | None:
        """Record one touchpoint now; the last decision about it, emitted ones not counted."""
        touchpoint = Touchpoint(
            kind=kind,
            key=f"k{len(self.recorded)}",
            occurred_at=occurred_at or self.now,
            payload=payload,
            customer=None if customer is None else self.person(CustomerId(customer)),
        )
        return self._take_in(touchpoint, None)

    def advance(self, **length: float) -> None:
        """Move the clock, and run what is due at its own moment."""
        goal = self.now + timedelta(**length)
        while (due := min(self.due(until=goal), default=None)) is not None:
            self.now = max(self.now, due[0])
            self.fire(due[1])
        self.now = goal

    def sleep(self, **length: float) -> None:
        """Move the clock while nothing runs; ``fire`` runs what is overdue."""
        self.now += timedelta(**length)

    def due(self, until: datetime | None = None) -> list[tuple[datetime, str]]:
        """What is due by *until*: the moment and what ``fire`` takes."""
        limit = until or self.now
        timers = [(at, f"timer {ref.key} {key}") for (ref, key), at in self.world.timers.items()]
        holds = [
            (hold.expires_at, f"hold {hold.resource} {hold.name}")
            for hold in self.world.holds.values()
            if hold.status == "held" and hold.expires_at is not None
        ]
        return sorted(item for item in timers + holds if item[0] <= limit)

    def fire(self, name: str) -> None:
        """Run one timer or take back one reservation."""
        for (ref, key), at in list(self.world.timers.items()):
            if name == f"timer {ref.key} {key}":
                del self.world.timers[ref, key]
                self._own("timer.due", TimerDue(plugin=PLUGIN, key=key, due_at=at), ref, key)
                return
        for hold in list(self.world.holds.values()):
            if name == f"hold {hold.resource} {hold.name}" and hold.status == "held":
                hold.status = "released"
                told = ReservationExpired(
                    resource=hold.resource[1], reservation=hold.name, quantity=hold.quantity
                )
                self._own("reservation.expired", told, hold.ref)
                return

    def answer(self, once: str, status: str = "delivered") -> None:
        """Let the connector answer a request."""
        _, request = self.requests[once]
        if request.answer_to is not None:
            told = Answered(step=request.answer_to.step, status=status)
            self._own("request.answered", told, request.answer_to.ref)

    def merge(self, kept: int, moved: int) -> None:
        """Two customers turn out to be one."""
        one, other = self.person(CustomerId(kept)), self.person(CustomerId(moved))
        if one == other:
            return
        for customer in [other, *(each for each, to in self.kept.items() if to == other)]:
            self.kept[customer] = one
        self.record("customer.merged", CustomerMerged(kept=one, moved=other), one)

    # --- what a test looks at ------------------------------------------------------------

    def person(self, customer: CustomerId) -> CustomerId:
        """The canonical customer."""
        return self.kept.get(customer, customer)

    def state(self, key: str, campaign: str = "c1") -> Any:
        """The state of an instance."""
        ref = InstanceRef(plugin=PLUGIN, campaign=CampaignId(campaign), key=key)
        return self.instances[ref].state

    def stock(self, resource: str, campaign: str = "c1") -> r.Stock | None:
        """A resource, None where it was never named."""
        name = (campaign, resource)
        if name not in self.world.capacity:
            return None
        holds = [hold for hold in self.world.holds.values() if hold.resource == name]
        by_status = {
            status: sum(hold.quantity for hold in holds if hold.status == status)
            for status in ("held", "used")
        }
        return r.Stock(self.world.capacity[name], by_status["held"], by_status["used"])

    def kinds(self) -> list[str]:
        """The kinds emitted so far."""
        return [touchpoint.kind for touchpoint in self.emitted]

    def violations(self) -> list[str]:
        """Everything that is broken in any instance or resource."""
        found = [
            f"{ref.key}: {text}"
            for ref, instance in self.instances.items()
            for text in self.mechanic.violations(instance.rules, instance.state)
        ]
        for campaign, resource in self.world.capacity:
            stock = self.stock(resource, campaign)
            if stock is not None and stock.free < 0:
                found.append(f"{resource} is oversold by {-stock.free}")
        return found

    # --- deciding ------------------------------------------------------------------------

    def _own(self, kind: str, payload: Any, ref: InstanceRef, timer: str | None = None) -> None:
        touchpoint = Touchpoint(
            kind=kind,
            key=f"k{len(self.recorded)}",
            occurred_at=self.now,
            payload=payload,
            to=ref,
        )
        self._take_in(touchpoint, timer)

    def _take_in(self, touchpoint: Touchpoint[Any], timer: str | None) -> Decision | None:
        self.recorded.append(touchpoint)
        answers = []
        for ref in dict.fromkeys(self._refs(touchpoint)):
            decision = self._decide(ref, touchpoint, timer)
            if decision is not None:
                answers.append((ref, decision))
        emitted, last = [], None
        for ref, decision in answers:
            last = self._apply(ref, decision, touchpoint, emitted)
            self.said.append(last)
        for child in emitted:
            self.emitted.append(child)
            self._take_in(child, None)
        return last

    def _refs(self, touchpoint: Touchpoint[Any]) -> Iterator[InstanceRef]:
        if touchpoint.to is not None:
            yield touchpoint.to
            return
        if touchpoint.kind not in self.mechanic.kinds:
            return
        for address in dict.fromkeys(self.mechanic.address(touchpoint)):
            if isinstance(address, NewInstance):
                if address.campaign in self.campaigns:
                    yield Ref(plugin=PLUGIN, campaign=address.campaign, key=address.key)
            elif isinstance(address, Alias):
                ref = self.world.aliases.get((address.kind, address.value))
                yield from [ref] if ref is not None else []
            elif isinstance(address, OpenInstances):
                for (ref, role, _), part in list(self.world.parts.items()):
                    mine = self.person(part.customer) == address.customer
                    if mine and role == address.role and not self.instances[ref].closed:
                        yield ref
            elif address in self.instances:
                yield address

    def _decide(
        self, ref: InstanceRef, touchpoint: Touchpoint[Any], timer: str | None
    ) -> Decision | None:
        instance, mechanic = self.instances.get(ref), self.mechanic
        known = Declared(frozenset(mechanic.needs(touchpoint, instance)), self._read_stale)
        platform = self._witness[touchpoint.kind] is Witness.PLATFORM
        now = Now(
            at=self.now,
            counts_at=touchpoint.occurred_at if platform else self.now,
            zone=ZoneInfo("Asia/Shanghai"),
            chance=Chance(self.seed + touchpoint.key.encode()),
        )
        if instance is None:
            return mechanic.open(ref, self.campaigns[ref.campaign], touchpoint, known, now)
        if timer is not None:
            return mechanic.due(instance, timer, touchpoint, known, now)
        return mechanic.act(instance, touchpoint, known, now)

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
            return next(
                (p for p in self._roles(read.ref, read.role) if p.customer == read.customer), None
            )
        if isinstance(read, r.Participants):
            return tuple(self._roles(read.ref, read.role))[: read.limit]
        if isinstance(read, r.PartsOf):
            closed = [
                self.instances[ref].closed
                for (ref, role, _), part in self.world.parts.items()
                if (ref.campaign, role) == (read.campaign, read.role)
                and self.person(part.customer) == read.customer
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

    # --- applying ------------------------------------------------------------------------

    def _apply(
        self,
        ref: InstanceRef,
        decision: Decision,
        touchpoint: Touchpoint[Any],
        emitted: list[Touchpoint[Any]],
    ) -> Decision:
        before = self.world
        self.world = before.copy()
        try:
            for effect in decision.effects:
                self._guarded(ref, effect, touchpoint)
        except GuardError as guard:
            self.world = before
            return Decision(reason=str(guard), code="guard")
        self._keep(ref, decision)
        for number, effect in enumerate(decision.effects):
            self._simple(ref, effect, touchpoint)
            if isinstance(effect, e.Emit):
                emitted.append(self._child(effect, touchpoint, number))
        return decision

    def _keep(self, ref: InstanceRef, decision: Decision) -> None:
        if not isinstance(decision, Step):
            return
        there = self.instances.get(ref)
        if there is not None:
            self.instances[ref] = attrs.evolve(
                there,
                state=there.state if decision.state is None else decision.state,
                closed=there.closed or decision.closed,
            )
        elif decision.state is not None:
            self.instances[ref] = Instance(
                ref=ref,
                campaign=self.campaigns[ref.campaign],
                state=decision.state,
                version=1,
                opened_at=self.now,
                closed=decision.closed,
            )

    def _child(self, emit: e.Emit, parent: Touchpoint[Any], number: int) -> Touchpoint[Any]:
        customer = emit.customer if emit.customer is not None else parent.customer
        return Touchpoint(
            kind=emit.kind,
            key=f"{parent.key}.{number}",
            occurred_at=parent.occurred_at,
            payload=emit.payload,
            to=emit.to,
            customer=None if customer is None else self.person(customer),
        )

    def _guarded(self, ref: InstanceRef, effect: Any, touchpoint: Touchpoint[Any]) -> None:
        world = self.world
        if isinstance(effect, e.Join):
            customer = self._whom(effect, touchpoint)
            if any(part.customer == customer for part in self._roles(ref, effect.role)):
                raise GuardError(f"a {effect.role} already")
            world.parts[ref, effect.role, customer] = Participant(
                customer=customer,
                role=effect.role,
                data=effect.data,
                joined_at=self.now,
                order=len(self.recorded),
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
