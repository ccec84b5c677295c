"""An engine with fakes around it, that does what it is told, and can die and start again."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
from sqlalchemy import select

from scrmkit import failpoints
from scrmkit.clock import VirtualClock, from_micros
from scrmkit.domain.campaign import Campaign, Instance, InstanceRef
from scrmkit.domain.decisions import Decision, Step
from scrmkit.domain.effects import Effect, Propose, Request
from scrmkit.domain.ids import CampaignId
from scrmkit.domain.kinds import ConsentChanged, MessageReceived
from scrmkit.domain.messages import AnswerTo, Message, Operation, Purpose, Refund
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit.persistence import schema
from scrmkit.protocols import NewInstance
from scrmkit.settings import settings_from
from scrmkit.testing.engines import _class_of
from scrmkit.testing.factories import NOON, make_identity
from scrmkit.testing.fakes import FakeChannel, FakePayments, FakeText, Observer
from scrmkit.worker import Done

START = NOON
CAMPAIGN = CampaignId("c")
_SECRET = "a secret of tests and of nothing else"


class PowerCut(BaseException):
    """What stands in for the death of a process: nothing may catch it."""


def run_until_cut(bench: Bench, place: str, when: Callable[[], bool] = lambda: True) -> None:
    """Run until the power goes at *place*, the first time *when* that is so; then start again."""

    def cut() -> None:
        if when():
            raise PowerCut

    failpoints.ARMED[place] = cut
    with pytest.raises(PowerCut):
        bench.run()
    failpoints.ARMED.clear()
    bench.restart()


def run_at_once(*engines: Engine) -> None:
    """Let several engines do what is due at the same time."""
    threads = [threading.Thread(target=engine.run_once) for engine in engines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@attrs.frozen(kw_only=True)
class BoxRules:
    """Rules of the box: none."""


@attrs.frozen(kw_only=True)
class BoxState:
    """What a box has been told of."""

    heard: tuple[str, ...] = ()


class Box:
    """A mechanic that does what the bench says and remembers what it is told."""

    Rules = BoxRules
    State = BoxState
    kinds = frozenset({"message.received"})

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.told: list[Touchpoint[Any]] = []

    def address(self, touchpoint: Touchpoint[Any]) -> Iterable[Any]:
        key = self._bench.boxed.get(touchpoint.key)
        return () if key is None else (NewInstance(campaign=CAMPAIGN, key=key),)

    def needs(self, touchpoint: Touchpoint[Any], instance: Any) -> Iterable[Any]:
        return ()

    def open(self, ref: Any, campaign: Any, touchpoint: Any, known: Any, now: Any) -> Any:
        return self._step(BoxState(), touchpoint)

    def act(self, instance: Instance[Any, Any], touchpoint: Any, known: Any, now: Any) -> Any:
        if touchpoint.to is not None:
            self.told.append(touchpoint)
        return self._step(instance.state, touchpoint)

    def due(self, instance: Any, timer: str, touchpoint: Any, known: Any, now: Any) -> Any:
        self.told.append(touchpoint)
        return self._step(instance.state, touchpoint)

    def violations(self, rules: Any, state: Any) -> Iterable[str]:
        return ()

    def _step(self, state: BoxState, touchpoint: Touchpoint[Any]) -> Any:
        state = BoxState(heard=(*state.heard, touchpoint.kind))
        key = touchpoint.key if touchpoint.to is None else getattr(touchpoint.payload, "key", "")
        return Step(reason="told to", state=state, effects=self._bench.effects.get(key, ()))


class Speaker:
    """A rule that does what the bench says."""

    kinds = frozenset({"message.received", "timer.due", "reservation.expired"})

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.heard: list[Touchpoint[Any]] = []

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Any]:
        return ()

    def decide(self, touchpoint: Touchpoint[Any], known: Any, now: Any) -> Decision | None:
        self.heard.append(touchpoint)
        if touchpoint.key in self._bench.boxed:
            return None
        key = getattr(touchpoint.payload, "key", touchpoint.key)
        effects = self._bench.effects.get(key)
        return None if effects is None else Decision(reason="told to", effects=effects)


class Bench:
    """
    A real engine on a database, with everything around it faked.

    Attributes:
        sms: Honours keys; its batches have up to 10 items.
        mail: Does not honour them.
        payments: For requests.
    """

    def __init__(self, url: str, **options: Any) -> None:
        self.url = url
        self.clock = VirtualClock(START)
        self.effects: dict[str, tuple[Effect, ...]] = {}
        self.boxed: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self.sms = options.pop("sms", None) or FakeChannel(max_batch=10)
        self.mail = options.pop("mail", None) or FakeChannel(honours_keys=False, max_batch=10)
        self.payments = FakePayments()
        self.observer = Observer()
        self.speaker, self.other, self.box = Speaker(self), Speaker(self), Box(self)
        self._extra: Mapping[str, Any] = options.pop("plugins", {})
        self._tables: Mapping[str, Any] = options.pop("tables", {})
        self._settings = options
        self.engine = self._start()
        self.engine.publish(
            Campaign(
                id=CAMPAIGN, mechanic="box", rules=BoxRules(), starts_at=START, ends_at=START + timedelta(days=365)
            ),
            tenant=self._settings.get("tenants", ["main"])[0],
        )

    def _start(self) -> Engine:
        plugins = {
            "rule.speaker": self.speaker, "mechanic.box": self.box, "channel.sms": self.sms,
            "channel.mail": self.mail, "connector.payments": self.payments,
            "hooks.observer": self.observer, **self._extra,
        }  # fmt: skip
        plugins = {use: plugin for use, plugin in plugins.items() if plugin is not None}
        names = {use: use.partition(".")[2] for use in plugins}
        tables = {name: {"use": use, **self._tables.get(name, {})} for use, name in names.items()}
        core = {"database": {"env": "URL"}, "secret": {"env": "SECRET"}, "durability": "normal", **self._settings}
        return Engine(
            settings_from({"scrmkit": core, "plugins": tables}, {"SECRET": _SECRET, "URL": self.url}),
            clock=self.clock,
            plugins={use: _class_of(plugin) for use, plugin in plugins.items()},
        )

    def close(self) -> None:
        """Stop in good order."""
        self.engine.close()

    def restart(self) -> None:
        """Die, as far as one process can, and start again."""
        self.engine.database.close()
        self.engine = self._start()

    def another(self) -> Engine:
        """One more engine on the same database, as another process would have it."""
        return self._start()

    # --- what happens --------------------------------------------------------------------

    def consent(self, who: int, *, granted: bool = True, channel: str = "*", **more: Any) -> None:
        """Let a customer grant or withdraw the consent to marketing."""
        self.engine.record(
            Touchpoint(
                kind="consent.granted" if granted else "consent.withdrawn",
                key=f"consent-{next(self._numbers)}",
                occurred_at=self.clock.now(),
                payload=ConsentChanged(channel=channel),
                identities=(phone(who),),
                **more,
            )
        )

    def do(self, *effects: Effect, who: int = 1, box: str | None = None, **more: Any) -> str:
        """Have the speaker, or a box, decide these effects for a customer; the touchpoint's key."""
        key = more.pop("key", None) or f"t{next(self._numbers)}"
        self.effects[key] = effects
        if box is not None:
            self.boxed[key] = box
        self.engine.record(
            Touchpoint(
                kind="message.received", key=key, occurred_at=self.clock.now(),
                payload=MessageReceived(text="hello"), identities=(phone(who),), **more,
            )
        )  # fmt: skip
        return key

    def say(self, text: str = "hello", *, who: int = 1, box: str | None = None, **message: Any) -> None:
        """Have a message planned."""
        slot = {name: message.pop(name) for name in ("slot", "slot_closes_at") if name in message}
        given = {"channel": "sms", "content": FakeText(text=text), **message}
        once = f"say-{next(self._numbers)}"
        self.do(Propose(message=Message(**given), once=once, **slot), who=who, box=box)

    def refund(self, number: str = "r1", *, box: str | None = None, **request: Any) -> None:
        """Have a refund asked for."""
        body = Refund(order_no="o1", refund_no=number, amount_fen=100, reason="test")
        ref = InstanceRef(plugin="box", campaign=CAMPAIGN, key=box or "")
        answer_to = None if box is None else AnswerTo(ref=ref, step=number)
        effect = Request(
            connector="payments", operation="refund", body=body, once=number, answer_to=answer_to, **request
        )
        self.do(effect, box=box)

    def run(self, after: timedelta | float = 0) -> Done:
        """Let time pass (seconds, or a timedelta), then do what is due."""
        self.clock.advance(after if isinstance(after, timedelta) else timedelta(seconds=after))
        return self.engine.run_once()

    # --- what is there -------------------------------------------------------------------

    def rows(self, table: Any = schema.outgoing, **where: Any) -> list[Any]:
        """Rows of a table, in the order of their ids or keys."""
        order = list(table.primary_key.columns)
        matches = [table.c[name] == value for name, value in where.items()]
        with self.engine.database.engine.connect() as connection:
            return list(connection.execute(select(table).where(*matches).order_by(*order)))

    @property
    def statuses(self) -> list[str]:
        """The status of each thing that went out, in the order of planning."""
        return [row.status for row in self.rows()]

    @property
    def only(self) -> Any:
        """The only thing that went out."""
        (row,) = self.rows()
        return row

    @property
    def log(self) -> list[str]:
        """The statuses that were written down, in order."""
        return [row.status for row in self.rows(schema.attempt)]

    def due_in(self) -> timedelta:
        """How long until the only thing that goes out is due."""
        return from_micros(self.only.due_at) - self.clock.now()


def phone(number: int) -> Any:
    """A customer's phone."""
    return make_identity(f"+86139{number:08d}")


def at(moment: str, day: int = 2) -> datetime:
    """A moment of the clock's month, in Shanghai."""
    return datetime.fromisoformat(f"2026-03-{day:02d}T{moment}:00+08:00")


MARKETING = Purpose.MARKETING
ANY = Operation(body=object)
