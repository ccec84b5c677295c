"""What every sandbox does: describe itself, go wrong on purpose, end cleanly."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.responses import JSONResponse

from scrmkit.clock import SystemClock, VirtualClock
from scrmkit.errors import InvalidValueError
from scrmkit.testing.sandbox import Callback, Incoming, Sandbox, control, exchange, route, running

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class EchoSandbox(Sandbox):
    name = "echo"
    secrets = ("token", "password")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.said: list[str] = []

    def credentials(self) -> dict[str, str]:
        return {"url": self.url, "key": "test-key"}

    def routes(self):
        return (route("/say", self._say), route("/broken", self._broken))

    def _say(self, incoming: Incoming) -> JSONResponse:
        self.said.append(incoming.json()["text"])
        return JSONResponse({"said": len(self.said)})

    def _broken(self, incoming: Incoming) -> JSONResponse:
        raise RuntimeError

    def rate_limited(self, incoming: Incoming) -> JSONResponse:
        return JSONResponse({"error": "too often"}, status_code=200)

    def failed(self, incoming: Incoming, code: str) -> JSONResponse:
        return JSONResponse({"error": code}, status_code=200)

    def revoke_tokens(self) -> None:
        self.said.append("revoked")

    def forget(self) -> None:
        self.said = []

    @control("POST", "hear", example={"text": "hello"})
    def hear(self, text: str, times: int = 1) -> dict[str, int]:
        """
        Somebody says something.

        This paragraph is not shown.
        """
        self.said.extend([text] * times)
        return {"said": len(self.said)}


def ask(url: str, path: str, body: Any = None, *, method: str = "", timeout: float = 5.0):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        raw = None if body is None else json.dumps(body)
        connection.request(method or ("GET" if body is None else "POST"), path, raw)
        response = connection.getresponse()
        text = response.read()
        return response.status, json.loads(text) if text else None
    finally:
        connection.close()


@pytest.fixture
def sandbox() -> EchoSandbox:
    return EchoSandbox(clock=VirtualClock(NOON))


@pytest.fixture
def url(sandbox: EchoSandbox) -> Iterator[str]:
    with running(sandbox) as address:
        yield address


# The control API


def test_a_sandbox_describes_its_control_calls(url: str) -> None:
    status, index = ask(url, "/sandbox/")

    calls = {(call["method"], call["path"]): call for call in index["calls"]}
    assert (status, index["sandbox"]) == (200, "echo")
    assert calls["POST", "/sandbox/hear"] == {
        "method": "POST",
        "path": "/sandbox/hear",
        "about": "Somebody says something.",
        "fields": [
            {"name": "text", "type": "string", "required": True},
            {"name": "times", "type": "integer", "required": False, "default": 1},
        ],
        "example": {"text": "hello"},
    }


def test_every_example_of_the_common_calls_works(url: str) -> None:
    _, index = ask(url, "/sandbox/")

    posted = [call for call in index["calls"] if call["method"] == "POST"]
    assert [ask(url, call["path"], call["example"])[0] for call in posted] == [200] * len(posted)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param({"txt": "a"}, "did you mean 'text'", id="a misspelt field"),
        pytest.param({}, "needs text", id="a missing field"),
        pytest.param({"text": 5}, "'text' should be: string", id="a wrong type"),
        pytest.param({"text": "a", "times": True}, "should be: integer", id="a truth for a number"),
        pytest.param(["a"], "one JSON object", id="no object"),
        pytest.param({"text": "\ud800"}, "one JSON object", id="half a character"),
    ],
)
def test_a_control_call_says_what_is_wrong(url: str, body: Any, error: str) -> None:
    status, answer = ask(url, "/sandbox/hear", body)

    assert status == 400
    assert error in answer["error"]


def test_an_unknown_control_call_points_to_the_list(url: str) -> None:
    status, answer = ask(url, "/sandbox/nothing", {})

    assert (status, answer) == (404, {"error": "no such control call; GET /sandbox/ lists them"})


def test_a_control_call_is_a_method_as_well(sandbox: EchoSandbox) -> None:
    assert sandbox.hear("hello", times=2) == {"said": 2}


def test_the_clock_moves_by_the_control_api(url: str, sandbox: EchoSandbox) -> None:
    ask(url, "/sandbox/clock", {"seconds": 30})
    ask(url, "/sandbox/clock", {"to": "2026-03-01T20:01:00+08:00"})

    assert sandbox.clock.now() == NOON + timedelta(minutes=1)


@pytest.mark.parametrize(("path", "status"), [("/sandbox/hear", 400), ("/nothing", 404)])
def test_a_body_that_is_nested_too_deeply_is_no_json(url: str, path: str, status: int) -> None:
    nested = Callback(method="POST", url=f"{url}{path}", body=b"[" * 200_000)

    assert exchange(nested).status == status


@pytest.mark.parametrize("seconds", [float("inf"), float("nan"), 1e300])
def test_the_clock_does_not_move_beyond_all_time(url: str, seconds: float) -> None:
    assert ask(url, "/sandbox/clock", {"seconds": seconds})[0] == 400


@pytest.mark.parametrize("body", [{"seconds": -1}, {"to": "2026-03-01T11:00:00Z"}, {"to": "2026-03-01T13:00:00"}])
def test_the_clock_never_moves_back_nor_without_a_zone(url: str, body: Any) -> None:
    assert ask(url, "/sandbox/clock", body)[0] == 400


def test_without_a_clock_of_somebodys_the_machines_time_is_moved() -> None:
    sandbox = EchoSandbox()
    sandbox.move_clock(seconds=3600)

    assert sandbox.clock.now() - datetime.now(UTC) > timedelta(minutes=59)


def test_a_clock_that_nobody_can_move_says_so() -> None:
    with pytest.raises(InvalidValueError, match="nobody can move"):
        EchoSandbox(clock=SystemClock()).move_clock(seconds=1)


def test_received_requests_are_listed_without_secrets(url: str) -> None:
    ask(url, "/say?token=s3cret", {"text": "hi", "deep": [{"password": "s3cret"}]})

    _, listed = ask(url, "/sandbox/requests?path=/say")
    assert "s3cret" not in json.dumps(listed)
    assert listed["requests"] == [
        {
            "number": 1,
            "at": NOON.isoformat(),
            "method": "POST",
            "path": "/say",
            "operation": "/say",
            "query": {"token": "***"},
            "body": {"text": "hi", "deep": [{"password": "***"}]},
            "outcome": "200",
        }
    ]


def test_reset_forgets_state_faults_and_requests(url: str, sandbox: EchoSandbox) -> None:
    ask(url, "/say", {"text": "a"})
    ask(url, "/sandbox/faults", {"kind": "hang"})

    ask(url, "/sandbox/reset", {})

    assert sandbox.said == []
    assert ask(url, "/sandbox/requests")[1] == {"requests": []}
    assert ask(url, "/sandbox/faults")[1] == {"faults": []}


def test_equal_seeds_draw_equally_also_after_a_reset() -> None:
    one, other = EchoSandbox(seed=7), EchoSandbox(seed=7)
    first = one.chance.random()
    one.reset()

    assert first == one.chance.random() == other.chance.random()


# Faults


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        pytest.param({"kind": "status", "status": 502}, (502, None), id="a server error"),
        pytest.param({"kind": "rate_limit"}, (200, {"error": "too often"}), id="too often"),
        pytest.param({"kind": "code", "code": "45033"}, (200, {"error": "45033"}), id="a code"),
    ],
)
def test_a_fault_spoils_so_many_calls_and_no_more(
    url: str, sandbox: EchoSandbox, fault: dict[str, Any], answer: Any
) -> None:
    ask(url, "/sandbox/faults", {**fault, "path": "/s*", "times": 2})

    assert [ask(url, "/say", {"text": "a"}) for _ in range(3)] == [answer, answer, (200, {"said": 1})]


def test_a_fault_for_one_path_leaves_the_others_alone(url: str) -> None:
    ask(url, "/sandbox/faults", {"kind": "status", "path": "/other"})

    assert ask(url, "/say", {"text": "a"})[0] == 200


def test_accepted_then_dropped_does_the_work_and_answers_nothing(url: str, sandbox: EchoSandbox) -> None:
    ask(url, "/sandbox/faults", {"kind": "drop"})

    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        ask(url, "/say", {"text": "a"})

    assert sandbox.said == ["a"]


@pytest.mark.parametrize(("kind", "said"), [("hang", []), ("slow", ["a"])])
def test_a_caller_that_waits_in_vain_gives_up(url: str, sandbox: EchoSandbox, kind: str, said: list[str]) -> None:
    ask(url, "/sandbox/faults", {"kind": kind, "seconds": 30})

    with pytest.raises(TimeoutError):
        ask(url, "/say", {"text": "a"}, timeout=0.2)

    assert sandbox.said == said


def test_a_slow_answer_comes_in_the_end(url: str) -> None:
    ask(url, "/sandbox/faults", {"kind": "slow", "seconds": 0.05})

    assert ask(url, "/say", {"text": "a"}) == (200, {"said": 1})


def test_revoked_tokens_are_forgotten_before_the_call(url: str, sandbox: EchoSandbox) -> None:
    ask(url, "/sandbox/faults", {"kind": "token_revoked"})

    assert ask(url, "/say", {"text": "a"}) == (200, {"said": 2})


@pytest.mark.parametrize(
    "fault", [{"kind": "status", "status": 200}, {"kind": "hang", "times": 0}, {"kind": "explode"}]
)
def test_a_fault_that_makes_no_sense_is_refused(url: str, fault: dict[str, Any]) -> None:
    assert ask(url, "/sandbox/faults", fault)[0] == 400


def test_an_unknown_path_and_a_broken_handler_answer_as_such(url: str) -> None:
    assert ask(url, "/nothing")[0] == 404
    assert ask(url, "/broken")[0] == 500


# Running


def test_a_taken_port_is_named(sandbox: EchoSandbox, url: str) -> None:
    port = urlsplit(url).port

    with pytest.raises(InvalidValueError, match=f"port {port}"):
        EchoSandbox().start(port or 0)


def test_a_sandbox_can_be_started_again_with_its_state(sandbox: EchoSandbox) -> None:
    with running(sandbox) as first:
        ask(first, "/say", {"text": "a"})
    with running(sandbox) as second:
        assert ask(second, "/say", {"text": "b"}) == (200, {"said": 2})

    assert sandbox.url == ""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM ends a process at once there")
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_serving_prints_one_line_and_ends_on_a_signal(end: signal.Signals) -> None:
    program = """
        from scrmkit.testing.sandbox import Sandbox, serve
        serve(Sandbox(), as_json=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        shown = json.loads(process.stdout.readline())
        status, _ = ask(shown["url"], "/sandbox/")
        process.send_signal(end)
        rest, errors = process.communicate(timeout=10)

    assert (status, process.returncode, rest, errors) == (200, 0, b"", b"")
