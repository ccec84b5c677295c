"""Every code block of the docs and of the READMEs runs."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNNER = Path(__file__).with_name("run_page.py")
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "plugins/*/README.md", "examples/**/*.md")
    for page in ROOT.glob(pattern)
)
RUN = {"python", "console", "toml", "json"}
SHOWN = {"text", "sh", "csv", "mermaid"}
"""Not run: output, what sets a machine up (continuous integration does that), tables, pictures."""

spec = importlib.util.spec_from_file_location("run_page", RUNNER)
assert spec is not None
assert spec.loader is not None
run_page = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run_page)


def run(page: Path, directory: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    return subprocess.run(
        [sys.executable, str(RUNNER), str(page)],
        cwd=directory,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])
def test_every_block_of_the_page_runs(page: Path, tmp_path: Path):
    found = list(run_page.blocks(page.read_text()))

    unknown = [(block.line, block.language) for block in found if block.language not in RUN | SHOWN]
    assert unknown == [], f"write one of {sorted(RUN | SHOWN)} after the backticks"
    if any(block.language in RUN for block in found):
        result = run(page, tmp_path)
        assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("\n```python\n1 / 0\n```\n", "line 3, in <module>", id="python that raises"),
        pytest.param("```console\n$ false\n```\n", "ended with 1", id="a command that fails"),
        pytest.param("```console\n$ echo a\nb\n```\n", "should print", id="other output"),
        pytest.param("```toml\n= 1\n```\n", "TOMLDecodeError", id="TOML that is none"),
        pytest.param("```json\n{]\n```\n", "JSONDecodeError", id="JSON that is none"),
        pytest.param("```python\n", "never closed", id="a block without an end"),
    ],
)
def test_a_page_fails_for(tmp_path: Path, text: str, problem: str):
    page = tmp_path / "page.md"
    page.write_text(text)

    result = run(page, tmp_path)

    assert result.returncode != 0
    assert problem in result.stdout


def test_later_blocks_see_what_earlier_ones_made(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(
        "```python\n# shop.py\nNAME = '上海'\n```\n"
        "- and then\n\n"
        "    ```python\n    from __future__ import annotations\n    fen = 5\n    ```\n"
        "```console\n$ cat \\\n  shop.py\n...\nNAME = ...\n```\n"
        "```python\nassert fen == 5\n```\n"
    )

    result = run(page, tmp_path)

    assert result.returncode == 0, result.stdout
