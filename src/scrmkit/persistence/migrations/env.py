"""Runs migrations on the connection that ``migrate`` hands over."""

from __future__ import annotations

from alembic import context

from scrmkit.persistence.schema import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table="scrmkit_version",
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
