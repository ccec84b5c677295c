"""Processes killed by signal, at seeded moments and at each named place, and what is left of it."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from scrmkit_insight import Insight

pytestmark = pytest.mark.slow
WORKER = Path(__file__).with_name("crash_worker.py")
SEEDS = range(5)
KILLS = 10  # a seed: with five seeds fifty moments on each database
STEPS = ("intake", "delivery.claim", "delivery.write", "timers.fire")
FAILPOINTS = (
    *(f"{step}.{when}" for step in STEPS for when in ("before_commit", "after_commit")),
    "provider.called",
    "delivery.sent",
)


def start(url: str, folder: Path, failpoint: str = "") -> subprocess.Popen[str]:
    environ = {**os.environ, "SCRMKIT_FAILPOINT": failpoint}
    return subprocess.Popen(
        [sys.executable, str(WORKER), url, str(folder)],
        env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def kill_after(process: subprocess.Popen[str], seconds: float) -> None:
    """Kill the whole process group *seconds* after it has begun to work."""
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(seconds)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def finish(url: str, folder: Path) -> None:
    process = start(url, folder)
    out, error = process.communicate(timeout=120)
    assert out.endswith("done\n"), error


@pytest.fixture(scope="module")
def worker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("crash_worker", WORKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(url: str, folder: Path, worker: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every touchpoint counted once; every message ended once, or is known to be unknown."""
    monkeypatch.setenv("SCRMKIT_CRASH_FOLDER", str(folder))
    engine = worker.Engine(worker.settings(url), plugins=worker.PLUGINS)
    try:
        state = Insight(engine).counts()
        with engine.database.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT value FROM scrmkit_memo").fetchall()
    finally:
        engine.close()
    memos = [json.loads(row[0]) for row in rows]
    assert state.parked == 0
    assert state.kinds == {"order.paid": worker.TOUCHPOINTS, "timer.due": worker.TOUCHPOINTS}
    assert sum(memo["orders"] for memo in memos) == worker.TOUCHPOINTS
    assert sum(memo["rings"] for memo in memos) == worker.TOUCHPOINTS
    messages = {(one.connector, one.status): one.count for one in state.outgoing}
    assert sum(messages.values()) == worker.TOUCHPOINTS
    assert set(messages) <= {("careful", "accepted"), ("careless", "accepted"), ("careless", "unknown")}
    with contextlib.closing(sqlite3.connect(folder / "provider.db")) as provider:
        calls = Counter(provider.execute("SELECT channel, key FROM call"))
    careful = {key for channel, key in calls if channel == "careful"}
    assert len(careful) == messages["careful", "accepted"]  # it honours keys: each once
    careless = {key: count for (channel, key), count in calls.items() if channel == "careless"}
    assert set(careless.values()) == {1}  # it does not: never asked twice
    assert len(careless) >= messages["careless", "accepted"]


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_or_doubled_whenever_it_is_killed(
    database_url: str, tmp_path: Path, worker: ModuleType, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    for _ in range(KILLS):
        kill_after(start(database_url, tmp_path), chance.uniform(0, 0.7))
    finish(database_url, tmp_path)

    check(database_url, tmp_path, worker, monkeypatch)


@pytest.mark.parametrize("place", FAILPOINTS)
def test_nothing_is_lost_or_doubled_wherever_it_dies(
    database_url: str, tmp_path: Path, worker: ModuleType, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    for times in (1, 4):
        process = start(database_url, tmp_path, f"{place}:{times}")
        _, error = process.communicate(timeout=120)
        assert process.returncode == -signal.SIGKILL, error or f"{place} was never reached"
    finish(database_url, tmp_path)

    check(database_url, tmp_path, worker, monkeypatch)
