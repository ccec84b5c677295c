"""Every statement, built once with SQLAlchemy and compiled once for the dialect."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.default import DefaultDialect

from scrmkit.persistence import schema


def constant(value: str | int) -> sa.ColumnElement[Any]:
    """A value that is part of a statement's text: a number, or a word without quotes."""
    return sa.literal_column(str(value) if isinstance(value, int) else f"'{value}'")


def number(name: str) -> sa.BindParameter[int]:
    """A parameter that is a 64-bit integer."""
    return sa.bindparam(name, type_=sa.BigInteger())


def by_equality(table: sa.Table, *names: str, prefix: str = "") -> sa.ColumnElement[bool]:
    """A condition on columns, with parameters of the columns' names after *prefix*."""
    return sa.and_(*(table.c[name] == _given(table.c[name], prefix) for name in names))


def _given(column: sa.Column[Any], prefix: str = "") -> sa.BindParameter[Any]:
    return sa.bindparam(prefix + column.name, type_=column.type)


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

    def once(self, name: tuple[Any, ...], build: Callable[[], sa.ClauseElement]) -> Statement:
        """The statement called *name*, built now if it is not there yet."""
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self.compile(build())
        return made

    def compile(self, clause: sa.ClauseElement) -> Statement:
        """Compile any clause; values in it are parameters by name, or ``constant``."""
        return self.bound(clause)[0]

    def bound(self, clause: sa.ClauseElement) -> tuple[Statement, tuple[Any, ...]]:
        """Compile a clause that carries its own values: its text, and they in its order."""
        options = {"render_postcompile": True}
        compiled: Any = clause.compile(dialect=self._dialect, compile_kwargs=options)
        names = tuple(compiled.positiontup or ())
        return Statement(str(compiled), names), tuple(compiled.params[name] for name in names)

    def insert(self, table: sa.Table) -> Statement:
        """Insert whole rows, their values in the order of the table's columns."""
        return self.once(("insert", table.name), lambda: self._insert(table))

    def insert_new(self, table: sa.Table) -> Statement:
        """Insert whole rows; one that is there already stays as it is."""
        name = ("insert_new", table.name)
        return self.once(name, lambda: self._insert(table).on_conflict_do_nothing())

    def upsert(
        self, table: sa.Table, *, newest: bool = False, added: Sequence[str] = (), first: Sequence[str] = (),
        rises: str = "",
    ) -> Statement:  # fmt: skip
        """
        Insert whole rows, or replace those of the same primary key.

        Args:
            newest: Leave one that is there and newer as it is.
            added: Columns to add up instead.
            first: Columns that keep their first value.
            rises: The only column to replace, and only by what is larger.
        """

        def build() -> sa.ClauseElement:
            statement = self._insert(table)
            old, new = table.c, statement.excluded
            columns = {column.name: new[column.name] for column in old if not column.primary_key}
            columns |= {name: old[name] + new[name] for name in added}
            columns |= {name: sa.func.coalesce(old[name], new[name]) for name in first}
            newer = None
            if newest:
                # As in memory, whatever the database's language.
                bytewise = "C" if self.dialect_name == "postgresql" else "BINARY"
                later = new["by_key"].collate(bytewise) >= old.by_key
                newer = (new["at"] > old.at) | ((new["at"] == old.at) & later)
            if rises:
                columns, newer = {rises: new[rises]}, new[rises] > old[rises]
            clause: sa.ClauseElement = statement.on_conflict_do_update(
                index_elements=list(table.primary_key.columns), set_=columns, where=newer
            )
            return clause

        return self.once(("upsert", table.name, newest, *added, "/", *first, rises), build)

    def _insert(self, table: sa.Table) -> Any:
        make = postgresql.insert if self.dialect_name == "postgresql" else sqlite.insert
        return make(table).values({column.name: _given(column) for column in table.columns})

    def update(self, table: sa.Table, *, values: Sequence[str], where: Sequence[str]) -> Statement:
        """Set columns by equality; parameters: those of *values* in order, then of *where*."""

        def build() -> sa.ClauseElement:
            # Plain values() would put the parameters into the order of the table's columns.
            pairs = [(table.c[name], _given(table.c[name], "new_")) for name in values]
            matches = by_equality(table, *where, prefix="old_")
            return sa.update(table).where(matches).ordered_values(*pairs)

        return self.once(("update", table.name, *values, "/", *where), build)

    def delete(self, table: sa.Table, *, where: Sequence[str]) -> Statement:
        """Delete by equality; parameters in the order of *where*."""
        name = ("delete", table.name, *where)
        return self.once(name, lambda: sa.delete(table).where(by_equality(table, *where)))

    def by_keys(
        self, table: sa.Table, keys: Sequence[str], columns: Sequence[str] = (), *, lock: Lock = ""
    ) -> Statement:
        """
        Rows whose *keys* are among the given; one parameter, see ``keys_json``.

        Args:
            lock: What PostgreSQL is to hold until the transaction ends; see ``Lock``.
        """

        def build() -> sa.ClauseElement:
            like = [table.c[name] for name in keys]
            source, wanted = self.keys(like)
            matches = sa.and_(*(own == value for own, value in zip(like, wanted, strict=True)))
            picked = [table.c[name] for name in columns] or list(table.columns)
            clause = sa.select(*picked).select_from(source.join(table, matches))
            if lock and self.dialect_name == "postgresql":
                clause = clause.order_by(table.c.id).with_for_update(of=table, **_LOCKS[lock])
            return clause

        return self.once(("by_keys", table.name, *keys, "/", *columns, lock), build)

    def keys(self, like: Sequence[sa.Column[Any]]) -> tuple[Any, list[sa.ColumnElement[Any]]]:
        """A source of key rows from the parameter ``keys``, and its columns typed as *like*."""
        given = sa.bindparam("keys", type_=sa.String())
        if self.dialect_name == "sqlite":
            rows = sa.func.json_each(given).table_valued("value", "key", name="k")
            paths = (constant(f"$[{place}]") for place in range(len(like)))
            return rows, [sa.func.json_extract(rows.c.value, path) for path in paths]
        elements = sa.func.jsonb_array_elements(sa.cast(given, postgresql.JSONB))
        value = sa.column("value", postgresql.JSONB)
        rows = elements.table_valued(value, with_ordinality="key", name="k")
        rows = rows.render_derived(name="k")
        texts = [rows.c.value.op("->>")(constant(place)) for place in range(len(like))]
        return rows, [
            text if isinstance(column.type, sa.String) else sa.cast(text, sa.BigInteger)
            for text, column in zip(texts, like, strict=True)
        ]

    def activity(self) -> Statement:
        """
        Count, sum, first and last of ``(tenant, person, kind, since, until)``.

        Each row starts with the place of its key among the keys, from 0.
        """

        def build() -> sa.ClauseElement:
            t = schema.touchpoint.c
            source, (tenant, person, kind, since, until) = self.keys(
                [t.tenant, t.person, t.kind, t.occurred_at, t.occurred_at]
            )
            matches = (t.tenant == tenant) & (t.person == person) & (t.kind == kind)
            matches &= (t.occurred_at >= since) & (t.occurred_at < until)
            # PostgreSQL counts from 1.
            place = source.c.key - constant(int(self.dialect_name == "postgresql"))
            sum_fen = sa.func.coalesce(sa.func.sum(t.amount_fen), constant(0))
            amount = sa.cast(sum_fen, sa.BigInteger)
            first, last = sa.func.min(t.occurred_at), sa.func.max(t.occurred_at)
            clause = sa.select(place, sa.func.count(t.id), amount, first, last)
            joined = source.join(schema.touchpoint, matches)
            return clause.select_from(joined).group_by(source.c.key)

        return self.once(("activity",), build)

    def move_resource(self) -> Statement:
        """
        Add to held and used where there is room.

        Parameters: held, used, tenant, name, held, used, held and used.
        """

        def build() -> sa.ClauseElement:
            r = schema.resource
            held, used = r.c.held + number("more_held"), r.c.used + number("more_used")
            room = r.c.held + r.c.used + number("more") <= r.c.capacity
            whole = (held >= constant(0), used >= constant(0), room)
            clause = sa.update(r).values(held=held, used=used)
            return clause.where(by_equality(r, "tenant", "name"), *whole)

        return self.once(("move_resource",), build)

    def move_balance(self) -> Statement:
        """
        Add to an account's balance where it stays at or above a floor.

        Parameters: amount, tenant, ledger, owner, amount, floor.
        """

        def build() -> sa.ClauseElement:
            a = schema.account
            balance = a.c.balance + number("more")
            mine = by_equality(a, "tenant", "ledger", "owner")
            return sa.update(a).values(balance=balance).where(mine, balance >= number("floor"))

        return self.once(("move_balance",), build)
