"""Callers who record at the same time share commits, and the fate of who writes for them."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from engine_world import scanned

from scrmkit.domain.decisions import Outcome
from scrmkit.domain.ids import TouchpointId
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.combiner import Combiner
from scrmkit.errors import ConflictError, StorageUnavailableError

ENDS, CONFLICTS = 3, 4


class Log:
    """Records what it is told to, one batch after another, when it may."""

    def __init__(self) -> None:
        self.begun, self.may_write = threading.Event(), threading.Event()
        self.batches: list[list[Touchpoint[Any]]] = []

    def __call__(self, touchpoints: Sequence[Touchpoint[Any]]) -> list[Outcome | ConflictError]:
        self.batches.append(list(touchpoints))
        self.begun.set()
        assert self.may_write.wait(60)
        if touchpoints[0] == scanned(ENDS):
            raise SystemExit(1)
        return [
            ConflictError("taken")
            if touchpoint == scanned(CONFLICTS)
            else Outcome(touchpoint=TouchpointId(1), customer=None)
            for touchpoint in touchpoints
        ]


def recorded(log: Log, *together: int) -> dict[int, Any]:
    """What callers hear of whom the first writes alone, and the second for all others."""
    combiner, heard = Combiner(log), {}

    def record(number: int) -> None:
        try:
            heard[number] = combiner.record(scanned(number))
        except BaseException as error:  # noqa: BLE001 - what ends a thread is heard too
            heard[number] = type(error)

    threads = [threading.Thread(target=record, args=(number,)) for number in (1, *together)]
    for waiting, thread in enumerate(threads):
        thread.start()
        assert log.begun.wait(60)
        until = time.monotonic() + 60
        while len(combiner._queue) < waiting and time.monotonic() < until:
            time.sleep(0.001)
    log.may_write.set()
    for thread in threads:
        thread.join(60)
    assert combiner.record(scanned(9)).touchpoint == 1
    return heard


def test_callers_who_come_while_one_writes_are_written_together():
    log = Log()
    heard = recorded(log, 2, 5, 6)

    assert [len(batch) for batch in log.batches] == [1, 3, 1]
    assert {each.touchpoint for each in heard.values()} == {1}


def test_each_caller_hears_of_its_own_touchpoint():
    heard = recorded(Log(), 2, CONFLICTS, 5)

    assert heard[CONFLICTS] is ConflictError
    assert heard[2].touchpoint == heard[5].touchpoint == 1


@pytest.mark.parametrize("others", [(5,), (5, 6)])
def test_who_is_ended_while_writing_for_all_fails_them_and_nobody_after(others: tuple[int, ...]):
    heard = recorded(Log(), ENDS, *others)

    assert heard.pop(ENDS) is SystemExit
    assert heard.pop(1).touchpoint == 1
    assert heard == dict.fromkeys(others, StorageUnavailableError)


def test_nobody_waits_for_a_caller_who_was_interrupted_while_waiting():
    log, heard = Log(), {}
    combiner = Combiner(log)

    def record(number: int) -> None:
        heard[number] = combiner.record(scanned(number)).touchpoint

    def interrupt() -> None:
        for waiting in (1, 2):
            while len(combiner._queue) < waiting:
                time.sleep(0.001)
            if waiting == 1:
                last.start()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    first, last = (threading.Thread(target=record, args=(number,)) for number in (1, 5))
    first.start()
    assert log.begun.wait(60)
    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        combiner.record(scanned(2))
    log.may_write.set()
    first.join(60)
    last.join(60)

    assert heard == {1: 1, 5: 1}


def test_nobody_waits_for_a_caller_who_was_interrupted_before_writing(monkeypatch: pytest.MonkeyPatch):
    log = Log()
    log.may_write.set()
    combiner = Combiner(log)
    combiner._together = 2

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(time, "sleep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            combiner.record(scanned(1))

    assert combiner.record(scanned(2)).touchpoint == 1
    assert log.batches == [[scanned(2)]]
