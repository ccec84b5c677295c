"""Asking what would be decided, and recording from asyncio."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from engine_world import Toy, everything, one_more, phone_of, played, rows, says, scanned, spring, text

from scrmkit.domain.effects import AddTag, Propose, StartTimer
from scrmkit.domain.profile import TagSource
from scrmkit.engine import AsyncEngine, Engine
from scrmkit.testing import NOON, FakeChannel, FakeRule, Observer

VIP = AddTag(group="level", name="vip", source=TagSource.MANUAL)
Make = Callable[..., Engine]


def busy_rule() -> FakeRule:
    return FakeRule(
        "entrance.scanned",
        decide=lambda t, known, now: says(
            VIP,
            StartTimer(key="t", due_at=NOON),
            Propose(message=text(), once="hello"),
            answer={"drawn": now.chance.randbelow(100)},
        ),
    )


def test_asking_records_nothing(engine_of: Make):
    observer = Observer()
    engine = engine_of({"rule.busy": busy_rule(), "channel.sms": FakeChannel(), "hooks.observer": observer})
    asked = engine.ask(scanned(1))

    assert everything(engine) == {}
    assert observer.committed == []
    assert asked.answer == engine.record(scanned(1)).answer


def test_asking_about_what_was_recorded_gives_its_answer(engine_of: Make):
    engine = engine_of({"rule.busy": busy_rule(), "channel.sms": FakeChannel()})
    first = engine.record(scanned(1))

    asked = engine.ask(scanned(1))

    assert asked.duplicate
    assert asked.touchpoint == first.touchpoint


def test_asking_changes_no_instance(engine_of: Make):
    toy = Toy()
    engine = engine_of({"mechanic.toy": toy})
    engine.publish(spring())
    engine.record(played(1))
    before = everything(engine)

    for number in range(2, 5):
        engine.ask(played(number))

    assert everything(engine) == before
    assert [call for call, _, _ in toy.calls] == ["open", "act", "act", "act"]


def test_asking_joins_no_customers(engine_of: Make):
    engine = engine_of()
    engine.record_many([scanned(1, phone_of(1)), scanned(2, phone_of(2))])
    before = everything(engine)

    engine.ask(scanned(3, phone_of(1), phone_of(2)))

    assert everything(engine) == before


def test_asking_holds_up_nobody_who_writes(new_postgresql, engines):
    """An instance that is asked about is not locked against those who record."""
    url = new_postgresql()
    inside, go_on = threading.Event(), threading.Event()

    def waits(instance: Any, touchpoint: Any, *_: Any) -> Any:
        if touchpoint.key == "p2":
            inside.set()
            go_on.wait(30)
        return one_more(instance)

    asking = engines(url, {"mechanic.toy": Toy(act=waits)})
    writing = engines(url, {"mechanic.toy": Toy()})
    asking.publish(spring())
    asking.record(played(1))
    asked = threading.Thread(target=asking.ask, args=(played(2),))
    asked.start()
    assert inside.wait(30)
    written = threading.Thread(target=writing.record, args=(played(3),))
    written.start()
    written.join(10)
    waited = written.is_alive()
    go_on.set()
    asked.join(30)
    written.join(30)

    assert not waited


# --- asyncio -----------------------------------------------------------------------------


def test_programs_with_asyncio_record_too(engine_of: Make):
    engine = engine_of({"rule.busy": busy_rule(), "channel.sms": FakeChannel()})

    async def program() -> list[Any]:
        face = AsyncEngine(engine)
        outcomes = await asyncio.gather(*(face.record(scanned(n)) for n in range(20)))
        return [*outcomes, *await face.record_many([scanned(0)]), await face.ask(scanned(0))]

    outcomes = asyncio.run(program())

    assert [outcome.duplicate for outcome in outcomes] == [False] * 20 + [True, True]
    assert len(rows(engine, "touchpoint")) == 20
