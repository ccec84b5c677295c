"""Clocks move forward, and moments survive being stored."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit.clock import SystemClock, VirtualClock, aware, from_micros, to_micros
from scrmkit.errors import InvalidValueError

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "clock",
    [
        pytest.param(SystemClock(), id="system"),
        pytest.param(VirtualClock(START.astimezone(ZoneInfo("Asia/Shanghai"))), id="virtual"),
    ],
)
def test_a_clock_says_utc(clock: SystemClock):
    assert clock.now().utcoffset() == timedelta(0)


def test_a_virtual_clock_stands_still():
    clock = VirtualClock(START)

    assert [clock.now() for _ in range(3)] == [START] * 3


def test_a_virtual_clock_goes_on():
    clock = VirtualClock(START)

    assert clock.advance(timedelta(hours=2)) == START + timedelta(hours=2) == clock.now()


def test_a_virtual_clock_is_not_advanced_backwards():
    clock = VirtualClock(START)

    with pytest.raises(InvalidValueError, match="backwards"):
        clock.advance(timedelta(microseconds=-1))
    assert clock.now() == START


def test_moving_to_an_earlier_moment_leaves_a_virtual_clock_where_it_is():
    clock = VirtualClock(START)

    assert clock.move_to(START - timedelta(days=1)) == START


def test_threads_that_advance_a_virtual_clock_lose_no_step():
    clock = VirtualClock(START)

    def steps() -> None:
        for _ in range(500):
            clock.advance(timedelta(seconds=1))

    threads = [threading.Thread(target=steps) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert clock.now() == START + timedelta(seconds=2_000)


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(aware, id="aware"),
        pytest.param(VirtualClock, id="a clock's start"),
        pytest.param(lambda moment: VirtualClock(START).move_to(moment), id="move_to"),
        pytest.param(to_micros, id="to_micros"),
    ],
)
def test_a_moment_without_a_zone_is_refused(use):
    with pytest.raises(InvalidValueError, match="no time zone"):
        use(datetime(2026, 3, 1))  # noqa: DTZ001 - that is the mistake


moments = st.datetimes(
    min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    max_value=datetime(9000, 1, 1),  # noqa: DTZ001
    timezones=st.one_of(
        st.just(UTC), st.timezones(), st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))
    ),
)


@given(moments)
def test_a_moment_survives_being_stored(moment: datetime):
    # In UTC: two moments of one zone are compared by the clock on the wall, without the fold.
    assert from_micros(to_micros(moment)) == moment.astimezone(UTC)


@given(moments, moments)
def test_stored_moments_keep_their_order(one: datetime, other: datetime):
    before = one.astimezone(UTC) < other.astimezone(UTC)

    assert (to_micros(one) < to_micros(other)) is before
