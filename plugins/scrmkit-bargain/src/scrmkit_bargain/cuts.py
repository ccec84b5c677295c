"""How large the cuts are: integer fen, never past the floor."""

from __future__ import annotations

from scrmkit.domain.chance import Chance
from scrmkit_bargain.rules import BargainRules, CutMode


def draw_cut(rules: BargainRules, left_fen: int, cuts_left: int, chance: Chance) -> int:
    """
    Draw one cut.

    Args:
        left_fen: What can still be cut, above 0.
        cuts_left: This one included; only ``double_mean`` and ``percent`` ask,
            and need ``left_fen >= cuts_left * rules.min_cut_fen``.

    Returns:
        From 1 to *left_fen*, in fen; *left_fen* itself where it is the last cut.
    """
    match rules.cut:
        case CutMode.DOUBLE_MEAN:
            return _double_mean(left_fen, cuts_left, rules.min_cut_fen, chance)
        case CutMode.PERCENT:
            return _percent(left_fen, cuts_left, rules.min_cut_fen, chance)
        case CutMode.RANGE:
            low, high = rules.range_low_fen or 1, rules.range_high_fen or 1
            return min(left_fen, low + chance.randbelow(high - low + 1))
        case CutMode.FIXED:
            return min(left_fen, rules.fixed_fen or 1)


def split_all(rules: BargainRules, chance: Chance) -> tuple[int, ...]:
    """Draw every cut down to the floor, in the order in which they are handed out."""
    cuts: list[int] = []
    left_fen = rules.span_fen
    while left_fen:
        cuts.append(draw_cut(rules, left_fen, rules.helpers - len(cuts), chance))
        left_fen -= cuts[-1]
    return tuple(cuts)


def _double_mean(left_fen: int, cuts_left: int, least_fen: int, chance: Chance) -> int:
    if cuts_left == 1:
        return left_fen
    spare_fen = left_fen - least_fen * cuts_left
    return least_fen + chance.randbelow(2 * spare_fen // cuts_left + 1)


def _percent(left_fen: int, cuts_left: int, least_fen: int, chance: Chance) -> int:
    if cuts_left == 1:
        return left_fen
    spare_fen = left_fen - least_fen * cuts_left
    return max(least_fen, spare_fen * (20 + chance.randbelow(31)) // 100)
