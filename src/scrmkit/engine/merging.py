"""Undoing a merge of two customers."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from scrmkit.clock import Clock, to_micros
from scrmkit.domain.ids import CustomerId, TenantId
from scrmkit.domain.kinds import CustomerSplit
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.frame import key_of
from scrmkit.engine.intake import Intake
from scrmkit.engine.people import hold, mark_undone, undo_merge
from scrmkit.engine.workset import WorkSet, by_equality
from scrmkit.errors import ConflictError, UnknownNameError
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database


def split(
    database: Database, intake: Intake, clock: Clock, tenant: str, kept: int, moved: int
) -> None:
    """
    Make *moved* a customer of its own again, exactly as before it was merged into *kept*.

    What was recorded since stays with the customer whose identity it carried.

    Raises:
        UnknownNameError: There is no such merge that is not undone.
        ConflictError: *kept* was merged into somebody since; undo that first.
    """
    table = schema.merge
    statement = database.statements.once(
        ("merges",),
        lambda: (
            select(table.c.id, table.c.customers)
            .where(by_equality(table, "tenant", "kept", "moved"), table.c.undone_at.is_(None))
            .order_by(table.c.id.desc())
        ),
    )
    with database.writing() as wire:
        rows = wire.rows(statement, (tenant, kept, moved))
        if not rows:
            raise UnknownNameError(f"no merge of customer {moved} into {kept} is there to undo")
        work = WorkSet(wire, database.statements)
        person: Any = work.select(schema.customer, ("tenant", "id"), [(tenant, kept)])[0][2]
        if person != kept:
            raise ConflictError(f"customer {kept} was merged into {person} since; undo that first")
        id_, customers = rows[0]
        hold(work, tenant, kept)
        undo_merge(work, tenant, kept, moved, json.loads(customers))
        at = clock.now()
        done = database.statements.once(("mark_undone",), mark_undone)
        wire.many(done, [(to_micros(at), id_)])
        touchpoint = Touchpoint(
            kind="customer.split", key=key_of(tenant, "split", id_), tenant=TenantId(tenant),
            occurred_at=at, customer=CustomerId(kept), source="core",
            payload=CustomerSplit(kept=CustomerId(kept), moved=CustomerId(moved)),
        )  # fmt: skip
        _, frames = intake.record_in(wire, [touchpoint])
    intake.announce(frames)
