"""What is left of a resource that two processes open at the same time."""

from __future__ import annotations

import pytest

from scrmkit.engine.flush import flush
from scrmkit.engine.rows import ResourceRow
from scrmkit.engine.workset import WorkSet
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database, Wire

STOCK = ("main", "stock")


@pytest.fixture
def database(database_url: str):
    made = Database(database_url, durability="normal")
    yield made
    made.close()


def hold(work: WorkSet, capacity: int, held: int) -> None:
    """Open the stock, or raise what is there, and hold some of it."""
    resource = work.resources.of(STOCK)
    if resource is None:
        resource = work.resources[STOCK] = ResourceRow(*STOCK, capacity, 0, 0)
    resource.capacity, resource.held = max(resource.capacity, capacity), resource.held + held


@pytest.mark.parametrize("capacities", [(5, 8), (8, 5)], ids=["the larger second", "the larger first"])
def test_the_larger_capacity_stays_whoever_opens_a_resource_first(database: Database, capacities: tuple[int, int]):
    def both(wire: Wire) -> None:
        working_sets = [WorkSet(wire), WorkSet(wire)]
        for work, capacity in zip(working_sets, capacities, strict=True):
            hold(work, capacity, 3)  # neither sees what the other does
        for work in working_sets:
            flush(work)

    database.transaction(both, "test")

    with database.reading() as wire:
        assert wire.find(schema.resource, ("tenant", "name"), [STOCK]) == [(*STOCK, 8, 6, 0)]


def test_a_capacity_rises_and_never_falls(database: Database):
    seen = []
    for capacity in (5, 9, 4):

        def once(wire: Wire, capacity: int = capacity) -> None:
            work = WorkSet(wire)
            hold(work, capacity, 1)
            flush(work)

        database.transaction(once, "test")
        with database.reading() as wire:
            seen += wire.find(schema.resource, ("tenant", "name"), [STOCK], ("capacity", "held"))

    assert seen == [(5, 1), (9, 2), (9, 3)]
