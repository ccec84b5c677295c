"""Every column either counts or is left out, and both are shown table by table."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from scripted import engine, member, phone, played, told
from sqlalchemy import BigInteger, Integer, SmallInteger, func, insert, select, update
from sqlalchemy.engine import Connection

from scrmkit.domain.ids import CustomerId
from scrmkit.domain.organisation import Brand
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database, Wire
from scrmkit_insight.digests import COUNTED, digest_from, sums_of

TABLES = schema.TABLES
LEFT_OUT = {
    "identity": "id customer linked_at",
    "customer": "id created_at",
    "touchpoint": "id received_at customer",
    "merge": "id at",
    "instance": "id opened_at",
    "outgoing": "id key customer planned_at settled_at attempts leased_until provider_id",
    "personal": "customer",
    "tag": "customer by_key",
    "attribute": "customer by_key",
    "memo": "customer at by_key",
    "consent": "customer by_key",
    "score": "customer by_key",
    "suppression": "at",
    "participant": "customer joined_at",
    "entry": "id posting at",
    "parked": "id at",
    "attempt": "id outgoing at status code reason due_at provider_id answer",
    "early_report": "connector provider_id identity outcome at",
    "lane": "connector operation failures closed_until reason",
    "plugin_health": "plugin failures overruns in_a_row quarantined_at last_error",
}
"""The other columns: surrogate ids, hashes of them, moments of processing, attempts, health."""

SURROGATES = frozenset(
    {(name, "id") for name, listed in LEFT_OUT.items() if "id" in listed.split()}
    | {("personal", "id")}
    | {("outgoing", "key"), ("entry", "posting"), ("attempt", "outgoing")}
)
"""Left out, and named elsewhere: changed alone they would break what refers to them."""

REFERENCES = {
    ("", "person"): "customer",
    ("", "customer"): "customer",
    ("", "kept"): "customer",
    ("", "moved"): "customer",
    ("", "parent"): "touchpoint",
    ("", "touchpoint"): "touchpoint",
    ("", "instance"): "instance",
    ("", "address"): "identity",
    ("", "identity"): "identity",
    ("personal", "id"): "touchpoint",
}
"""By table (all, if empty) and column, the table whose ids stand there."""


def columns(lists: Any) -> list[tuple[str, str]]:
    """Table and column of each entry."""
    return [(table, column.partition(":")[0]) for table, written in lists.items() for column in written.split()]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with rows of every kind."""
    with engine(f"sqlite:///{tmp_path_factory.mktemp('digest') / 'full.db'}") as made:
        made.organisation.put("main", Brand(id="b", name="a brand"))
        merged = None
        for who in ([phone(1)], [member(1)], [phone(2)], [phone(1), member(1)]):
            merged = made.record(told(["tag", "group", "kept"], who=who, words="hello")).customer
        moved = made.record(told(["set", "name", 1], who=[phone(3)])).customer
        made.record(told(who=[phone(1), phone(3)]))
        made.undo_merge(CustomerId(merged), CustomerId(moved))
        made.record(
            told(
                ["tag", "group", "name", "keyword", 9], ["set", "name", 2], ["remember", "mine"],
                ["score", 60, 1], ["consent", "mail", True], ["start", "wake", 7],
                ["post", "step", 5], ["say", "mail", "marketing", None, None, False, 10**6],
                ["tell", "next", [["tag", "group", "other"]]],
                who=[phone(2)],
            )
        )  # fmt: skip
        made.record_many(
            [
                played(
                    "one", ["join", "player"], ["alias", "o1"], ["reserve", "seat", "a", 2, 5, 60],
                    ["say", "won", "service", "slot", None, True], ["refund", "money"],
                    ["start", "end", 60], who=[phone(2)],
                ),
                played("one", ["join", "player"], who=[phone(3)]),
                played("two", ["join", "player"], closes=True),
            ]
        )  # fmt: skip
        made.record(told(who=[phone(4)]))
        with made.database.engine.begin() as connection:
            add_what_has_no_effect(connection)
        yield made.database


def add_what_has_no_effect(connection: Connection) -> None:
    """Rows of the tables that no decision writes."""
    identity, message = (
        connection.execute(select(func.max(TABLES[name].c.id))).scalar() for name in ("identity", "outgoing")
    )
    connection.execute(
        insert(schema.suppression).values(tenant="main", channel="mail", identity=identity, reason="a reply", at=1)
    )
    connection.execute(
        insert(schema.parked).values(id=1, tenant="main", kind="order.paid", key="k", document="{}", error="bad", at=1)
    )
    connection.execute(
        insert(schema.attempt).values(
            id=1,
            tenant="main",
            outgoing=message,
            at=1,
            status="accepted",
            code="",
            reason="",
            due_at=None,
            provider_id=None,
            answer=None,
        )
    )
    connection.execute(
        insert(schema.early_report).values(
            tenant="main", connector="mail", provider_id="p", identity=1, outcome="{}", at=1
        )
    )
    connection.execute(
        insert(schema.lane).values(connector="mail", operation="send", failures=0, closed_until=0, reason="")
    )
    if connection.execute(select(schema.plugin_health)).first() is None:
        connection.execute(
            insert(schema.plugin_health).values(
                plugin="toy", failures=0, overruns=0, in_a_row=0, quarantined_at=None, last_error=""
            )
        )


def value(database: Database, connection: Connection) -> str:
    """The digest of what a connection sees."""
    wire = Wire(connection.connection.dbapi_connection, database.statements)
    return digest_from(sums_of(database, wire)).value


def changed(database: Database, table: str, column: str) -> tuple[str, str]:
    """The digest before and after one column of one row got another value."""
    of = TABLES[table]
    with database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        before = value(database, connection)
        keys = list(of.primary_key.columns)
        rows = select(of).order_by(*(key.desc() for key in keys))
        if table == "identity":  # one that took no part in a merge
            rows = rows.where(of.c.value == phone(2).value)
        elif table == "participant":  # one that another followed
            rows = rows.where(of.c.position == select(func.min(of.c.position)).scalar_subquery())
        row = connection.execute(rows).first()
        assert row is not None, f"the world has no row of {table}"
        same = [key == row._mapping[key.name] for key in keys]
        new = another(connection, table, column, row._mapping[column])
        connection.execute(update(of).where(*same).values({column: new}))
        after = value(database, connection)
        connection.rollback()
    return before, after


def another(connection: Connection, table: str, column: str, old: Any) -> Any:
    """Another value that may stand there."""
    if column == "customers":
        return "[]"
    if column == "undone_at":
        return 1 if old is None else None
    target = REFERENCES.get((table, column), REFERENCES.get(("", column)))
    if target is not None:
        ids = TABLES[target].c.id
        wanted = select(ids).where(ids != (old or 0))
        # The newest customer took no part in a merge, whose undoing tells originals apart.
        wanted = wanted.order_by(ids.desc() if table == "identity" else ids)
        if table == "personal":
            wanted = wanted.where(ids.not_in(select(schema.personal.c.id)))
        return connection.execute(wanted).scalar()
    if column == "position":
        return old + 10**17
    if isinstance(TABLES[table].c[column].type, BigInteger | Integer | SmallInteger):
        return -(old or 0) - 1
    return f"{old or ''}x"


def test_every_column_is_in_one_of_the_two_lists():
    listed = columns(COUNTED) + columns(LEFT_OUT)
    there = [
        (name, column.name) for name, table in TABLES.items() for column in table.columns if column.name != "tenant"
    ]

    assert sorted(listed) == sorted(there), "say of every new column whether it counts"


@pytest.mark.parametrize(("table", "column"), columns(COUNTED))
def test_a_change_of_what_counts_changes_the_digest(database: Database, table: str, column: str):
    before, after = changed(database, table, column)

    assert before != after


@pytest.mark.parametrize(("table", "column"), [one for one in columns(LEFT_OUT) if one not in SURROGATES])
def test_a_change_of_what_is_left_out_changes_nothing(database: Database, table: str, column: str):
    before, after = changed(database, table, column)

    assert before == after


@pytest.mark.parametrize("table", sorted({*COUNTED} - {"customer"}))
def test_a_row_less_changes_the_digest(database: Database, table: str):
    of = TABLES[table]
    with database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        before = value(database, connection)
        keys = list(of.primary_key.columns)
        row = connection.execute(select(of).order_by(*(key.desc() for key in keys))).first()
        assert row is not None
        connection.execute(of.delete().where(*(key == row._mapping[key.name] for key in keys)))
        after = value(database, connection)
        connection.rollback()

    assert before != after


def test_other_surrogate_ids_and_hashes_give_the_same_digest(database: Database):
    with database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        before = value(database, connection)
        renumber(connection)
        after = value(database, connection)
        connection.rollback()

    assert before == after


def renumber(connection: Connection) -> None:
    """Give everything another id, wherever it is named, and every hash of ids another value."""
    numbers = itertools.count(10**17)
    new: dict[str, str] = {}
    rows = {name: connection.execute(select(table)).mappings().all() for name, table in TABLES.items()}
    for name, column in SURROGATES:
        for row in rows[name]:
            old = str(row[column])
            new.setdefault(old, f"{next(numbers)}" if old.isdigit() else f"{next(numbers):032x}")
    for row in rows["touchpoint"]:
        if re.fullmatch("[0-9a-f]{32}", row["key"]):
            new[row["key"]] = f"{next(numbers):032x}"
    for name, table in TABLES.items():
        connection.execute(table.delete())
        for row in rows[name]:
            connection.execute(insert(table).values({c: renamed(v, new) for c, v in row.items()}))


def renamed(old: Any, new: dict[str, str]) -> Any:
    """A value with new ids in place of old ones."""
    if isinstance(old, str):
        return re.sub(r"[0-9a-f]{32}|\d{16,19}", lambda match: new.get(match[0], match[0]), old)
    return int(new[str(old)]) if isinstance(old, int) and old > 1 and str(old) in new else old
