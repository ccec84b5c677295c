"""Undoing a merge of two customers."""

from __future__ import annotations

import json

from scrmkit.clock import Clock, to_micros
from scrmkit.domain.ids import CustomerId, TenantId
from scrmkit.domain.kinds import CustomerSplit
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.frame import key_of
from scrmkit.engine.intake import Intake
from scrmkit.engine.people import hold, undo_merge
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import ConflictError, UnknownNameError
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database


def split(database: Database, intake: Intake, clock: Clock, tenant: str, kept: int, moved: int) -> None:
    """
    Make *moved* a customer of its own again, exactly as before it was merged into *kept*.

    What was recorded since stays with the customer whose identity it carried.

    Raises:
        UnknownNameError: There is no such merge that is not undone.
        ConflictError: *kept* was merged into somebody since; undo that first.
    """
    with database.writing() as wire:
        work = WorkSet(wire)
        keys = ("tenant", "kept", "moved")
        merges = work.select(schema.merge, keys, [(tenant, kept, moved)], lock="alone")
        done = [(row[0], row[4]) for row in merges if row[6] is None]
        if not done:
            raise UnknownNameError(f"no merge of customer {moved} into {kept} is there to undo")
        person = work.select(schema.customer, ("tenant", "id"), [(tenant, kept)])[0][2]
        if person != kept:
            raise ConflictError(f"customer {kept} was merged into {person} since; undo that first")
        hold(work, tenant, kept)
        id_, customers = max(done)
        at = clock.now()
        undo_merge(work, tenant, kept, moved, json.loads(customers), id_=id_, at_us=to_micros(at))
        touchpoint = Touchpoint(
            kind="customer.split", key=key_of(tenant, "split", id_), tenant=TenantId(tenant),
            occurred_at=at, customer=CustomerId(kept), source="core",
            payload=CustomerSplit(kept=CustomerId(kept), moved=CustomerId(moved)),
        )  # fmt: skip
        _, frames = intake.record_in(wire, [touchpoint])
    intake.announce(frames)
