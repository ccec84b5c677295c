"""``scrmkit sandbox`` starts what a plugin provides, and ends when it is told to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request

import pytest

SANDBOX = """
    from scrmkit.testing.sandbox import Sandbox

    class Fake(Sandbox):
        name = "fake"

        def credentials(self):
            return {"url": self.url, "seed": str(self.seed)}

    def create(clock=None, *, seed=0):
        return Fake(clock, seed)
"""


def test_sandboxes_are_listed(run, install):
    install("scrmkit-fake", {"sandbox.fake": "create"}, "raise RuntimeError")

    assert "fake" in run("sandbox", "--help").out


def test_an_unknown_sandbox_is_a_wrong_call(run):
    assert run("sandbox", "nowhere").code == 2


def test_a_missing_web_server_is_named_with_its_extra(run, install, monkeypatch):
    install("scrmkit-fake", {"sandbox.fake": "create"}, SANDBOX)
    for name in [name for name in sys.modules if name.startswith("scrmkit.testing.sandbox")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)

    ran = run("sandbox", "fake")

    assert ran.code == 2
    assert "pip install 'scrmkit[web]'" in ran.err


@pytest.mark.skipif(os.name != "posix", reason="signals are sent to it")
def test_a_sandbox_says_where_it_listens_and_ends_with_0(install, folder):
    install("scrmkit-fake", {"sandbox.fake": "create"}, SANDBOX)
    command = [sys.executable, "-m", "scrmkit.cli", "sandbox", "fake", "--json", "--seed", "7"]
    path = os.pathsep.join([str(folder / "site-scrmkit-fake"), *filter(None, sys.path)])

    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path}, text=True
    ) as process:
        told = json.loads(process.stdout.readline())
        with urllib.request.urlopen(f"{told['url']}/sandbox/", timeout=30) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0

    assert told["seed"] == "7"
