"""The single-file plugin, held to what rules promise, and used from the command line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from single_file.loyal import Loyal, LoyalSettings

from scrmkit import Activity, ActivityOf, CustomerId
from scrmkit.testing import NOON, Example, RuleSuite, make_context, make_order_paid

HERE = Path(__file__).parent


def after(orders: int) -> Example:
    """A paid order of a customer who has paid *orders* before."""
    before = Activity(orders, 9_900 * orders, NOON if orders else None, NOON if orders else None)
    return Example(touchpoint=make_order_paid(), reads={ActivityOf(CustomerId(1), "order.paid"): before})


class TestLoyal(RuleSuite):
    @pytest.fixture
    def rule(self) -> Any:
        return Loyal(make_context(settings=LoyalSettings()))

    @pytest.fixture
    def examples(self) -> Sequence[Example]:
        return [after(0), after(2), after(3)]


def scrmkit(folder: Path, *arguments: str) -> str:
    """What the command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "scrmkit.cli", *arguments], cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.strip()


def test_three_orders_from_a_file_make_a_regular(tmp_path: Path):
    for name in ("loyal.py", "scrmkit.toml", "orders.csv"):
        shutil.copy(HERE / name, tmp_path)
    (tmp_path / "scrmkit.secret").write_text("a secret of this test and of nothing else")

    scrmkit(tmp_path, "db", "upgrade")
    scrmkit(tmp_path, "import", "orders", "orders.csv")

    assert scrmkit(tmp_path, "segment", "count", "regulars") == "1"
    assert "regular" in scrmkit(tmp_path, "customer", "show", "phone:+8613900000001")
    assert "regular" not in scrmkit(tmp_path, "customer", "show", "phone:+8613900000002")
