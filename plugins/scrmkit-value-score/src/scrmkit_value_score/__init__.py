"""Value score (价值分) from 0 to 100, with an additive explanation."""

from __future__ import annotations

from scrmkit_value_score.features import Acts, Count, Features, Order, Supplied, Switch, SwitchKind
from scrmkit_value_score.formula import Dimension, Explanation, Input, Inputs, Line, PartLines, explain
from scrmkit_value_score.gathering import Calibration
from scrmkit_value_score.kinds import SUPPLIED, InputSupplied
from scrmkit_value_score.scorer import ValueScorer
from scrmkit_value_score.settings import DEFAULT_ACTS, Act, Bands, Language, Scales, Stages, ValueScoreSettings, Weights
from scrmkit_value_score.stages import BANDS, Stage, band_of, stage_of
from scrmkit_value_score.words import numbers, words

__all__ = [
    "BANDS",
    "DEFAULT_ACTS",
    "SUPPLIED",
    "Act",
    "Acts",
    "Bands",
    "Calibration",
    "Count",
    "Dimension",
    "Explanation",
    "Features",
    "Input",
    "InputSupplied",
    "Inputs",
    "Language",
    "Line",
    "Order",
    "PartLines",
    "Scales",
    "Stage",
    "Stages",
    "Supplied",
    "Switch",
    "SwitchKind",
    "ValueScoreSettings",
    "ValueScorer",
    "Weights",
    "band_of",
    "explain",
    "numbers",
    "stage_of",
    "words",
]
