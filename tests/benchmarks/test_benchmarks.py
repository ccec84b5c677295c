"""Every benchmark runs, and says what its readers expect; how fast it was is not looked at."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(name: str, *options: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", "--json", "--rounds", "1", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    found: dict[str, object] = json.loads(line)
    return found


@pytest.mark.parametrize(
    ("name", "options", "keys"),
    [
        pytest.param(
            "intake",
            ["--touchpoints", "200", "--orm", "1"],
            "touchpoints_per_s cpu_us ratio_raw ratio_hand ratio_orm rss_mb",
            id="intake",
        ),
    ],
)
def test_a_benchmark_says_its_numbers_on_one_line(name: str, options: list[str], keys: str):
    found = run(name, *options)

    assert list(found) == keys.split()
    assert all(isinstance(value, int | float) and value > 0 for value in found.values())
