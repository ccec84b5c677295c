"""The FastAPI shop, asked over HTTP by a real client, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import httpx
import pytest
import sqlalchemy
import uvicorn
from fastapi import FastAPI
from fastapi_shop.shop import make_app, metadata, orders

from scrmkit import Decision, Engine, Secret, settings_from
from scrmkit.testing import FakeChannel, FakeRule, Observer

THANKS = Decision(reason="thanks for the order", answer={"thanks": True})


class Shop:
    """The running shop, and a client of it."""

    def __init__(self, app: FastAPI, engine: Engine, database: sqlalchemy.Engine) -> None:
        self.engine = engine
        self.database = database
        self.observer: Observer = engine.plugins.named("observer").plugin
        config = uvicorn.Config(app, port=0, log_level="warning")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)

    def __enter__(self) -> Self:
        self.thread.start()
        while not self.server.started and self.thread.is_alive():
            time.sleep(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()
        self.server.should_exit = True
        self.thread.join()

    def order_numbers(self) -> list[str]:
        with self.database.connect() as connection:
            return list(connection.scalars(sqlalchemy.select(orders.c.no)))


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    plugins = {
        "rule.thanks": FakeRule("order.paid", decide=THANKS),
        "channel.sms": FakeChannel(),
        "hooks.observer": Observer(),
    }
    settings = settings_from(
        {
            "scrmkit": {"database": Secret(url), "secret": Secret("a secret of this test")},
            "plugins": {use.partition(".")[2]: {"use": use} for use in plugins},
        },
        {},
    )
    database = sqlalchemy.create_engine(url)
    metadata.create_all(database)
    classes = {use: _class_of(plugin) for use, plugin in plugins.items()}
    with (
        Engine(settings, plugins=classes, create=True) as engine,
        Shop(make_app(engine, database), engine, database) as running,
    ):
        yield running
    database.dispose()


def _class_of(plugin: Any) -> type:
    return type("Made", (), {"__new__": lambda cls, context: plugin})


def test_words_are_recorded_once(shop: Shop):
    said = {"id": "w1", "phone": "+8613900000001", "text": "hello"}

    assert shop.http.post("/words", json=said).json() == {"known": False}
    assert shop.http.post("/words", json=said).json() == {"known": True}


def test_an_order_and_its_touchpoint_commit_together(shop: Shop):
    order = {"no": "o1", "phone": "+8613900000001", "amount_fen": 9_900}

    answer = shop.http.post("/orders", json=order)

    assert answer.json() == {"answers": {"thanks": {"thanks": True}}}
    assert shop.order_numbers() == ["o1"]
    assert shop.engine.find("order.paid", "o1") is not None
    assert [touchpoint.key for touchpoint, _ in shop.observer.committed] == ["o1"]


def test_an_order_that_fails_leaves_no_touchpoint(shop: Shop):
    order = {"no": "o1", "phone": "+8613900000001", "amount_fen": 2**70}

    assert shop.http.post("/orders", json=order).status_code == 500

    assert shop.order_numbers() == []
    assert shop.engine.find("order.paid", "o1") is None
    assert shop.observer.committed == []


def test_a_platform_calls_back(shop: Shop):
    callback = FakeChannel.callback(id="1", phone="+8613900000001", text="hello")

    answer = shop.http.post("/scrm/callbacks/sms", params=dict(callback.query), content=callback.body)

    assert answer.status_code == 200
    assert shop.engine.find("message.received", "fake-1") is not None


def test_the_mounted_health_check_answers(shop: Shop):
    assert shop.http.get("/scrm/readyz").json() == {"status": "ok"}
