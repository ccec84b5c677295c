"""A sandbox of Dysmsapi on a clock of ours, and somebody who is called back."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from zoneinfo import ZoneInfo

import attrs
import pytest

from scrmkit.clock import VirtualClock
from scrmkit_sms.aliyun.client import Dysmsapi
from scrmkit_sms.aliyun.provider import AliyunProvider
from scrmkit_sms.provider import Account
from scrmkit_sms.sandbox import create

NOON = datetime(2026, 1, 2, 12, 0, 30, tzinfo=ZoneInfo("Asia/Shanghai"))


class Receiver:
    """A real HTTP server that remembers what is pushed to it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.answers = [(200, b'{"code":0,"msg":"OK"}')]
        remember = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                remember.bodies.append(self.rfile.read(int(self.headers["content-length"])))
                status, body = remember.answers.pop(0) if len(remember.answers) > 1 else remember.answers[0]
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def pushed(self):
        return [json.loads(body) for body in self.bodies]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Current:
    """The clock of the test that runs, so that one server serves all tests."""

    def __init__(self) -> None:
        self.clock = VirtualClock(NOON)

    def now(self) -> datetime:
        return self.clock.now()

    def advance(self, by: timedelta) -> datetime:
        return self.clock.advance(by)


@pytest.fixture(scope="session")
def current():
    return Current()


@pytest.fixture(scope="session")
def server(current):
    made = create(current)
    with made:
        yield made


@pytest.fixture
def clock(current):
    current.clock = VirtualClock(NOON)
    return current.clock


@pytest.fixture
def sandbox(clock, server):
    server.reset()
    return server


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def account(sandbox):
    keys = sandbox.credentials()
    return Account(
        access_key_id=keys["access_key_id"],
        access_key_secret=keys["access_key_secret"],
        endpoint=keys["url"],
        timeout=timedelta(seconds=30),
    )


@pytest.fixture
def api(account, clock):
    return Dysmsapi(account, clock)


@pytest.fixture
def provider(account, clock, api):
    return AliyunProvider(account, clock, api=api)


@pytest.fixture
def hasty(account, clock):
    """A provider that does not wait long for an answer that will not come."""
    return AliyunProvider(attrs.evolve(account, timeout=timedelta(milliseconds=300)), clock)


@pytest.fixture
def send(api):
    def call(phones="13900000001", template="SMS_154950909", params=None, **changes):
        query = {"PhoneNumbers": phones, "SignName": "半城云", "TemplateCode": template, **changes}
        if params is not None:
            query["TemplateParam"] = params if isinstance(params, str) else json.dumps(params)
        return api.call("SendSms", query)

    return call


@pytest.fixture
def send_batch(api):
    def call(phones, signs=None, params=None, template="SMS_154950911", **changes):
        form = {
            "PhoneNumberJson": json.dumps(phones),
            "SignNameJson": json.dumps(["半城云"] * len(phones) if signs is None else signs),
            "TemplateParamJson": json.dumps([{"name": "a", "item": "b"}] * len(phones) if params is None else params),
        }
        return api.call("SendBatchSms", {"TemplateCode": template}, form | changes)

    return call


@pytest.fixture
def query(api):
    def call(phone="13900000001", day="20260102", size="10", page="1", **changes):
        return api.call(
            "QuerySendDetails", {"PhoneNumber": phone, "SendDate": day, "PageSize": size, "CurrentPage": page} | changes
        )

    return call
