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
        pytest.param(
            "callers",
            ["--callers", "4", "--each", "3"],
            "callers ratio cpu_ratio combined_per_s combined_cpu_us combined_p50_ms"
            " combined_p99_ms apart_per_s apart_cpu_us apart_p50_ms apart_p99_ms",
            id="callers",
        ),
        pytest.param("imports", [], "ms modules heavy attrs_ms ratio_attrs engine_ms engine_modules", id="imports"),
        pytest.param(
            "growth",
            ["--sizes", "100", "200", "--touchpoints", "100"],
            "stored wall_us cpu_us ratio cpu_ratio mb",
            id="growth",
        ),
        pytest.param(
            "claims",
            ["--stored", "200", "--claims", "1"],
            "stored alone_ms deferred_ms ratio_deferred cpu_ratio_deferred lower_ms ratio_lower cpu_ratio_lower"
            " waking_ms ratio_waking cpu_ratio_waking",
            id="claims",
        ),
    ],
)
def test_a_benchmark_says_its_numbers_on_one_line(name: str, options: list[str], keys: str):
    assert list(run(name, *options)) == keys.split()


def test_the_hot_campaign_is_not_oversold():
    found = run("hot_campaign", "--asks", "300")

    assert found["oversold"] == 0
    for way in ("many", "callers_2", "callers_32", "callers_128"):
        assert {f"{way}_per_s", f"{way}_p99_ms", f"ratio_{way}"} <= set(found)


def test_importing_the_package_brings_nothing_heavy_along():
    assert run("imports")["heavy"] == []
