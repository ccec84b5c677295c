"""Scores of everybody: once, for each moment, and again where a run ended early."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from scrmkit.domain.decisions import Decision
from scrmkit.engine import Engine
from scrmkit.errors import UnknownNameError
from scrmkit.testing import NOON, FakeRule, FakeScorer, Observer, make_identity, make_order_paid, make_touchpoint
from scrmkit_audience import Audience, ScoringReport

HOUR = timedelta(hours=1)
ANN, BEA = "+8613900000001", "+8613900000002"


class Broken(FakeScorer):
    """Returns no score for whoever has three orders."""

    def score(self, features: Any, calibration: Any, as_of: datetime, previous: Any) -> Any:
        return "many" if features.count == 3 else super().score(features, calibration, as_of, previous)


@pytest.fixture
def banded() -> FakeRule:
    """Hears of those who moved to another band."""
    return FakeRule("score.banded", decide=Decision(reason="noticed"))


@pytest.fixture
def observer() -> Observer:
    return Observer()


@pytest.fixture
def engine(make_engine: Callable[..., Engine], banded: FakeRule, observer: Observer) -> Engine:
    plugins = {"scorer.orders": FakeScorer, "rule.banded": banded, "hooks.observer": observer}
    return make_engine(plugins)


def buy(engine: Engine, number: int, *phones: str, at: datetime = NOON) -> int:
    """One order; of two phones it makes one customer."""
    who = [make_identity(phone) for phone in phones]
    outcome = engine.record(make_order_paid(f"o{number}", at=at, identities=who))
    assert outcome.customer is not None
    return outcome.customer


def points(engine: Engine) -> dict[int, tuple[int, str]]:
    """Everybody's points and band."""
    found = Audience(engine).scores("orders")
    return {person: (score.hundredths // 100, score.band) for person, score in found}


def test_everybody_is_scored_by_one_calibration(engine: Engine):
    ann = buy(engine, 1, ANN)
    buy(engine, 2, ANN)
    bea = buy(engine, 3, BEA)

    report = Audience(engine).score("orders", as_of=NOON + HOUR)

    assert report == ScoringReport(scorer="orders", as_of=NOON + HOUR, scored=2, moved=0)
    assert points(engine) == {ann: (2, "A"), bea: (1, "B")}


def test_somebody_of_whom_nothing_counts_is_scored_as_well(engine: Engine):
    who = [make_identity(ANN)]
    ann = engine.record(make_touchpoint(identities=who)).customer

    Audience(engine).score("orders", as_of=NOON + HOUR)

    assert points(engine) == {ann: (0, "A")}


def test_what_happened_at_the_moment_or_later_does_not_count(engine: Engine):
    ann = buy(engine, 1, ANN)
    buy(engine, 2, ANN, at=NOON + HOUR)

    Audience(engine).score("orders", as_of=NOON + HOUR)

    assert points(engine) == {ann: (1, "A")}


def test_the_orders_of_all_customers_that_a_person_was_are_combined(engine: Engine):
    buy(engine, 1, ANN)
    buy(engine, 2, BEA)
    both = buy(engine, 3, ANN, BEA)

    report = Audience(engine).score("orders", as_of=NOON + HOUR)

    assert report.scored == 1
    assert points(engine) == {both: (3, "A")}


def test_who_moves_to_another_band_is_told_of(engine: Engine, banded: FakeRule):
    ann, bea = buy(engine, 1, ANN), buy(engine, 2, BEA)
    audience = Audience(engine)
    audience.score("orders", as_of=NOON + HOUR)
    buy(engine, 3, BEA, at=NOON + HOUR)

    report = audience.score("orders", as_of=NOON + 2 * HOUR)

    assert report.moved == 1
    assert points(engine) == {ann: (1, "B"), bea: (2, "A")}
    told = [(one.customer, one.payload.before, one.payload.after) for one in banded.touchpoints]
    assert told == [(ann, "A", "B")]


def test_the_same_run_again_changes_nothing(engine: Engine, observer: Observer):
    buy(engine, 1, ANN)
    audience = Audience(engine)
    audience.score("orders", as_of=NOON + HOUR)
    before = len(observer.committed), points(engine)

    report = audience.score("orders", as_of=NOON + HOUR)

    assert report.scored == 1
    assert (len(observer.committed), points(engine)) == before


def test_scores_come_chunk_by_chunk_and_progress_is_said(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("scrmkit_audience.scoring.CHUNK", 2)
    people = {buy(engine, number, f"+861390000001{number}") for number in range(5)}
    said: list[tuple[int, int]] = []

    Audience(engine).score("orders", as_of=NOON + HOUR, progress=lambda *counts: said.append(counts))

    assert said == [(2, 5), (4, 5), (5, 5)]
    assert set(points(engine)) == people


def test_what_is_no_score_ends_the_run_and_what_was_written_stays(
    make_engine: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("scrmkit_audience.scoring.CHUNK", 1)
    engine = make_engine({"scorer.orders": Broken})
    ann = buy(engine, 1, ANN)
    for number in range(2, 5):
        buy(engine, number, BEA)

    with pytest.raises(TypeError, match="returned a str"):
        Audience(engine).score("orders", as_of=NOON + HOUR)

    assert set(points(engine)) == {ann}


def test_a_scorer_that_is_not_configured_is_refused(engine: Engine):
    with pytest.raises(UnknownNameError, match="'order'; there are: orders"):
        Audience(engine).score("order")


def test_a_tenant_has_scores_of_its_own(make_engine: Callable[..., Engine]):
    engine = make_engine({"scorer.orders": FakeScorer}, tenants=["north", "south"])
    audience = Audience(engine)
    for tenant in ("north", "south"):
        engine.record(make_order_paid("o1", identities=[make_identity(ANN)], tenant=tenant))

    audience.score("orders", as_of=NOON + HOUR, tenant="north")

    assert len(list(audience.scores("orders", tenant="north"))) == 1
    assert list(audience.scores("orders", tenant="south")) == []
