"""Recording inside a host's transaction: it ends how and when the host says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy
from engine_world import Toy, everything, one_more, phone_of, played, rows, says, scanned, spring
from sqlalchemy import text as sql
from sqlalchemy.pool import StaticPool

from scrmkit.domain.effects import AddTag
from scrmkit.domain.identity import Identity
from scrmkit.domain.kinds import MessageReceived
from scrmkit.domain.profile import TagSource
from scrmkit.engine import Engine
from scrmkit.errors import ConflictError, InvalidValueError, StorageError
from scrmkit.hooks import hookimpl
from scrmkit.testing import FakeRule, Observer

VIP = AddTag(group="level", name="vip", source=TagSource.MANUAL)
Make = Callable[..., Engine]


@pytest.fixture
def observer() -> Observer:
    return Observer()


@pytest.fixture
def engine(engine_of: Make, observer: Observer) -> Engine:
    rule = FakeRule("entrance.scanned", decide=says(VIP))
    return engine_of({"rule.vip": rule, "hooks.observer": observer, "mechanic.toy": Toy()})


@pytest.fixture
def host(engine: Engine, database_url: str) -> Iterator[sqlalchemy.Engine]:
    """A program's own face of the same database, with a table of its own."""
    made = sqlalchemy.create_engine(database_url)
    with made.begin() as connection:
        connection.execute(sql("CREATE TABLE host_order (number INTEGER PRIMARY KEY)"))
    yield made
    with made.begin() as connection:
        connection.execute(sql("DROP TABLE host_order"))
    made.dispose()


def orders(host: sqlalchemy.Engine) -> list[int]:
    with host.connect() as connection:
        return list(connection.execute(sql("SELECT number FROM host_order ORDER BY 1")).scalars())


def order(connection: sqlalchemy.Connection, number: int) -> None:
    connection.execute(sql("INSERT INTO host_order VALUES (:number)"), {"number": number})


def keys(engine: Engine) -> list[str]:
    return sorted(key for (key,) in rows(engine, "touchpoint", "key"))


def told(observer: Observer) -> list[str]:
    return [touchpoint.key for touchpoint, _ in observer.committed]


# --- the host's transaction --------------------------------------------------------------


def test_both_are_there_after_the_host_s_commit(engine: Engine, host):
    with host.begin() as connection:
        order(connection, 1)
        with engine.joined(connection) as joined:
            outcome = joined.record(scanned(1))
        order(connection, 2)

    assert orders(host) == [1, 2]
    assert keys(engine) == ["s1"]
    assert outcome.customer is not None
    assert [row[2:4] for row in rows(engine, "tag")] == [("level", "vip")]


def test_the_host_s_rollback_takes_ours_along(engine: Engine, host):
    def pay() -> None:
        with host.begin() as connection:
            order(connection, 1)
            with engine.joined(connection) as joined:
                joined.record(scanned(1))
            raise RuntimeError("the till is closed")

    with pytest.raises(RuntimeError):
        pay()

    assert orders(host) == []
    assert everything(engine) == {}


def test_nothing_is_seen_before_the_host_commits(engine: Engine, host):
    with host.begin() as connection:
        with engine.joined(connection) as joined:
            joined.record(scanned(1))
        assert keys(engine) == []


def test_a_connection_that_commits_by_itself_is_refused(engine: Engine, host):
    """On SQLite all that the host wrote from then on would be lost, since nobody commits it."""
    with host.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        with pytest.raises(InvalidValueError, match="join inside a transaction"), engine.joined(connection):
            pytest.fail("there is no transaction to join")
        order(connection, 1)

    assert orders(host) == [1]


def record_one_and_fail(engine: Engine, connection: sqlalchemy.Connection) -> None:
    with engine.joined(connection) as joined:
        joined.record(scanned(1))
        joined.record(scanned(2, Identity(kind="fone", value="1")))


def test_what_fails_inside_is_rolled_back_to_where_it_began(engine: Engine, host):
    with host.begin() as connection:
        order(connection, 1)
        with pytest.raises(InvalidValueError):
            record_one_and_fail(engine, connection)
        order(connection, 2)
        with engine.joined(connection) as joined:
            joined.record(scanned(3))

    assert orders(host) == [1, 2]
    assert keys(engine) == ["s3"]


def test_what_fails_and_is_caught_inside_leaves_the_rest(engine: Engine, host):
    half = MessageReceived(text="half a character: \ud800")
    with host.begin() as connection:
        with engine.joined(connection) as joined:
            joined.record(scanned(1))
            with pytest.raises(StorageError):
                joined.record(scanned(2, kind="message.received", payload=half))
            joined.record(scanned(3))
        order(connection, 1)

    assert orders(host) == [1]
    assert keys(engine) == ["s1", "s3"]


def test_a_repetition_inside_gets_its_first_answer(engine: Engine, host):
    first = engine.record(scanned(1))

    with host.begin() as connection, engine.joined(connection) as joined:
        again = joined.record(scanned(1))

    assert again.duplicate
    assert again.touchpoint == first.touchpoint


def test_a_batch_inside_is_all_or_nothing(engine: Engine, host):
    with host.begin() as connection, engine.joined(connection) as joined:
        with pytest.raises(InvalidValueError):
            joined.record_many([scanned(1), scanned(2, Identity(kind="fone", value="1"))])
        joined.record_many([scanned(3), scanned(4)])

    assert keys(engine) == ["s3", "s4"]


# --- conflicts ---------------------------------------------------------------------------


def test_a_conflict_is_told_and_the_host_goes_on(database_url: str, engines: Callable[..., Engine]):
    """Somebody else writes the instance between our reading and our writing it."""
    met: list[sqlalchemy.Connection] = []

    def meanwhile(instance: Any, *more: Any) -> Any:
        for connection in met:
            connection.execute(sql("UPDATE scrmkit_instance SET version = version + 1"))
        return one_more(instance)

    engine = engines(database_url, {"mechanic.toy": Toy(act=meanwhile)})
    engine.publish(spring())
    engine.record(played(1))
    host = sqlalchemy.create_engine(database_url)
    with host.begin() as connection:
        with engine.joined(connection) as joined:
            joined.record(scanned(1))
        met.append(connection)
        with pytest.raises(ConflictError), engine.joined(connection) as joined:
            joined.record(played(2))
        met.clear()
        with engine.joined(connection) as joined:
            joined.record(played(3))

    assert keys(engine) == ["p1", "p3", "s1", "spring@1"]
    host.dispose()


def test_a_race_for_one_key_is_a_conflict_for_the_second(new_postgresql, engines, virtual_clock):
    url = new_postgresql()
    engine = engines(url, clock=virtual_clock)
    host = sqlalchemy.create_engine(url)
    errors: list[Exception] = []

    def second() -> None:
        with host.begin() as connection:
            try:
                with engine.joined(connection) as joined:
                    joined.record(scanned(2, phone_of(1)))
            except ConflictError as error:
                errors.append(error)
            with engine.joined(connection) as joined:
                joined.record(scanned(3, phone_of(3)))

    with host.begin() as connection, engine.joined(connection) as joined:
        joined.record(scanned(1, phone_of(1)))
        thread = threading.Thread(target=second)
        thread.start()
        wait_for_a_lock(host)
    thread.join(30)

    assert [type(error).__mro__[1] for error in errors] == [ConflictError]
    assert errors[0].retryable
    assert keys(engine) == ["s1", "s3"]
    assert engine.record(scanned(2, phone_of(1))).customer is not None
    host.dispose()


def wait_for_a_lock(host: sqlalchemy.Engine) -> None:
    """Until somebody waits for somebody else."""
    waiting = sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    for _ in range(500):
        with host.connect() as connection:
            if connection.execute(waiting).scalar():
                return
        time.sleep(0.02)
    raise AssertionError("nobody ever waited")


# --- telling of it -----------------------------------------------------------------------


def test_observers_hear_of_it_after_the_host_s_commit(engine: Engine, host, observer: Observer):
    with host.begin() as connection:
        with engine.joined(connection) as joined:
            joined.record_many([scanned(1), scanned(2)])
        order(connection, 1)
        assert told(observer) == []

    assert told(observer) == ["s1", "s2"]


def test_observers_find_what_they_hear_of(database_url: str, engines: Callable[..., Engine]):
    class Looks:
        def __init__(self) -> None:
            self.found: list[Any] = []

        @hookimpl
        def scrmkit_committed(self, touchpoint: Any) -> None:
            self.found.append(engine.find(touchpoint.kind, touchpoint.key))

    looks = Looks()
    engine = engines(database_url, {"hooks.looks": looks})
    host = sqlalchemy.create_engine(database_url)
    with host.begin() as connection, engine.joined(connection) as joined:
        outcome = joined.record(scanned(1))

    assert [found.touchpoint for found in looks.found] == [outcome.touchpoint]
    host.dispose()


def test_observers_never_hear_of_what_was_rolled_back(engine: Engine, host, observer: Observer):
    with host.connect() as connection:
        with engine.joined(connection) as joined:
            joined.record(scanned(1))
        connection.rollback()
        order(connection, 1)
        connection.commit()
        with engine.joined(connection) as joined:
            joined.record(scanned(2))
        connection.commit()

    assert told(observer) == ["s2"]


def test_observers_never_hear_of_what_the_host_s_savepoint_took_back(engine: Engine, host, observer: Observer):
    with host.begin() as connection:
        order(connection, 1)
        savepoint = connection.begin_nested()
        with engine.joined(connection) as joined:
            joined.record(scanned(1))
        savepoint.rollback()
        with engine.joined(connection) as joined:
            joined.record(scanned(2))

    assert told(observer) == ["s2"]
    assert keys(engine) == ["s2"]


def test_observers_never_hear_of_a_commit_that_failed(
    engine: Engine, host, observer: Observer, monkeypatch: pytest.MonkeyPatch
):
    def fails(connection: Any) -> None:
        raise sqlalchemy.exc.OperationalError("COMMIT", {}, Exception("no room"))

    def pay() -> None:
        with host.begin() as connection, engine.joined(connection) as joined:
            joined.record(scanned(1))
            monkeypatch.setattr(host.dialect, "do_commit", fails)

    with pytest.raises(sqlalchemy.exc.OperationalError):
        pay()
    monkeypatch.undo()

    assert told(observer) == []
    assert keys(engine) == []


def test_one_connection_may_join_again_and_again(engine: Engine, host, observer: Observer):
    with host.connect() as connection:
        for number in range(3):
            with engine.joined(connection) as joined:
                joined.record(scanned(number))
            connection.commit()

    assert told(observer) == ["s0", "s1", "s2"]


def test_a_host_that_commits_by_other_means_says_so(engine: Engine, host, observer: Observer):
    """As a framework does that lends its connection: ``commit`` after its own commit."""
    with host.connect() as connection:
        with engine.joined(connection) as joined:
            joined.record(scanned(1))
        connection.connection.driver_connection.commit()
        assert told(observer) == []
        connection.commit()
        assert told(observer) == ["s1"]


@pytest.mark.parametrize("given_back", [False, True], ids=["begins", "is given back"])
def test_another_face_of_the_same_transaction_makes_nobody_forget_it(
    engine: Engine, host, observer: Observer, given_back: bool
):
    """As where a framework and a program each have a SQLAlchemy of their own on one driver's connection."""
    lent = host.raw_connection()
    driver = lent.driver_connection
    lent.detach()  # so that its pool never gets back what the face has closed
    face = sqlalchemy.create_engine(host.url, creator=lambda: driver, poolclass=StaticPool, pool_reset_on_return=None)
    with face.connect() as one, face.connect() as other:
        with engine.joined(one) as joined:
            joined.record(scanned(1))
        if given_back:
            other.close()
        else:
            with engine.joined(other) as joined:
                joined.record(scanned(2))
        assert told(observer) == []
        one.commit()
    with face.connect() as again:
        again.begin()

    assert told(observer) == keys(engine) == (["s1"] if given_back else ["s1", "s2"])
    lent.close()
    face.dispose()
