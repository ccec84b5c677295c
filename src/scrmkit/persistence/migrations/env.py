"""Runs migrations on the connection that ``migrate`` hands over."""

from __future__ import annotations

from alembic import context

context.configure(**context.config.attributes)
with context.begin_transaction():
    context.run_migrations()
