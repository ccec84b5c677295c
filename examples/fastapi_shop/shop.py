"""
A FastAPI shop with scrmkit inside it.

``make_app`` is given the engine, so that the program decides when it starts and
ends; ``main`` shows how. Three ways of calling it are here: from an asyncio
endpoint, inside the shop's own SQLAlchemy transaction, and by platforms' callbacks.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

from scrmkit import (
    AsyncEngine,
    ConflictError,
    Engine,
    Identity,
    MessageReceived,
    OrderPaid,
    StorageUnavailableError,
    Touchpoint,
    load_settings,
)
from scrmkit.web import create_app

metadata = sqlalchemy.MetaData()
orders = sqlalchemy.Table(
    "shop_order",
    metadata,
    sqlalchemy.Column("no", sqlalchemy.String(32), primary_key=True),
    sqlalchemy.Column("amount_fen", sqlalchemy.Integer, nullable=False),
)


class Words(BaseModel):
    """What a customer wrote to us."""

    id: str
    phone: str
    text: str


class Order(BaseModel):
    """What a customer paid."""

    no: str
    phone: str
    amount_fen: int


def make_app(engine: Engine, shop: sqlalchemy.Engine) -> FastAPI:
    """
    Make the application.

    Args:
        shop: The shop's own database, the one that *engine* works in.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine.start()
        yield
        engine.stop()

    app = FastAPI(lifespan=lifespan)
    scrm = AsyncEngine(engine)

    @app.post("/words")
    async def words(said: Words) -> dict[str, bool]:
        outcome = await scrm.record(
            Touchpoint(
                kind="message.received",
                key=said.id,
                occurred_at=datetime.now(UTC),
                payload=MessageReceived(text=said.text),
                identities=(Identity(kind="phone", value=said.phone),),
                source="app",
            )
        )
        return {"known": outcome.duplicate}

    # No `async`: FastAPI runs it on a thread, where a transaction may wait.
    @app.post("/orders")
    def pay(order: Order) -> dict[str, object]:
        paid = Touchpoint(
            kind="order.paid",
            key=order.no,
            occurred_at=datetime.now(UTC),
            payload=OrderPaid(order_no=order.no, amount_fen=order.amount_fen),
            identities=(Identity(kind="phone", value=order.phone),),
            source="shop",
        )
        try:
            with shop.begin() as connection:
                connection.execute(orders.insert().values(no=order.no, amount_fen=order.amount_fen))
                with engine.joined(connection) as scrm_inside:
                    outcome = scrm_inside.record(paid)
        except (ConflictError, StorageUnavailableError) as error:
            raise HTTPException(503, headers={"Retry-After": "1"}) from error
        return {"answers": {plugin: dict(told) for plugin, told in outcome.answers.items()}}

    # Platforms call /scrm/callbacks/NAME; /scrm/readyz says whether the database answers.
    app.mount("/scrm", create_app(engine))
    return app


def main() -> None:
    """Run the shop; ``scrmkit db upgrade`` comes first."""
    import uvicorn

    settings = load_settings(Path("scrmkit.toml"), os.environ)
    shop = sqlalchemy.create_engine(settings.database.reveal())
    metadata.create_all(shop)
    with Engine(settings) as engine:
        uvicorn.run(make_app(engine, shop))


if __name__ == "__main__":
    main()
