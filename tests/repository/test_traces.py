"""Nothing in the repository depends on where it was written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REGISTRY = re.compile(r"pypi[.]org|python[h]osted[.]org|npm[j]s[.](org|com)|deb[.]debian[.]org")
MACHINE_PATH = re.compile(r"(?<![\w.)}\]/-])/(?:work|root|home|tmp|Users)/\w")
DATA = {".csv", ".json", ".js", ".png", ".svg"}


def found(pattern: re.Pattern[str], files: tuple[Path, ...], root: Path) -> list[str]:
    places = []
    for path in files:
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        places += [
            f"{path.relative_to(root)}:{number}" for number, line in enumerate(lines, start=1) if pattern.search(line)
        ]
    return places


def test_no_package_registry_is_named(root: Path, tracked: tuple[Path, ...]):
    assert found(REGISTRY, tracked, root) == [], "the installer knows its own registry"


def test_no_path_of_one_machine_is_named(root: Path, tracked: tuple[Path, ...]):
    files = tuple(path for path in tracked if path.suffix not in DATA)

    assert found(MACHINE_PATH, files, root) == []


@pytest.mark.parametrize(
    ("line", "named"),
    [
        pytest.param("cd @work/main", True, id="a checkout"),
        pytest.param('"@root/key"', True, id="a home in quotes"),
        pytest.param("https://example.com@work/1", False, id="an address"),
        pytest.param("data@tmp/x", False, id="a relative path"),
    ],
)
def test_a_machines_path_is_told_from_others(line: str, named: bool):
    # With the slash itself, this file would find itself.
    assert bool(MACHINE_PATH.search(line.replace("@", "/"))) is named
