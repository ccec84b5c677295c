"""
Every table, in one MetaData that the migrations are tested against.

Moments are integers, microseconds since 1970 in UTC: equal on every database
and quick to compare. Ids of rows that others refer to are 64-bit, time-ordered
and mean nothing. ``customer`` is who it was at the time, ``person`` who that is
after merges: a merge rewrites ``person`` alone, so that undoing it is exact.
Personal values stand in ``identity``, ``personal``, ``parked`` and
``organisation`` and nowhere else.
"""

from __future__ import annotations

from scrmkit.persistence.schema.campaigns import (
    account,
    alias,
    campaign,
    entry,
    instance,
    participant,
    reservation,
    resource,
    timer,
)
from scrmkit.persistence.schema.columns import metadata
from scrmkit.persistence.schema.outgoing import (
    attempt,
    early_report,
    lane,
    outgoing,
    parked,
    plugin_health,
    slot,
)
from scrmkit.persistence.schema.people import (
    attribute,
    consent,
    customer,
    identity,
    memo,
    merge,
    organisation,
    personal,
    score,
    suppression,
    tag,
    touchpoint,
)

PERSON_TABLES = (
    customer,
    identity,
    touchpoint,
    tag,
    attribute,
    memo,
    consent,
    score,
    participant,
    outgoing,
)
"""The tables whose ``person`` a merge points elsewhere."""

__all__ = [
    "PERSON_TABLES",
    "account",
    "alias",
    "attempt",
    "attribute",
    "campaign",
    "consent",
    "customer",
    "early_report",
    "entry",
    "identity",
    "instance",
    "lane",
    "memo",
    "merge",
    "metadata",
    "organisation",
    "outgoing",
    "parked",
    "participant",
    "personal",
    "plugin_health",
    "reservation",
    "resource",
    "score",
    "slot",
    "suppression",
    "tag",
    "timer",
    "touchpoint",
]
