"""Campaigns, their instances, and what instances hold."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, UniqueConstraint

from scrmkit.persistence.schema.columns import flag, id_, integer, json_text, metadata, tenant, text

campaign = Table(
    "campaign",
    metadata,
    tenant(primary_key=True),
    text("id", 64, primary_key=True),
    Column("version", Integer(), primary_key=True, autoincrement=False),
    text("mechanic", 64),
    text("name", 200),
    json_text("rules"),
    integer("starts_at"),
    integer("ends_at"),
    text("status", 16),
    text("brand", 64, nullable=True),
    text("shop", 64, nullable=True),
)

instance = Table(
    "instance",
    metadata,
    id_(),
    tenant(),
    text("plugin", 64),
    text("campaign", 64),
    text("key", 128),
    Column("campaign_version", Integer(), nullable=False),
    json_text("state"),
    # Two writers cannot both write the state that follows one version.
    Column("version", Integer(), nullable=False),
    flag("closed"),
    integer("opened_at"),
    UniqueConstraint("tenant", "plugin", "campaign", "key"),
)

alias = Table(
    "alias",
    metadata,
    tenant(primary_key=True),
    text("plugin", 64, primary_key=True),
    text("kind", 32, primary_key=True),
    text("value", 200, primary_key=True),
    integer("instance"),
)

participant = Table(
    "participant",
    metadata,
    # One part a customer, role and instance.
    Column("instance", BigInteger(), primary_key=True, autoincrement=False),
    text("role", 32, primary_key=True),
    Column("customer", BigInteger(), primary_key=True, autoincrement=False),
    tenant(),
    text("plugin", 64),
    integer("person"),
    json_text("data"),
    integer("joined_at"),
    integer("position"),
    Index(None, "tenant", "person", "plugin"),
    Index(None, "instance", "role", "position"),
)

resource = Table(
    "resource",
    metadata,
    tenant(primary_key=True),
    text("name", 200, primary_key=True),
    integer("capacity"),
    # Written as "add n where there is room for n": never oversold.
    integer("held"),
    integer("used"),
)

reservation = Table(
    "reservation",
    metadata,
    tenant(primary_key=True),
    text("resource", 200, primary_key=True),
    text("name", 128, primary_key=True),
    integer("quantity"),
    text("status", 16),
    integer("expires_at", nullable=True),
    integer("instance", nullable=True),
    Index(None, "status", "expires_at"),
)

account = Table(
    "account",
    metadata,
    tenant(primary_key=True),
    text("ledger", 128, primary_key=True),
    text("owner", 128, primary_key=True),
    integer("balance"),
)

entry = Table(
    "entry",
    metadata,
    id_(),
    tenant(),
    text("ledger", 128),
    text("posting", 264),
    Column("leg", Integer(), nullable=False),
    text("owner", 128),
    integer("amount"),
    integer("at"),
    integer("touchpoint"),
    # The same posting is made once.
    UniqueConstraint("tenant", "ledger", "posting", "leg"),
    Index(None, "tenant", "ledger", "owner"),
)

timer = Table(
    "timer",
    metadata,
    tenant(primary_key=True),
    text("plugin", 64, primary_key=True),
    text("scope", 264, primary_key=True),
    text("key", 128, primary_key=True),
    integer("due_at"),
    integer("customer", nullable=True),
    Index(None, "due_at"),
)
