"""What the tests share; their helper modules lie beside them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from scrmkit.cli import run_command

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


@attrs.frozen
class Ran:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The last line of standard output."""
        return json.loads(self.out.splitlines()[-1])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands run: there are settings for a database that is not there yet."""
    for name in ("SCRMKIT_SETTINGS", "SCRMKIT_DATABASE", "SCRMKIT_ZONE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SCRMKIT_SECRET", "correct-horse-battery")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scrmkit.toml").write_text('[scrmkit]\ndatabase = "sqlite:///engine.db"\n')
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run one command."""

    def command(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run_command(list(arguments))
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return command
