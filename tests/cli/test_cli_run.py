"""``scrmkit run``, as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are sent to it")


@contextmanager
def running(folder, *arguments):
    command = [sys.executable, "-m", "scrmkit.cli", "run", "--port", "0", "--json", *arguments]
    path = os.pathsep.join([str(folder / "site-scrmkit-letters"), *filter(None, sys.path)])
    with subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": path},
        text=True,
    ) as process:
        try:
            yield process, json.loads(process.stdout.readline())["url"]
        finally:
            if process.poll() is None:
                process.kill()


def get(url, data=None):
    try:
        with urllib.request.urlopen(url, data=data, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_it_takes_callbacks_and_says_that_it_is_well(ready):
    with running(ready) as (_, url):
        assert get(f"{url}/healthz")[0] == 200
        assert get(f"{url}/callbacks/letters/in", b"you") == (200, b"heard you")
        assert get(f"{url}/callbacks/nobody", b"you")[0] == 404


def test_it_delivers_what_was_planned_before(run, ready):
    with running(ready):
        until = time.monotonic() + 60
        while time.monotonic() < until:
            rows = run("outbox", "list", "--json").json
            if {row["status"] for row in rows} == {"accepted"}:
                break
            time.sleep(0.1)

    assert [row["status"] for row in rows] == ["accepted", "accepted"]


def test_without_delivery_nothing_is_sent(run, ready):
    with running(ready, "--no-delivery") as (process, url):
        assert get(f"{url}/healthz")[0] == 200
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)

    assert {row["status"] for row in run("outbox", "list", "--json").json} == {"planned"}


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_it_ends_with_0_when_it_is_told_to(ready, name):
    with running(ready) as (process, _):
        process.send_signal(getattr(signal, name))
        _, told = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "Ended; all that was under way is finished." in told
    assert "Traceback" not in told


def test_a_second_process_on_sqlite_is_told_to_move(run, ready):
    with running(ready):
        ran = run("import", "orders", "orders.csv")

    assert ran.code == 1
    assert "PostgreSQL" in ran.err


def test_it_does_not_start_on_an_old_database(run, folder):
    run("init")

    ran = run("run", "--port", "0")

    assert ran.code == 1
    assert "scrmkit db upgrade" in ran.err


def test_a_port_that_is_taken_is_named(run, ready):
    with running(ready) as (_, url):
        port = url.rpartition(":")[2]
        ran = run("run", "--port", port)

    assert ran.code == 1
    assert f"cannot listen on port {port}" in ran.err


def test_a_missing_web_part_is_named_with_its_extra(run, ready, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)

    ran = run("run")

    assert ran.code == 2
    assert "pip install 'scrmkit[web]'" in ran.err
