"""Recording inside a host's own transaction, and telling of it once that has committed."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any
from weakref import WeakSet

from sqlalchemy import event
from sqlalchemy.engine import Connection

from scrmkit.domain.decisions import Outcome
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.frame import Frame
from scrmkit.engine.intake import Intake
from scrmkit.errors import InvalidValueError, StorageError
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database, Wire, translated


class Joining:
    """
    Joins transactions of hosts, and tells of what was recorded in them.

    SQLAlchemy says when it is about to commit, and not when it has. So what was
    recorded is looked for through another connection: when a commit is asked
    for (a host may have committed by other means already), when the connection
    goes on to another transaction, and when it is given back. Several SQLAlchemy
    connections may share a driver's, which alone knows whether its transaction is over.
    """

    def __init__(self, intake: Intake, database: Database) -> None:
        self._intake = intake
        self._database = database
        self._waiting: dict[int, list[Frame]] = defaultdict(list)
        self._heard: WeakSet[Any] = WeakSet()

    @contextlib.contextmanager
    def join(self, connection: Connection) -> Iterator[Joined]:
        """See ``Engine.joined``."""
        raw: Any = connection.connection.driver_connection
        has_begun = getattr(raw, "in_transaction", False)  # as SQLite's driver says
        if not has_begun and connection.dialect.detect_autocommit_setting(raw):
            raise InvalidValueError("the connection commits by itself; join inside a transaction")
        if not has_begun and connection.dialect.name == "sqlite":
            # A savepoint outside a transaction would commit by itself when released.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        self._listen(connection)
        with connection.begin_nested():
            wire = Wire(connection.connection.dbapi_connection, self._database.statements)
            yield Joined(self._intake, connection, wire, self._waiting)

    def _listen(self, connection: Connection) -> None:
        pool = connection.engine.pool
        if connection not in self._heard:
            self._heard.add(connection)
            event.listen(connection, "commit", lambda one: self._tell(_driver(one)))
            event.listen(connection, "begin", lambda one: self._tell(_driver(one)))
        if pool not in self._heard:
            self._heard.add(pool)
            event.listen(pool, "checkin", lambda raw, _: self._tell(raw))

    def _tell(self, driver: Any) -> None:
        """Tell of what is there; where the transaction is over, forget what is not."""
        frames = self._waiting.pop(id(driver), None)
        if not frames:
            return
        there, goes_on = set[int](), True
        with contextlib.suppress(StorageError), translated(), self._database.reading() as wire:
            # Asked first: what commits in between is kept, and looked for once more.
            is_open = _is_in_transaction(driver)
            rows = wire.find(schema.touchpoint, ("id",), [(frame.id,) for frame in frames], ("id",))
            there, goes_on = {row[0] for row in rows}, is_open
        if goes_on:
            self._waiting[id(driver)] += (frame for frame in frames if frame.id not in there)
        if there:
            self._intake.announce([frame for frame in frames if frame.id in there])


class Joined:
    """Records on a host's connection; see ``Engine.joined``."""

    def __init__(self, intake: Intake, connection: Connection, wire: Wire, waiting: dict[int, list[Frame]]) -> None:
        self._intake = intake
        self._connection = connection
        self._wire = wire
        self._waiting = waiting

    def record(self, touchpoint: Touchpoint[Any]) -> Outcome:
        """Record one touchpoint; a conflict is raised and not tried again."""
        return self.record_many([touchpoint])[0]

    def record_many(self, touchpoints: Sequence[Touchpoint[Any]]) -> list[Outcome]:
        """Record several, in their order; all or none of them."""
        checked = [self._intake.checked(touchpoint) for touchpoint in touchpoints]
        with self._connection.begin_nested():
            outcomes, frames = self._intake.record_in(self._wire, checked)
        self._waiting[id(_driver(self._connection))] += frames
        return outcomes


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _is_in_transaction(driver: Any) -> bool:
    """Whether a connection of sqlite3 or psycopg has begun what it has not ended."""
    info = getattr(driver, "info", None)
    # By libpq's numbers: a statement runs, the next is awaited, or one has failed.
    return bool(driver.in_transaction if info is None else info.transaction_status in (1, 2, 3))
