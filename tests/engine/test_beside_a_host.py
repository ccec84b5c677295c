"""A host's own database: our tables stand beside its tables, whatever those are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from engine_world import rows, says, scanned
from sqlalchemy import text as sql

from scrmkit.domain.effects import AddTag
from scrmkit.domain.profile import TagSource
from scrmkit.engine import Engine
from scrmkit.persistence import schema
from scrmkit.testing import FakeRule
from scrmkit.testing.commands import Run

OF_THE_HOST = (
    "CREATE TABLE customer (no INTEGER, name VARCHAR(20), CONSTRAINT pk_customer PRIMARY KEY (no))",
    "INSERT INTO customer VALUES (1, 'Ann')",
    "CREATE TABLE tag (word VARCHAR(20), colour VARCHAR(9))",
    "CREATE INDEX ix_tag_tenant_person ON tag (word, colour)",
    "INSERT INTO tag VALUES ('vip', 'red'), ('new', 'green')",
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, host VARCHAR(9))",
    "INSERT INTO alembic_version VALUES ('0007', 'shop')",
)


def standing(host: sqlalchemy.Engine) -> dict[str, Any]:
    """All tables of a database that are not ours, with their indexes and rows."""
    found = sqlalchemy.MetaData()
    found.reflect(host, only=lambda name, _: not name.startswith("scrmkit_"))
    with host.connect() as connection:
        return {
            name: (
                [(column.name, str(column.type)) for column in table.columns],
                sorted(str(index.name) for index in table.indexes),
                connection.execute(table.select()).all(),
            )
            for name, table in found.tables.items()
        }


@pytest.fixture
def host(empty_url: str) -> Iterator[sqlalchemy.Engine]:
    """A program's database, with tables that are called as ours might be."""
    made = sqlalchemy.create_engine(empty_url)
    with made.begin() as connection:
        for statement in OF_THE_HOST:
            connection.execute(sql(statement))
    yield made
    made.dispose()


def test_a_host_s_tables_of_any_name_are_left_alone(
    host: sqlalchemy.Engine, empty_url: str, engines: Callable[..., Engine]
):
    before = standing(host)
    vip = AddTag(group="level", name="vip", source=TagSource.MANUAL)
    engine = engines(empty_url, {"rule.vip": FakeRule("entrance.scanned", decide=says(vip))}, create=True)

    with host.begin() as connection, engine.joined(connection) as joined:
        joined.record(scanned(1))

    assert [row[2:4] for row in rows(engine, "tag")] == [("level", "vip")]
    assert set(before) == {"customer", "tag", "alembic_version"}
    assert standing(host) == before


def test_the_command_upgrades_and_checks_a_host_s_database(
    host: sqlalchemy.Engine, empty_url: str, run_scrmkit: Run, command_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    (command_folder / "scrmkit.toml").write_text("[scrmkit]\n", encoding="utf-8")
    monkeypatch.setenv("SCRMKIT_DATABASE", empty_url)
    before = standing(host)

    assert run_scrmkit("db", "upgrade").code == 0

    assert run_scrmkit("db", "check", "--json").json["differences"] == []
    assert standing(host) == before


def test_everything_that_is_ours_has_the_prefix(engine_of: Callable[..., Engine]):
    found = sqlalchemy.inspect(engine_of().database.engine)
    tables = found.get_table_names()
    names = {*tables, *schema.metadata.tables}
    for table in tables:
        names |= {found.get_pk_constraint(table)["name"]}
        names |= {one["name"] for one in found.get_indexes(table) + found.get_unique_constraints(table)}

    assert [name for name in names if name and not name.startswith(schema.PREFIX)] == []
