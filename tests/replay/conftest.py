"""What the tests of digest and replay share; their helper modules lie beside them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database, of each sort that there is."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'one.db'}"
    else:
        yield request.getfixturevalue("postgresql_url")
