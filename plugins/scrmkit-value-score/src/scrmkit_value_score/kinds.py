"""The kind of touchpoint that this plugin registers."""

from __future__ import annotations

import attrs

from scrmkit.domain.touchpoint import TouchpointKind
from scrmkit.errors import InvalidValueError
from scrmkit_value_score.formula import Input

SUPPLIED = "value-score.supplied"

SUPPLIABLE = frozenset({Input.MARGIN, Input.PREDICTED_MARGIN, Input.INVITES, Input.COMPLAINTS, Input.FREEBIES})
"""Inputs that no touchpoint of the core stands for; a host or another plugin supplies them."""


@attrs.frozen(kw_only=True)
class InputSupplied:
    """
    Someone computed an input of the value score elsewhere; the newest value counts.

    Attributes:
        input: One of ``margin``, ``predicted_margin`` (both in fen),
            ``invites``, ``complaints`` (both added to what is counted from
            touchpoints) and ``freebies`` (percent).
        value: 0 or more; for ``freebies`` up to 100.
    """

    input: str
    value: int

    def __attrs_post_init__(self) -> None:
        if self.input not in SUPPLIABLE:
            raise InvalidValueError(f"{self.input!r} cannot be supplied; use one of {', '.join(sorted(SUPPLIABLE))}")
        if self.value < 0 or (self.input == Input.FREEBIES and self.value > 100):
            raise InvalidValueError(f"{self.value} is out of range for the input {self.input!r}")


SUPPLIED_KIND: TouchpointKind[InputSupplied] = TouchpointKind(name=SUPPLIED, payload=InputSupplied)
