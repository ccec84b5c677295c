"""Money is integer fen, and splitting it loses none."""

from __future__ import annotations

from collections.abc import Sequence

from scrmkit.errors import InvalidValueError


def split_fen(total_fen: int, weights: Sequence[int]) -> list[int]:
    """
    Split *total_fen* in proportion to *weights* by largest remainder.

    The shares sum to the total exactly; of equal remainders the earlier weight
    gets the odd fen. With only zero weights the shares are equal. As long as
    the total is not above the sum of the weights, no share is above its weight.

    Raises:
        InvalidValueError: The total or a weight is negative, or there is no weight.
    """
    if not weights or total_fen < 0 or min(weights) < 0:
        raise InvalidValueError("split a total of 0 or more over weights of 0 or more")
    whole = sum(weights)
    if whole == 0:
        return split_fen(total_fen, [1] * len(weights))
    shares = [total_fen * weight // whole for weight in weights]
    rest = total_fen - sum(shares)
    by_remainder = sorted(range(len(weights)), key=lambda index: -(total_fen * weights[index] % whole))
    for index in by_remainder[:rest]:
        shares[index] += 1
    return shares
