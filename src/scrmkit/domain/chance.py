"""Chance that can be replayed: draws that are a function of what they are for."""

from __future__ import annotations

from hashlib import shake_256


class Chance:
    """
    Draws for one decision, equal for equal seeds and free of cost when unused.

    Seeded by the engine with the tenant's secret, the touchpoint's identity key
    and the plugin's name, so that nobody outside can foresee a draw and every
    repetition gives the same.
    """

    __slots__ = ("_drawn", "_seed")

    def __init__(self, *seed: bytes) -> None:
        self._seed = seed
        self._drawn = 0

    def randbelow(self, limit: int) -> int:
        """
        An integer from 0 to *limit* - 1, each equally likely.

        Raises:
            ValueError: *limit* is below 1.
        """
        if limit < 1:
            raise ValueError("limit is at least 1")
        # Drawing far more bits than needed makes the bias of the remainder
        # smaller than 2**-64.
        width = (limit.bit_length() + 7) // 8 + 8
        self._drawn += 1
        drawn = shake_256(b"\x1f".join((*self._seed, self._drawn.to_bytes(8, "big"))))
        return int.from_bytes(drawn.digest(width), "big") % limit

    def __repr__(self) -> str:
        return "Chance(...)"
