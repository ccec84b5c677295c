"""An ASGI application for platforms' callbacks and for health checks."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from scrmkit.engine import Engine
from scrmkit.errors import ScrmkitError, UnknownNameError
from scrmkit.protocols import CallbackRequest

MAX_BODY = 1 << 20
"""Bytes; platforms' callbacks are a few kilobytes."""


def create_app(engine: Engine, *, is_ready: Callable[[], bool] = lambda: True) -> Starlette:
    """
    Make the application; the caller keeps and closes *engine*.

    ``/callbacks/NAME`` and everything below it goes to the channel configured as
    *NAME*; it is answered when all of it is durable. ``/healthz`` answers while
    the process lives, ``/readyz`` with 200 while it can take work, else with 503.
    """

    async def callback(request: Request) -> Response:
        body = await _body(request)
        if body is None:
            return Response(status_code=413)
        wanted = CallbackRequest(
            method=request.method,
            path=str(request.path_params.get("rest", "")),
            query=dict(request.query_params),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
        )
        try:
            reply = await run_in_threadpool(engine.receive, request.path_params["channel"], wanted)
        except UnknownNameError:
            return Response(status_code=404)
        except ScrmkitError as error:
            # The platform tries again later: nothing was recorded.
            return Response(status_code=503 if error.retryable else 500)
        return Response(reply.body, status_code=reply.status, media_type=reply.media_type)

    async def healthz(request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(request: Request) -> Response:
        ready = is_ready() and await run_in_threadpool(_can_read, engine)
        return JSONResponse({"status": "ok" if ready else "unavailable"}, 200 if ready else 503)

    methods = ["GET", "POST"]
    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/callbacks/{channel}", callback, methods=methods),
            Route("/callbacks/{channel}/{rest:path}", callback, methods=methods),
        ]
    )


async def _body(request: Request) -> bytes | None:
    """The whole body, None if it is larger than any callback."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BODY:
            return None
        parts.append(part)
    return b"".join(parts)


def _can_read(engine: Engine) -> bool:
    try:
        engine.check_storage()
    except ScrmkitError:
        return False
    return True
