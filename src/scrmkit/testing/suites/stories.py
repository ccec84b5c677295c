"""
Stories of campaigns, told to a real engine in many orders while every call is watched.

All tellings run beside each other on one clock, each in a tenant of its own, so
that one engine serves them all. A second engine tells some of them while nothing
runs between the touchpoints: every timer comes late.
"""

from __future__ import annotations

import copy
import random
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from scrmkit.clock import VirtualClock
from scrmkit.domain.campaign import Campaign, CampaignStatus, Instance, InstanceRef
from scrmkit.domain.decisions import Now, Outcome, Step
from scrmkit.domain.effects import Reserve, StartTimer
from scrmkit.domain.ids import TenantId
from scrmkit.domain.reads import Known, Read
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import UndeclaredReadError
from scrmkit.protocols import Alias, NewInstance, OpenInstances
from scrmkit.testing.engines import engine_in
from scrmkit.testing.fakes import Observer
from scrmkit.testing.known import READS
from scrmkit.testing.suites.deciding import Call
from scrmkit.testing.suites.values import snapshot

ADDRESSES = (InstanceRef, Alias, OpenInstances, NewInstance)
_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)
_SHUFFLES, _LATE_SHUFFLES = 4, 2
_MOST_MOMENTS = 2_000
_PATIENT = {"budget_ms": 600_000, "quarantine_after": 1_000_000}


def _as_tuple(given: Iterable[Touchpoint[Any]]) -> tuple[Touchpoint[Any], ...]:
    return tuple(given)


@attrs.frozen(kw_only=True)
class Story:
    """
    A campaign and what people do in it, in the order in which they do it.

    Attributes:
        campaign: Its ``mechanic`` is the name that the plugin was made with.
        touchpoints: With identities; tenants are filled in.
    """

    name: str
    campaign: Campaign[Any]
    touchpoints: tuple[Touchpoint[Any], ...] = attrs.field(converter=_as_tuple)


@attrs.frozen(kw_only=True)
class Telling:
    """One order in which a story is told, in a tenant of its own."""

    tenant: TenantId
    name: str
    story: Story
    touchpoints: tuple[Touchpoint[Any], ...]


@attrs.frozen(kw_only=True)
class Taken:
    """One step of an instance; *instance* is None where it was opened."""

    what: str
    method: str
    instance: Instance[Any, Any] | None
    step: Step[Any]


@attrs.define(kw_only=True)
class Watch:
    """
    What was seen of a mechanic.

    Attributes:
        calls: Every call of ``open``, ``act`` and ``due``.
        taken: Every step that was returned.
        wrong_addresses: What ``address`` returned that is none.
        late_opens: What ``open`` said when the campaign was not open: where,
            why it was not, and the result.
        violations: What ``violations`` said of each state.
        outcomes: By telling: what became of each touchpoint, emitted ones included.
        failures: What the engine could not take.
        opened: The names of the stories that opened an instance as they were told.
    """

    calls: list[Call] = attrs.field(factory=list)
    taken: list[Taken] = attrs.field(factory=list)
    wrong_addresses: list[str] = attrs.field(factory=list)
    late_opens: list[tuple[str, str, Any]] = attrs.field(factory=list)
    violations: list[str] = attrs.field(factory=list)
    outcomes: list[tuple[str, Touchpoint[Any], Outcome]] = attrs.field(factory=list)
    failures: list[str] = attrs.field(factory=list)
    opened: set[str] = attrs.field(factory=set)
    moments: set[datetime] = attrs.field(factory=set)


def watch(mechanic: Any, stories: Iterable[Story], beside: Mapping[str, Any]) -> Watch:
    """
    Tell *stories* in many orders, and return what was seen.

    Args:
        beside: More plugins by ``family.type``, such as the connector that refunds.
    """
    seen = Watch()
    prompt, late = _tellings(list(stories))
    for tellings, is_prompt in ((prompt, True), (late, False)):
        with tempfile.TemporaryDirectory() as folder:
            _tell(Path(folder), mechanic, tellings, beside, seen, is_prompt=is_prompt)
    return seen


def _tellings(stories: Sequence[Story]) -> tuple[list[Telling], list[Telling]]:
    prompt: list[Telling] = []
    late: list[Telling] = []
    for number, story in enumerate(stories):
        told = sorted(story.touchpoints, key=lambda touchpoint: touchpoint.occurred_at)
        ways = {"as told": told, "each twice": list(_doubled(told))}
        ways |= {f"shuffled {seed}": _shuffled(told, seed) for seed in range(_SHUFFLES)}
        slow = {"as told, timers late": told}
        slow |= {f"shuffled {seed}, timers late": _shuffled(told, seed) for seed in range(_LATE_SHUFFLES)}
        for letter, tellings, named in (("p", prompt, ways), ("l", late, slow)):
            for way, touchpoints in named.items():
                tenant = TenantId(f"{letter}{number}-{len(tellings)}")
                those = tuple(attrs.evolve(one, tenant=tenant) for one in touchpoints)
                name = f"{story.name}, {way}"
                tellings.append(Telling(tenant=tenant, name=name, story=story, touchpoints=those))
    return prompt, late


def _doubled(touchpoints: Sequence[Touchpoint[Any]]) -> Iterator[Touchpoint[Any]]:
    for touchpoint in touchpoints:
        yield touchpoint
        yield attrs.evolve(touchpoint, key=f"{touchpoint.key}-again")


def _shuffled(touchpoints: Sequence[Touchpoint[Any]], seed: int) -> list[Touchpoint[Any]]:
    """The same touchpoints in another order, at the same moments."""
    moments = [touchpoint.occurred_at for touchpoint in touchpoints]
    others = random.Random(seed).sample(list(touchpoints), len(touchpoints))
    return [attrs.evolve(other, occurred_at=moment) for other, moment in zip(others, moments, strict=True)]


def _tell(
    folder: Path, mechanic: Any, tellings: Sequence[Telling], beside: Mapping[str, Any], seen: Watch, *, is_prompt: bool
) -> None:
    name = tellings[0].story.campaign.mechanic
    starts = [one.story.campaign.starts_at for one in tellings]
    clock = VirtualClock(min(starts))
    observer = Observer()
    by_tenant = {str(telling.tenant): telling for telling in tellings}
    plugins = {**beside, f"mechanic.{name}": _Watched(mechanic, name, seen, by_tenant), "hooks.watching": observer}
    with engine_in(folder, plugins, clock=clock, tenants=list(by_tenant), calls=_PATIENT) as engine:
        for telling in tellings:
            engine.publish(telling.story.campaign, tenant=telling.tenant)
        coming = sorted(
            (touchpoint for telling in tellings for touchpoint in telling.touchpoints),
            key=lambda touchpoint: touchpoint.occurred_at,
        )
        for touchpoint in coming:
            if is_prompt:
                _run_until(engine, clock, seen, touchpoint.occurred_at)
            clock.move_to(touchpoint.occurred_at)
            engine.record(touchpoint)
            if is_prompt:
                engine.run_once()
        engine.run_once()
        _run_until(engine, clock, seen, None)
    seen.moments.clear()
    for touchpoint, outcome in observer.committed:
        seen.outcomes.append((by_tenant[touchpoint.tenant].name, touchpoint, outcome))
    seen.failures += [
        f"{failure.hook}: {failure.error}"
        for failure in observer.failures
        if failure.plugin == name and failure.hook == "effects"
    ]


def _run_until(engine: Any, clock: VirtualClock, seen: Watch, until: datetime | None) -> None:
    """Let the engine do what is due, at each moment at which something may be due."""
    for _ in range(_MOST_MOMENTS):
        coming = min(seen.moments, default=None)
        if coming is None or (until is not None and coming > until):
            break
        seen.moments.discard(coming)
        clock.move_to(coming)
        engine.run_once()


class _AskedKnown:
    """The engine's ``known``, that remembers what was not declared."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self.undeclared = ""

    def __getitem__(self, read: Read[Any]) -> Any:
        try:
            return self._known[read]
        except UndeclaredReadError as error:
            self.undeclared = str(error)
            raise


class _Watched:
    """A mechanic that does what *mechanic* does, and writes all of it down."""

    def __init__(self, mechanic: Any, name: str, seen: Watch, tellings: Mapping[str, Telling]) -> None:
        self._mechanic = mechanic
        self._name = name
        self._seen = seen
        self._tellings = tellings
        self._needs: dict[Any, tuple[Any, ...]] = {}
        self.Rules, self.State = mechanic.Rules, mechanic.State
        self.kinds = mechanic.kinds
        self.touchpoint_kinds = getattr(mechanic, "touchpoint_kinds", ())
        self.identity_kinds = getattr(mechanic, "identity_kinds", ())

    def violations(self, rules: Any, state: Any) -> Iterable[str]:
        return tuple(self._mechanic.violations(rules, state))

    def address(self, touchpoint: Touchpoint[Any]) -> Iterable[Any]:
        found = self._asked("address", touchpoint)
        for one in found:
            if not isinstance(one, ADDRESSES):
                self._seen.wrong_addresses.append(f"{touchpoint.kind}: a {type(one).__name__}")
            elif isinstance(one, InstanceRef) and one.plugin != self._name:
                self._seen.wrong_addresses.append(
                    f"{touchpoint.kind}: an instance of {one.plugin!r}, and this is {self._name!r}"
                )
        return tuple(one for one in found if isinstance(one, ADDRESSES))

    def needs(self, touchpoint: Touchpoint[Any], instance: Any) -> Iterable[Any]:
        found = self._asked("needs", touchpoint, instance)
        self._needs[_key(touchpoint, None if instance is None else instance.ref)] = found
        return tuple(one for one in found if type(one) in READS)

    def _asked(self, method: str, touchpoint: Touchpoint[Any], *more: Any) -> tuple[Any, ...]:
        """What a method yields; nothing, and a call that failed, where it raises."""
        try:
            return tuple(getattr(self._mechanic, method)(touchpoint, *more) or ())
        except Exception as error:  # noqa: BLE001 - it is what is to be reported
            told = f"{type(error).__name__}: {error}"
            self._seen.calls.append(Call(what=f"{method}({touchpoint.kind})", error=told))
            return ()

    def open(
        self, ref: InstanceRef, campaign: Campaign[Any], touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> Any:
        said = self._decide("open", (ref, campaign), touchpoint, known, now)
        if isinstance(said, Step) and said.state is not None and ref.key:
            self._open_late(ref, campaign, touchpoint, known, now)
        return said

    def act(self, instance: Instance[Any, Any], touchpoint: Touchpoint[Any], known: Known, now: Now) -> Any:
        return self._decide("act", (instance,), touchpoint, known, now)

    def due(self, instance: Instance[Any, Any], timer: str, touchpoint: Touchpoint[Any], known: Known, now: Now) -> Any:
        return self._decide("due", (instance, timer), touchpoint, known, now)

    def _decide(self, method: str, first: tuple[Any, ...], touchpoint: Touchpoint[Any], known: Known, now: Now) -> Any:
        telling = self._tellings[str(touchpoint.tenant)]
        instance = first[0] if isinstance(first[0], Instance) else None
        ref: InstanceRef = first[0] if instance is None else instance.ref
        what = f"{method}({touchpoint.kind}) of {ref.key!r} in {telling.name!r}"
        asked = _AskedKnown(known)
        before = snapshot((first, touchpoint))
        results: list[Any] = []
        error = ""
        try:
            for _ in range(2):
                again = attrs.evolve(now, chance=copy.copy(now.chance))
                results.append(getattr(self._mechanic, method)(*first, touchpoint, asked, again))
        except UndeclaredReadError:
            raise
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
            raise
        finally:
            self._seen.calls.append(
                Call(
                    what=what,
                    needs=self._needs.get(_key(touchpoint, None if instance is None else ref), ()),
                    results=tuple(results),
                    error=error,
                    undeclared=asked.undeclared,
                    changed=snapshot((first, touchpoint)) != before,
                )
            )
        if isinstance(results[0], Step):
            rules = first[1].rules if instance is None else instance.rules
            self._take(Taken(what=what, method=method, instance=instance, step=results[0]), rules)
            if results[0].state is not None and instance is None and "as told" in telling.name:
                self._seen.opened.add(telling.story.name)
        return results[0]

    def _take(self, taken: Taken, rules: Any) -> None:
        self._seen.taken.append(taken)
        for effect in taken.step.effects:
            if isinstance(effect, StartTimer) and effect.due_at.tzinfo is not None:
                self._seen.moments.add(effect.due_at)
            elif isinstance(effect, Reserve) and effect.expires_at is not None:
                self._seen.moments.add(effect.expires_at)
        if taken.step.state is not None:
            try:
                broken = list(self._mechanic.violations(rules, taken.step.state))
            except Exception as error:  # noqa: BLE001 - it is what is to be reported
                broken = [f"violations() raised {type(error).__name__}"]
            self._seen.violations += [f"{taken.what}: {text}" for text in broken]

    def _open_late(
        self, ref: InstanceRef, campaign: Campaign[Any], touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> None:
        """Ask again with a campaign that is not open."""
        first, last = min(now.at, now.counts_at), max(now.at, now.counts_at)
        closed = {
            "starts in a second": {"starts_at": last + _SECOND, "ends_at": last + _DAY},
            "has just ended": {"starts_at": first - _DAY, "ends_at": first},
            "is paused": {"status": CampaignStatus.PAUSED},
            "was ended": {"status": CampaignStatus.ENDED},
        }
        for why, change in closed.items():
            try:
                then: Campaign[Any] = attrs.evolve(campaign, **change)  # type: ignore[arg-type]
                again = attrs.evolve(now, chance=copy.copy(now.chance))
                said = self._mechanic.open(ref, then, touchpoint, known, again)
            except Exception as error:  # noqa: BLE001 - it is what is to be reported
                said = error
            self._seen.late_opens.append((f"open({touchpoint.kind})", why, said))


def _key(touchpoint: Touchpoint[Any], ref: InstanceRef | None) -> Any:
    return (touchpoint.tenant, touchpoint.kind, touchpoint.key, ref)
