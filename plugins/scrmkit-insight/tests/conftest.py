"""What the tests share; their helper modules lie beside them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scrmkit.testing.commands import Run

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[object]:
    """A shop with its engine, its rules and its channels, two tenants side by side."""
    from journey_world import JourneyWorld

    world = JourneyWorld(tmp_path)
    with world.engine:
        yield world


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database, of each sort that there is."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'one.db'}"
    else:
        yield request.getfixturevalue("postgresql_url")


@pytest.fixture
def folder(command_folder: Path) -> Path:
    """Where commands run: there are settings for a database that is not there yet."""
    (command_folder / "scrmkit.toml").write_text('[scrmkit]\ndatabase = "sqlite:///engine.db"\n')
    return command_folder


@pytest.fixture
def run(folder: Path, run_scrmkit: Run) -> Run:
    """Run one command."""
    return run_scrmkit
