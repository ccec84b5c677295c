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
from group_buy_storage import GuardError, Storage

from scrmkit.domain import effects as e
from scrmkit.domain import reads as r
from scrmkit.domain.campaign import Campaign, Instance, InstanceRef
from scrmkit.domain.chance import Chance
from scrmkit.domain.decisions import Decision, Now, Step
from scrmkit.domain.ids import CampaignId, CustomerId
from scrmkit.domain.kinds import CORE_KINDS, Answered, CustomerMerged, ReservationExpired, TimerDue
from scrmkit.domain.touchpoint import Touchpoint, Witness
from scrmkit.errors import UndeclaredReadError
from scrmkit.protocols import Alias, NewInstance, OpenInstances
from scrmkit.protocols import InstanceRef as Ref

PLUGIN = "mechanic"


@attrs.frozen
class Declared:
    """Answers to exactly what was declared."""

    reads: frozenset[r.Read[Any]]
    answer: Callable[[r.Read[Any]], Any]

    def __getitem__(self, read: r.Read[Any]) -> Any:
        if read not in self.reads:
            raise UndeclaredReadError(repr(read))
        return self.answer(read)


class Bench(Storage):
    """Records touchpoints for one mechanic and remembers everything."""

    def __init__(self, mechanic: Any, now: datetime, seed: bytes = b"bench") -> None:
        super().__init__(now)
        self.mechanic, self.seed = mechanic, seed
        self.campaigns: dict[str, Campaign[Any]] = {}
        self.emitted: list[Touchpoint[Any]] = []
        self.said: list[Decision] = []
        self._witness = {kind.name: kind.witness for kind in (*CORE_KINDS, *mechanic.touchpoint_kinds)}

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
        self, kind: str, payload: Any, customer: int | None = None, occurred_at: datetime | None = None
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
                told = ReservationExpired(resource=hold.resource[1], reservation=hold.name, quantity=hold.quantity)
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

    def state(self, key: str, campaign: str = "c1") -> Any:
        """The state of an instance."""
        ref = InstanceRef(plugin=PLUGIN, campaign=CampaignId(campaign), key=key)
        return self.instances[ref].state

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
        touchpoint = Touchpoint(kind=kind, key=f"k{len(self.recorded)}", occurred_at=self.now, payload=payload, to=ref)
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

    def _decide(self, ref: InstanceRef, touchpoint: Touchpoint[Any], timer: str | None) -> Decision | None:
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

    # --- applying ------------------------------------------------------------------------

    def _apply(
        self, ref: InstanceRef, decision: Decision, touchpoint: Touchpoint[Any], emitted: list[Touchpoint[Any]]
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
