"""What the tests of journeys share; their helper module lies beside them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[object]:
    """A shop with its engine, its rules and its channels, two tenants side by side."""
    from journey_world import JourneyWorld

    world = JourneyWorld(tmp_path)
    with world.engine:
        yield world
