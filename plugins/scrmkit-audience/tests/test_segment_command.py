"""``scrmkit segment count``, and what is said of segments that are not written right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scrmkit.engine import Engine
from scrmkit.errors import PluginError
from scrmkit.settings import load_settings
from scrmkit.testing import make_identity, make_order_paid
from scrmkit.testing.commands import SECRET, Run

SETTINGS = """
[scrmkit]
tenants = ["main", "other"]
[segments.much]
expression = { activity = { kind = "order.paid", comparison = ">", value = 500, measure = "sum" } }
[segments.elsewhere]
tenant = "other"
expression = { activity = { kind = "order.paid", comparison = ">=", value = 1 } }
"""


@pytest.fixture
def run(run_scrmkit: Run) -> Run:
    return run_scrmkit


@pytest.fixture
def ready(run: Run, tmp_path: Path) -> None:
    """A database with two customers of the tenant main, one of whom spent much."""
    path = tmp_path / "scrmkit.toml"
    path.write_text(SETTINGS, encoding="utf-8")
    with Engine(load_settings(path, {"SCRMKIT_SECRET": SECRET}), create=True) as engine:
        engine.record_many(
            [
                make_order_paid(f"o{fen}", fen, identities=[make_identity(phone)], tenant="main")
                for fen, phone in ((900, "+8613900000001"), (100, "+8613900000002"))
            ]
        )


def test_a_segment_of_the_settings_is_counted(run: Run, ready: None):
    assert run("segment", "count", "much", "--tenant", "main").out == "1\n"
    assert run("segment", "count", "much", "--tenant", "other").out == "0\n"
    told = json.loads(run("segment", "count", "elsewhere", "--json").out)
    assert (told["tenant"], told["count"]) == ("other", 0)


def test_an_expression_is_counted(run: Run, ready: None):
    text = '{not = {activity = {kind = "order.paid", comparison = ">", value = 1}}}'

    assert run("segment", "count", "--expression", text, "--tenant", "main").out == "2\n"


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        pytest.param([], 2, "name a segment", id="neither"),
        pytest.param(["much", "--expression", "{}"], 2, "name a segment", id="both"),
        pytest.param(["mush"], 1, "did you mean 'much'", id="unknown"),
        pytest.param(["--expression", "{"], 2, "no TOML value", id="no TOML"),
        pytest.param(["--expression", "{tga = {}}"], 2, "did you mean 'tag'", id="no expression"),
        pytest.param(["much", "--as-of", "today"], 2, "offset", id="no moment"),
        pytest.param(["elsewhere", "--tenant", "main"], 2, "of tenant 'other'", id="another's"),
    ],
)
def test_a_segment_that_cannot_be_counted_is_one_message(
    run: Run, ready: None, arguments: list[str], code: int, problem: str
):
    ran = run("segment", "count", *arguments)

    assert ran.code == code
    assert problem in ran.err


MISSPELT = (
    SETTINGS
    + """
[segments.lost]
expression = { tga = { group = "g" } }
[segments.away]
tenant = "othr"
expression = { tag = { group = "g" } }
"""
)
PROBLEMS = [
    "segments.lost.expression.tga: unknown expression; did you mean 'tag'?",
    "segments.away.tenant: unknown tenant; did you mean 'other'?",
]


def test_an_engine_is_not_made_while_a_segment_is_misspelt(tmp_path: Path):
    path = tmp_path / "scrmkit.toml"
    path.write_text(MISSPELT, encoding="utf-8")

    with pytest.raises(PluginError) as caught:
        Engine(load_settings(path, {"SCRMKIT_SECRET": SECRET}), create=True)

    assert list(caught.value.problems) == PROBLEMS


def test_doctor_says_what_is_wrong_with_segments(run: Run, tmp_path: Path):
    (tmp_path / "scrmkit.toml").write_text(MISSPELT, encoding="utf-8")

    ran = run("doctor", "--json")

    told: list[dict[str, Any]] = json.loads(ran.out)
    assert ran.code == 1
    assert [one["text"] for one in told if one["level"] == "error"] == PROBLEMS


def test_a_command_says_what_is_wrong_with_segments(run: Run, tmp_path: Path):
    (tmp_path / "scrmkit.toml").write_text(MISSPELT, encoding="utf-8")

    ran = run("segment", "count", "much")

    assert ran.code == 2
    assert all(problem in ran.err for problem in PROBLEMS)
