"""What the tests of segments share; their helper modules lie beside them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scrmkit.engine import Engine

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An engine of two tenants, and a segment of one of them."""
    from segment_world import make_engine

    more = {"segments": {"tagged": {"expression": {"tag": {"group": "g"}}, "tenant": "north"}}}
    with make_engine(f"sqlite:///{tmp_path}/scrmkit.db", ["north", "south"], **more) as engine:
        yield engine
