"""Scores of everybody: features from the log, one calibration, results written in chunks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy import select

from scrmkit.clock import from_micros, to_micros
from scrmkit.domain.decisions import Decision
from scrmkit.domain.effects import Emit, SetScore
from scrmkit.domain.ids import CustomerId, TenantId
from scrmkit.domain.kinds import ScoreBanded, ScoresComputed
from scrmkit.domain.profile import Score
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit.engine.frame import key_of
from scrmkit.errors import UnknownNameError
from scrmkit.persistence import schema
from scrmkit.persistence.database import Wire, keys_json

CHUNK = 500


@attrs.frozen(kw_only=True)
class ScoringReport:
    """
    What a scoring run did.

    Attributes:
        scored: How many customers have a score of this moment.
        moved: How many of them moved to another band.
    """

    scorer: str
    as_of: datetime
    scored: int
    moved: int


def run(
    engine: Engine, scorer: str, tenant: str, as_of: datetime, progress: Callable[[int, int], None] | None
) -> ScoringReport:
    """Score everybody; see ``Audience.score``."""
    plugins = {loaded.name: loaded.plugin for loaded in engine.plugins.by_family("scorer")}
    if scorer not in plugins:
        names = ", ".join(plugins) or "none"
        raise UnknownNameError(f"no scorer is configured as {scorer!r}; there are: {names}")
    return _Run(engine, scorer, plugins[scorer], tenant, as_of).all(progress)


def scores(engine: Engine, scorer: str, tenant: str) -> Iterator[tuple[CustomerId, Score]]:
    """The newest score of every customer who has one; see ``Audience.scores``."""
    s = schema.score.c
    clause = (
        select(s.person, s.detail)
        .where(s.tenant == tenant, s.scorer == scorer)
        .order_by(s.person, s.at.desc(), s.customer)
    )
    last = None
    with engine.database.reading() as wire:
        for person, detail in wire.stream(*engine.database.statements.bound(clause)):
            if person != last:
                yield CustomerId(person), engine.codec.load(json.loads(detail), Score)
            last = person


@attrs.frozen
class _Run:
    """One run of one scorer over the customers of a tenant."""

    engine: Engine
    name: str
    scorer: Any
    tenant: str
    as_of: datetime

    def all(self, progress: Callable[[int, int], None] | None) -> ScoringReport:
        """Score them chunk by chunk."""
        with self.engine.database.reading() as wire:
            features = self._features(wire)
        calibration = self.scorer.calibrate(features.values(), self.as_of)
        people = sorted(features)
        moved = 0
        for start in range(0, len(people), CHUNK):
            chunk = people[start : start + CHUNK]
            before = self._previous(chunk)
            after = {person: self._score(features[person], calibration, before.get(person)) for person in chunk}
            banded = [
                _banded(person, before[person], score)
                for person, score in after.items()
                if person in before and before[person].band != score.band
            ]
            moved += len(banded)
            self._record(calibration, after, banded)
            if progress is not None:
                progress(start + len(chunk), len(people))
        return ScoringReport(scorer=self.name, as_of=self.as_of, scored=len(people), moved=moved)

    def _score(self, features: Any, calibration: Any, previous: Score | None) -> Score:
        score = self.scorer.score(features, calibration, self.as_of, previous)
        if not isinstance(score, Score):
            raise TypeError(f"{self.name}.score returned a {type(score).__name__}")
        return score

    def _features(self, wire: Wire) -> dict[int, Any]:
        """The features of every person: of each original customer, then combined."""
        scorer, own = self.scorer, dict[int, Any]()
        for customer, touchpoint in self._history(wire):
            there = own[customer] if customer in own else scorer.empty()
            own[customer] = scorer.fold(there, touchpoint)
        c = schema.customer.c
        everybody = select(c.id, c.person).where(c.tenant == self.tenant)
        combined: dict[int, Any] = {}
        for customer, person in wire.rows(*self.engine.database.statements.bound(everybody)):
            features = own[customer] if customer in own else scorer.empty()
            if person in combined:
                features = scorer.combine(combined[person], features)
            combined[person] = features
        return combined

    def _history(self, wire: Wire) -> Iterator[tuple[int, Touchpoint[Any]]]:
        """Every touchpoint that counts, with its original customer."""
        t, kinds = schema.touchpoint.c, self.engine.plugins.kinds
        for kind in sorted(self.scorer.kinds):
            clause = select(t.customer, t.person, t.key, t.version, t.occurred_at, t.payload).where(
                t.tenant == self.tenant, t.kind == kind, t.person.is_not(None), t.occurred_at < to_micros(self.as_of)
            )
            rows = wire.stream(*self.engine.database.statements.bound(clause))
            for customer, person, key, version, at, payload in rows:
                yield (
                    customer,
                    Touchpoint(
                        kind=kind, key=key, tenant=TenantId(self.tenant),
                        occurred_at=from_micros(at), customer=CustomerId(person),
                        payload=self.engine.codec.join(
                            kinds[kind], version, json.loads(payload), None
                        ),
                    ),
                )  # fmt: skip

    def _previous(self, people: Sequence[int]) -> dict[int, Score]:
        """The newest scores from before this moment."""
        database, names = self.engine.database, ("person", "at", "scorer", "detail")
        statement = database.statements.by_keys(schema.score, ("tenant", "person"), names)
        with database.reading() as wire:
            rows = wire.rows(statement, keys_json([(self.tenant, person) for person in people]))
        limit = to_micros(self.as_of)
        newest = {person: detail for person, at, scorer, detail in sorted(rows) if scorer == self.name and at < limit}
        return {person: self.engine.codec.load(json.loads(detail), Score) for person, detail in newest.items()}

    def _record(self, calibration: Any, scored: dict[int, Score], banded: Sequence[Emit]) -> None:
        text = self.engine.shared.documents.score_text
        told = [f"{person}={text(score)}" for person, score in scored.items()]
        touchpoint: Touchpoint[Any] = Touchpoint(
            kind="score.computed",
            key=key_of(self.name, self.as_of.isoformat(), *told),
            tenant=TenantId(self.tenant),
            occurred_at=self.as_of,
            payload=ScoresComputed(
                scorer=self.name, calibration=self.engine.codec.dump(calibration), count=len(scored)
            ),
            source=self.name,
        )
        set_scores = [SetScore(score=score, customer=CustomerId(person)) for person, score in scored.items()]
        decision = Decision(
            reason=f"{len(scored)} customers scored as of {self.as_of.date().isoformat()}",
            effects=(*set_scores, *banded),
        )
        self.engine.record_decided(touchpoint, self.name, decision)


def _banded(person: int, previous: Score, score: Score) -> Emit:
    return Emit(
        kind="score.banded",
        payload=ScoreBanded(scorer=score.scorer, before=previous.band, after=score.band),
        step=f"banded:{person}",
        customer=CustomerId(person),
    )
