"""What the tests of the repository itself look at."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
IGNORED = {".git", ".tox", ".venv", "__pycache__", "build", "dist", "site"}


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def tracked(root: Path) -> tuple[Path, ...]:
    """Every file that git tracks; every file at all in a copy without git."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached"], cwd=root, capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        files = (root / name for name in listed.stdout.split("\0") if name)
    else:
        files = (path for path in root.rglob("*") if not IGNORED & {*path.relative_to(root).parts})
    return tuple(sorted(path for path in files if path.is_file()))
