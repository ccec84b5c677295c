"""One unit of work: a batch of touchpoints inside somebody's transaction."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs

from scrmkit.clock import to_micros
from scrmkit.domain.decisions import Outcome, Said
from scrmkit.domain.ids import CustomerId, TouchpointId
from scrmkit.domain.kinds import CustomerMerged
from scrmkit.domain.policy import Policy
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.builtin import core_documents
from scrmkit.engine.deciding import Deciding, Shared
from scrmkit.engine.flush import flush
from scrmkit.engine.frame import Decided, Frame, key_of
from scrmkit.engine.knowing import Knowing
from scrmkit.engine.people import People, Resolved, merge
from scrmkit.engine.planning import Planning
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import LoopError
from scrmkit.hooks import Route
from scrmkit.persistence import schema
from scrmkit.persistence.codec import to_json
from scrmkit.persistence.database import Wire

Key = tuple[str, str, str]
MAX_DEPTH = 16
"""How deep emitted touchpoints may lead to further ones, and how many rounds follow a batch."""


class Unit:
    """
    Records touchpoints inside a transaction that the caller opens and ends.

    A *dry* one decides and writes nothing.

    Touchpoints are taken one after another: each sees what the one before it
    left, so that the size of a batch never changes a result. A touchpoint
    that merges customers is a batch of its own.
    """

    def __init__(self, shared: Shared, policy: Policy, wire: Wire, at: datetime, *, dry: bool = False) -> None:
        self._shared = shared
        self._policy = policy
        self._wire = wire
        self._at = at
        self._at_us = to_micros(at)
        self._dry = dry
        self.frames: list[Frame] = []

    def record(
        self, touchpoints: Sequence[Touchpoint[Any]], decided: Decided | None = None, *, depth: int = 0
    ) -> list[Outcome]:
        """
        The outcomes in order; what instances asked to be told is recorded too.

        Args:
            decided: What was decided elsewhere about the only touchpoint.
        """
        if depth > MAX_DEPTH:
            kinds = sorted({touchpoint.kind for touchpoint in touchpoints})
            raise LoopError(f"answers keep leading to new ones: {', '.join(kinds)}")
        keys: list[Key] = [(str(one.tenant), one.kind, one.key) for one in touchpoints]
        outcomes = self.stored(keys)
        first = {key: place for place, key in reversed([*enumerate(keys)])}
        fresh = [
            one for place, one in enumerate(touchpoints) if keys[place] not in outcomes and first[keys[place]] == place
        ]
        while fresh:
            fresh, follow_ups = self._batch(fresh, outcomes, decided)
            if follow_ups:
                self.record(follow_ups, depth=depth + 1)
        return [
            outcomes[key] if first[key] == place else attrs.evolve(outcomes[key], duplicate=True)
            for place, key in enumerate(keys)
        ]

    def stored(self, keys: Sequence[Key]) -> dict[Key, Outcome]:
        """The outcomes of what is recorded of ``(tenant, kind, key)``, as duplicates."""
        columns = ("tenant", "kind", "key")
        wanted = (*columns, "id", "person", "decisions")
        return {
            row[:3]: outcome_of(row[3], row[4], json.loads(row[5]), duplicate=True)
            for row in self._wire.find(schema.touchpoint, columns, keys, wanted)
        }

    # --- one batch -----------------------------------------------------------------------

    def _batch(
        self, fresh: list[Touchpoint[Any]], outcomes: dict[Key, Outcome], decided: Decided | None
    ) -> tuple[list[Touchpoint[Any]], list[Touchpoint[Any]]]:
        """Record as many as can go together; the rest, and what must follow."""
        work = WorkSet(self._wire, writes=not self._dry)
        people = People(work, self._shared.ids)
        people.load(fresh)
        self._shared.organisation.prepare(work, fresh)
        frames: list[Frame] = []
        follow_ups: list[Touchpoint[Any]] = []
        for touchpoint in fresh:
            resolved = people.resolve(touchpoint, self._at_us)
            if resolved.joins and frames:
                break
            frame = self._frame(touchpoint, resolved, decided=decided)
            frames.append(frame)
            if resolved.joins:
                follow_ups = [] if self._dry else self._merge(work, frame, resolved.joins)
                break
        count = self._process(work, frames, follow_ups)
        for frame in frames[:count]:
            touchpoint = frame.touchpoint
            outcome = outcome_of(frame.id, frame.person, frame.decisions)
            outcomes[frame.tenant, touchpoint.kind, touchpoint.key] = outcome
        return fresh[count:], follow_ups

    def _frame(self, touchpoint: Touchpoint[Any], resolved: Resolved, **more: Any) -> Frame:
        """A touchpoint with what the core knows: customer, moment, entrance and route."""
        frame = Frame(
            tenant=str(touchpoint.tenant), kind=self._shared.plugins.kinds[touchpoint.kind],
            touchpoint=touchpoint, occurred_us=to_micros(touchpoint.occurred_at),
            received_us=self._at_us, resolved=resolved, customer=resolved.customer,
            person=resolved.person, by_key=f"{touchpoint.kind}|{touchpoint.key}", **more,
        )  # fmt: skip
        self._complete(frame)
        return frame

    def _merge(self, work: WorkSet, frame: Frame, joins: Sequence[int]) -> list[Touchpoint[Any]]:
        frame.id = self._shared.ids.take()
        told: list[Touchpoint[Any]] = []
        for moved in joins:
            customers = merge(
                work, frame.tenant, frame.person or 0, moved,
                id_=self._shared.ids.take(), at_us=self._at_us, touchpoint=frame.id,
            )  # fmt: skip
            told += self._merge_news(work, frame, moved, set(customers))
        return told

    def _merge_news(self, work: WorkSet, frame: Frame, moved: int, new: set[int]) -> list[Touchpoint[Any]]:
        """The merge as a touchpoint, and one for each open instance that holds both."""
        kept = CustomerId(frame.person or 0)
        payload = CustomerMerged(kept=kept, moved=CustomerId(moved))
        refs: list[Any] = [None]
        for loaded in self._shared.plugins.by_family("mechanic"):
            seen: dict[Any, set[int]] = defaultdict(set)
            for part in work.parts_of(frame.tenant, loaded.name, kept):
                if not part.closed:
                    seen[part.ref].add(part.customer)
            refs += [ref for ref, those in seen.items() if those & new and those - new]
        return [
            Touchpoint(
                kind="customer.merged", tenant=frame.touchpoint.tenant, customer=kept,
                occurred_at=frame.touchpoint.occurred_at, payload=payload, to=ref,
                key=key_of(frame.by_key, kept, moved, ref),
            )
            for ref in refs
        ]  # fmt: skip

    def _process(self, work: WorkSet, frames: Sequence[Frame], follow_ups: list[Touchpoint[Any]]) -> int:
        """
        Record *frames* in their order, up to the first that an answer follows.

        An answer comes before the next touchpoint, as it does where that is in
        a batch of its own. Returns how many were recorded.
        """
        shared = self._shared
        deciding = Deciding(shared, work, Knowing(work, shared.codec))
        deciding.prefetch(frames)
        planning = Planning(work, shared.calls, self._policy, shared.codec, shared.ids)
        done: list[Frame] = []
        count = 0
        for frame in frames:
            self._enter(work, frame)
            self._take(work, deciding, frame, done)
            count += 1
            if deciding.may_answer or count == len(frames):
                planning.plan(deciding.taken())
            if planning.follow_ups:
                break
        for frame in done:
            self._write(work, frame)
        if not self._dry:
            flush(work)
        self.frames += done
        follow_ups += planning.follow_ups
        return count

    def _enter(self, work: WorkSet, frame: Frame) -> None:
        """Make known who came with a touchpoint."""
        if frame.customer is not None and frame.person is not None:
            work.people[frame.tenant, frame.customer] = frame.person
            work.people.setdefault((frame.tenant, frame.person), frame.person)
        if frame.resolved.is_new_customer:
            row = (frame.customer, frame.tenant, frame.customer, self._at_us)
            work.insert(schema.customer, row)
        for row in frame.resolved.new:
            work.add_identity(row)

    def _take(self, work: WorkSet, deciding: Deciding, frame: Frame, done: list[Frame]) -> None:
        """Decide about one touchpoint, then depth first about all that it leads to."""
        if frame.depth > MAX_DEPTH:
            raise LoopError(f"emitted touchpoints lead on and on: {_course(frame, done)}")
        frame.id = frame.id or self._shared.ids.take()
        frame.root = frame.root or frame.id
        done.append(frame)
        core_documents(frame, work, deciding)
        deciding.decide(frame)
        if frame.person is not None:
            amount = self._amount(frame)
            here = work.recorded.setdefault((frame.tenant, frame.person, frame.touchpoint.kind), [])
            here.append((frame.occurred_us, amount))
        # The same step of one plugin is the same touchpoint, however often it is emitted.
        emitted: dict[tuple[str, str], Touchpoint[Any]] = {}
        for touchpoint in frame.emitted:
            emitted.setdefault((touchpoint.kind, touchpoint.key), touchpoint)
        for touchpoint in emitted.values():
            same = touchpoint.customer is None or touchpoint.customer == frame.person
            who = (frame.customer, frame.person) if same else (touchpoint.customer,) * 2
            child = self._frame(touchpoint, Resolved(*who), parent=frame.id, root=frame.root, depth=frame.depth + 1)
            deciding.prefetch([child])
            self._take(work, deciding, child, done)

    def _complete(self, frame: Frame) -> None:
        touchpoint = frame.touchpoint
        entrance = self._shared.organisation.entrance(frame.tenant, touchpoint.state)
        filled: dict[str, Any] = {
            "customer": None if frame.person is None else CustomerId(frame.person),
            "received_at": self._at,
        }
        if entrance is not None:
            filled["entrance"] = entrance
            for name in ("brand", "shop", "guide"):
                if getattr(touchpoint, name) is None:
                    filled[name] = getattr(entrance, name)
        touchpoint = frame.touchpoint = attrs.evolve(touchpoint, **filled)
        calls = self._shared.calls
        if touchpoint.guide is not None or frame.person is None or not calls.has("scrmkit_route"):
            return
        found = calls.first(
            "scrmkit_route", lambda route: isinstance(route, Route),
            touchpoint=touchpoint, now=self._shared.now_of(frame)(),
        )  # fmt: skip
        if found is not None:
            _, route = found
            frame.touchpoint = attrs.evolve(touchpoint, guide=route.guide, shop=touchpoint.shop or route.shop)

    # --- rows ----------------------------------------------------------------------------

    def _amount(self, frame: Frame) -> int:
        name = frame.kind.amount
        return getattr(frame.touchpoint.payload, name) if name is not None else 0

    def _write(self, work: WorkSet, frame: Frame) -> None:
        touchpoint = frame.touchpoint
        payload, apart = self._shared.codec.split(touchpoint.payload)
        context: dict[str, Any] = {}
        if frame.resolved.identity_ids:
            context["identities"] = frame.resolved.identity_ids
        context |= {name: said for name in ("guide", "state") if (said := getattr(touchpoint, name)) is not None}
        if touchpoint.to is not None:
            context["to"] = [touchpoint.to.plugin, touchpoint.to.campaign, touchpoint.to.key]
        work.insert(
            schema.touchpoint,
            (frame.id, frame.tenant, touchpoint.kind, touchpoint.key, frame.kind.version,
             frame.occurred_us, frame.received_us, frame.customer, frame.person,
             self._amount(frame), touchpoint.source, touchpoint.brand, touchpoint.shop,
             to_json(context), to_json(payload), to_json(frame.decisions), frame.parent),
        )  # fmt: skip
        if apart is not None:
            work.insert(schema.personal, (frame.id, frame.tenant, frame.customer, to_json(apart)))


def outcome_of(
    id_: int, person: int | None, decisions: Sequence[dict[str, Any]], *, duplicate: bool = False
) -> Outcome:
    """What the caller of ``record`` gets, from what is stored."""
    said = [
        Said(
            plugin=d["plugin"], instance="/".join(d["instance"]) if "instance" in d else "",
            code=d["code"], reason=d["reason"],
            effects=tuple([effect["type"] for effect in d["effects"]]) if "effects" in d else (),
        )
        for d in decisions
    ]  # fmt: skip
    return Outcome(
        touchpoint=TouchpointId(id_),
        customer=None if person is None else CustomerId(person),
        duplicate=duplicate,
        answers={d["plugin"]: d["answer"] for d in decisions if "answer" in d},
        decisions=tuple(said),
    )


def _course(frame: Frame, done: Sequence[Frame]) -> str:
    """How it came to a touchpoint, by kinds and who emitted them, from the last ones."""
    by_id = {one.id: one for one in done}
    course: list[Frame] = [frame]
    while len(course) < 4 and (parent := by_id.get(course[-1].parent or 0)) is not None:
        course.append(parent)
    return " → ".join(f"{one.touchpoint.kind} (by {one.touchpoint.source})" for one in reversed(course))
