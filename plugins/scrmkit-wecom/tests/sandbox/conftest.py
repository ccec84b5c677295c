"""One running sandbox for all tests here, reset for each; a caller; a receiver of callbacks."""

from __future__ import annotations

import http.server as servers
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import httpx
import pytest

from scrmkit.clock import VirtualClock
from scrmkit.testing.sandbox import running
from scrmkit_wecom.crypto import CallbackCrypto
from scrmkit_wecom.sandbox.server import WecomSandbox

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Api:
    """Calls the sandbox as an app would, with a token of its own."""

    def __init__(self, sandbox: WecomSandbox, http: httpx.Client) -> None:
        self.sandbox = sandbox
        self.http = http
        self.token = self.fetch()["access_token"]

    def fetch(self, **changes: str) -> Any:
        query = {"corpid": self.sandbox.corp_id, "corpsecret": self.sandbox.secret, **changes}
        return self.http.get("/cgi-bin/gettoken", params=query).json()

    def get(self, path: str, **query: Any) -> Any:
        return self._answer(self.http.get(self._path(path), params=self._query(query)))

    def post(self, path: str, body: Any = None, *, raw: bytes | None = None) -> Any:
        content = raw if raw is not None else json.dumps(body or {}).encode()
        return self._answer(self.http.post(self._path(path), params=self._query({}), content=content))

    def code(self, path: str, body: Any = None) -> int:
        """The errcode alone."""
        return int(self.post(path, body)["errcode"])

    def control(self, path: str, body: Any = None) -> Any:
        response = self.http.request("GET" if body is None else "POST", f"/sandbox/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def way(self, **changes: Any) -> str:
        """A contact way of one member; its config_id."""
        body = {"type": 1, "scene": 2, "user": ["zhangsan"], "state": "shop-1", **changes}
        answer = self.post("add_contact_way", body)
        assert answer["errcode"] == 0, answer
        return str(answer["config_id"])

    def tag(self, name: str = "Gold", group: str = "Level") -> str:
        """A tag of ours; its id."""
        answer = self.post("add_corp_tag", {"group_name": group, "tag": [{"name": name}]})
        assert answer["errcode"] == 0, answer
        return str(answer["tag_group"]["tag"][0]["id"])

    def _path(self, path: str) -> str:
        return f"/cgi-bin/externalcontact/{path}"

    def _query(self, query: dict[str, Any]) -> dict[str, Any]:
        return {"access_token": self.token, **query} if self.token else query

    def _answer(self, response: httpx.Response) -> Any:
        assert response.status_code == 200
        return response.json()


class Receiver:
    """An app's callback address: answers verifications, decrypts and remembers events."""

    def __init__(self, sandbox: WecomSandbox) -> None:
        self.crypto = CallbackCrypto(sandbox.token, sandbox.encoding_aes_key, sandbox.corp_id)
        self.posts: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        self.greeting: bytes | None = None
        receiver = self

        class Handler(servers.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = receiver.verify(_query_of(self.path))
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append((_query_of(self.path), body))
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = servers.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/callback?app=1"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def verify(self, query: dict[str, str]) -> bytes:
        if self.greeting is not None:
            return self.greeting
        parts = (query[name] for name in ("msg_signature", "timestamp", "nonce", "echostr"))
        return self.crypto.verify_url(*parts).encode()

    def events(self) -> list[dict[str, str]]:
        """What was received, decrypted; the leaves by name."""
        return [self.open(query, body) for query, body in self.posts]

    def open(self, query: dict[str, str], body: bytes) -> dict[str, str]:
        parts = (query[name] for name in ("msg_signature", "timestamp", "nonce"))
        xml = self.crypto.decrypt(*parts, body)
        return {each.tag: each.text or "" for each in ET.fromstring(xml)}


def _query_of(path: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}


@pytest.fixture(scope="session")
def running_sandbox() -> Iterator[WecomSandbox]:
    sandbox = WecomSandbox(VirtualClock(START))
    with running(sandbox):
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox: WecomSandbox) -> WecomSandbox:
    running_sandbox.reset()
    return running_sandbox


@pytest.fixture(scope="session")
def http_client(running_sandbox: WecomSandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running_sandbox.url, trust_env=False) as client:
        yield client


@pytest.fixture
def api(sandbox: WecomSandbox, http_client: httpx.Client) -> Api:
    return Api(sandbox, http_client)


@pytest.fixture
def receiver(sandbox: WecomSandbox) -> Iterator[Receiver]:
    """A receiver that the sandbox knows already."""
    app = Receiver(sandbox)
    sandbox.set_callback(app.url)
    yield app
    sandbox.callbacks.clear()
    app.server.shutdown()
    app.server.server_close()
