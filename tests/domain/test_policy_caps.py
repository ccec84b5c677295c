"""Caps count every message in their windows, and none is ever exceeded."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrmkit.domain.messages import Message, Purpose
from scrmkit.domain.policy import Cap, Facts, Policy, QuietHours, Verdict, judge

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
MARKETING, SERVICE, TRANSACTIONAL = Purpose.MARKETING, Purpose.SERVICE, Purpose.TRANSACTIONAL
GRANTED = {("sms", MARKETING): True}
OPEN = Policy(quiet=None, caps=(), consent=frozenset())


def local(text: str, zone: ZoneInfo = SHANGHAI, *, fold: int = 0) -> datetime:
    """A moment of 2026 written as ``03-02 12:00``."""
    wall = datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M")  # noqa: DTZ007 - zone added here
    return wall.replace(tzinfo=zone, fold=fold)


NOON = local("03-02 12:00")


def ask(
    message: Message | None = None,
    facts: Facts | None = None,
    policy: Policy | None = None,
    at: datetime = NOON,
    zone: ZoneInfo = SHANGHAI,
) -> Verdict:
    return judge(message or marketing(), facts or Facts(consents=GRANTED), policy or Policy(), at, zone)


def marketing(**changes: Any) -> Message:
    return Message(**{"channel": "sms", "content": "", "purpose": MARKETING, **changes})


def cap(limit: int = 1, **window: Any) -> Cap:
    return Cap(**{"purpose": MARKETING, "limit": limit, **(window or {"days": 1})})


@pytest.mark.parametrize(
    ("one", "sent", "at", "code"),
    [
        pytest.param(cap(), [], "03-02 12:00", "ok", id="the first"),
        pytest.param(cap(), ["03-02 09:30"], "03-02 12:00", "capped", id="one today"),
        pytest.param(cap(), ["03-01 23:59"], "03-02 00:00", "ok", id="one yesterday"),
        pytest.param(cap(), ["03-02 00:00"], "03-02 23:59", "capped", id="the first minute"),
        pytest.param(cap(), ["03-03 09:00"], "03-02 12:00", "ok", id="one tomorrow"),
        pytest.param(cap(days=7), ["02-24 12:00"], "03-02 12:00", "capped", id="six days ago"),
        pytest.param(cap(days=7), ["02-23 23:59"], "03-02 12:00", "ok", id="a week ago"),
        pytest.param(cap(days=7), ["03-08 12:00"], "03-02 12:00", "capped", id="in six days"),
        pytest.param(cap(days=7), ["03-09 00:00"], "03-02 12:00", "ok", id="in a week"),
        pytest.param(cap(2), ["03-02 09:00"], "03-02 12:00", "ok", id="one of two"),
        pytest.param(cap(2), ["03-02 09:00"] * 2, "03-02 12:00", "capped", id="two of two"),
        pytest.param(cap(0), [], "03-02 12:00", "capped", id="none at all"),
        pytest.param(cap(hours=24), ["03-01 12:01"], "03-02 12:00", "capped", id="in 24 hours"),
        pytest.param(cap(hours=24), ["03-01 11:59"], "03-02 12:00", "ok", id="before 24 hours"),
        pytest.param(cap(hours=24), ["03-01 12:00"], "03-02 12:00", "ok", id="24 hours ago"),
        pytest.param(cap(hours=24), ["03-03 11:59"], "03-02 12:00", "capped", id="24 hours on"),
        pytest.param(cap(hours=24), ["03-03 12:00"], "03-02 12:00", "ok", id="in 24 hours exactly"),
        pytest.param(
            cap(2, hours=24), ["03-01 13:00", "03-03 11:00"], "03-02 12:00", "ok",
            id="one before and one after, never three at once",
        ),
        pytest.param(
            cap(2, hours=24), ["03-02 06:00", "03-02 18:00"], "03-02 12:00", "capped",
            id="one before and one after, and the third between",
        ),
    ],
)  # fmt: skip
def test_a_cap_counts_every_window_with_the_message_in_it(one: Cap, sent: Sequence[str], at: str, code: str):
    facts = Facts(consents=GRANTED, sent=tuple(("sms", MARKETING, local(when)) for when in sent))
    policy = Policy(quiet=None, caps=(one,))

    assert ask(facts=facts, policy=policy, at=local(at)).code == code


@pytest.mark.parametrize(
    ("one", "sent", "code"),
    [
        pytest.param(cap(), ("wecom", MARKETING), "capped", id="all channels together"),
        pytest.param(cap(channel="sms", days=1), ("wecom", MARKETING), "ok", id="one channel"),
        pytest.param(cap(channel="sms", days=1), ("sms", MARKETING), "capped", id="this channel"),
        pytest.param(cap(channel="wecom", days=1), ("sms", MARKETING), "ok", id="another's cap"),
        pytest.param(cap(), ("sms", SERVICE), "ok", id="another purpose"),
        pytest.param(cap(purpose=SERVICE, days=1), ("sms", SERVICE), "ok", id="another purpose's cap"),
    ],
)
def test_a_cap_counts_its_own_channel_and_purpose(one: Cap, sent: tuple[Any, ...], code: str):
    facts = Facts(consents=GRANTED, sent=((*sent, NOON),))

    assert ask(facts=facts, policy=Policy(caps=(one,))).code == code


def test_a_message_that_waits_is_counted_where_it_will_be_sent():
    facts = Facts(consents=GRANTED, sent=(("sms", MARKETING, local("03-02 09:00")),))
    policy = Policy(caps=(cap(),))

    assert ask(facts=facts, policy=policy, at=local("03-02 20:59")).code == "capped"
    assert ask(facts=facts, policy=policy, at=local("03-02 21:00")).code == "deferred"


def test_a_reason_counts_what_is_used():
    facts = Facts(consents=GRANTED, sent=(("sms", MARKETING, NOON),) * 2)
    verdict = ask(facts=facts, policy=Policy(caps=(cap(2, hours=24),)))

    assert verdict.reason == "2 of 2 marketing messages in 24 hours are used"


caps = st.builds(
    lambda limit, days, hours: cap(limit, **({"days": days} if days else {"hours": hours})),
    st.integers(0, 3),
    st.none() | st.integers(1, 4),
    st.integers(1, 72),
)
moments = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - the zone comes with it
    datetime(2027, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
zones = st.sampled_from(
    [ZoneInfo(name) for name in ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "UTC")]
)
asked = st.lists(st.tuples(moments, st.none() | st.timedeltas(timedelta(0), timedelta(days=9))), max_size=25)


@settings(max_examples=150, deadline=None)
@given(st.lists(caps, min_size=1, max_size=3), asked, zones)
def test_no_cap_is_ever_exceeded(given_caps: list[Cap], messages: Any, zone: ZoneInfo):
    """In whatever order they are planned, now and for later."""
    policy = attrs.evolve(OPEN, caps=tuple(given_caps), quiet=QuietHours())
    sent: list[datetime] = []
    for at, wait in messages:
        message = marketing(not_before=None if wait is None else at + wait)
        facts = Facts(sent=tuple(("sms", MARKETING, when) for when in sent))
        verdict = judge(message, facts, policy, at, zone)
        if verdict.send_at is not None:
            sent.append(verdict.send_at.astimezone(UTC))

    for one in given_caps:
        for first in sent:
            if one.hours is not None:
                inside = [when for when in sent if timedelta(0) <= when - first < hours(one)]
            else:
                day = first.astimezone(zone).date()
                days = [(when.astimezone(zone).date() - day).days for when in sent]
                inside = [when for when in days if 0 <= when < (one.days or 0)]
            assert len(inside) <= one.limit


def hours(one: Cap) -> timedelta:
    return timedelta(hours=one.hours or 0)
