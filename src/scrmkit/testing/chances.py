"""
Chance in tests: scripted, where a test names every draw, or seeded.

A decision takes its draws from ``now.chance``. A table of a test scripts them::

    step = mechanic.act(bargain, touchpoint, known, make_now(draws=[300]))

and a test that only wants the same draws at every run seeds them instead::

    make_now(seed="any text")
"""

from __future__ import annotations

from collections.abc import Iterable

from scrmkit.domain.chance import Chance
from scrmkit.errors import InvalidValueError


class ScriptedChance(Chance):
    """
    A chance whose draws a test has written down.

    Attributes:
        limits: What was asked for so far, one limit a draw.
    """

    __slots__ = ("_draws", "limits")

    def __init__(self, draws: Iterable[int]) -> None:
        super().__init__(b"scripted")
        self._draws = tuple(draws)
        self.limits: tuple[int, ...] = ()

    @property
    def left(self) -> tuple[int, ...]:
        """The draws that nobody has asked for yet."""
        return self._draws[len(self.limits) :]

    def randbelow(self, limit: int) -> int:
        """
        The next draw of the script.

        Raises:
            ValueError: *limit* is below 1.
            InvalidValueError: The script is over, or its draw is not below *limit*.
        """
        if limit < 1:
            raise ValueError("limit is at least 1")
        if not self.left:
            raise InvalidValueError(
                f"draw {len(self.limits) + 1} (below {limit}) is not in the script; give one more in draws=[...]"
            )
        draw = self.left[0]
        if not 0 <= draw < limit:
            raise InvalidValueError(f"draw {len(self.limits) + 1} is scripted as {draw}, and must be 0 to {limit - 1}")
        self.limits += (limit,)
        return draw


def seeded_chance(seed: str | bytes = b"") -> Chance:
    """A chance that draws the same for the same *seed*, at every run and on every machine."""
    return Chance(b"seeded", seed.encode() if isinstance(seed, str) else seed)
