"""What the tests of persistence share; their helper module lies beside them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scrmkit.persistence.database import Database

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url, durability="normal")
    yield made
    made.close()


@pytest.fixture
def sqlite_database(new_sqlite: Callable[[], str]) -> Iterator[Database]:
    made = Database(new_sqlite(), durability="normal")
    yield made
    made.close()
