"""Callbacks that a sandbox pushes, in order, retried on the sandbox's own clock."""

from __future__ import annotations

import heapq
import http.client
import ipaddress
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

import attrs

from scrmkit.clock import Clock
from scrmkit.errors import InvalidValueError

CallbackFaultKind = Literal["duplicate", "drop", "reorder", "slow"]

TIMEOUT = timedelta(seconds=5)
RETRIES = (timedelta(seconds=1),) * 3
_KEPT = 10_000
_MOST_READ = 65_536
_POLL_SECONDS = 0.02


@attrs.frozen(kw_only=True)
class Callback:
    """
    One HTTP request to push.

    Attributes:
        url: Address on this machine, with its query.
        about: What it tells, for the list of what was sent; no secret, no name.
    """

    url: str = attrs.field(repr=False)
    body: bytes = attrs.field(default=b"", repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    method: str = "POST"
    about: str = ""


@attrs.frozen(kw_only=True)
class Answered:
    """What a receiver answered."""

    status: int
    body: bytes = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Attempt:
    """
    One try to push a callback.

    Attributes:
        number: Which callback, counted from 1.
        attempt: Which try, counted from 1.
        outcome: ``accepted``, ``answered 500``, ``timeout``, ``unreachable`` or ``dropped``.
    """

    number: int
    about: str
    attempt: int
    at: datetime
    outcome: str


def local_address(url: str) -> str:
    """
    Return *url* if it is an ``http`` address on this machine.

    Raises:
        InvalidValueError: It is not; a sandbox calls nobody else.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        is_here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = False
    if parts.scheme != "http" or not is_here:
        raise InvalidValueError("a sandbox calls back only this machine, without TLS: use http://127.0.0.1:PORT/PATH")
    return url


def exchange(callback: Callback, *, timeout: timedelta = TIMEOUT) -> Answered:
    """
    Send one request to this machine and read the answer.

    Args:
        timeout: Real time, for the answer to begin and for each part of it.

    Raises:
        InvalidValueError: The address is not on this machine.
        TimeoutError: No whole answer in time.
        OSError: Nobody listens, or the connection broke.
    """
    parts = urlsplit(local_address(callback.url))
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    seconds = timeout.total_seconds()
    until = time.monotonic() + seconds
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    try:
        connection.request(callback.method, target, callback.body, dict(callback.headers))
        response = connection.getresponse()
        body = b""
        while len(body) < _MOST_READ and (part := response.read1(_MOST_READ)):
            body += part
            if time.monotonic() > until:
                raise TimeoutError
        return Answered(status=response.status, body=body)
    except http.client.HTTPException as error:
        raise ConnectionError("the receiver broke off") from error
    finally:
        connection.close()


@attrs.define(order=True)
class _Due:
    at: datetime
    turn: int
    number: int = attrs.field(order=False)
    callback: Callback = attrs.field(order=False)
    attempt: int = attrs.field(order=False, default=1)


def _status_is_200(answer: Answered) -> bool:
    return answer.status == 200


class CallbackSender:
    """
    Pushes callbacks from one background thread, in the order in which they fall due.

    A failed one is sent again after each of *retries*, measured on the
    sandbox's clock: moving the clock sends what fell due on the way.

    Args:
        timeout: Real time that a receiver has to answer.
        accepts: Whether an answer counts as received; by default any status 200.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        timeout: timedelta = TIMEOUT,
        retries: Sequence[timedelta] = RETRIES,
        accepts: Callable[[Answered], bool] = _status_is_200,
    ) -> None:
        self._clock = clock
        self._timeout = timeout
        self._retries = tuple(retries)
        self._accepts = accepts
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._busy = False
        self._life = 0
        self._forget()

    def _forget(self) -> None:
        self._due: list[_Due] = []
        self._held: list[_Due] = []
        self._spoil: list[tuple[CallbackFaultKind, timedelta]] = []
        self._attempts: deque[Attempt] = deque(maxlen=_KEPT)
        self._number = 0
        self._turn = 0

    def spoil(self, kind: CallbackFaultKind, times: int = 1, delay: timedelta = timedelta(0)) -> None:
        """
        Spoil the next *times* callbacks: send twice, not at all, after the next one, or late.

        Args:
            delay: How late ``slow`` is, on the sandbox's clock.
        """
        with self._changed:
            self._spoil.extend([(kind, delay)] * times)

    def push(self, callback: Callback) -> int:
        """
        Send *callback* soon, from the background thread, and return its number.

        Raises:
            InvalidValueError: The address is not on this machine.
        """
        local_address(callback.url)
        with self._changed:
            self._number += 1
            kind, delay = self._spoil.pop(0) if self._spoil else (None, timedelta(0))
            late = delay if kind == "slow" else timedelta(0)
            item = self._item(callback, self._clock.now() + late)
            if kind == "drop":
                self._note(item, "dropped")
            elif kind == "reorder":
                self._held.append(item)
            else:
                self._queue(item)
                if kind == "duplicate":
                    self._queue(self._item(callback, item.at))
                for held in self._held:
                    self._queue(attrs.evolve(held, turn=self._next_turn(), at=item.at))
                self._held.clear()
            self._wake()
            return self._number

    def wake(self) -> None:
        """Look again at what is due: the clock has moved."""
        with self._changed:
            self._wake()

    def wait_idle(self, timeout: timedelta = timedelta(seconds=30)) -> bool:
        """Wait until nothing is due or on its way, in real time; False if it takes longer."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._busy and not self._ready(), timeout.total_seconds())

    def attempts(self) -> tuple[Attempt, ...]:
        """Every try so far (the last 10,000), oldest first."""
        with self._changed:
            return tuple(self._attempts)

    def pending(self) -> int:
        """How many tries are still to come, now or later."""
        with self._changed:
            return len(self._due) + len(self._held) + self._busy

    def clear(self) -> None:
        """Forget everything: what waits, what was sent, and the faults."""
        with self._changed:
            self._life += 1
            self._forget()
            self._changed.notify_all()

    def stop(self) -> None:
        """End the background thread; what waits stays waiting for the next :meth:`push`."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._ending.set()
            self._changed.notify_all()
        if thread is not None:
            thread.join(self._timeout.total_seconds() + 1)

    def _next_turn(self) -> int:
        self._turn += 1
        return self._turn

    def _item(self, callback: Callback, at: datetime) -> _Due:
        return _Due(at=at, turn=self._next_turn(), number=self._number, callback=callback)

    def _queue(self, item: _Due) -> None:
        heapq.heappush(self._due, item)

    def _ready(self) -> bool:
        return bool(self._due) and self._due[0].at <= self._clock.now()

    def _wake(self) -> None:
        if self._thread is None and self._due:
            self._ending = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._ending,), name="sandbox-callbacks", daemon=True
            )
            self._thread.start()
        self._changed.notify_all()

    def _run(self, ending: threading.Event) -> None:
        while True:
            with self._changed:
                # The clock may be moved by someone who shares it and cannot tell us: look often.
                while not ending.is_set() and not self._ready():
                    self._changed.wait(_POLL_SECONDS if self._due else None)
                if ending.is_set():
                    return
                item, life, self._busy = heapq.heappop(self._due), self._life, True
            outcome = self._try(item.callback)
            with self._changed:
                self._busy = False
                if life == self._life:
                    self._settle(item, outcome)
                self._changed.notify_all()

    def _settle(self, item: _Due, outcome: str) -> None:
        self._note(item, outcome)
        if outcome != "accepted" and item.attempt <= len(self._retries):
            at = self._clock.now() + self._retries[item.attempt - 1]
            again = attrs.evolve(item, at=at, turn=self._next_turn(), attempt=item.attempt + 1)
            self._queue(again)

    def _try(self, callback: Callback) -> str:
        try:
            answer = exchange(callback, timeout=self._timeout)
        except TimeoutError:
            return "timeout"
        except OSError:
            return "unreachable"
        return "accepted" if self._accepts(answer) else f"answered {answer.status}"

    def _note(self, item: _Due, outcome: str) -> None:
        self._attempts.append(
            Attempt(
                number=item.number,
                about=item.callback.about,
                attempt=item.attempt,
                at=self._clock.now(),
                outcome=outcome,
            )
        )
