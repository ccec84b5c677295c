"""Chance that can be replayed: draws that are a function of what they are for."""

from __future__ import annotations

from hashlib import blake2b


class Chance:
    """
    Draws for one decision, equal for equal seeds and free of cost when unused.

    Seeded by the engine with the tenant's secret, the touchpoint's identity key
    and the plugin's name, so that nobody outside can foresee a draw and every
    repetition gives the same.
    """

    __slots__ = ("_drawn", "_key", "_seed")

    def __init__(self, *seed: bytes) -> None:
        self._seed = seed
        self._key = b""
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
        return int.from_bytes(self._bytes(width), "big") % limit

    def _bytes(self, count: int) -> bytes:
        if not self._key:
            self._key = blake2b(b"\x1f".join(self._seed), digest_size=32).digest()
        drawn = b""
        while len(drawn) < count:
            counter = self._drawn.to_bytes(8, "big")
            drawn += blake2b(counter, key=self._key, digest_size=64).digest()
            self._drawn += 1
        return drawn[:count]

    def __repr__(self) -> str:
        return "Chance(...)"
