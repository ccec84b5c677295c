"""
Fakes that remember: a channel, payments, a rule, a scorer, and an observer of hooks.

Each is a plugin like any other (``make_engine(plugins={"channel.sms": fake})``)
and an object to look at afterwards (``fake.sent``). What goes wrong is written
down before: each item that is sent takes the next act of the script, and
without one it is accepted::

    channel = FakeChannel()
    channel.will(TryLater(reason="busy"), Lose(done=True), Accepted())
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs

from scrmkit.domain.decisions import Decision, Now
from scrmkit.domain.identity import PHONE, Identity, personal
from scrmkit.domain.kinds import MessageReceived
from scrmkit.domain.messages import (
    Accepted,
    Delivered,
    DeliveryOutcome,
    Operation,
    Outgoing,
    Refund,
    Refused,
    Report,
    TryLater,
    Undelivered,
    Unknown,
)
from scrmkit.domain.profile import Score
from scrmkit.domain.reads import Known, Read
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import CallbackRejectedError, InvalidValueError
from scrmkit.hooks import Failure, Sending, hookimpl
from scrmkit.protocols import CallbackRequest, Inbound, PluginContext
from scrmkit.testing.factories import NOON

HANG_LIMIT = timedelta(seconds=30)
"""How long a hanging act waits at most for its event, so that a failed test ends."""


@attrs.frozen(kw_only=True)
class Lose:
    """The answer is lost: the outcome is ``Unknown``, whether or not the platform did it."""

    done: bool = True


@attrs.frozen(kw_only=True)
class Hang:
    """The call waits for *until* to be set, then goes on with *then*."""

    until: threading.Event
    then: DeliveryOutcome | Lose | Exception = Accepted()


Act = DeliveryOutcome | Lose | Hang | Exception
"""What becomes of one item; an exception is raised, and ends its whole call."""

_DONE = (Accepted, Delivered, Undelivered)


class FakePlatform:
    """
    What stands behind a fake connector: it does what its script says, and remembers.

    Safe to use from several threads; while one call hangs, others go on.

    Attributes:
        sent: What was really done, in order, each once.
        calls: Every call of ``send``: the operation, and the keys of its batch.
        asked: The keys that ``ask`` was called with.
    """

    def __init__(self, context: PluginContext[Any] | None = None, *, honours_keys: bool) -> None:
        self.name = "fake" if context is None else context.name
        self.honours_keys = honours_keys
        self.sent: list[Outgoing] = []
        self.calls: list[tuple[str, tuple[str, ...]]] = []
        self.asked: list[str] = []
        self._script: list[Act] = []
        self._outcomes: dict[tuple[str, str], DeliveryOutcome] = {}
        self._lock = threading.Lock()

    def will(self, *acts: Act) -> None:
        """Write down what becomes of the next items, one act each."""
        with self._lock:
            self._script += acts

    def send(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """Do each item as the script says."""
        with self._lock:
            self.calls.append((operation, tuple(item.key for item in batch)))
        return [self._do(item) for item in batch]

    def ask(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """What became of items: exactly that, since this platform knows."""
        with self._lock:
            self.asked += [item.key for item in batch]
            never = TryLater(reason="nothing was done")
            return [self._outcomes.get(self.known_by(item), never) for item in batch]

    def known_by(self, item: Outgoing) -> tuple[str, str]:
        """What this platform tells its items apart by."""
        return (str(item.tenant), item.key)

    def answer(self, item: Outgoing, earlier: DeliveryOutcome | None) -> DeliveryOutcome:
        """What it answers unless told otherwise; *earlier* where it did the item before."""
        return earlier or Accepted(provider_id=f"{self.name}-{item.key}")

    def _do(self, item: Outgoing) -> DeliveryOutcome:
        with self._lock:
            act: Act | None = self._script.pop(0) if self._script else None
        if isinstance(act, Hang):
            act.until.wait(HANG_LIMIT.total_seconds())
            act = act.then
        if isinstance(act, Exception):
            raise act
        with self._lock:
            known = self.known_by(item)
            earlier = self._outcomes.get(known) if self.honours_keys else None
            outcome = self.answer(item, earlier) if act is None or isinstance(act, Lose) else earlier or act
            happens = not isinstance(act, Lose) or act.done
            if happens and earlier is None and isinstance(outcome, _DONE):
                self._outcomes[known] = outcome
                self.sent.append(item)
        return Unknown(reason="the answer was lost") if isinstance(act, Lose) else outcome


@attrs.frozen(kw_only=True)
class FakeText:
    """The body of ``FakeChannel``'s messages."""

    text: str = personal()


class FakeChannel(FakePlatform):
    """
    A channel that writes to phones and remembers every word.

    Its callbacks are JSON with the query ``token=fake``: what a customer wrote
    (``{"id": "1", "phone": "+86…", "text": "hello"}``) and reports
    (``{"key": "…", "delivered": true}``); ``callback`` makes them.

    Args:
        honours_keys: Whether the same key twice is done once.
        operation: More of the operation ``send``, such as ``max_batch`` or ``quota``.
    """

    def __init__(
        self, context: PluginContext[Any] | None = None, *, honours_keys: bool = True, **operation: Any
    ) -> None:
        super().__init__(context, honours_keys=honours_keys)
        told = {"max_batch": 10, "idempotent": honours_keys, **operation}
        self.operations: Mapping[str, Operation] = {"send": Operation(body=FakeText, **told)}

    @property
    def texts(self) -> list[str]:
        """The words that were really sent, in order."""
        return [item.body.text for item in self.sent]

    def reach(self, identities: Sequence[Identity]) -> Identity | None:
        """The first phone."""
        return next((each for each in identities if each.kind == PHONE), None)

    def receive(self, request: CallbackRequest) -> Inbound:
        """Read one of the callbacks that ``callback`` makes."""
        if request.query.get("token") != "fake" or request.method != "POST":
            raise CallbackRejectedError("this is no callback of the fake platform", code="token")
        try:
            said = json.loads(request.body)
            if "key" in said:
                outcome = Delivered() if said["delivered"] else Undelivered(code="f", reason="fake")
                return Inbound(reports=(Report(key=str(said["key"]), outcome=outcome),))
            return Inbound(touchpoints=(self._written(said),))
        except (ValueError, KeyError, TypeError, InvalidValueError):
            raise CallbackRejectedError("this callback cannot be read", code="body") from None

    def _written(self, said: Mapping[str, str]) -> Touchpoint[Any]:
        return Touchpoint(
            kind="message.received",
            key=f"fake-{said['id']}",
            occurred_at=NOON,
            payload=MessageReceived(text=said["text"]),
            identities=(Identity(kind=PHONE, value=said["phone"]),),
            source=self.name,
        )

    @staticmethod
    def callback(**said: Any) -> CallbackRequest:
        """A callback of the fake platform."""
        body = json.dumps(said).encode()
        return CallbackRequest(method="POST", query={"token": "fake"}, body=body)


class FakePayments(FakePlatform):
    """
    A payment connector (支付) with the operation ``refund``; one ``refund_no`` pays back once.

    The body is ``scrmkit.domain.messages.Refund``. A refund number that comes
    again with another order or amount is refused, as platforms do. Each tenant
    has an account of its own.
    """

    def __init__(self, context: PluginContext[Any] | None = None) -> None:
        super().__init__(context, honours_keys=True)
        self.operations: Mapping[str, Operation] = {"refund": Operation(body=Refund, idempotent=True, addressed=False)}

    @property
    def refunds(self) -> dict[str, Refund]:
        """What was paid back, by refund number, whichever tenant's."""
        return {item.body.refund_no: item.body for item in self.sent}

    def known_by(self, item: Outgoing) -> tuple[str, str]:
        """The refund's own number in the tenant's account."""
        return (str(item.tenant), item.body.refund_no)

    def answer(self, item: Outgoing, earlier: DeliveryOutcome | None) -> DeliveryOutcome:
        """Pay back, once for each refund number."""
        refund: Refund = item.body
        own = {self.known_by(other): other.body for other in self.sent}
        there = own.get(self.known_by(item), refund)
        if refund.amount_fen < 1:
            return Refused(code="amount", reason="a refund is at least 1 fen")
        if (there.order_no, there.amount_fen) != (refund.order_no, refund.amount_fen):
            return Refused(code="refund_no_used", reason="this number is another refund's")
        return earlier or Delivered(
            provider_id=f"{self.name}-{refund.refund_no}", answer={"amount_fen": refund.amount_fen}
        )


class FakeRule:
    """
    A rule that decides what it is told to, and remembers what it was asked.

    Args:
        kinds: What it listens to.
        decide: A decision for all, or what to call with touchpoint, known and now.
        needs: What it declares.

    Attributes:
        touchpoints: What it was asked about, in order.
        nows: The ``now`` of each.
    """

    def __init__(
        self,
        *kinds: str,
        decide: Decision | Callable[[Touchpoint[Any], Known, Now], Any] | None = None,
        needs: Callable[[Touchpoint[Any]], Iterable[Read[Any]]] | Iterable[Read[Any]] = (),
    ) -> None:
        self.kinds = frozenset(kinds)
        self._decide = decide
        self._needs = needs if callable(needs) else tuple(needs)
        self.touchpoints: list[Touchpoint[Any]] = []
        self.nows: list[Now] = []

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        """What it was told to declare."""
        return self._needs(touchpoint) if callable(self._needs) else self._needs

    def decide(self, touchpoint: Touchpoint[Any], known: Known, now: Now) -> Any:
        """What it was told to decide."""
        self.touchpoints.append(touchpoint)
        self.nows.append(now)
        return self._decide(touchpoint, known, now) if callable(self._decide) else self._decide


@attrs.frozen
class FakeCount:
    """How many touchpoints; of a population the most."""

    count: int = 0


class FakeScorer:
    """
    A scorer that gives a point for each touchpoint of its kinds.

    Args:
        kinds: What it counts.
        band: Of a count and the population's highest, the band; who has the most is in ``A`` unless it is given.
    """

    def __init__(
        self,
        context: PluginContext[Any] | None = None,
        *,
        kinds: Iterable[str] = ("order.paid",),
        band: Callable[[int, int], str] = lambda count, most: "A" if count == most else "B",
    ) -> None:
        self.name = "fake" if context is None else context.name
        self.kinds = frozenset(kinds)
        self._band = band

    def empty(self) -> FakeCount:
        """None so far."""
        return FakeCount()

    def fold(self, features: FakeCount, touchpoint: Touchpoint[Any]) -> FakeCount:
        """One more."""
        return FakeCount(features.count + 1)

    def combine(self, one: FakeCount, other: FakeCount) -> FakeCount:
        """Those of both."""
        return FakeCount(one.count + other.count)

    def calibrate(self, population: Iterable[FakeCount], as_of: datetime) -> FakeCount:
        """The most that anybody has."""
        return FakeCount(max((features.count for features in population), default=0))

    def score(self, features: FakeCount, calibration: FakeCount, as_of: datetime, previous: Score | None) -> Score:
        """A point for each."""
        band = self._band(features.count, calibration.count)
        return Score(scorer=self.name, hundredths=100 * features.count, band=band, as_of=as_of)


class Observer:
    """
    A plugin (``hooks.observer``) that remembers all that observers are told.

    Attributes:
        committed: Touchpoints with their outcomes, emitted ones included.
        delivered: Sendings with their outcomes, retries included.
        failures: What plugins did wrong.
    """

    def __init__(self, context: PluginContext[Any] | None = None) -> None:
        self.committed: list[tuple[Touchpoint[Any], Any]] = []
        self.delivered: list[tuple[Sending, DeliveryOutcome]] = []
        self.failures: list[Failure] = []

    @hookimpl
    def scrmkit_committed(self, touchpoint: Touchpoint[Any], outcome: Any) -> None:
        """Remember a touchpoint."""
        self.committed.append((touchpoint, outcome))

    @hookimpl
    def scrmkit_delivered(self, sending: Sending, outcome: DeliveryOutcome) -> None:
        """Remember an outcome."""
        self.delivered.append((sending, outcome))

    @hookimpl
    def scrmkit_plugin_failed(self, failure: Failure) -> None:
        """Remember a failure."""
        self.failures.append(failure)
