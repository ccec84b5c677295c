"""The first schema, as SQL that both databases read."""

from __future__ import annotations

from pathlib import Path
from string import Template

from alembic import op

revision = "0001"
down_revision = None

_SQL = Path(__file__).with_name("0001_first_schema.sql")


def upgrade() -> None:
    """Make every table and index."""
    # SQLite makes a table's only integer key its row's own address if it is called INTEGER.
    id_type = "INTEGER" if op.get_bind().dialect.name == "sqlite" else "BIGINT"
    text = Template(_SQL.read_text(encoding="utf-8")).substitute(ID=id_type)
    for statement in filter(None, map(str.strip, text.split(";"))):
        op.execute(statement)
