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

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# SQLite makes a table's only integer key its row's own address if it is called INTEGER.
_Id = BigInteger().with_variant(Integer(), "sqlite")


def _id(name: str = "id") -> Column[int]:
    return Column(name, _Id, primary_key=True, autoincrement=False)


def _text(name: str, length: int, **options: Any) -> Column[str]:
    return Column(name, String(length), nullable=options.pop("nullable", False), **options)


def _int(name: str, **options: Any) -> Column[int]:
    return Column(name, BigInteger(), nullable=options.pop("nullable", False), **options)


def _tenant(**options: Any) -> Column[str]:
    return _text("tenant", 32, **options)


def _flag(name: str) -> Column[int]:
    return Column(name, SmallInteger(), nullable=False)


def _json(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text(), nullable=nullable)


def _newest(*columns: Column[Any]) -> tuple[Column[Any], ...]:
    """The columns of profile state: whose, and the word that is newest by (at, by_key)."""
    return (*columns, _int("person"), _int("at"), _text("by_key", 264))


organisation = Table(
    "organisation",
    metadata,
    _tenant(primary_key=True),
    _text("type", 16, primary_key=True),
    _text("id", 64, primary_key=True),
    _json("data"),
)

campaign = Table(
    "campaign",
    metadata,
    _tenant(primary_key=True),
    _text("id", 64, primary_key=True),
    Column("version", Integer(), primary_key=True, autoincrement=False),
    _text("mechanic", 64),
    _text("name", 200),
    _json("rules"),
    _int("starts_at"),
    _int("ends_at"),
    _text("status", 16),
    _text("brand", 64, nullable=True),
    _text("shop", 64, nullable=True),
)

customer = Table(
    "customer",
    metadata,
    _id(),
    _tenant(),
    _int("person"),
    _int("created_at"),
    Index(None, "tenant", "person"),
)

identity = Table(
    "identity",
    metadata,
    _id(),
    _tenant(),
    _text("kind", 64),
    _text("scope", 128),
    _text("value", 256),
    _int("customer"),
    _int("person"),
    _int("linked_at"),
    # One platform name leads to one customer, also when two processes see it first at once.
    UniqueConstraint("tenant", "kind", "scope", "value"),
    Index(None, "tenant", "person"),
)

merge = Table(
    "merge",
    metadata,
    _id(),
    _tenant(),
    _int("kept"),
    _int("moved"),
    _json("customers"),
    _int("at"),
    _int("undone_at", nullable=True),
    _int("touchpoint"),
    Index(None, "tenant", "kept"),
)

touchpoint = Table(
    "touchpoint",
    metadata,
    _id(),
    _tenant(),
    _text("kind", 64),
    _text("key", 200),
    Column("version", SmallInteger(), nullable=False),
    _int("occurred_at"),
    _int("received_at"),
    _int("customer", nullable=True),
    _int("person", nullable=True),
    _int("amount_fen"),
    _text("source", 64),
    _text("brand", 64, nullable=True),
    _text("shop", 64, nullable=True),
    _json("context"),
    _json("payload"),
    _json("decisions"),
    _int("parent", nullable=True),
    # The same event changes state once, however often and wherever it arrives.
    UniqueConstraint("tenant", "kind", "key"),
    Index(None, "tenant", "person", "kind", "occurred_at"),
)

personal = Table(
    "personal",
    metadata,
    _id(),
    _tenant(),
    _int("customer", nullable=True),
    _json("data", nullable=True),
)

tag = Table(
    "tag",
    metadata,
    _tenant(primary_key=True),
    *_newest(
        Column("customer", BigInteger(), primary_key=True, autoincrement=False),
        _text("grp", 64, primary_key=True),
        _text("name", 64, primary_key=True),
    ),
    _flag("present"),
    _text("source", 16),
    _text("plugin", 64),
    _int("touchpoint"),
    _int("expires_at", nullable=True),
    Index(None, "tenant", "person"),
)

attribute = Table(
    "attribute",
    metadata,
    _tenant(primary_key=True),
    *_newest(
        Column("customer", BigInteger(), primary_key=True, autoincrement=False),
        _text("name", 128, primary_key=True),
    ),
    _json("value"),
    _int("touchpoint"),
    Index(None, "tenant", "person"),
)

memo = Table(
    "memo",
    metadata,
    _tenant(primary_key=True),
    *_newest(
        Column("customer", BigInteger(), primary_key=True, autoincrement=False),
        _text("plugin", 64, primary_key=True),
    ),
    _json("value"),
    Index(None, "tenant", "person"),
)

consent = Table(
    "consent",
    metadata,
    _tenant(primary_key=True),
    *_newest(
        Column("customer", BigInteger(), primary_key=True, autoincrement=False),
        _text("channel", 64, primary_key=True),
        _text("purpose", 16, primary_key=True),
    ),
    _flag("granted"),
    _text("proof", 200),
    _int("touchpoint"),
    Index(None, "tenant", "person"),
)

score = Table(
    "score",
    metadata,
    _tenant(primary_key=True),
    *_newest(
        Column("customer", BigInteger(), primary_key=True, autoincrement=False),
        _text("scorer", 64, primary_key=True),
    ),
    _int("hundredths"),
    _text("band", 32),
    _text("segment", 32),
    _text("stage", 32),
    _json("detail"),
    _int("touchpoint"),
    Index(None, "tenant", "person"),
)

suppression = Table(
    "suppression",
    metadata,
    _tenant(primary_key=True),
    _text("channel", 64, primary_key=True),
    Column("identity", BigInteger(), primary_key=True, autoincrement=False),
    _text("reason", 200),
    _int("at"),
)

instance = Table(
    "instance",
    metadata,
    _id(),
    _tenant(),
    _text("plugin", 64),
    _text("campaign", 64),
    _text("key", 128),
    Column("campaign_version", Integer(), nullable=False),
    _json("state"),
    # Two writers cannot both write the state that follows one version.
    Column("version", Integer(), nullable=False),
    _flag("closed"),
    _int("opened_at"),
    UniqueConstraint("tenant", "plugin", "campaign", "key"),
)

alias = Table(
    "alias",
    metadata,
    _tenant(primary_key=True),
    _text("plugin", 64, primary_key=True),
    _text("kind", 32, primary_key=True),
    _text("value", 200, primary_key=True),
    _int("instance"),
)

participant = Table(
    "participant",
    metadata,
    # One part a customer, role and instance.
    Column("instance", BigInteger(), primary_key=True, autoincrement=False),
    _text("role", 32, primary_key=True),
    Column("customer", BigInteger(), primary_key=True, autoincrement=False),
    _tenant(),
    _text("plugin", 64),
    _int("person"),
    _json("data"),
    _int("joined_at"),
    _int("position"),
    Index(None, "tenant", "person", "plugin"),
    Index(None, "instance", "role", "position"),
)

resource = Table(
    "resource",
    metadata,
    _tenant(primary_key=True),
    _text("name", 200, primary_key=True),
    _int("capacity"),
    # Written as "add n where there is room for n": never oversold.
    _int("held"),
    _int("used"),
)

reservation = Table(
    "reservation",
    metadata,
    _tenant(primary_key=True),
    _text("resource", 200, primary_key=True),
    _text("name", 128, primary_key=True),
    _int("quantity"),
    _text("status", 16),
    _int("expires_at", nullable=True),
    _int("instance", nullable=True),
    Index(None, "status", "expires_at"),
)

account = Table(
    "account",
    metadata,
    _tenant(primary_key=True),
    _text("ledger", 128, primary_key=True),
    _text("owner", 128, primary_key=True),
    _int("balance"),
)

entry = Table(
    "entry",
    metadata,
    _id(),
    _tenant(),
    _text("ledger", 128),
    _text("posting", 264),
    Column("leg", Integer(), nullable=False),
    _text("owner", 128),
    _int("amount"),
    _int("at"),
    _int("touchpoint"),
    # The same posting is made once.
    UniqueConstraint("tenant", "ledger", "posting", "leg"),
    Index(None, "tenant", "ledger", "owner"),
)

timer = Table(
    "timer",
    metadata,
    _tenant(primary_key=True),
    _text("plugin", 64, primary_key=True),
    _text("scope", 264, primary_key=True),
    _text("key", 128, primary_key=True),
    _int("due_at"),
    _int("customer", nullable=True),
    Index(None, "due_at"),
)

slot = Table(
    "slot",
    metadata,
    _tenant(primary_key=True),
    _text("name", 200, primary_key=True),
    _int("closes_at"),
    # The key of what won it, None while it is open.
    _text("winner", 264, nullable=True),
    Index(None, "winner", "closes_at"),
)

outgoing = Table(
    "outgoing",
    metadata,
    _id(),
    _tenant(),
    # The same step is sent once.
    _text("key", 264),
    _text("type", 8),
    _text("connector", 64),
    _text("operation", 64),
    _int("customer", nullable=True),
    _int("person", nullable=True),
    _text("plugin", 64),
    _text("purpose", 16),
    _text("status", 16),
    _text("code", 64),
    _text("reason", 300),
    Column("priority", SmallInteger(), nullable=False),
    _int("due_at"),
    _int("not_after"),
    _int("planned_at"),
    _int("settled_at", nullable=True),
    Column("attempts", Integer(), nullable=False),
    _int("leased_until"),
    _text("provider_id", 128, nullable=True),
    _int("address", nullable=True),
    _text("slot", 200, nullable=True),
    _json("reply_to", nullable=True),
    _int("touchpoint"),
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
    _id(),
    _tenant(),
    _int("outgoing"),
    _int("at"),
    _text("status", 16),
    _text("code", 64),
    _text("reason", 300),
    _int("due_at", nullable=True),
    _text("provider_id", 128, nullable=True),
    _json("answer", nullable=True),
    Index(None, "outgoing"),
)

early_report = Table(
    "early_report",
    metadata,
    # What a platform said of something whose own answer is not written down yet.
    _tenant(primary_key=True),
    _text("connector", 64, primary_key=True),
    _text("provider_id", 128, primary_key=True),
    Column("identity", BigInteger(), primary_key=True, autoincrement=False),
    _json("outcome"),
    _int("at"),
)

lane = Table(
    "lane",
    metadata,
    _text("connector", 64, primary_key=True),
    _text("operation", 64, primary_key=True),
    Column("failures", Integer(), nullable=False),
    _int("closed_until"),
    _text("reason", 300),
)

parked = Table(
    "parked",
    metadata,
    _id(),
    _tenant(),
    _text("kind", 64),
    _text("key", 200),
    _json("document"),
    _text("error", 300),
    _int("at"),
    UniqueConstraint("tenant", "kind", "key"),
)

plugin_health = Table(
    "plugin_health",
    metadata,
    _text("plugin", 64, primary_key=True),
    Column("failures", Integer(), nullable=False),
    Column("overruns", Integer(), nullable=False),
    Column("in_a_row", Integer(), nullable=False),
    _int("quarantined_at", nullable=True),
    _text("last_error", 300),
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
