"""Scores every customer: features from the log, one calibration, results written in chunks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy import select

from scrmkit.clock import from_micros, to_micros
from scrmkit.domain.decisions import Decision
from scrmkit.domain.effects import Effect, Emit, SetScore
from scrmkit.domain.ids import CustomerId, TenantId
from scrmkit.domain.kinds import ScoreBanded, ScoresComputed
from scrmkit.domain.profile import Score
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.deciding import Shared
from scrmkit.engine.frame import key_of
from scrmkit.engine.intake import Intake
from scrmkit.engine.workset import by_equality
from scrmkit.errors import UnknownNameError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import to_json
from scrmkit.persistence.database import Database, JoinedWire
from scrmkit.plugins import LoadedPlugin

CHUNK = 500
Progress = Callable[[int, int], None]


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


class Scoring:
    """Runs scorers over all customers of a tenant."""

    def __init__(self, shared: Shared, database: Database, intake: Intake) -> None:
        self._shared = shared
        self._database = database
        self._intake = intake

    def run(
        self, scorer: str, as_of: datetime, tenant: str, progress: Progress | None = None
    ) -> ScoringReport:
        """
        Score everybody as of a moment; what happened at or after it does not count.

        Durable chunk by chunk: a run that was interrupted can be run again, and
        the same run again changes nothing. An exception of the scorer is raised:
        unlike a decision's, there is nothing to go on with.

        Raises:
            UnknownNameError: No scorer of that name is configured.
        """
        loaded = self._loaded(scorer)
        with self._database.reading() as wire:
            features = self._features(wire, loaded.plugin, tenant, as_of)
        calibration = loaded.plugin.calibrate(features.values(), as_of)
        snapshot = self._shared.codec.dump(calibration)
        people = sorted(features)
        scored = moved = 0
        for start in range(0, len(people), CHUNK):
            chunk = people[start : start + CHUNK]
            with self._database.reading() as wire:
                before = self._previous(wire, tenant, scorer, chunk, to_micros(as_of))
            effects: list[Effect] = []
            for person in chunk:
                previous = before.get(person)
                score = loaded.plugin.score(features[person], calibration, as_of, previous)
                if not isinstance(score, Score):
                    raise TypeError(f"{scorer}.score returned a {type(score).__name__}")
                effects.append(SetScore(score=score, customer=CustomerId(person)))
                if previous is not None and previous.band != score.band:
                    effects.append(_banded(previous, score, person))
                    moved += 1
            self._write(loaded, tenant, as_of, snapshot, len(chunk), effects)
            scored += len(chunk)
            if progress is not None:
                progress(scored, len(people))
        return ScoringReport(scorer=scorer, as_of=as_of, scored=scored, moved=moved)

    def scores(self, scorer: str, tenant: str) -> Iterator[tuple[CustomerId, Score]]:
        """The newest score of every customer who has one, by customer."""
        table = schema.score
        statement = self._database.statements.once(
            ("scores",),
            lambda: (
                select(table.c.person, table.c.detail)
                .where(by_equality(table, "tenant", "scorer"))
                .order_by(table.c.person, table.c.at.desc(), table.c.customer)
            ),
        )
        last = None
        with self._database.reading() as wire:
            for person, detail in wire.stream(statement, (tenant, scorer)):
                if person != last:
                    yield CustomerId(person), self._shared.codec.load(json.loads(detail), Score)
                last = person

    def _loaded(self, scorer: str) -> LoadedPlugin:
        for loaded in self._shared.plugins.by_family("scorer"):
            if loaded.name == scorer:
                return loaded
        names = ", ".join(one.name for one in self._shared.plugins.by_family("scorer")) or "none"
        raise UnknownNameError(f"no scorer is configured as {scorer!r}; there are: {names}")

    def _features(
        self, wire: JoinedWire, scorer: Any, tenant: str, as_of: datetime
    ) -> dict[int, Any]:
        """The features of every person: of each original customer, then combined."""
        own: dict[int, Any] = {}
        person_of: dict[int, int] = dict(map(tuple, self._customers(wire, tenant)))
        for customer, touchpoint in self._history(wire, tenant, sorted(scorer.kinds), as_of):
            features = own.get(customer)
            own[customer] = scorer.fold(
                scorer.empty() if features is None else features, touchpoint
            )
        combined: dict[int, Any] = {}
        for customer, person in person_of.items():
            features = own[customer] if customer in own else scorer.empty()
            there = combined.get(person)
            combined[person] = features if there is None else scorer.combine(there, features)
        return combined

    def _customers(self, wire: JoinedWire, tenant: str) -> list[Any]:
        table = schema.customer
        statement = self._database.statements.once(
            ("scoring_customers",),
            lambda: select(table.c.id, table.c.person).where(by_equality(table, "tenant")),
        )
        return wire.rows(statement, (tenant,))

    def _history(
        self, wire: JoinedWire, tenant: str, kinds: Sequence[str], as_of: datetime
    ) -> Iterator[tuple[int, Touchpoint[Any]]]:
        t = schema.touchpoint
        known = self._shared.plugins.kinds
        columns = (t.c.customer, t.c.person, t.c.key, t.c.version, t.c.occurred_at, t.c.payload)
        statement = self._database.statements.once(
            ("scoring_history",),
            lambda: select(*columns).where(
                by_equality(t, "tenant", "kind"), t.c.person.is_not(None)
            ),
        )
        limit = to_micros(as_of)
        for kind in kinds:
            for row in wire.stream(statement, (tenant, kind)):
                if row[4] < limit:
                    payload = self._shared.codec.join(known[kind], row[3], json.loads(row[5]), None)
                    yield (
                        row[0],
                        Touchpoint(
                            kind=kind, key=row[2], tenant=TenantId(tenant),
                            occurred_at=from_micros(row[4]), payload=payload,
                            customer=CustomerId(row[1]),
                        ),
                    )  # fmt: skip

    def _previous(
        self, wire: JoinedWire, tenant: str, scorer: str, people: Sequence[int], as_of_us: int
    ) -> dict[int, Score]:
        statement = self._database.statements.by_keys(schema.score, ("tenant", "person"))
        rows = wire.rows(statement, (to_json([(tenant, person) for person in people]),))
        newest: dict[int, tuple[int, Any]] = {}
        for row in rows:
            if (
                row[2] == scorer
                and row[4] < as_of_us
                and newest.get(row[3], (-1, None))[0] < row[4]
            ):
                newest[row[3]] = (row[4], row)
        return {
            person: self._shared.codec.load(json.loads(row[10]), Score)
            for person, (_, row) in newest.items()
        }

    def _write(
        self, loaded: LoadedPlugin, tenant: str, as_of: datetime, snapshot: Any, count: int,
        effects: Sequence[Effect],
    ) -> None:  # fmt: skip
        texts = [
            f"{effect.customer}={self._shared.documents.score_text(effect.score)}"
            for effect in effects
            if isinstance(effect, SetScore)
        ]
        touchpoint: Touchpoint[Any] = Touchpoint(
            kind="score.computed",
            key=key_of(loaded.name, as_of.isoformat(), *texts),
            tenant=TenantId(tenant),
            occurred_at=as_of,
            payload=ScoresComputed(scorer=loaded.name, calibration=snapshot, count=count),
            source=loaded.name,
        )
        decision = Decision(
            reason=f"{count} customers scored as of {as_of.date().isoformat()}",
            effects=tuple(effects),
        )
        self._intake.record_decided(touchpoint, loaded, decision)


def _banded(previous: Score, score: Score, person: int) -> Emit:
    return Emit(
        kind="score.banded",
        payload=ScoreBanded(scorer=score.scorer, before=previous.band, after=score.band),
        step=f"banded:{person}",
        customer=CustomerId(person),
    )
