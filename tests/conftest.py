"""What all tests of the core share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SAYS = "says"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests measured: they say it by ``record_property("says", …)``."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        for name, value in report.user_properties:
            if name == SAYS and report.when == "call":
                terminalreporter.write_line(str(value))


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """A real database of this test's own, with the schema in it; once for each sort."""
    return new_database()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table, of each sort."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    return url
