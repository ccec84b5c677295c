"""The MetaData, and the kinds of columns that tables are made of."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, SmallInteger, String, Text

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

# SQLite makes a table's only integer key its row's own address if it is called INTEGER.
ID = BigInteger().with_variant(Integer(), "sqlite")


def id_(name: str = "id") -> Column[int]:
    """A 64-bit, time-ordered id."""
    return Column(name, ID, primary_key=True, autoincrement=False)


def text(name: str, length: int, **options: Any) -> Column[str]:
    """A text of at most *length* characters."""
    return Column(name, String(length), nullable=options.pop("nullable", False), **options)


def integer(name: str, **options: Any) -> Column[int]:
    """A 64-bit integer: a moment, an amount, or another row's id."""
    return Column(name, BigInteger(), nullable=options.pop("nullable", False), **options)


def tenant(**options: Any) -> Column[str]:
    """Whose the row is."""
    return text("tenant", 32, **options)


def flag(name: str) -> Column[int]:
    """0 or 1."""
    return Column(name, SmallInteger(), nullable=False)


def json_text(name: str, *, nullable: bool = False) -> Column[str]:
    """JSON as text."""
    return Column(name, Text(), nullable=nullable)


def newest(*columns: Column[Any]) -> tuple[Column[Any], ...]:
    """The columns of profile state: whose, and the word that is newest by (at, by_key)."""
    return (*columns, integer("person"), integer("at"), text("by_key", 264))
