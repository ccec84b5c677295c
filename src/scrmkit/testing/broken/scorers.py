"""A good scorer, and one broken one for each check of its suite."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

import attrs
import pytest

from scrmkit.domain.kinds import MessageReceived
from scrmkit.domain.profile import Part, Score
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.testing.factories import NOON, make_order_paid, make_touchpoint
from scrmkit.testing.suites.scorers import History, ScorerSuite

WORDS = "please call me back"


@attrs.frozen(kw_only=True)
class Seen:
    """What the good scorer remembers. *last_day* counts as ``date.toordinal``, 0 for never."""

    orders: int = 0
    fen: int = 0
    texts: int = 0
    last_day: int = 0


@attrs.frozen(kw_only=True)
class Most:
    """The most orders that anybody has."""

    orders: int = 0


class GoodScorer:
    """Up to 60 points for orders against the most, up to 40 for the last of them being recent."""

    kinds = frozenset({"order.paid", "message.received"})

    def empty(self) -> Any:
        """Nothing seen."""
        return Seen()

    def fold(self, features: Any, touchpoint: Touchpoint[Any]) -> Any:
        """Count."""
        day = touchpoint.occurred_at.date().toordinal()
        if isinstance(touchpoint.payload, MessageReceived):
            return attrs.evolve(features, texts=features.texts + 1)
        return attrs.evolve(
            features,
            orders=features.orders + 1,
            fen=features.fen + touchpoint.payload.amount_fen,
            last_day=max(features.last_day, day),
        )

    def combine(self, one: Any, other: Any) -> Any:
        """Add."""
        return attrs.evolve(
            one,
            orders=one.orders + other.orders,
            fen=one.fen + other.fen,
            texts=one.texts + other.texts,
            last_day=max(one.last_day, other.last_day),
        )

    def calibrate(self, population: Iterable[Any], as_of: datetime) -> Any:
        """Find the most orders."""
        return Most(orders=max((features.orders for features in population), default=0))

    def score(self, features: Any, calibration: Any, as_of: datetime, previous: Any) -> Any:
        """Explain both parts."""
        ordered = 6_000 * features.orders // max(calibration.orders, 1)
        age = as_of.date() - date.fromordinal(max(features.last_day, 1))
        recent = max(0, 4_000 - 10 * age.days) if features.last_day else 0
        parts = (Part(name="orders", hundredths=ordered), Part(name="recent", hundredths=recent))
        total = ordered + recent
        band = "high" if total >= 5_000 else "low"
        return Score(scorer="good", hundredths=total, band=band, as_of=as_of, parts=parts)


class Harness(ScorerSuite):
    """The suite with the fixtures that a vendor gives."""

    plugin_class: ClassVar[type[GoodScorer]] = GoodScorer
    falls_with_time = True

    @pytest.fixture
    def scorer(self) -> GoodScorer:
        """The scorer under test."""
        return self.plugin_class()

    @pytest.fixture
    def histories(self) -> Sequence[History]:
        """Customers with three, two and one orders; the first wrote as well."""
        wrote = make_touchpoint(payload=MessageReceived(text=WORDS), at=NOON + timedelta(6))
        return [
            [_paid("a1", 1), _paid("a2", 5), wrote, _paid("a3", 9)],
            [_paid("b1", 2), _paid("b2", 3)],
            [_paid("c1", 1)],
        ]


def _paid(order_no: str, day: int) -> Touchpoint[Any]:
    return make_order_paid(order_no, 1_000 * day, at=NOON + timedelta(day))


class ListensToMore(GoodScorer):
    """Listens to a kind that is in no history."""

    kinds = GoodScorer.kinds | {"contact.added"}


class _Keeps(GoodScorer):
    """What the next ones keep beside."""

    features: ClassVar[type] = Seen

    def empty(self) -> Any:
        """Their own features."""
        return self.features()


@attrs.frozen(kw_only=True)
class _Halves(Seen):
    halves: float = 0.5


class CountsInFloats(_Keeps):
    """Keeps a half."""

    features = _Halves


@attrs.frozen(kw_only=True)
class _Locked(Seen):
    lock: Any = attrs.field(factory=threading.Lock, eq=False)


class KeepsALock(_Keeps):
    """Keeps what is no JSON."""

    features = _Locked


@attrs.frozen(kw_only=True)
class _Last(Seen):
    last: int = 0


class RemembersTheLast(_Keeps):
    """Keeps the amount that came last instead of the newest one."""

    features = _Last

    def fold(self, features: Any, touchpoint: Touchpoint[Any]) -> Any:
        """Keep the amount."""
        folded = super().fold(features, touchpoint)
        fen = getattr(touchpoint.payload, "amount_fen", folded.last)
        return attrs.evolve(folded, last=fen)

    def combine(self, one: Any, other: Any) -> Any:
        """Keep the amount of the later day."""
        later = max(one, other, key=lambda features: features.last_day)
        return attrs.evolve(super().combine(one, other), last=later.last)


class CombinesOneSide(GoodScorer):
    """Forgets the orders of one of two merged customers."""

    def combine(self, one: Any, other: Any) -> Any:
        """Take the larger count, and do not add."""
        both = super().combine(one, other)
        return attrs.evolve(both, orders=max(one.orders, other.orders))


class EmptyWins(GoodScorer):
    """Makes nothing of somebody who is merged with nobody."""

    def combine(self, one: Any, other: Any) -> Any:
        """Nobody at all."""
        nobody = self.empty()
        return nobody if nobody in (one, other) else super().combine(one, other)


@attrs.frozen(kw_only=True)
class _Trail(Seen):
    trail: list[str] = attrs.field(factory=list, eq=False)


class WritesOnItsInput(_Keeps):
    """Leaves a trail in the features that it was given."""

    features = _Trail

    def fold(self, features: Any, touchpoint: Touchpoint[Any]) -> Any:
        """Write the key down."""
        features.trail.append(touchpoint.key)
        return super().fold(features, touchpoint)


@attrs.frozen(kw_only=True)
class _Words(Seen):
    words: str = ""


class KeepsWords(_Keeps):
    """Keeps the longest text that the customer wrote."""

    features = _Words

    def fold(self, features: Any, touchpoint: Touchpoint[Any]) -> Any:
        """Keep the text."""
        folded = super().fold(features, touchpoint)
        text = getattr(touchpoint.payload, "text", "")
        return attrs.evolve(folded, words=max(folded.words, text, key=len))

    def combine(self, one: Any, other: Any) -> Any:
        """Keep the longer one."""
        both = super().combine(one, other)
        return attrs.evolve(both, words=max(one.words, other.words, key=len))


class IteratesTwice(GoodScorer):
    """Counts the population before it looks at it."""

    def calibrate(self, population: Iterable[Any], as_of: datetime) -> Any:
        """Count, then look."""
        count = sum(1 for _ in population)
        most = super().calibrate(population, as_of)
        return attrs.evolve(most, orders=most.orders + (count > 99))


class LooksAtTheFirst(GoodScorer):
    """Takes the first customer for the best."""

    def calibrate(self, population: Iterable[Any], as_of: datetime) -> Any:
        """Look at one, and hope that nobody has three more."""
        first = next(iter(population), self.empty())
        return Most(orders=3 + first.orders)


@attrs.frozen(kw_only=True)
class _LockedMost(Most):
    lock: Any = attrs.field(factory=threading.Lock, eq=False)


class CalibratesALock(GoodScorer):
    """Makes a calibration that is no JSON."""

    def calibrate(self, population: Iterable[Any], as_of: datetime) -> Any:
        """Lock it."""
        return _LockedMost(orders=super().calibrate(population, as_of).orders)


class NeedsOrders(GoodScorer):
    """Cannot score where the population is empty."""

    def calibrate(self, population: Iterable[Any], as_of: datetime) -> Any:
        """Find the most orders of somebody."""
        several = list(population)
        return super().calibrate(several, as_of) if several else Most(orders=-1)

    def score(self, features: Any, calibration: Any, as_of: datetime, previous: Any) -> Any:
        """Take for granted that there was somebody."""
        if calibration.orders < 0:
            raise ZeroDivisionError("the most orders")
        return super().score(features, calibration, as_of, previous)


class _Says(GoodScorer):
    """What the next ones change of each score."""

    def said(self, score: Score, previous: Any) -> Score:
        """The score as it should not be."""
        return score

    def score(self, features: Any, calibration: Any, as_of: datetime, previous: Any) -> Any:
        """Score well, and change it."""
        return self.said(super().score(features, calibration, as_of, previous), previous)


class GoesOverboard(_Says):
    """Gives more points than there are."""

    def said(self, score: Score, previous: Any) -> Score:
        """Add a bonus."""
        bonus = Part(name="bonus", hundredths=9_000)
        return attrs.evolve(score, hundredths=score.hundredths + 9_000, parts=(*score.parts, bonus))


class LosesAHundredth(_Says):
    """Rounds the sum, and not the parts."""

    def said(self, score: Score, previous: Any) -> Score:
        """Round down."""
        return attrs.evolve(score, hundredths=max(0, score.hundredths - 1))


class ForgetsWhen(_Says):
    """Dates a score to the first of the month."""

    def said(self, score: Score, previous: Any) -> Score:
        """Date it back."""
        return attrs.evolve(score, as_of=score.as_of.replace(day=1))


class SpeaksInNumbers(_Says):
    """Says in its words what is no text."""

    def said(self, score: Score, previous: Any) -> Score:
        """Say a number."""
        return attrs.evolve(score, words=(score.hundredths,))  # type: ignore[arg-type]


class ChangesItsMind(_Says):
    """Counts in itself how often it was asked."""

    def __init__(self) -> None:
        self.count = 0

    def said(self, score: Score, previous: Any) -> Score:
        """Count on, unless it was asked before."""
        self.count += previous is None
        return attrs.evolve(score, words=(f"asked {self.count} times",))


class Wavers(_Says):
    """Moves the band whenever there is a previous score."""

    def said(self, score: Score, previous: Any) -> Score:
        """Move on."""
        return score if previous is None else attrs.evolve(score, band=f"{previous.band}+")


class GrowsWithAge(_Says):
    """Gives points for being patient."""

    def said(self, score: Score, previous: Any) -> Score:
        """Add 20 hundredths a day."""
        days = (score.as_of - NOON).days
        total = min(10_000, score.hundredths + 20 * days)
        return attrs.evolve(score, hundredths=total, parts=())
