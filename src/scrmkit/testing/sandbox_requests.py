"""What a sandbox receives: requests as plain values, and the log of them without secrets."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import attrs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

INCOMING = "scrmkit.incoming"
LOCK = "scrmkit.lock"
MASK = "***"
_KEPT = 1_000
_LONGEST_TEXT = 10_000


@attrs.frozen(kw_only=True)
class Incoming:
    """
    One request to the platform.

    Attributes:
        number: Counted from 1 since the sandbox started or was reset.
        at: When it came, on the sandbox's clock.
        query: Decoded; the last of several equal names.
        raw_query: As it stood on the wire, without the question mark.
        headers: Names in lower case.
    """

    number: int
    at: datetime
    method: str
    path: str
    query: Mapping[str, str] = attrs.field(repr=False)
    raw_query: str = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)

    def json(self) -> Any:
        """
        The body as JSON, whatever its Content-Type says.

        Raises:
            ValueError: It is not JSON in UTF-8, holds half a character, or is nested too deeply.
        """
        try:
            value = json.loads(self.body.decode())
            json.dumps(value, ensure_ascii=False).encode()
        except RecursionError:
            raise ValueError("nested too deeply") from None
        return value

    def form(self) -> dict[str, str]:
        """The body as an URL-encoded form; the last of several equal names."""
        pairs = parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return dict(pairs)


Handler = Callable[[Incoming], Response]


def route(path: str, handler: Handler, *, methods: Collection[str] = ("GET", "POST")) -> Route:
    """
    Answer *path* with *handler*, which must be quick and may not wait for the network.

    The sandbox calls it with its lock held, one request at a time.
    """

    async def endpoint(request: Request) -> Response:
        with request.scope[LOCK]:
            return handler(request.scope[INCOMING])

    return Route(path, endpoint, methods=list(methods))


class RequestLog:
    """
    The last 1,000 requests, with secrets masked. Safe to use from several threads.

    Args:
        secrets: Names of query and body members whose values are never kept.
    """

    def __init__(self, secrets: Collection[str]) -> None:
        self._secrets = frozenset(name.lower() for name in secrets)
        self._lock = threading.Lock()
        self._kept: deque[dict[str, Any]] = deque(maxlen=_KEPT)

    def add(self, incoming: Incoming, operation: str, outcome: str) -> None:
        """Keep *incoming*; *outcome* is the status answered, or what went wrong on purpose."""
        entry = {
            "number": incoming.number,
            "at": incoming.at.isoformat(),
            "method": incoming.method,
            "path": incoming.path,
            "operation": operation,
            "query": self._mask(dict(incoming.query)),
            "body": self._body(incoming),
            "outcome": outcome,
        }
        with self._lock:
            self._kept.append(entry)

    def entries(self) -> list[dict[str, Any]]:
        """What was kept, oldest first."""
        with self._lock:
            return list(self._kept)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()

    def _body(self, incoming: Incoming) -> Any:
        if not incoming.body:
            return None
        try:
            return self._mask(incoming.json())
        except ValueError:
            pass
        if "form-urlencoded" in incoming.headers.get("content-type", ""):
            return self._mask(incoming.form())
        # What cannot be read cannot be masked.
        return f"{len(incoming.body)} bytes, neither JSON nor a form"

    def _mask(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: MASK if name.lower() in self._secrets else self._mask(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [self._mask(inner) for inner in value]
        if isinstance(value, str) and len(value) > _LONGEST_TEXT:
            return value[:_LONGEST_TEXT] + "…"
        return value
