"""A small platform on loopback that answers as a test tells it to, and remembers."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from scrmkit.clock import VirtualClock
from scrmkit.protocols import PluginContext
from scrmkit.settings import Secret
from scrmkit_wecom.api import Credentials
from scrmkit_wecom.channel import WeComChannel, WeComSettings
from scrmkit_wecom.client import WeComClient

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


@attrs.frozen(kw_only=True)
class Raw:
    """A reply that is more, or less, than JSON with status 200."""

    status: int = 200
    content: bytes = b""
    headers: dict[str, str] = attrs.field(factory=dict)
    hang_up: bool = False
    wait_for: threading.Event | None = None


class FakePlatform:
    """
    Tokens ``token-1``, ``token-2`` … from gettoken; other paths answer as told.

    ``say(path, reply, …)`` queues replies (the last one stays); a reply is a
    dict, a `Raw`, or a callable that is given the request.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.expires_in: Any = 7200
        self._replies: dict[str, list[Any]] = defaultdict(list)
        self._lock = threading.Lock()
        self._tokens = 0
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                platform.answer(self)

            def do_POST(self) -> None:
                platform.answer(self)

            def log_message(self, *args: object) -> None:
                """Keep still."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def say(self, path: str, *replies: dict[str, Any] | Raw | Callable[[Asked], Any]) -> None:
        self._replies[path] = list(replies)

    @staticmethod
    def raw(**fields: Any) -> Raw:
        """A reply to `say`, for tests that cannot import this file."""
        return Raw(**fields)

    def of(self, path: str) -> list[Asked]:
        """The requests for *path*, in order."""
        return [one for one in self.asked if one.path == path]

    def bodies(self, path: str) -> list[Any]:
        return [one.body for one in self.of(path)]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        content = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        asked = Asked(
            method=handler.command,
            path=parts.path.removeprefix("/cgi-bin/"),
            query={name: values[0] for name, values in parse_qs(parts.query).items()},
            body=json.loads(content) if content else None,
        )
        with self._lock:
            self.asked.append(asked)
            reply = self._next(asked)
        if callable(reply):
            reply = reply(asked)
        if isinstance(reply, dict):
            reply = Raw(content=json.dumps(reply, ensure_ascii=False).encode())
        if reply.wait_for is not None:
            reply.wait_for.wait(10)
        if reply.hang_up:
            handler.close_connection = True
            return
        handler.send_response(reply.status)
        for name, value in reply.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(reply.content)))
        handler.end_headers()
        handler.wfile.write(reply.content)

    def _next(self, asked: Asked) -> Any:
        queue = self._replies[asked.path]
        if queue:
            return queue.pop(0) if len(queue) > 1 else queue[0]
        if asked.path == "gettoken":
            self._tokens += 1
            return {
                "errcode": 0,
                "errmsg": "ok",
                "access_token": f"token-{self._tokens}",
                "expires_in": self.expires_in,
            }
        return {"errcode": 0, "errmsg": "ok"}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOON)


@pytest.fixture
def platform() -> Iterator[FakePlatform]:
    fake = FakePlatform()
    yield fake
    fake.close()


@pytest.fixture
def client(platform: FakePlatform, clock: VirtualClock) -> Iterator[WeComClient]:
    credentials = Credentials(corp_id="ww1", secret="s3cret-canary")
    with WeComClient(credentials, clock, base_url=platform.url, timeout=timedelta(seconds=1)) as made:
        yield made


@pytest.fixture
def settings(platform: FakePlatform) -> WeComSettings:
    """The first configuration of the vectors."""
    vectors = Path(__file__).parent / "data" / "wecom-callback.json"
    config = json.loads(vectors.read_text("utf-8"))["configs"]["corp_a"]
    return WeComSettings(
        corp_id=config["receiveid"],
        agent_id="1000002",
        secret=Secret("s3cret-canary"),
        token=Secret(config["token"]),
        encoding_aes_key=Secret(config["encoding_aes_key"]),
        base_url=platform.url,
        timeout=timedelta(seconds=1),
    )


@pytest.fixture
def channel(settings: WeComSettings, clock: VirtualClock) -> Iterator[WeComChannel]:
    made = WeComChannel(PluginContext(name="wecom-hq", settings=settings, clock=clock))
    yield made
    made.close()
