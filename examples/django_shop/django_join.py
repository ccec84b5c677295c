"""
Records touchpoints in a Django transaction: copy this file into your project.

``joined(engine)`` hands SQLAlchemy the connection that Django's transaction runs
on, so that an order and what it means to its customer commit together, or not at
all. The connection stays Django's: SQLAlchemy would roll it back when it meets it
for the first time and whenever it lets go of it, and close it in the end. Here it
can do none of these.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import sqlalchemy
from django.db import connections, transaction
from sqlalchemy.pool import StaticPool

from scrmkit import Engine, Joined

URLS = {"sqlite": "sqlite://", "postgresql": "postgresql+psycopg://"}


@contextlib.contextmanager
def joined(engine: Engine, using: str = "default") -> Iterator[Joined]:
    """
    Record inside the ``transaction.atomic()`` block that this stands in.

    Whatever fails inside is rolled back to where it began, and raised; the host's
    own writes stay. Observers are told, and delivery starts, after Django's commit.
    """
    django = connections[using]
    if not django.in_atomic_block:
        raise transaction.TransactionManagementError("join inside transaction.atomic()")
    connection = _lent(django)
    with engine.joined(connection) as recording:
        yield recording
    transaction.on_commit(connection.commit, using=using)


def _lent(django: Any) -> sqlalchemy.Connection:
    """SQLAlchemy's face of the connection that Django has now, the same for all its life."""
    kept, connection = getattr(django, "_scrmkit_face", (None, None))
    if kept is not django.connection:
        connection = _face(django).connect()
        django._scrmkit_face = django.connection, connection
    elif connection.in_transaction() and not any(call[1] == connection.commit for call in django.run_on_commit):
        connection.rollback()  # as Django did; only SQLAlchemy has not heard of it yet
    return connection


def _face(django: Any) -> sqlalchemy.Engine:
    """An engine with that one connection, which can neither end a transaction nor close it."""
    lent = django.connection
    face = sqlalchemy.create_engine(
        URLS[django.vendor], creator=lambda: lent, poolclass=StaticPool, pool_reset_on_return=None
    )
    for ending in ("do_commit", "do_rollback", "do_close", "do_terminate"):
        setattr(face.dialect, ending, lambda connection: None)
    return face
