"""The reference says what the code says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted(path.name for path in (DOCS / "reference").glob("*.md"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference as the code would have it now."""
    folder = tmp_path_factory.mktemp("reference")
    subprocess.run([sys.executable, str(DOCS / "_reference.py"), str(folder)], check=True)
    return folder


def test_the_reference_has_these_pages(written: Path):
    assert sorted(path.name for path in written.iterdir()) == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_reference_is_up_to_date(name: str, written: Path):
    page = (DOCS / "reference" / name).read_text()

    assert page == (written / name).read_text(), "run: python docs/_reference.py"
