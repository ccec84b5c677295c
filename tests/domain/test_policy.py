"""The contact policy: what it asks, in which order, and what it never lets through."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrmkit.domain.messages import Message, Purpose
from scrmkit.domain.policy import Facts, Policy, QuietHours, Verdict, consent_for, judge

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


# --- consent -----------------------------------------------------------------------------

T, F = True, False


@pytest.mark.parametrize(
    ("own", "everywhere", "word"),
    [
        pytest.param(None, None, None, id="never said"),
        pytest.param(T, None, True, id="this channel"),
        pytest.param(None, T, True, id="every channel"),
        pytest.param(T, T, True, id="both"),
        pytest.param(F, None, False, id="not this channel"),
        pytest.param(None, F, False, id="no channel"),
        pytest.param(T, F, False, id="this channel, but none"),
        pytest.param(F, T, False, id="every channel, but this one"),
    ],
)
def test_a_refusal_of_all_or_of_one_wins(own: Any, everywhere: Any, word: Any):
    said = {("sms", MARKETING): own, ("*", MARKETING): everywhere}
    consents = {key: value for key, value in said.items() if value is not None}

    assert consent_for(consents, "sms", MARKETING) is word


def test_a_word_on_another_channel_or_purpose_says_nothing():
    consents = {("wecom", MARKETING): True, ("sms", SERVICE): True}

    assert consent_for(consents, "sms", MARKETING) is None


@pytest.mark.parametrize(
    ("purpose", "consents", "code"),
    [
        pytest.param(MARKETING, {}, "no_consent", id="marketing needs a word"),
        pytest.param(MARKETING, {("*", MARKETING): True}, "ok", id="a word for all channels"),
        pytest.param(SERVICE, {}, "ok", id="service needs none"),
        pytest.param(TRANSACTIONAL, {}, "ok", id="what is owed needs none"),
        pytest.param(MARKETING, {("sms", MARKETING): False}, "withdrawn", id="withdrawn"),
        pytest.param(SERVICE, {("*", SERVICE): False}, "withdrawn", id="service can be refused"),
        pytest.param(TRANSACTIONAL, {("*", TRANSACTIONAL): False}, "ok", id="what is owed cannot be refused"),
        pytest.param(SERVICE, {("sms", MARKETING): False}, "ok", id="refused for another purpose"),
    ],
)
def test_a_purpose_asks_for_a_consent(purpose: Purpose, consents: Any, code: str):
    assert ask(marketing(purpose=purpose), Facts(consents=consents)).code == code


# --- the order of the checks -------------------------------------------------------------

AT_NIGHT = local("03-02 22:00")
USED_UP = ("sms", MARKETING, local("03-03 08:00"))
EVERYTHING_AGAINST = {
    "reachable": False,
    "consents": {},
    "suppressed": "on the list",
    "sent": (USED_UP,),
    "platform_left": 0,
}
EXPIRES = marketing(not_after=local("03-03 08:00"))


@pytest.mark.parametrize(
    ("mended", "code"),
    [
        pytest.param((), "unreachable", id="first, whether the customer can be reached"),
        pytest.param(("reachable",), "no_consent", id="then the consent"),
        pytest.param(("reachable", "consents"), "suppressed", id="then the address"),
        pytest.param(("reachable", "consents", "suppressed"), "expired", id="then the time"),
        pytest.param(("reachable", "consents", "suppressed", "not_after"), "capped", id="then the caps"),
        pytest.param(
            ("reachable", "consents", "suppressed", "not_after", "sent"), "quota", id="at last the platform's quota"
        ),
        pytest.param(
            ("reachable", "consents", "suppressed", "not_after", "sent", "platform_left"),
            "deferred",
            id="and nothing is left to object",
        ),
    ],
)
def test_the_first_objection_is_the_one_that_is_told(mended: tuple[str, ...], code: str):
    well = {"reachable": True, "consents": GRANTED, "suppressed": None, "sent": (), "platform_left": 1}
    facts = Facts(**{name: well[name] if name in mended else against for name, against in EVERYTHING_AGAINST.items()})
    message = marketing() if "not_after" in mended else EXPIRES

    assert ask(message, facts, at=AT_NIGHT).code == code


def test_a_refusal_names_no_moment_and_a_reason():
    verdict = ask(facts=Facts(reachable=False))

    assert verdict.send_at is None
    assert verdict.reason == "the customer cannot be reached by sms"


# --- quiet hours -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quiet", "at", "until"),
    [
        pytest.param((21, 9), "03-02 20:59", None, id="before the night"),
        pytest.param((21, 9), "03-02 21:00", "03-03 09:00", id="the night begins"),
        pytest.param((21, 9), "03-02 23:59", "03-03 09:00", id="before midnight"),
        pytest.param((21, 9), "03-03 00:00", "03-03 09:00", id="midnight"),
        pytest.param((21, 9), "03-03 08:59", "03-03 09:00", id="the last minute"),
        pytest.param((21, 9), "03-03 09:00", None, id="the night is over"),
        pytest.param((12, 14), "03-02 11:59", None, id="before the siesta"),
        pytest.param((12, 14), "03-02 12:00", "03-02 14:00", id="the siesta begins"),
        pytest.param((12, 14), "03-02 14:00", None, id="the siesta is over"),
        pytest.param((9, 9), "03-02 09:00", None, id="no length at all"),
        pytest.param((0, 9), "03-02 00:00", "03-02 09:00", id="from midnight on"),
        pytest.param((21, 0), "03-02 23:59", "03-03 00:00", id="until midnight"),
        pytest.param((21, 0), "03-03 00:00", None, id="at midnight"),
        pytest.param((21, 9), "12-31 22:00", "01-01 09:00", id="over the year"),
    ],
)
def test_quiet_hours_end(quiet: tuple[int, int], at: str, until: str | None):
    hours = QuietHours(start=time(quiet[0]), end=time(quiet[1]))
    expected = None if until is None else local(until)
    if at.startswith("12-31") and expected is not None:
        expected = expected.replace(year=2027)

    assert hours.until(local(at), SHANGHAI) == expected


@pytest.mark.parametrize(
    ("quiet", "at", "until"),
    [
        pytest.param(
            (time(21), time(9)),
            local("03-07 22:00", NEW_YORK),
            datetime(2026, 3, 8, 13, tzinfo=UTC),
            id="the night of the lost hour",
        ),
        pytest.param(
            (time(21), time(9)),
            local("10-31 22:00", NEW_YORK),
            datetime(2026, 11, 1, 14, tzinfo=UTC),
            id="the night of the double hour",
        ),
        pytest.param(
            (time(21), time(2, 30)),
            local("03-07 22:00", NEW_YORK),
            datetime(2026, 3, 8, 7, 30, tzinfo=UTC),
            id="an end that does not exist that night",
        ),
        pytest.param(
            (time(0), time(1, 30)),
            local("11-01 01:15", NEW_YORK, fold=1),
            datetime(2026, 11, 1, 6, 30, tzinfo=UTC),
            id="an end that comes twice, between its two times",
        ),
        pytest.param(
            (time(0), time(1, 30)),
            local("11-01 00:15", NEW_YORK),
            datetime(2026, 11, 1, 5, 30, tzinfo=UTC),
            id="an end that comes twice, before both",
        ),
    ],
)
def test_quiet_hours_end_where_clocks_are_changed(quiet: tuple[time, time], at: datetime, until: datetime):
    hours = QuietHours(start=quiet[0], end=quiet[1])
    found = hours.until(at.astimezone(UTC), NEW_YORK)

    assert found is not None
    assert found.astimezone(UTC) == until


zones = st.sampled_from(
    [ZoneInfo(name) for name in ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "UTC")]
)
moments = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - the zone comes with it
    datetime(2027, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
clocks = st.times(timezones=st.none()).map(lambda one: one.replace(second=0, microsecond=0))


@settings(max_examples=300)
@given(clocks, clocks, moments, zones)
def test_quiet_hours_end_later_and_end_quiet(start: time, end: time, at: datetime, zone: ZoneInfo):
    hours = QuietHours(start=start, end=end)
    until = hours.until(at, zone)

    if until is not None:
        # The clock may be put back once on the way; after that the hours are over.
        again = hours.until(until.astimezone(UTC), zone) or until
        assert at < until.astimezone(UTC) <= at + timedelta(hours=26)
        assert hours.until(again.astimezone(UTC), zone) is None


@pytest.mark.parametrize(
    ("purpose", "code"),
    [
        pytest.param(MARKETING, "deferred", id="marketing waits"),
        pytest.param(SERVICE, "ok", id="service does not"),
        pytest.param(TRANSACTIONAL, "ok", id="what is owed does not"),
    ],
)
def test_quiet_hours_are_for_marketing(purpose: Purpose, code: str):
    assert ask(marketing(purpose=purpose), at=AT_NIGHT).code == code


@pytest.mark.parametrize(
    ("changes", "at", "send_at", "code"),
    [
        pytest.param({}, "03-02 12:00", "03-02 12:00", "ok", id="by day"),
        pytest.param({}, "03-02 22:00", "03-03 09:00", "deferred", id="at night"),
        pytest.param(
            {"not_before": local("03-02 18:00")}, "03-02 12:00", "03-02 18:00", "deferred",
            id="not before the evening",
        ),
        pytest.param(
            {"not_before": local("03-02 22:00")}, "03-02 12:00", "03-03 09:00", "deferred",
            id="not before the night, so not before the morning",
        ),
        pytest.param(
            {"not_before": local("03-02 09:00")}, "03-02 12:00", "03-02 12:00", "ok",
            id="its time has come already",
        ),
        pytest.param(
            {"not_after": local("03-03 09:00")}, "03-02 22:00", None, "expired",
            id="of no use at the moment that it may leave",
        ),
        pytest.param(
            {"not_after": local("03-03 09:01")}, "03-02 22:00", "03-03 09:00", "deferred",
            id="of use for one minute more",
        ),
        pytest.param(
            {"not_after": local("03-02 12:00")}, "03-02 12:00", None, "expired",
            id="of no use any more",
        ),
        pytest.param(
            {"not_after": local("03-02 13:00"), "not_before": local("03-02 14:00")},
            "03-02 12:00", None, "expired", id="of no use before it may leave",
        ),
    ],
)  # fmt: skip
def test_a_message_waits_for_its_time_or_expires(changes: dict[str, Any], at: str, send_at: str | None, code: str):
    verdict = ask(marketing(**changes), at=local(at))

    assert (verdict.code, verdict.send_at) == (code, None if send_at is None else local(send_at))


def test_the_customer_s_clock_counts():
    at = local("03-02 22:00")

    assert ask(at=at, zone=SHANGHAI).code == "deferred"
    assert ask(at=at, zone=NEW_YORK).code == "ok"


def test_equal_arguments_give_equal_answers():
    assert ask() == ask()
