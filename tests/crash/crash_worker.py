"""
The process that is killed: takes touchpoints in, delivers what they lead to, and begins anew.

Run as ``python crash_worker.py DATABASE_URL FOLDER``; prints ``ready`` when it starts to
work and ``done`` when everything is in and out. ``SCRMKIT_FAILPOINT`` names a place to die at.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

from scrmkit import failpoints
from scrmkit.clock import VirtualClock
from scrmkit.domain.decisions import Decision
from scrmkit.domain.effects import AddTag, Propose, Remember, StartTimer
from scrmkit.domain.identity import Identity
from scrmkit.domain.kinds import OrderPaid
from scrmkit.domain.messages import Accepted, Message, Operation, Purpose, Unknown
from scrmkit.domain.profile import TagSource
from scrmkit.domain.reads import Memo
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit.settings import settings_from

CUSTOMERS = 12
TOUCHPOINTS = 120
BATCH = 4
START = datetime(2026, 3, 2, 10, tzinfo=UTC)
CHANNELS = ("careful", "careless")


@attrs.frozen(kw_only=True)
class Text:
    """What is said."""

    text: str


class Counting:
    """Counts a customer's orders, thanks for each, and rings once a minute later."""

    kinds = frozenset({"order.paid", "timer.due"})

    def __init__(self, context: Any) -> None:
        pass

    def needs(self, touchpoint: Touchpoint[Any]) -> list[Any]:
        return [Memo(touchpoint.customer)]

    def decide(self, touchpoint: Touchpoint[Any], known: Any, now: Any) -> Decision:
        memo = dict(known[Memo(touchpoint.customer)] or {"orders": 0, "rings": 0})
        memo["orders" if touchpoint.kind == "order.paid" else "rings"] += 1
        effects: list[Any] = [Remember(value=memo)]
        if touchpoint.kind == "order.paid":
            number = touchpoint.payload.order_no
            message = Message(
                channel=CHANNELS[int(number) % 2], content=Text(text="thank you"),
                purpose=Purpose.TRANSACTIONAL,
            )  # fmt: skip
            effects += [
                AddTag(group="bought", name="yes", source=TagSource.INTERACTION),
                Propose(message=message, once=number),
                StartTimer(key=number, due_at=now.at + timedelta(minutes=1)),
            ]
        return Decision(reason="counted", effects=tuple(effects))


class Provider:
    """A provider outside: a file that keeps every call, and honours keys where it says so."""

    def __init__(self, context: Any) -> None:
        honours = context.name == "careful"
        self.operations = {"send": Operation(body=Text, idempotent=honours, addressed=False, max_batch=3)}
        self._name = context.name
        path = Path(os.environ["SCRMKIT_CRASH_FOLDER"]) / "provider.db"
        self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        self._file.execute("PRAGMA journal_mode=WAL")
        self._file.execute("CREATE TABLE IF NOT EXISTS call (channel TEXT, key TEXT)")

    def send(self, operation: str, batch: Sequence[Any]) -> list[Any]:
        for item in batch:
            self._file.execute("INSERT INTO call VALUES (?, ?)", (self._name, item.key))
            failpoints.failpoint("provider.called")
        return [Accepted(provider_id=item.key) for item in batch]

    def ask(self, operation: str, batch: Sequence[Any]) -> list[Any]:
        return [Unknown(reason="it does not say") for _ in batch]

    def reach(self, identities: Sequence[Identity]) -> Identity | None:
        return None

    def receive(self, request: Any) -> Any:
        raise NotImplementedError

    def close(self) -> None:
        self._file.close()


PLUGINS = {"rule.counting": Counting, "channel.provider": Provider}


def settings(url: str) -> Any:
    plugins = {"counting": {"use": "rule.counting"}}
    plugins |= {name: {"use": "channel.provider"} for name in CHANNELS}
    # A machine that is busy with being killed is slow: nobody is stopped for that.
    calls = {"budget_ms": 60_000, "quarantine_after": 1_000_000}
    core = {"database": {"env": "CRASH_DATABASE"}, "calls": calls}
    environ = {"CRASH_DATABASE": url, "SCRMKIT_SECRET": "0123456789abcdef0123456789"}
    return settings_from({"scrmkit": core, "plugins": plugins}, environ)


def order(number: int) -> Touchpoint[Any]:
    return Touchpoint(
        kind="order.paid", key=f"order:{number}", occurred_at=START + timedelta(seconds=number),
        payload=OrderPaid(order_no=str(number), amount_fen=100 + number),
        identities=(Identity(kind="member", value=str(number % CUSTOMERS)),),
    )  # fmt: skip


def die_at(wanted: str) -> None:
    """At ``name`` or ``name:n``: kill this process, as a power cut would, at the *n*-th time."""
    name, _, count = wanted.partition(":")
    left = [int(count or 1)]

    def die() -> None:
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.ARMED[name] = die


def main(url: str) -> None:
    clock = VirtualClock(START)
    with Engine(settings(url), clock=clock, plugins=PLUGINS, create=True) as engine:
        wanted = os.environ.get("SCRMKIT_FAILPOINT")
        if wanted:
            die_at(wanted)
        print("ready", flush=True)
        for start in range(0, TOUCHPOINTS, BATCH):
            clock.move_to(START + timedelta(seconds=start))
            engine.record_many([order(n) for n in range(start, start + BATCH)])
            engine.run_once()
        for _ in range(200):  # until every lease and every timer has run out
            clock.advance(timedelta(minutes=1))
            engine.run_once()
    print("done", flush=True)


if __name__ == "__main__":
    os.environ["SCRMKIT_CRASH_FOLDER"] = sys.argv[2]
    main(sys.argv[1])
