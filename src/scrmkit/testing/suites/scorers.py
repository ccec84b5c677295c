"""The suite of scorers."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from functools import reduce
from typing import Any, ClassVar

import attrs
import pytest

from scrmkit.domain.profile import Score
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.testing.suites.base import Suite, check, wanted
from scrmkit.testing.suites.values import personal_texts, shown, snapshot, storing_problem, walk

History = Sequence[Touchpoint[Any]]
_ORDERS = 6
_LATER_DAYS = (1, 7, 30, 91, 365, 1_500)


class ScorerSuite(Suite):
    """
    What every scorer keeps; give it the scorer, and what some customers did.

    Attributes:
        bounds: The least and the highest score, in hundredths of a point.
        falls_with_time: Whether a score never rises while nothing happens.
    """

    family: ClassVar[str] = "scorer"
    bounds: ClassVar[tuple[int, int]] = (0, 10_000)
    falls_with_time: ClassVar[bool] = False

    @pytest.fixture
    def scorer(self) -> Any:
        """Override: your scorer."""
        wanted("scorer", "return an object of your plugin, made with make_context(...)")

    @pytest.fixture
    def subject(self, scorer: Any) -> Any:
        """The scorer, for the checks of all plugins."""
        return scorer

    @pytest.fixture
    def histories(self) -> Sequence[History]:
        """Override: what three or more customers did, together every kind that is folded."""
        wanted("histories", "return the touchpoints of three customers or more, a list for each")

    @pytest.fixture
    def as_of(self, histories: Sequence[History]) -> datetime:
        """When the customers are scored: a day after the last touchpoint."""
        return max(each.occurred_at for history in histories for each in history) + timedelta(1)

    @pytest.fixture
    def population(self, scorer: Any, histories: Sequence[History]) -> Sequence[Any]:
        """The features of each customer."""
        return [_folded(scorer, history) for history in histories]

    @pytest.fixture
    def scores(self, scorer: Any, population: Sequence[Any], as_of: datetime) -> Sequence[Score]:
        """The first score of each customer, and of one who did nothing."""
        calibration = scorer.calibrate(population, as_of)
        return [scorer.score(features, calibration, as_of, None) for features in (*population, scorer.empty())]

    @pytest.fixture
    def secrets(self, canaries: Sequence[str], histories: Sequence[History]) -> frozenset[str]:
        """The canaries, and what the examples mark as personal."""
        return frozenset(canaries) | personal_texts(histories)

    # --- features ------------------------------------------------------------------------

    @check(broken="scorers:ListensToMore")
    def test_every_kind_is_in_a_history(self, scorer: Any, histories: Sequence[History]) -> None:
        """The examples hold every kind that the scorer folds."""
        missing = set(scorer.kinds) - {each.kind for history in histories for each in history}
        assert missing == set(), "put touchpoints of these kinds into the fixture 'histories'"
        assert len(histories) >= 3, "give the histories of three customers or more"

    @check(broken="scorers:CountsInFloats")
    def test_features_hold_whole_numbers(self, population: Sequence[Any]) -> None:
        """Fractions add up otherwise in another order: keep sums and counts."""
        for features in population:
            assert attrs.has(type(features)), "features are an attrs value"
            for path, value, _ in walk(features):
                assert not isinstance(value, float | complex | Fraction), (
                    f"the features' {path} is a {type(value).__name__}: keep integers, such as "
                    "fen, days and counts, and divide in score()"
                )

    @check(broken="scorers:KeepsALock")
    def test_features_can_be_stored(self, scorer: Any, population: Sequence[Any]) -> None:
        """Features are kept as JSON, and come back equal."""
        for features in (*population, scorer.empty()):
            problem = storing_problem(features, type(scorer.empty()))
            assert problem is None, f"features are not kept: {problem}"

    @check(broken="scorers:RemembersTheLast")
    def test_the_order_of_touchpoints_makes_no_difference(self, scorer: Any, histories: Sequence[History]) -> None:
        """Platforms deliver late and out of order."""
        for history in histories:
            expected = _folded(scorer, history)
            for shuffled in _shuffled(history):
                assert _folded(scorer, shuffled) == expected, (
                    "fold() gave other features for another order of the same touchpoints: keep "
                    "sums, counts, least and greatest moments"
                )

    @check(broken="scorers:CombinesOneSide")
    def test_combining_is_folding_both(self, scorer: Any, histories: Sequence[History]) -> None:
        """Merged customers have the features of one who did all of it, whoever comes first."""
        for history in histories:
            expected = _folded(scorer, history)
            for at in range(1, len(history)):
                one, other = _folded(scorer, history[:at]), _folded(scorer, history[at:])
                assert scorer.combine(one, other) == expected, (
                    f"combine() of the first {at} touchpoints and the rest is not what fold() makes of all of them"
                )
                assert scorer.combine(other, one) == expected, "combine() depends on the order"

    @check(broken="scorers:EmptyWins")
    def test_an_empty_customer_adds_nothing(self, scorer: Any, population: Sequence[Any]) -> None:
        """Combining with who did nothing changes nothing."""
        for features in (*population, scorer.empty()):
            assert scorer.combine(features, scorer.empty()) == features, "empty() is neutral"
            assert scorer.combine(scorer.empty(), features) == features, "empty() is neutral"

    @check(broken="scorers:WritesOnItsInput")
    def test_folding_makes_new_features(self, scorer: Any, histories: Sequence[History]) -> None:
        """The old features are somebody else's still."""
        for history in histories:
            features = scorer.empty()
            for touchpoint in history:
                before = snapshot(features), snapshot(touchpoint)
                after = scorer.fold(features, touchpoint)
                assert (snapshot(features), snapshot(touchpoint)) == before, (
                    "fold() changed what it was given: make new features with attrs.evolve()"
                )
                features = after

    @check(broken="scorers:KeepsWords")
    def test_nothing_personal_is_kept(
        self, population: Sequence[Any], scores: Sequence[Score], secrets: frozenset[str]
    ) -> None:
        """Features and scores outlive an erasure."""
        for value in (*population, *scores):
            found = [path for path, inner, _ in walk(value) if _holds(inner, secrets)]
            assert found == [], "these hold a personal value: keep counts, or a digest"

    # --- calibration ---------------------------------------------------------------------

    @check(broken="scorers:IteratesTwice")
    def test_calibrating_reads_the_population_once(
        self, scorer: Any, population: Sequence[Any], as_of: datetime
    ) -> None:
        """The population may be a million customers, read from the database as they come."""
        once, again = scorer.calibrate(iter(population), as_of), scorer.calibrate(population, as_of)
        assert once == again, "calibrate() is given an iterable that can be read once only"

    @check(broken="scorers:LooksAtTheFirst")
    def test_the_order_of_the_population_makes_no_difference(
        self, scorer: Any, population: Sequence[Any], as_of: datetime
    ) -> None:
        """Customers come in the order of the database."""
        expected = scorer.calibrate(population, as_of)
        for shuffled in _shuffled(population):
            assert scorer.calibrate(shuffled, as_of) == expected, (
                "calibrate() gave another result for another order of the same customers"
            )

    @check(broken="scorers:CalibratesALock")
    def test_the_calibration_can_be_stored(self, scorer: Any, population: Sequence[Any], as_of: datetime) -> None:
        """It is kept beside the scores, so that each can be computed again."""
        for some in (population, ()):
            calibration = scorer.calibrate(some, as_of)
            problem = storing_problem(calibration, type(calibration))
            assert problem is None, f"the calibration is not kept: {problem}"

    @check(broken="scorers:NeedsOrders")
    def test_nobody_can_be_scored(self, scorer: Any, population: Sequence[Any], as_of: datetime) -> None:
        """An empty population calibrates, and a customer who did nothing has a score."""
        problem = ""
        for some in ((), population):
            try:
                scorer.score(scorer.empty(), scorer.calibrate(some, as_of), as_of, None)
            except Exception as error:  # noqa: BLE001 - whatever it raises is what is reported
                problem = f"{type(error).__name__} with a population of {len(some)}"
        assert problem == "", "say something of who did nothing, and of an empty population"

    # --- scores --------------------------------------------------------------------------

    @check(broken="scorers:GoesOverboard")
    def test_scores_stay_in_their_bounds(self, scores: Sequence[Score]) -> None:
        """From the least to the highest; the bounds are an attribute of the test class."""
        least, highest = self.bounds
        for score in scores:
            assert isinstance(score, Score), "score() returns a Score"
            assert least <= score.hundredths <= highest, (
                f"a score is {least} to {highest} hundredths; set 'bounds' if yours differ"
            )

    @check(broken="scorers:LosesAHundredth")
    def test_parts_add_up(self, scores: Sequence[Score]) -> None:
        """An explanation that does not add up explains nothing."""
        for score in scores:
            if score.parts:
                total = sum(part.hundredths for part in score.parts)
                assert total == score.hundredths, (
                    "the parts do not sum to the score: split the rest by largest remainder"
                )

    @check(broken="scorers:ForgetsWhen")
    def test_scores_say_whose_and_when(self, scores: Sequence[Score], as_of: datetime) -> None:
        """Every score names the configured scorer and its own moment."""
        assert len({score.scorer for score in scores} - {""}) == 1, (
            "every score names the configured scorer: context.name"
        )
        assert {score.as_of for score in scores} == {as_of}, "a score's as_of is what was given"

    @check(broken="scorers:SpeaksInNumbers")
    def test_scores_can_be_stored(self, scores: Sequence[Score]) -> None:
        """A score is kept as JSON, and comes back equal."""
        for score in scores:
            problem = storing_problem(score, Score)
            assert problem is None, f"a score is not kept: {problem}"

    @check(broken="scorers:ChangesItsMind")
    def test_equal_arguments_give_equal_scores(self, scorer: Any, population: Sequence[Any], as_of: datetime) -> None:
        """Scores are computed again to explain them, and by other engines."""
        calibration = scorer.calibrate(population, as_of)
        for features in population:
            found = [scorer.score(features, calibration, as_of, None) for _ in range(3)]
            assert found == [found[0]] * 3, "score() answers otherwise when it is asked again"

    @check(broken="scorers:Wavers")
    def test_scoring_again_changes_nothing(self, scorer: Any, population: Sequence[Any], as_of: datetime) -> None:
        """With the score itself as the previous one, the same score comes out."""
        calibration = scorer.calibrate(population, as_of)
        for features in population:
            first = scorer.score(features, calibration, as_of, None)
            again = scorer.score(features, calibration, as_of, first)
            assert again == first, (
                "a score changed though nothing happened: 'previous' is there to keep a band, never to move it"
            )

    @check(broken="scorers:GrowsWithAge")
    def test_scores_fall_while_nothing_happens(self, scorer: Any, population: Sequence[Any], as_of: datetime) -> None:
        """Where the class says ``falls_with_time``: waiting never pays."""
        if not self.falls_with_time:
            pytest.skip("the scorer's test class does not say falls_with_time")
        calibration = scorer.calibrate(population, as_of)
        for features in population:
            moments = [as_of, *(as_of + timedelta(days) for days in _LATER_DAYS)]
            found = [scorer.score(features, calibration, moment, None).hundredths for moment in moments]
            assert found == sorted(found, reverse=True), "a score rose though nothing happened"


def _folded(scorer: Any, history: History) -> Any:
    return reduce(scorer.fold, history, scorer.empty())


def _shuffled(items: Sequence[Any]) -> Iterator[list[Any]]:
    yield list(reversed(items))
    for seed in range(_ORDERS):
        yield random.Random(seed).sample(items, len(items))


def _holds(value: Any, secrets: frozenset[str]) -> bool:
    return isinstance(value, str) and shown(value, secrets) != []
