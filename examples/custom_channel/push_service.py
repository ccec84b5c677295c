"""The invented push service: a real HTTP server on loopback that keeps its notes in memory."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from scrmkit import CallbackRequest

KEY = "a key that nobody guesses"


class PushService(ThreadingHTTPServer):
    """
    What the service holds, and what it shall do next.

    Attributes:
        notes: By key, each once.
        loses: Whether the next note is taken and its answer lost.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.notes: dict[str, dict[str, str]] = {}
        self.loses = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def callback(self, **event: Any) -> CallbackRequest:
        """What the service calls back with, signed."""
        body = json.dumps(event).encode()
        signature = hmac.new(KEY.encode(), body, hashlib.sha256).hexdigest()
        return CallbackRequest(method="POST", headers={"x-signature": signature}, body=body)


class _Handler(BaseHTTPRequestHandler):
    server: PushService

    def do_PUT(self) -> None:
        note = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.headers["Authorization"] != f"Bearer {KEY}":
            self._answer(401)
        elif note["device"] == "removed":
            self._answer(410)
        else:
            self.server.notes.setdefault(self.path.rpartition("/")[2], note)
            if self.server.loses:
                self.server.loses = False
                self.close_connection = True
            else:
                self._answer(202)

    def do_GET(self) -> None:
        self._answer(200 if self.path.rpartition("/")[2] in self.server.notes else 404)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@contextmanager
def push_service() -> Iterator[PushService]:
    """Run the service while the block runs."""
    with PushService() as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield service
        finally:
            service.shutdown()
            thread.join()
