"""The demo itself, on the first customers of the order set."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def run_demo(data: Path) -> dict:
    done = subprocess.run(
        [sys.executable, "-m", "scrmkit.cli", "demo", "--json", "--customers", "600", "--data", data],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "154" not in done.stderr  # where every invented phone begins
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def first(folder: Path) -> dict:
    return run_demo(folder / "one")


@pytest.fixture(scope="module")
def second(folder: Path, first: dict) -> dict:
    return run_demo(folder / "one")


def test_every_order_is_recorded_and_everybody_scored(first):
    assert first["orders"] == 2051
    assert first["customers"] == first["scored"] == 600


def test_bargains_and_groups_end_in_every_way(first):
    assert first["bargains"] == {"started": 3, "won": 1, "expired": 2}
    assert first["groups"] == {"opened": 2, "succeeded": 1, "failed": 1}


def test_every_customer_is_planned_for_and_every_contact_welcomed(first):
    assert sum(first["messages"].values()) == 600 + 24


def test_the_report_is_one_file_that_needs_no_network(first):
    page = Path(first["report"]).read_text(encoding="utf-8")

    assert first["digest"] in page
    assert 'src="http' not in page


def test_a_second_run_sends_nothing_and_changes_nothing(first, second):
    assert second["messages"] == {"accepted": 0, "suppressed": 0, "failed": 0}
    assert second["duplicates_ignored"] > 2051
    for same in ("digest", "customers", "orders", "touchpoints", "bargains", "groups", "scored"):
        assert second[same] == first[same]


def test_another_directory_gives_the_same_digest(folder, first):
    assert run_demo(folder / "two")["digest"] == first["digest"]
