"""What goes out, what became of it, and how plugins and lanes are doing."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    SmallInteger,
    Table,
    UniqueConstraint,
    literal_column,
)

from scrmkit.persistence.schema.columns import id_, integer, json_text, metadata, tenant, text

slot = Table(
    "slot",
    metadata,
    tenant(primary_key=True),
    text("name", 200, primary_key=True),
    integer("closes_at"),
    # The key of what won it, None while it is open.
    text("winner", 264, nullable=True),
    Index(None, "winner", "closes_at"),
)

outgoing = Table(
    "outgoing",
    metadata,
    id_(),
    tenant(),
    # The same step is sent once.
    text("key", 264),
    text("type", 8),
    text("connector", 64),
    text("operation", 64),
    integer("customer", nullable=True),
    integer("person", nullable=True),
    text("plugin", 64),
    text("purpose", 16),
    text("status", 16),
    text("code", 64),
    text("reason", 300),
    Column("priority", SmallInteger(), nullable=False),
    integer("due_at"),
    integer("not_after"),
    integer("planned_at"),
    integer("settled_at", nullable=True),
    Column("attempts", Integer(), nullable=False),
    integer("leased_until"),
    text("provider_id", 128, nullable=True),
    integer("address", nullable=True),
    text("slot", 200, nullable=True),
    json_text("reply_to", nullable=True),
    integer("touchpoint"),
    UniqueConstraint("tenant", "key"),
    # The order in which a lane is claimed, and what a claim looks at.
    Index(
        "ix_outgoing_lane",
        *("status", "connector", "operation", "priority", "not_after", "id", "due_at"),
    ),
    Index(None, "tenant", "person", "purpose", "due_at"),
    Index(None, "tenant", "connector", "provider_id"),
    Index(
        "ix_outgoing_slot",
        *("tenant", "slot"),
        sqlite_where=literal_column("slot IS NOT NULL"),
        postgresql_where=literal_column("slot IS NOT NULL"),
    ),
)

attempt = Table(
    "attempt",
    metadata,
    id_(),
    tenant(),
    integer("outgoing"),
    integer("at"),
    text("status", 16),
    text("code", 64),
    text("reason", 300),
    integer("due_at", nullable=True),
    text("provider_id", 128, nullable=True),
    json_text("answer", nullable=True),
    Index(None, "outgoing"),
)

early_report = Table(
    "early_report",
    metadata,
    # What a platform said of something whose own answer is not written down yet.
    tenant(primary_key=True),
    text("connector", 64, primary_key=True),
    text("provider_id", 128, primary_key=True),
    Column("identity", BigInteger(), primary_key=True, autoincrement=False),
    json_text("outcome"),
    integer("at"),
)

lane = Table(
    "lane",
    metadata,
    text("connector", 64, primary_key=True),
    text("operation", 64, primary_key=True),
    Column("failures", Integer(), nullable=False),
    integer("closed_until"),
    text("reason", 300),
)

parked = Table(
    "parked",
    metadata,
    id_(),
    tenant(),
    text("kind", 64),
    text("key", 200),
    json_text("document"),
    text("error", 300),
    integer("at"),
    UniqueConstraint("tenant", "kind", "key"),
)

plugin_health = Table(
    "plugin_health",
    metadata,
    text("plugin", 64, primary_key=True),
    Column("failures", Integer(), nullable=False),
    Column("overruns", Integer(), nullable=False),
    Column("in_a_row", Integer(), nullable=False),
    integer("quarantined_at", nullable=True),
    text("last_error", 300),
)
