"""Pushing callbacks: in order, again when they failed, wrongly where asked to, never outside."""

from __future__ import annotations

import http.server
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scrmkit.clock import VirtualClock
from scrmkit.errors import InvalidValueError
from scrmkit.testing.sandbox import Callback, CallbackSender

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Receiver:
    """A server that remembers what was pushed to it, and answers with the statuses it is given."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.statuses: list[int] = []
        remember = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                remember.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(remember.statuses.pop(0) if remember.statuses else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/callback"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
def sender(clock: VirtualClock) -> Iterator[CallbackSender]:
    pushes = CallbackSender(clock)
    yield pushes
    pushes.stop()


def outcomes(sender: CallbackSender) -> list[str]:
    return [attempt.outcome for attempt in sender.attempts()]


def test_callbacks_arrive_in_order(sender: CallbackSender, receiver: Receiver) -> None:
    for number in range(5):
        sender.push(Callback(url=receiver.url, body=b"%d" % number))

    assert sender.wait_idle()
    assert receiver.bodies == [b"0", b"1", b"2", b"3", b"4"]


def test_a_failed_callback_is_sent_again_when_the_clock_moves(
    sender: CallbackSender, receiver: Receiver, clock: VirtualClock
) -> None:
    receiver.statuses = [500, 500]
    sender.push(Callback(url=receiver.url, body=b"a"))
    assert sender.wait_idle()
    assert (outcomes(sender), sender.pending()) == (["answered 500"], 1)

    for _ in range(3):
        clock.advance(timedelta(seconds=1))
        assert sender.wait_idle()

    assert outcomes(sender) == ["answered 500", "answered 500", "accepted"]
    assert sender.pending() == 0


def test_a_callback_is_given_up_after_three_retries(
    sender: CallbackSender, receiver: Receiver, clock: VirtualClock
) -> None:
    receiver.statuses = [503] * 9
    sender.push(Callback(url=receiver.url, body=b"a"))

    for _ in range(6):
        assert sender.wait_idle()
        clock.advance(timedelta(minutes=1))

    assert [attempt.attempt for attempt in sender.attempts()] == [1, 2, 3, 4]
    assert sender.pending() == 0


def test_a_receiver_that_does_not_answer_in_time_counts_as_failed(clock: VirtualClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        sender = CallbackSender(clock, timeout=timedelta(milliseconds=50), retries=())
        sender.push(Callback(url=f"http://127.0.0.1:{mute.getsockname()[1]}/"))
        assert sender.wait_idle()
        sender.stop()

    assert outcomes(sender) == ["timeout"]


def test_nobody_listening_counts_as_failed(clock: VirtualClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    sender = CallbackSender(clock, retries=())
    sender.push(Callback(url=f"http://127.0.0.1:{port}/"))
    assert sender.wait_idle()
    sender.stop()

    assert outcomes(sender) == ["unreachable"]


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        pytest.param("duplicate", [b"a", b"a", b"b"], id="twice"),
        pytest.param("drop", [b"b"], id="never"),
        pytest.param("reorder", [b"b", b"a"], id="after the next one"),
        pytest.param("slow", [b"b"], id="not yet"),
    ],
)
def test_a_callback_can_go_wrong(sender: CallbackSender, receiver: Receiver, fault: Any, arrived: list[bytes]) -> None:
    sender.spoil(fault, delay=timedelta(seconds=10))
    sender.push(Callback(url=receiver.url, body=b"a"))
    sender.push(Callback(url=receiver.url, body=b"b"))

    assert sender.wait_idle()
    assert receiver.bodies == arrived


def test_a_slow_callback_arrives_when_its_time_has_come(
    sender: CallbackSender, receiver: Receiver, clock: VirtualClock
) -> None:
    sender.spoil("slow", delay=timedelta(seconds=10))
    sender.push(Callback(url=receiver.url, body=b"a"))

    clock.advance(timedelta(seconds=10))

    assert sender.wait_idle()
    assert receiver.bodies == [b"a"]


@pytest.mark.parametrize(
    "address", ["http://example.com/", "http://192.0.2.1/", "https://127.0.0.1/", "file:///etc", "nonsense"]
)
def test_a_sandbox_calls_nobody_outside(sender: CallbackSender, address: str) -> None:
    with pytest.raises(InvalidValueError, match="only this machine"):
        sender.push(Callback(url=address))
