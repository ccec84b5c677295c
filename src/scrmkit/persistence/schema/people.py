"""Who there is and what happened: the log, and the profile that commutes."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, SmallInteger, Table, UniqueConstraint

from scrmkit.persistence.schema.columns import (
    flag,
    id_,
    integer,
    json_text,
    metadata,
    newest,
    tenant,
    text,
)

organisation = Table(
    "organisation",
    metadata,
    tenant(primary_key=True),
    text("type", 16, primary_key=True),
    text("id", 64, primary_key=True),
    json_text("data"),
)

customer = Table(
    "customer",
    metadata,
    id_(),
    tenant(),
    integer("person"),
    integer("created_at"),
    Index(None, "tenant", "person"),
)

identity = Table(
    "identity",
    metadata,
    id_(),
    tenant(),
    text("kind", 64),
    text("scope", 128),
    text("value", 256),
    integer("customer"),
    integer("person"),
    integer("linked_at"),
    # One platform name leads to one customer, also when two processes see it first at once.
    UniqueConstraint("tenant", "kind", "scope", "value"),
    Index(None, "tenant", "person"),
)

merge = Table(
    "merge",
    metadata,
    id_(),
    tenant(),
    integer("kept"),
    integer("moved"),
    json_text("customers"),
    integer("at"),
    integer("undone_at", nullable=True),
    integer("touchpoint"),
    Index(None, "tenant", "kept"),
)

touchpoint = Table(
    "touchpoint",
    metadata,
    id_(),
    tenant(),
    text("kind", 64),
    text("key", 200),
    Column("version", SmallInteger(), nullable=False),
    integer("occurred_at"),
    integer("received_at"),
    integer("customer", nullable=True),
    integer("person", nullable=True),
    integer("amount_fen"),
    text("source", 64),
    text("brand", 64, nullable=True),
    text("shop", 64, nullable=True),
    json_text("context"),
    json_text("payload"),
    json_text("decisions"),
    integer("parent", nullable=True),
    # The same event changes state once, however often and wherever it arrives.
    UniqueConstraint("tenant", "kind", "key"),
    Index(None, "tenant", "person", "kind", "occurred_at"),
)

personal = Table(
    "personal",
    metadata,
    id_(),
    tenant(),
    integer("customer", nullable=True),
    json_text("data", nullable=True),
)

tag = Table(
    "tag",
    metadata,
    tenant(primary_key=True),
    *newest(
        Column("customer", BigInteger(), primary_key=True, autoincrement=False),
        text("grp", 64, primary_key=True),
        text("name", 64, primary_key=True),
    ),
    flag("present"),
    text("source", 16),
    text("plugin", 64),
    integer("touchpoint"),
    integer("expires_at", nullable=True),
    Index(None, "tenant", "person"),
)

attribute = Table(
    "attribute",
    metadata,
    tenant(primary_key=True),
    *newest(
        Column("customer", BigInteger(), primary_key=True, autoincrement=False),
        text("name", 128, primary_key=True),
    ),
    json_text("value"),
    integer("touchpoint"),
    Index(None, "tenant", "person"),
)

memo = Table(
    "memo",
    metadata,
    tenant(primary_key=True),
    *newest(
        Column("customer", BigInteger(), primary_key=True, autoincrement=False),
        text("plugin", 64, primary_key=True),
    ),
    json_text("value"),
    Index(None, "tenant", "person"),
)

consent = Table(
    "consent",
    metadata,
    tenant(primary_key=True),
    *newest(
        Column("customer", BigInteger(), primary_key=True, autoincrement=False),
        text("channel", 64, primary_key=True),
        text("purpose", 16, primary_key=True),
    ),
    flag("granted"),
    text("proof", 200),
    integer("touchpoint"),
    Index(None, "tenant", "person"),
)

score = Table(
    "score",
    metadata,
    tenant(primary_key=True),
    *newest(
        Column("customer", BigInteger(), primary_key=True, autoincrement=False),
        text("scorer", 64, primary_key=True),
    ),
    integer("hundredths"),
    text("band", 32),
    text("segment", 32),
    text("stage", 32),
    json_text("detail"),
    integer("touchpoint"),
    Index(None, "tenant", "person"),
)

suppression = Table(
    "suppression",
    metadata,
    tenant(primary_key=True),
    text("channel", 64, primary_key=True),
    Column("identity", BigInteger(), primary_key=True, autoincrement=False),
    text("reason", 200),
    integer("at"),
)
