"""Serving a sandbox on loopback: the thread, the command line, and faults on the wire."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from scrmkit.errors import InvalidValueError
from scrmkit.testing.sandbox_faults import Fault
from scrmkit.testing.sandbox_requests import INCOMING, LOCK, Incoming

if TYPE_CHECKING:
    from scrmkit.testing.sandbox import Sandbox

HOST = "127.0.0.1"
_ABORT = "scrmkit.abort"
_LONGEST_START_SECONDS = 10.0

log = logging.getLogger("scrmkit.sandbox")


class _Abortable(H11Protocol):
    """HTTP that lets the application close the connection without an answer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner = self.app

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope[_ABORT] = self.transport.abort
            await inner(scope, receive, send)

        self.app = app


class LocalServer:
    """
    An ASGI application on 127.0.0.1, served from a thread of its own.

    Args:
        port: 0 picks a free one.

    Raises:
        InvalidValueError: The port is taken or not allowed.
    """

    def __init__(self, app: ASGIApp, port: int = 0) -> None:
        self._socket = _listen(port)
        self.url = f"http://{HOST}:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            app,
            http=_Abortable,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            # A caller that hangs on purpose must not hold up the end.
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="sandbox-server", daemon=True
        )
        self._thread.start()
        until = time.monotonic() + _LONGEST_START_SECONDS
        while not self._server.started and self._thread.is_alive() and time.monotonic() < until:
            time.sleep(0.001)

    def stop(self) -> None:
        """Stop listening and wait for the thread to end."""
        self._server.should_exit = True
        self._thread.join(_LONGEST_START_SECONDS)
        self._socket.close()


def _listen(port: int) -> socket.socket:
    # asyncio turns Nagle's delay of 40 ms off only where the protocol is named.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise InvalidValueError(f"cannot listen on port {port} of {HOST}; take another, or 0 for a free one") from error
    return listener


@contextmanager
def running(sandbox: Sandbox, port: int = 0) -> Iterator[str]:
    """Run *sandbox* in a thread while the block lasts, and give its address."""
    try:
        yield sandbox.start(port)
    finally:
        sandbox.stop()


def serve(sandbox: Sandbox, port: int = 0, as_json: bool = False, out: TextIO | None = None) -> None:
    """
    Run *sandbox* until SIGTERM or SIGINT; for the command line, from the main thread.

    Prints the address and the test credentials once it answers.

    Args:
        port: 0 picks a free one.
        as_json: Print them as one line of JSON.
        out: Where to print; standard output by default.

    Raises:
        InvalidValueError: The port is taken or not allowed.
    """
    ended = threading.Event()
    signals = (signal.SIGTERM, signal.SIGINT)
    before = {each: signal.signal(each, lambda *_: ended.set()) for each in signals}
    try:
        with running(sandbox, port):
            print(_greeting(sandbox, as_json), file=out or sys.stdout, flush=True)
            # Waiting in short turns lets a signal through on every system.
            while not ended.wait(0.5):
                pass
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _greeting(sandbox: Sandbox, as_json: bool) -> str:
    shown = sandbox.credentials()
    if as_json:
        return json.dumps(shown)
    width = max(map(len, shown))
    lines = [f"{name:<{width}}  {value}" for name, value in shown.items()]
    control = f"Control API: {sandbox.url}/sandbox/ (lists its calls). Ctrl-C ends it."
    return "\n".join([f"Sandbox {sandbox.name}, test credentials:", *lines, control])


class Faulty:
    """
    Middleware: reads each request whole, logs it, and lets it go wrong where asked to.

    Control calls pass untouched.
    """

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or not."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        body = await request.body()
        is_control = request.url.path.rstrip("/") == "/sandbox" or request.url.path.startswith("/sandbox/")
        incoming = self._sandbox.incoming(request, body, counts=not is_control)
        scope[INCOMING], scope[LOCK] = incoming, self._sandbox.lock
        if is_control:
            await self._app(scope, receive, send)
        else:
            await self._receive(incoming, scope, receive, send)

    async def _receive(self, incoming: Incoming, scope: Scope, receive: Receive, send: Send) -> None:
        sandbox = self._sandbox
        operation = sandbox.operation(incoming)
        fault = sandbox.faults.take(operation)
        if fault is not None and fault.kind == "token_revoked":
            with sandbox.lock:
                sandbox.revoke_tokens()
        response = self._instead(fault, incoming)
        if fault is not None and fault.kind == "hang":
            sandbox.requests.add(incoming, operation, "hang")
            await _until_gone(receive)
            return
        messages = await self._answer(response or self._app, scope, receive)
        status = str(messages[0]["status"])
        sandbox.requests.add(incoming, operation, fault.kind if fault else status)
        if fault is not None and fault.kind == "drop":
            scope[_ABORT]()
            await _until_gone(receive)
            return
        if fault is not None and fault.kind == "slow" and await _is_gone(receive, fault.seconds):
            return
        for message in messages:
            await send(message)

    def _instead(self, fault: Fault | None, incoming: Incoming) -> Response | None:
        match fault:
            case Fault(kind="status", status=status):
                return Response(status_code=status)
            case Fault(kind="rate_limit"):
                return self._sandbox.rate_limited(incoming)
            case Fault(kind="code", code=code):
                return self._sandbox.failed(incoming, code)
        return None

    async def _answer(self, app: ASGIApp, scope: Scope, receive: Receive) -> list[Message]:
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        try:
            await app(scope, receive, keep)
        except Exception:
            log.exception("sandbox_failed")
            messages.clear()
            message = {"error": "the sandbox itself failed; its log says why"}
            await JSONResponse(message, status_code=500)(scope, receive, keep)
        return messages


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _is_gone(receive: Receive, seconds: float) -> bool:
    try:
        await asyncio.wait_for(_until_gone(receive), seconds)
    except TimeoutError:
        return False
    return True
