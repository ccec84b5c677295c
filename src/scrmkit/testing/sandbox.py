"""Local servers that behave like a platform: what all sandboxes have in common."""

from __future__ import annotations

import random
import threading
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Protocol, runtime_checkable

import attrs
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from scrmkit.clock import Clock, aware
from scrmkit.errors import InvalidValueError, ScrmkitError, UnknownNameError
from scrmkit.testing.sandbox_callbacks import (
    Answered,
    Attempt,
    Callback,
    CallbackFaultKind,
    CallbackSender,
    exchange,
    local_address,
)
from scrmkit.testing.sandbox_control import ControlCall, calls_of, control
from scrmkit.testing.sandbox_faults import Fault, FaultKind, Faults
from scrmkit.testing.sandbox_requests import INCOMING, Handler, Incoming, RequestLog, route
from scrmkit.testing.sandbox_server import Faulty, LocalServer, running, serve

__all__ = [
    "Answered",
    "Attempt",
    "Callback",
    "CallbackSender",
    "Fault",
    "Faults",
    "Handler",
    "Incoming",
    "LocalServer",
    "RequestLog",
    "Sandbox",
    "ShiftedClock",
    "control",
    "exchange",
    "local_address",
    "route",
    "running",
    "serve",
]


@runtime_checkable
class _Movable(Protocol):
    def now(self) -> datetime: ...
    def advance(self, by: timedelta) -> datetime: ...


class ShiftedClock:
    """The machine's clock plus an offset that can be changed: a sandbox's own time."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self._offset = offset

    def now(self) -> datetime:
        """The machine's time plus the offset, in UTC."""
        return datetime.now(UTC) + self._offset

    def advance(self, by: timedelta) -> datetime:
        """Add *by* to the offset and return the new moment."""
        self._offset += by
        return self.now()


class Sandbox:
    """
    A local server that behaves like a platform (沙箱), on loopback only.

    A platform subclasses it with a :attr:`name`, :meth:`credentials`,
    :meth:`routes`, the answers to faults, and more control calls. It keeps its
    state in memory; equal seeds and clocks give equal ids and answers. Handlers
    and control calls run one at a time, under :attr:`lock`.

    Args:
        clock: The sandbox's own time; a :class:`~scrmkit.clock.VirtualClock` may be
            shared with an engine. Without one, the machine's time, which control calls move.
        seed: Where all chance comes from: ids, tokens, test credentials.

    Attributes:
        url: Address while it runs, without a slash at the end; else empty.
        chance: The only source of chance.
        faults: What goes wrong next with what it receives.
        callbacks: Where it pushes what the platform would call back.
    """

    name = "sandbox"
    secrets: Collection[str] = ()
    """Names of query and body members that are masked in the list of requests."""

    def __init__(self, clock: Clock | None = None, seed: int = 0) -> None:
        self.clock: Clock = clock or ShiftedClock()
        self.seed = seed
        self.url = ""
        self.lock = threading.RLock()
        self.chance = random.Random(seed)
        self.faults = Faults()
        self.requests = RequestLog(self.secrets)
        self.callbacks = self.sender()
        self._number = 0
        self._server: LocalServer | None = None

    # What a platform says about itself.

    def credentials(self) -> dict[str, str]:
        """The address as ``url``, and test credentials: what is printed at the start."""
        return {"url": self.url}

    def routes(self) -> Sequence[BaseRoute]:
        """The platform's paths; see :func:`route`."""
        return ()

    def unknown(self, incoming: Incoming) -> Response:
        """The platform's answer to a path, or a method, that it does not know."""
        return JSONResponse({"error": "not found"}, status_code=404)

    def operation(self, incoming: Incoming) -> str:
        """What a fault's ``path`` is compared with, where the path alone does not say."""
        return incoming.path

    def rate_limited(self, incoming: Incoming) -> Response:
        """The platform's answer to too many calls."""
        return JSONResponse({"error": "too many requests"}, status_code=429)

    def failed(self, incoming: Incoming, code: str) -> Response:
        """The platform's answer with its own error *code*."""
        return JSONResponse({"error": code}, status_code=400)

    def revoke_tokens(self) -> None:
        """Forget all access tokens, as the platform may at any time."""

    def sender(self) -> CallbackSender:
        """Make what pushes callbacks: with other retries, or another idea of "accepted"."""
        return CallbackSender(self.clock)

    def forget(self) -> None:
        """Forget the platform's state and build it anew; :attr:`chance` starts anew before."""

    # Running it.

    def app(self) -> Starlette:
        """The whole as an ASGI application."""
        return Starlette(
            routes=[Mount("/sandbox", routes=self._control_routes()), *self.routes()],
            middleware=[Middleware(Faulty, sandbox=self)],
            exception_handlers={404: self._answer_unknown, 405: self._answer_unknown},
        )

    def start(self, port: int = 0) -> str:
        """
        Listen on 127.0.0.1 from a thread of its own; return the address.

        Args:
            port: 0 picks a free one.

        Raises:
            InvalidValueError: The port is taken or not allowed.
        """
        if self._server is None:
            self._server = LocalServer(self.app(), port)
            self.url = self._server.url
        return self.url

    def stop(self) -> None:
        """Stop listening and calling back; the state stays."""
        if self._server is not None:
            self._server.stop()
            self._server, self.url = None, ""
        self.callbacks.stop()

    def __enter__(self) -> str:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def incoming(self, request: Request, body: bytes, *, counts: bool = True) -> Incoming:
        """A request as a plain value, stamped with the sandbox's time."""
        with self.lock:
            self._number += counts
            return Incoming(
                number=self._number,
                at=self.clock.now(),
                method=request.method,
                path=request.url.path,
                query=dict(request.query_params),
                raw_query=request.url.query,
                headers={name.lower(): value for name, value in request.headers.items()},
                body=body,
            )

    # The control calls that all sandboxes have.

    @control("GET", "clock")
    def read_clock(self) -> dict[str, str]:
        """Say what time it is here."""
        return {"now": self.clock.now().isoformat()}

    @control("POST", "clock", example={"seconds": 30})
    def move_clock(
        self,
        seconds: Annotated[float, "how far to move on; from 0"] = 0,
        to: Annotated[datetime | None, "or the moment to move to; never back"] = None,
    ) -> dict[str, str]:
        """Move the sandbox's clock on; callbacks that fall due are sent."""
        if not isinstance(self.clock, _Movable):
            raise InvalidValueError("this sandbox runs on a clock that nobody can move")
        by = timedelta(seconds=seconds) if to is None else aware(to) - self.clock.now()
        if by < timedelta(0):
            raise InvalidValueError("a sandbox's clock never moves back")
        moved = self.clock.advance(by)
        self.callbacks.wake()
        return {"now": moved.isoformat()}

    @control("POST", "faults", example={"kind": "rate_limit", "times": 2})
    def inject(
        self,
        kind: Annotated[
            FaultKind,
            "slow: the work is done, the answer comes late; hang: neither work nor answer; "
            "status: an HTTP status such as 503; rate_limit: the platform's own refusal; "
            "drop: accepted, the work is done, the connection is closed without an answer; "
            "token_revoked: access tokens are forgotten first; code: the platform's error code",
        ],
        path: Annotated[str, "which calls: a path, or a pattern with *; empty for all"] = "",
        times: Annotated[int, "with how many calls; from 1"] = 1,
        seconds: Annotated[float, "real seconds, for slow"] = 2.0,
        status: Annotated[int, "the HTTP status, for status"] = 503,
        code: Annotated[str, "the platform's own error code, for code"] = "",
    ) -> dict[str, Any]:
        """Let the next calls go wrong."""
        fault = Fault(kind=kind, path=path, times=times, seconds=seconds, status=status, code=code)
        self.faults.add(fault)
        return attrs.asdict(fault)

    @control("GET", "faults")
    def list_faults(self) -> dict[str, Any]:
        """List the faults that are still to come."""
        return {"faults": [attrs.asdict(fault) for fault in self.faults.waiting()]}

    @control("POST", "callback-faults", example={"kind": "duplicate"})
    def spoil_callbacks(
        self,
        kind: Annotated[CallbackFaultKind, "sent twice, never, after the next one, or late"],
        times: Annotated[int, "how many callbacks; from 1"] = 1,
        seconds: Annotated[float, "how late slow is, on the sandbox's clock"] = 10.0,
    ) -> dict[str, Any]:
        """Let the next callbacks go wrong."""
        if times < 1 or seconds < 0:
            raise InvalidValueError("'times' starts at 1 and 'seconds' at 0")
        self.callbacks.spoil(kind, times, timedelta(seconds=seconds))
        return {"kind": kind, "times": times}

    @control("GET", "callbacks")
    def list_callbacks(self) -> dict[str, Any]:
        """List every try to push a callback, oldest first."""
        tries = [{**attrs.asdict(each), "at": each.at.isoformat()} for each in self.callbacks.attempts()]
        return {"attempts": tries, "pending": self.callbacks.pending()}

    @control("POST", "callbacks/wait", example={}, locked=False)
    def wait_for_callbacks(self, seconds: Annotated[float, "real seconds to wait at most"] = 30.0) -> dict[str, bool]:
        """Wait until every callback that is due has been tried."""
        return {"idle": self.callbacks.wait_idle(timedelta(seconds=seconds))}

    @control("GET", "requests")
    def list_requests(self, path: Annotated[str, "only this path or operation; empty for all"] = "") -> dict[str, Any]:
        """List what was received (the last 1,000), oldest first, with secrets masked."""
        kept = self.requests.entries()
        return {"requests": [e for e in kept if path in ("", e["path"], e["operation"])]}

    @control("POST", "reset", example={})
    def reset(self) -> dict[str, Any]:
        """Forget all state, faults and requests; the credentials and the clock stay."""
        self.chance = random.Random(self.seed)
        self.faults.clear()
        self.requests.clear()
        self.callbacks.clear()
        self._number = 0
        self.forget()
        return {}

    # How control calls are served.

    def calls(self) -> tuple[ControlCall, ...]:
        """Every control call."""
        return calls_of(type(self))

    def _control_routes(self) -> list[Route]:
        async def describe(_: Request) -> Response:
            shown = [call.describe() for call in self.calls()]
            return JSONResponse({"sandbox": self.name, "calls": shown})

        return [
            Route("/", describe, methods=["GET"]),
            *(Route(f"/{call.path}", self._control_endpoint(call), methods=[call.method]) for call in self.calls()),
        ]

    def _control_endpoint(self, call: ControlCall) -> Any:
        method = getattr(self, call.attribute)

        async def endpoint(request: Request) -> Response:
            try:
                given = _given(request.scope[INCOMING])
                answer = await run_in_threadpool(method, **call.arguments(given))
            except OverflowError:
                return JSONResponse({"error": "a number is too large"}, status_code=400)
            except InvalidValueError as error:
                return JSONResponse({"error": str(error)}, status_code=400)
            except UnknownNameError as error:
                return JSONResponse({"error": str(error)}, status_code=404)
            except ScrmkitError as error:
                return JSONResponse({"error": str(error)}, status_code=409)
            return JSONResponse(answer if answer is not None else {})

        return endpoint

    async def _answer_unknown(self, request: Request, _: Exception) -> Response:
        if request.url.path.startswith("/sandbox/"):
            message = "no such control call; GET /sandbox/ lists them"
            return JSONResponse({"error": message}, status_code=404)
        return self.unknown(request.scope[INCOMING])


def _given(incoming: Incoming) -> Mapping[str, Any]:
    if incoming.method == "GET":
        return incoming.query
    if not incoming.body:
        return {}
    try:
        given = incoming.json()
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise InvalidValueError("the body of a control call is one JSON object")
    return given
