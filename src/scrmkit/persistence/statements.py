"""Every statement, built once with SQLAlchemy and compiled once for the dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import attrs
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Table,
    and_,
    bindparam,
    cast,
    column,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.sql.elements import ClauseElement
from sqlalchemy.types import String

from scrmkit.persistence import schema

_ZERO: ColumnElement[int] = literal_column("0")


def constant(value: str | int) -> ColumnElement[Any]:
    """A value that is part of a statement's text: a number, or a word without quotes."""
    return literal_column(str(value) if isinstance(value, int) else f"'{value}'")


Lock = Literal["", "stays", "turns", "alone"]
"""
How rows are locked: they *stay* who they are, with others who want the same;
writers take *turns*, while they stay; or one has them *alone*.
"""

_LOCKS: Mapping[str, Mapping[str, bool]] = {
    "stays": {"read": True, "key_share": True},
    "turns": {"key_share": True},
    "alone": {},
}


@attrs.frozen
class Statement:
    """Driver text and the order in which it wants its parameters."""

    sql: str
    names: tuple[str, ...]


class Statements:
    """
    The statements of one dialect, each made when it is first asked for.

    Bulk look-ups join a constant text to their keys, given as one JSON array of
    arrays: a row-value ``IN (VALUES …)`` scans on SQLite.
    """

    def __init__(self, dialect_name: str) -> None:
        self.dialect_name = dialect_name
        self._dialect: DefaultDialect = (
            postgresql.psycopg.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
            if dialect_name == "postgresql"
            else sqlite.dialect(paramstyle="qmark")
        )
        self._made: dict[tuple[Any, ...], Statement] = {}

    def once(self, name: tuple[Any, ...], build: Callable[[], ClauseElement]) -> Statement:
        """The statement called *name*, built now if it is not there yet."""
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self.compile(build())
        return made

    def compile(self, clause: ClauseElement) -> Statement:
        """Compile any clause; values in it are parameters by name, or ``constant``."""
        compiled = clause.compile(
            dialect=self._dialect, compile_kwargs={"render_postcompile": True}
        )
        return Statement(str(compiled), tuple(compiled.positiontup or ()))  # type: ignore[attr-defined]

    def bound(self, clause: ClauseElement) -> tuple[Statement, tuple[Any, ...]]:
        """Compile a clause that carries its own values: its text, and they in its order."""
        compiled = clause.compile(
            dialect=self._dialect, compile_kwargs={"render_postcompile": True}
        )
        names = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]
        return Statement(str(compiled), names), tuple(compiled.params[name] for name in names)

    def insert(self, table: Table) -> Statement:
        """Insert whole rows, their values in the order of the table's columns."""
        return self.once(("insert", table.name), lambda: insert(table))

    def insert_new(self, table: Table) -> Statement:
        """Insert whole rows; one that is there already stays as it is."""
        return self.once(
            ("insert_new", table.name), lambda: self._insert(table).on_conflict_do_nothing()
        )

    def upsert(self, table: Table) -> Statement:
        """Insert whole rows, or replace those of the same primary key."""
        return self.once(("upsert", table.name), lambda: self._upsert(table, newest=False))

    def upsert_newest(self, table: Table) -> Statement:
        """Insert whole rows, or replace the same key's unless that one is newer."""
        return self.once(("upsert_newest", table.name), lambda: self._upsert(table, newest=True))

    def tally(self, table: Table, *, added: Sequence[str], first: Sequence[str]) -> Statement:
        """Insert whole rows, or add to columns of the same key's, keeping the first of others."""

        def build() -> ClauseElement:
            statement = self._insert(table)
            new, old = statement.excluded, table.c
            columns = {column.name: new[column.name] for column in old if not column.primary_key}
            columns |= {name: old[name] + new[name] for name in added}
            columns |= {name: func.coalesce(old[name], new[name]) for name in first}
            keys = list(table.primary_key.columns)
            clause: ClauseElement = statement.on_conflict_do_update(
                index_elements=keys, set_=columns
            )
            return clause

        return self.once(("tally", table.name, *added, "/", *first), build)

    def _insert(self, table: Table) -> Any:
        make = postgresql.insert if self.dialect_name == "postgresql" else sqlite.insert
        return make(table).values({c.name: bindparam(c.name, type_=c.type) for c in table.columns})

    def _upsert(self, table: Table, *, newest: bool) -> ClauseElement:
        statement = self._insert(table)
        new = statement.excluded
        keys = list(table.primary_key.columns)
        # As in memory, whatever the database's language.
        bytewise = "C" if self.dialect_name == "postgresql" else "BINARY"
        where = None
        if newest:
            where = or_(
                new["at"] > table.c.at,
                and_(new["at"] == table.c.at, new["by_key"].collate(bytewise) >= table.c.by_key),
            )
        clause: ClauseElement = statement.on_conflict_do_update(
            index_elements=keys,
            set_={c.name: new[c.name] for c in table.columns if c not in keys},
            where=where,
        )
        return clause

    def update(self, table: Table, *, values: Sequence[str], where: Sequence[str]) -> Statement:
        """Set columns by equality; parameters: those of *values* in order, then of *where*."""

        def build() -> ClauseElement:
            old = [bindparam(f"old_{name}", type_=table.c[name].type) for name in where]
            new = [bindparam(f"new_{name}", type_=table.c[name].type) for name in values]
            columns = [table.c[name] for name in values]
            matches = [table.c[name] == value for name, value in zip(where, old, strict=True)]
            # Plain values() would put the parameters into the order of the table's columns.
            pairs = zip(columns, new, strict=True)
            return update(table).where(*matches).ordered_values(*pairs)

        return self.once(("update", table.name, *values, "/", *where), build)

    def delete(self, table: Table, *, where: Sequence[str]) -> Statement:
        """Delete by equality; parameters in the order of *where*."""

        def build() -> ClauseElement:
            return delete(table).where(
                *(table.c[name] == bindparam(name, type_=table.c[name].type) for name in where)
            )

        return self.once(("delete", table.name, *where), build)

    def by_keys(
        self, table: Table, keys: Sequence[str], columns: Sequence[str] = (), *, lock: Lock = ""
    ) -> Statement:
        """
        Rows whose *keys* are among the given; one parameter, see ``keys_json``.

        Args:
            lock: What PostgreSQL is to hold until the transaction ends; see ``Lock``.
        """

        def build() -> ClauseElement:
            source, wanted = self.keys([table.c[name] for name in keys])
            matches = and_(
                *(table.c[name] == value for name, value in zip(keys, wanted, strict=True))
            )
            picked = [table.c[name] for name in columns] or list(table.columns)
            clause = select(*picked).select_from(source.join(table, matches))
            if lock and self.dialect_name == "postgresql":
                clause = clause.order_by(table.c.id).with_for_update(of=table, **_LOCKS[lock])
            return clause

        return self.once(("by_keys", table.name, *keys, "/", *columns, lock), build)

    def keys(self, like: Sequence[Column[Any]]) -> tuple[Any, list[ColumnElement[Any]]]:
        """A source of key rows from the parameter ``keys``, and its columns typed as *like*."""
        parameter = bindparam("keys", type_=String())
        if self.dialect_name == "postgresql":
            rows = (
                func.jsonb_array_elements(cast(parameter, JSONB))
                .table_valued(column("value", JSONB), with_ordinality="key", name="k")
                .render_derived(name="k")
            )
            texts = [rows.c.value.op("->>")(literal_column(str(i))) for i in range(len(like))]
            return rows, [
                text if isinstance(col.type, String) else cast(text, BigInteger)
                for text, col in zip(texts, like, strict=True)
            ]
        rows = func.json_each(parameter).table_valued("value", "key", name="k")
        return rows, [
            func.json_extract(rows.c.value, literal_column(f"'$[{i}]'")) for i in range(len(like))
        ]

    def activity(self) -> Statement:
        """
        Count, sum, first and last of ``(tenant, person, kind, since, until)``.

        Each row starts with the place of its key among the keys, from 0.
        """

        def build() -> ClauseElement:
            t = schema.touchpoint
            source, (tenant, person, kind, since, until) = self.keys(
                [t.c.tenant, t.c.person, t.c.kind, t.c.occurred_at, t.c.occurred_at]
            )
            matches = and_(
                t.c.tenant == tenant,
                t.c.person == person,
                t.c.kind == kind,
                t.c.occurred_at >= since,
                t.c.occurred_at < until,
            )
            place = source.c.key
            if self.dialect_name == "postgresql":  # which counts from 1
                place = place - constant(1)
            amount = cast(func.coalesce(func.sum(t.c.amount_fen), _ZERO), BigInteger)
            first, last = func.min(t.c.occurred_at), func.max(t.c.occurred_at)
            clause = select(place, func.count(t.c.id), amount, first, last)
            return clause.select_from(source.join(t, matches)).group_by(source.c.key)

        return self.once(("activity",), build)

    def move_resource(self) -> Statement:
        """Add to held and used where there is room; parameters held, used, tenant, name."""

        def build() -> ClauseElement:
            r = schema.resource
            held, used = (
                bindparam("d_held", type_=BigInteger()),
                bindparam("d_used", type_=BigInteger()),
            )
            return (
                update(r)
                .values(held=r.c.held + held, used=r.c.used + used)
                .where(
                    r.c.tenant == bindparam("of_tenant", type_=String()),
                    r.c.name == bindparam("of_name", type_=String()),
                    r.c.held + bindparam("d_held_", type_=BigInteger()) >= _ZERO,
                    r.c.used + bindparam("d_used_", type_=BigInteger()) >= _ZERO,
                    r.c.held + r.c.used + bindparam("d_all", type_=BigInteger()) <= r.c.capacity,
                )
            )

        return self.once(("move_resource",), build)

    def move_balance(self) -> Statement:
        """Add to an account's balance where it stays at or above a floor."""

        def build() -> ClauseElement:
            a = schema.account
            amount = bindparam("d_amount", type_=BigInteger())
            return (
                update(a)
                .values(balance=a.c.balance + amount)
                .where(
                    a.c.tenant == bindparam("of_tenant", type_=String()),
                    a.c.ledger == bindparam("of_ledger", type_=String()),
                    a.c.owner == bindparam("of_owner", type_=String()),
                    a.c.balance + bindparam("d_amount_", type_=BigInteger())
                    >= bindparam("floor", type_=BigInteger()),
                )
            )

        return self.once(("move_balance",), build)

    def move_person(self, table: Table) -> Statement:
        """Point rows of a customer at another person; parameters person, tenant, customer."""
        own = "id" if table is schema.customer else "customer"
        return self.update(table, values=("person",), where=("tenant", own))
