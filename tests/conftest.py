"""What all tests of the core share."""

from __future__ import annotations

from collections.abc import Callable

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
