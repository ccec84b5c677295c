"""Where the scores 1 to 5 begin: fixed thresholds, or quintiles of a population."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import attrs

from scrmkit.errors import InvalidValueError
from scrmkit_rfm.orders import Measures


def _four_rising(instance: object, attribute: attrs.Attribute[tuple[int, ...]], value: tuple[int, ...]) -> None:
    if len(value) != 4 or list(value) != sorted(set(value)) or value[0] < 0:
        raise InvalidValueError(
            f"{attribute.name} takes four numbers of 0 or more, each above the one before it; got {list(value)}"
        )


@attrs.frozen(kw_only=True)
class Thresholds:
    """
    Fixed thresholds for the scores; whoever ordered at all has at least 1.

    The defaults are for retail; they are a convention of this project.

    Attributes:
        recency_days: The most days since the last order for 5, 4, 3 and 2.
        frequency: The fewest order days for 2, 3, 4 and 5.
        monetary_fen: The least money for 2, 3, 4 and 5, in fen.
    """

    recency_days: tuple[int, ...] = attrs.field(default=(30, 60, 90, 180), converter=tuple, validator=_four_rising)
    frequency: tuple[int, ...] = attrs.field(default=(2, 4, 6, 10), converter=tuple, validator=_four_rising)
    monetary_fen: tuple[int, ...] = attrs.field(
        default=(30_000, 80_000, 200_000, 500_000), converter=tuple, validator=_four_rising
    )

    def rate(self, measures: Measures) -> tuple[int, int, int]:
        """The scores for recency, frequency and money, each from 1 to 5."""
        late = sum(measures.recency_days > most for most in self.recency_days)
        often = sum(measures.frequency >= least for least in self.frequency)
        money = sum(measures.monetary_fen >= least for least in self.monetary_fen)
        return 5 - late, 1 + often, 1 + money


@attrs.frozen(kw_only=True)
class Cut:
    """From *least* on, the score is *score*, until the next cut."""

    least: int
    score: int


def quintile_cuts(values: Iterable[int]) -> tuple[Cut, ...]:
    """
    Cut values into five by the midrank of each; a higher value is never worse.

    Equal values share a score, so few distinct values fill few of the five.
    A value's score is ``1 + floor(5 * (below + (equal - 1) / 2) / n)``.
    """
    counts = sorted(Counter(values).items())
    n = sum(count for _, count in counts)
    cuts: list[Cut] = []
    below = 0
    for value, equal in counts:
        score = 1 + 5 * (2 * below + equal - 1) // (2 * n)
        if not cuts or cuts[-1].score != score:
            cuts.append(Cut(least=value, score=score))
        below += equal
    return tuple(cuts)


def score_by_cuts(cuts: Sequence[Cut], value: int) -> int:
    """The score of *value*; below everything that the population knew it is 1."""
    score = 1
    for cut in cuts:
        if value < cut.least:
            break
        score = cut.score
    return score


@attrs.frozen(kw_only=True)
class Calibration:
    """
    A population's quintiles and means, kept so that a score can be reproduced.

    Means are kept as sums, so that comparing with them is exact.

    Attributes:
        as_of_day: As ``date.toordinal`` counts.
        window_days: The window that the population was measured in, 0 for all history.
        customers: How many customers had an order.
        recency: Cuts over the days since the last order, counted below zero so
            that more is better.
        frequency: Cuts over the order days.
        monetary: Cuts over the money, in fen.
    """

    as_of_day: int
    window_days: int
    customers: int = 0
    recency_days_sum: int = 0
    frequency_sum: int = 0
    monetary_fen_sum: int = 0
    recency: tuple[Cut, ...] = ()
    frequency: tuple[Cut, ...] = ()
    monetary: tuple[Cut, ...] = ()

    def rate(self, measures: Measures) -> tuple[int, int, int]:
        """The scores by quintile for recency, frequency and money, each from 1 to 5."""
        return (
            score_by_cuts(self.recency, -measures.recency_days),
            score_by_cuts(self.frequency, measures.frequency),
            score_by_cuts(self.monetary, measures.monetary_fen),
        )

    def against_means(self, measures: Measures) -> tuple[bool, bool, bool]:
        """Whether each of the three is at least as good as the population's mean."""
        n = self.customers
        return (
            measures.recency_days * n <= self.recency_days_sum,
            measures.frequency * n >= self.frequency_sum,
            measures.monetary_fen * n >= self.monetary_fen_sum,
        )


def calibrate(measured: Sequence[Measures], as_of_day: int, window_days: int) -> Calibration:
    """Take the quintiles and means of everybody who has an order."""
    return Calibration(
        as_of_day=as_of_day,
        window_days=window_days,
        customers=len(measured),
        recency_days_sum=sum(one.recency_days for one in measured),
        frequency_sum=sum(one.frequency for one in measured),
        monetary_fen_sum=sum(one.monetary_fen for one in measured),
        recency=quintile_cuts(-one.recency_days for one in measured),
        frequency=quintile_cuts(one.frequency for one in measured),
        monetary=quintile_cuts(one.monetary_fen for one in measured),
    )
