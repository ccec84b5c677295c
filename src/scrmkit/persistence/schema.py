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

from collections.abc import Iterable
from functools import partial
from typing import Any

import sqlalchemy as sa

PREFIX = "scrmkit_"
"""Before the name of every table, index and constraint: they stand beside a host's own."""

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "uq": "%(table_name)s_%(column_0_N_name)s_uq",
        "ix": "%(table_name)s_%(column_0_N_name)s_ix",
    }
)
Columns = list[sa.Column[Any]]


def table(name: str, *groups: Iterable[Any]) -> sa.Table:
    """A table of the one MetaData, which is called *name* in ``TABLES``."""
    return sa.Table(PREFIX + name, metadata, *(part for group in groups for part in group))


def short(table: sa.Table) -> str:
    """What a table is called in ``TABLES``, and wherever the database is not spoken to."""
    return table.name.removeprefix(PREFIX)


def texts(**lengths: int) -> Columns:
    """Texts of at most so many characters."""
    return [sa.Column(name, sa.String(most), nullable=False) for name, most in lengths.items()]


def json_texts(*names: str) -> Columns:
    """JSON as text."""
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def integers(*names: str, kind: type[sa.Integer] = sa.BigInteger) -> Columns:
    """64-bit integers: moments, amounts, other rows' ids."""
    return [sa.Column(name, kind(), nullable=False) for name in names]


counts = partial(integers, kind=sa.Integer)
"""32-bit integers."""

small_integers = partial(integers, kind=sa.SmallInteger)
"""16-bit integers; a flag is 0 or 1."""


def optional(*groups: Columns) -> Columns:
    """The same columns, where NULL says that there is nothing."""
    columns = [column for group in groups for column in group]
    for column in columns:
        column.nullable = True
    return columns


def key(*groups: Columns) -> Columns:
    """The columns of the primary key."""
    columns = [column for group in groups for column in group]
    for column in columns:
        column.primary_key = True
    return columns


def own_id() -> Columns:
    """A 64-bit, time-ordered id and whose the row is."""
    # SQLite makes a table's only integer key its row's own address if it is called INTEGER.
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    own = sa.Column("id", kind, primary_key=True, autoincrement=False)
    return [own, *texts(tenant=32)]


def of_customer(**lengths: int) -> list[Any]:
    """The key of profile state, its person, and the word that is newest by (at, by_key)."""
    own = key(texts(tenant=32), integers("customer"), texts(**lengths))
    return [*own, *integers("person", "at"), *texts(by_key=264), *index("tenant", "person")]


def unique(*names: str) -> list[sa.UniqueConstraint]:
    """No two rows are equal in all of these columns."""
    return [sa.UniqueConstraint(*names)]


def index(*names: str, name: str | None = None, where: str | None = None) -> list[sa.Index]:
    """A look-up by these columns, of the rows alone of which *where* is true."""
    only: Any = None if where is None else sa.literal_column(where)
    return [sa.Index(name and f"{PREFIX}{name}_ix", *names, sqlite_where=only, postgresql_where=only)]


# --- who there is and what happened: the log, and the profile that commutes --------------

organisation = table("organisation", key(texts(tenant=32, type=16, id=64)), json_texts("data"))

customer = table("customer", own_id(), integers("person", "created_at"), index("tenant", "person"))

identity = table(
    "identity",
    own_id(),
    texts(kind=64, scope=128, value=256),
    integers("customer", "person", "linked_at"),
    # One platform name leads to one customer, also when two processes see it first at once.
    unique("tenant", "kind", "scope", "value"),
    index("tenant", "person"),
)

merge = table(
    "merge",
    own_id(),
    integers("kept", "moved"),
    json_texts("customers"),
    integers("at"),
    optional(integers("undone_at")),
    integers("touchpoint"),
    index("tenant", "kept"),
)

touchpoint = table(
    "touchpoint",
    own_id(),
    texts(kind=64, key=200),
    small_integers("version"),
    integers("occurred_at", "received_at"),
    optional(integers("customer", "person")),
    integers("amount_fen"),
    texts(source=64),
    optional(texts(brand=64, shop=64)),
    json_texts("context", "payload", "decisions"),
    optional(integers("parent")),
    # The same event changes state once, however often and wherever it arrives.
    unique("tenant", "kind", "key"),
    index("tenant", "person", "kind", "occurred_at"),
)

personal = table("personal", own_id(), optional(integers("customer"), json_texts("data")))

tag = table(
    "tag",
    of_customer(grp=64, name=64),
    small_integers("present"),
    texts(source=16, plugin=64),
    integers("touchpoint"),
    optional(integers("expires_at")),
)

attribute = table("attribute", of_customer(name=128), json_texts("value"), integers("touchpoint"))

memo = table("memo", of_customer(plugin=64), json_texts("value"))

consent = table(
    "consent", of_customer(channel=64, purpose=16), small_integers("granted"), texts(proof=200), integers("touchpoint")
)

score = table(
    "score",
    of_customer(scorer=64),
    integers("hundredths"),
    texts(band=32, segment=32, stage=32),
    json_texts("detail"),
    integers("touchpoint"),
)

suppression = table(
    "suppression", key(texts(tenant=32, channel=64), integers("identity")), texts(reason=200), integers("at")
)

# --- campaigns, their instances, and what instances hold ---------------------------------

campaign = table(
    "campaign",
    key(texts(tenant=32, id=64), counts("version")),
    texts(mechanic=64, name=200),
    json_texts("rules"),
    integers("starts_at", "ends_at"),
    texts(status=16),
    optional(texts(brand=64, shop=64)),
)

instance = table(
    "instance",
    own_id(),
    texts(plugin=64, campaign=64, key=128),
    counts("campaign_version"),
    json_texts("state"),
    # Two writers cannot both write the state that follows one version.
    counts("version"),
    small_integers("closed"),
    integers("opened_at"),
    unique("tenant", "plugin", "campaign", "key"),
)

alias = table("alias", key(texts(tenant=32, plugin=64, kind=32, value=200)), integers("instance"))

participant = table(
    "participant",
    # One part a customer, role and instance.
    key(integers("instance"), texts(role=32), integers("customer")),
    texts(tenant=32, plugin=64),
    integers("person"),
    json_texts("data"),
    integers("joined_at", "position"),
    index("tenant", "person", "plugin"),
    index("instance", "role", "position"),
)

resource = table(
    "resource",
    key(texts(tenant=32, name=200)),
    # Held and used are written as "add n where there is room for n": never oversold.
    integers("capacity", "held", "used"),
)

reservation = table(
    "reservation",
    key(texts(tenant=32, resource=200, name=128)),
    integers("quantity"),
    texts(status=16),
    optional(integers("expires_at", "instance")),
    index("status", "expires_at"),
)

account = table("account", key(texts(tenant=32, ledger=128, owner=128)), integers("balance"))

entry = table(
    "entry",
    own_id(),
    texts(ledger=128, posting=264),
    counts("leg"),
    texts(owner=128),
    integers("amount", "at", "touchpoint"),
    # The same posting is made once.
    unique("tenant", "ledger", "posting", "leg"),
    index("tenant", "ledger", "owner"),
)

timer = table(
    "timer",
    key(texts(tenant=32, plugin=64, scope=264, key=128)),
    integers("due_at"),
    optional(integers("customer")),
    index("due_at"),
)

# --- what goes out, what became of it, and how plugins and lanes are doing ---------------

slot = table(
    "slot",
    key(texts(tenant=32, name=200)),
    integers("closes_at"),
    # The key of what won it, NULL while it is open.
    optional(texts(winner=264)),
    index("winner", "closes_at"),
)

outgoing = table(
    "outgoing",
    own_id(),
    # The same step is sent once.
    texts(key=264, type=8, connector=64, operation=64),
    optional(integers("customer", "person")),
    texts(plugin=64, purpose=16, status=16, code=64, reason=300),
    small_integers("priority"),
    integers("due_at", "not_after", "planned_at"),
    optional(integers("settled_at")),
    counts("attempts"),
    integers("leased_until"),
    optional(texts(provider_id=128), integers("address"), texts(slot=200), json_texts("reply_to")),
    integers("touchpoint"),
    unique("tenant", "key"),
    # What is planned, in two parts: what claims look at (leased until 0), in the order in which it is claimed,
    # and what sleeps, in the order in which it wakes.
    index(
        *("status", "connector", "operation", "leased_until", "priority", "not_after", "id", "due_at"),
        name="outgoing_lane",
    ),
    index("tenant", "person", "purpose", "due_at"),
    index("tenant", "connector", "provider_id"),
    index("tenant", "slot", name="outgoing_slot", where="slot IS NOT NULL"),
)

attempt = table(
    "attempt",
    own_id(),
    integers("outgoing", "at"),
    texts(status=16, code=64, reason=300),
    optional(integers("due_at"), texts(provider_id=128), json_texts("answer")),
    index("outgoing"),
)

early_report = table(
    "early_report",
    # What a platform said of something whose own answer is not written down yet.
    key(texts(tenant=32, connector=64, provider_id=128), integers("identity")),
    json_texts("outcome"),
    integers("at"),
)

lane = table(
    "lane", key(texts(connector=64, operation=64)), counts("failures"), integers("closed_until"), texts(reason=300)
)

parked = table(
    "parked",
    own_id(),
    texts(kind=64, key=200),
    json_texts("document"),
    texts(error=300),
    integers("at"),
    unique("tenant", "kind", "key"),
)

plugin_health = table(
    "plugin_health",
    key(texts(plugin=64)),
    counts("failures", "overruns", "in_a_row"),
    optional(integers("quarantined_at")),
    texts(last_error=300),
)

TABLES = {short(one): one for one in metadata.tables.values()}
"""Every table by its name without the prefix."""

PERSON_TABLES = tuple(one for one in TABLES.values() if "person" in one.c)
"""The tables whose ``person`` a merge points elsewhere."""
