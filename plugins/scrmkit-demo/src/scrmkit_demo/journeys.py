"""One customer's journey for the report; written when the engine can tell it."""

from __future__ import annotations

from collections.abc import Mapping

from scrmkit.domain.ids import CustomerId
from scrmkit.domain.profile import Score
from scrmkit_demo.report.data import Journey
from scrmkit_demo.world import World


def journey_of(
    world: World, rfm: Mapping[CustomerId, Score], value: Mapping[CustomerId, Score]
) -> Journey | None:
    """The journey of a customer with much to tell."""
    return None
