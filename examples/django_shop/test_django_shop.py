"""The Django shop: what joins Django's transaction shares its fate and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client
from django_shop import shop as shop_module
from django_shop.django_join import joined
from django_shop.shop import Order
from sqlalchemy.engine import make_url

from scrmkit import Decision, Engine, InvalidValueError, Secret, settings_from
from scrmkit.testing import FakeRule, Observer, make_identity, make_order_paid

THANKS = Decision(reason="thanks for the order", answer={"thanks": True})


class Shop:
    """The shop's engine, and what its observer was told."""

    def __init__(self, engine: Engine, observer: Observer) -> None:
        self.engine = engine
        self.observer = observer

    def kept(self, no: str) -> tuple[bool, bool]:
        """Whether the order and its touchpoint are there, read by connections of their own."""
        return Order.objects.filter(no=no).exists(), self.engine.find("order.paid", no) is not None

    def told(self) -> list[str]:
        return [touchpoint.key for touchpoint, _ in self.observer.committed]


def order(no: str) -> Order:
    return Order.objects.create(no=no, amount_fen=9_900)


def use_database(url: str) -> None:
    """Point Django at a database, as ``DATABASES`` does."""
    parsed = make_url(url)
    connections["default"].close()
    del connections["default"]
    options = connections.settings["default"]
    if parsed.get_backend_name() == "sqlite":
        options |= {"ENGINE": "django.db.backends.sqlite3", "NAME": parsed.database}
        options["OPTIONS"] = {"transaction_mode": "IMMEDIATE"}
    else:
        options |= {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parsed.database,
            "HOST": parsed.host,
            "PORT": parsed.port,
            "USER": parsed.username,
            "PASSWORD": parsed.password or "",
            "OPTIONS": {},
        }


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    use_database(url)
    with connections["default"].schema_editor() as editor:
        editor.create_model(Order)
    # As in a fresh process: the first thing that SQLAlchemy meets is the connection it joins.
    connections["default"].close()
    observer = Observer()
    plugins: dict[str, Any] = {"rule.thanks": FakeRule("order.paid", decide=THANKS), "hooks.observer": observer}
    settings = settings_from(
        {
            "scrmkit": {"database": Secret(url), "secret": Secret("a secret of this test")},
            "plugins": {use.partition(".")[2]: {"use": use} for use in plugins},
        },
        {},
    )
    classes = {
        use: type("Made", (), {"__new__": lambda cls, context, plugin=plugin: plugin})
        for use, plugin in plugins.items()
    }
    with Engine(settings, plugins=classes, create=True) as engine:
        monkeypatch.setattr(shop_module, "scrm", lambda: engine)
        yield Shop(engine, observer)
    connections["default"].close()


def test_the_order_and_its_touchpoint_commit_together(shop: Shop):
    told = {"no": "o1", "phone": "+8613900000001", "amount_fen": 9_900}

    answer = Client().post("/pay", json.dumps(told), content_type="application/json")

    assert answer.json() == {"answers": {"thanks": {"thanks": True}}}
    assert shop.kept("o1") == (True, True)


def test_an_earlier_write_of_the_host_survives_joining(shop: Shop):
    with transaction.atomic():
        order("o1")
        with joined(shop.engine) as recording:
            recording.record(make_order_paid("o1"))
        assert Order.objects.filter(no="o1").exists()

    assert shop.kept("o1") == (True, True)


def test_what_the_host_rolls_back_was_never_recorded(shop: Shop):
    with suppress(KeyError), transaction.atomic():
        order("o1")
        with joined(shop.engine) as recording:
            recording.record(make_order_paid("o1"))
        raise KeyError

    assert shop.kept("o1") == (False, False)
    assert shop.told() == []


def test_what_fails_inside_leaves_the_hosts_write_alone(shop: Shop):
    with transaction.atomic():
        order("o1")
        with suppress(InvalidValueError), joined(shop.engine) as recording:
            recording.record(make_order_paid("o1"))
            recording.record(make_order_paid("o2", identities=[make_identity(kind="nobody")]))

    assert shop.kept("o1") == (True, False)
    assert shop.told() == []


def test_observers_are_told_after_the_hosts_commit(shop: Shop):
    with transaction.atomic():
        with joined(shop.engine) as recording:
            recording.record(make_order_paid("o1"))
        assert shop.told() == []

    assert shop.told() == ["o1"]


def test_observers_are_told_of_every_join_of_a_transaction(shop: Shop):
    with transaction.atomic():
        for no in ("o1", "o2"):
            with joined(shop.engine) as recording:
                recording.record(make_order_paid(no))

    assert shop.told() == ["o1", "o2"]


def test_a_transaction_after_one_that_was_rolled_back_is_its_own(shop: Shop):
    with suppress(KeyError), transaction.atomic():
        with joined(shop.engine) as recording:
            recording.record(make_order_paid("o1"))
        raise KeyError
    with transaction.atomic(), joined(shop.engine) as recording:
        recording.record(make_order_paid("o2"))

    assert shop.told() == ["o2"]
    assert shop.kept("o1") == (False, False)


def test_a_savepoint_of_the_host_takes_the_touchpoint_along(shop: Shop):
    with transaction.atomic():
        order("o1")
        with suppress(KeyError), transaction.atomic():
            with joined(shop.engine) as recording:
                recording.record(make_order_paid("o1"))
            raise KeyError

    assert shop.kept("o1") == (True, False)
    assert shop.told() == []


def test_a_repetition_gets_the_stored_answer(shop: Shop):
    for _ in range(2):
        with transaction.atomic(), joined(shop.engine) as recording:
            outcome = recording.record(make_order_paid("o1"))

    assert outcome.duplicate
    assert outcome.answer == {"thanks": True}


def test_the_connection_stays_open_and_djangos(shop: Shop):
    for number in range(3):
        with transaction.atomic():
            order(f"o{number}")
            with joined(shop.engine) as recording:
                recording.record(make_order_paid(f"o{number}"))

    assert Order.objects.count() == 3
    assert shop.told() == ["o0", "o1", "o2"]


def test_joining_outside_a_transaction_is_refused(shop: Shop):
    with pytest.raises(transaction.TransactionManagementError, match="atomic"), joined(shop.engine):
        pass
