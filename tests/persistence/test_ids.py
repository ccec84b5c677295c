"""Ids rise, are unique, and fit the database."""

from __future__ import annotations

import threading
import time

import pytest

from scrmkit.persistence.ids import IdAllocator


def test_ids_rise():
    ids = IdAllocator()
    taken = [ids.take() for _ in range(20_000)]

    assert taken == sorted(set(taken))


def test_ids_of_threads_are_unique():
    ids = IdAllocator()
    taken: list[list[int]] = [[] for _ in range(8)]

    def take(own: list[int]) -> None:
        own += [ids.take() for _ in range(5_000)]

    threads = [threading.Thread(target=take, args=(own,)) for own in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({one for own in taken for one in own}) == 40_000
    assert all(own == sorted(own) for own in taken)


@pytest.mark.parametrize(
    "moment_s", [pytest.param(1_735_689_600, id="the first day"), pytest.param(3_900_000_000, id="the year 2093")]
)
def test_an_id_is_a_positive_64_bit_number(monkeypatch: pytest.MonkeyPatch, moment_s: int):
    monkeypatch.setattr(time, "time_ns", lambda: moment_s * 10**9)
    ids = IdAllocator()

    assert all(0 <= ids.take() < 2**63 for _ in range(3_000))


def test_ids_rise_although_the_machine_s_clock_goes_back(monkeypatch: pytest.MonkeyPatch):
    ids = IdAllocator()
    before = [ids.take() for _ in range(2_000)]
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000 * 10**9)
    after = [ids.take() for _ in range(2_000)]
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000 * 10**9)
    back = [ids.take() for _ in range(2_000)]

    taken = before + after + back
    assert taken == sorted(set(taken))


def test_two_allocators_do_not_count_alike():
    """Each draws its own bits; of 4,096 values four draws are equal about once in 7 * 10**10."""
    taken = {IdAllocator().take() & 0xFFF for _ in range(4)}

    assert len(taken) > 1
