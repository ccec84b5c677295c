"""The API client: what each failure becomes, and that none shows a secret."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import traceback
from datetime import UTC, datetime, timedelta

import pytest

from scrmkit.clock import VirtualClock
from scrmkit.errors import InvalidValueError, RefusedError, TryLaterError, UnknownOutcomeError
from scrmkit_wecom.api import (
    AlreadyWelcomedError,
    AnotherAppWelcomesError,
    Credentials,
    WelcomeExpiredError,
    WrongSetupError,
)
from scrmkit_wecom.bodies import (
    AddContactWay,
    AddCorpTags,
    DeleteCorpTags,
    EditCorpTag,
    MarkTag,
    NewTag,
    UpdateContactWay,
    Welcome,
)
from scrmkit_wecom.client import WeComClient

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
CONTACT = "externalcontact/"
WAY = AddContactWay(user=("zhangsan",), state="s1")
TAGS = AddCorpTags(group_name="来源", tags=(NewTag(name="门店"),))
HELLO = Welcome(welcome_code="code-canary", text="hello")
MARK = MarkTag(userid="zhangsan", external_userid="wm1", add_tag=("et1",))

READS = {
    "get_follow_user_list": lambda client: client.get_follow_user_list(),
    "list": lambda client: client.list_customers("zhangsan"),
    "get": lambda client: client.get_customer("wm1"),
    "batch/get_by_user": lambda client: list(client.batch_get_by_user(["zhangsan"])),
    "get_contact_way": lambda client: client.get_contact_way("c1"),
    "list_contact_way": lambda client: list(client.list_contact_way()),
    "get_corp_tag_list": lambda client: client.get_corp_tag_list(),
}
REPEATABLE = {
    "update_contact_way": lambda c: c.update_contact_way(UpdateContactWay(config_id="c1")),
    "del_contact_way": lambda client: client.del_contact_way("c1"),
    "send_welcome_msg": lambda client: client.send_welcome_msg(HELLO),
    "edit_corp_tag": lambda client: client.edit_corp_tag(EditCorpTag(id="et1", name="new")),
    "del_corp_tag": lambda client: client.del_corp_tag(DeleteCorpTags(tag_id=("et1",))),
    "mark_tag": lambda client: client.mark_tag(MARK),
}
ONLY_ONCE = {
    "add_contact_way": lambda client: client.add_contact_way(WAY),
    "add_corp_tag": lambda client: client.add_corp_tag(TAGS),
}
EVERY = {**READS, **REPEATABLE, **ONLY_ONCE}


def every(calls):
    return pytest.mark.parametrize(("path", "call"), [pytest.param(*c, id=c[0]) for c in calls])


@every(EVERY.items())
def test_a_refusal_is_an_error_with_the_platforms_code(platform, client, path, call):
    platform.say(CONTACT + path, {"errcode": 40058, "errmsg": "anything, from ip: 10.1.2.3"})

    with pytest.raises(RefusedError) as caught:
        call(client)

    assert caught.value.code == "40058"
    assert "10.1.2.3" not in str(caught.value)


@pytest.mark.parametrize("code", [-1, 45009, 45033, 41063, "-1"])
@pytest.mark.parametrize("path", ["get_follow_user_list", "mark_tag", "add_contact_way"])
def test_a_busy_platform_is_tried_later(platform, client, path, code):
    platform.say(CONTACT + path, {"errcode": code})

    with pytest.raises(TryLaterError):
        EVERY[path](client)


def test_a_rate_limit_says_how_long_to_wait(platform, client):
    platform.say(CONTACT + "mark_tag", {"errcode": 45009})

    with pytest.raises(TryLaterError) as caught:
        client.mark_tag(MARK)

    assert caught.value.retry_after == timedelta(seconds=60)


LOST = [
    {"hang_up": True},
    {"content": b"<html>"},
    {"content": b"[]"},
    {"content": b""},
    {"content": b"\xff{"},
    {"content": b'{"errcode": "perhaps"}'},
    {"content": b'{"errcode": 0, "a":' + b"[" * 100_000},
    {"status": 500},
    {"status": 504, "content": b"{}"},
]


def name_of(fields):
    return str(fields)[:40]


@pytest.mark.parametrize("fields", LOST, ids=name_of)
@pytest.mark.parametrize("path", ["get_follow_user_list", "mark_tag"])
def test_a_lost_reply_to_what_may_be_repeated_is_tried_later(platform, client, path, fields):
    platform.say(CONTACT + path, platform.raw(**fields))

    with pytest.raises(TryLaterError):
        EVERY[path](client)


@every(ONLY_ONCE.items())
@pytest.mark.parametrize("fields", [*LOST, {"content": b'{"errcode": 0}'}], ids=name_of)
def test_a_lost_reply_to_what_must_not_be_repeated_is_unknown(platform, client, path, call, fields):
    platform.say(CONTACT + path, platform.raw(**fields))

    with pytest.raises(UnknownOutcomeError):
        call(client)
    assert len(platform.of(CONTACT + path)) == 1


@pytest.mark.parametrize("call", ONLY_ONCE.values(), ids=ONLY_ONCE)
def test_a_reply_that_does_not_come_in_time_leaves_the_outcome_unknown(platform, clock, call):
    over = threading.Event()
    platform.say(CONTACT + "add_contact_way", platform.raw(wait_for=over))
    platform.say(CONTACT + "add_corp_tag", platform.raw(wait_for=over))
    client = WeComClient(
        Credentials(corp_id="ww1", secret="s"), clock, base_url=platform.url, timeout=timedelta(milliseconds=150)
    )

    with client, pytest.raises(UnknownOutcomeError):
        call(client)
    over.set()


@pytest.mark.parametrize("call", EVERY.values(), ids=EVERY)
def test_a_platform_that_cannot_be_reached_is_tried_later(clock, call):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    client = WeComClient(Credentials(corp_id="ww1", secret="s"), clock, base_url=f"http://127.0.0.1:{port}")

    with client, pytest.raises(TryLaterError):
        call(client)


def test_a_reply_that_drips_is_given_up_after_the_timeout(clock):
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not over.wait(0.02):
                    with contextlib.suppress(OSError):
                        connection.sendall(b" ")

        thread = threading.Thread(target=drip)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with (
            WeComClient(
                Credentials(corp_id="ww1", secret="s"), clock, base_url=url, timeout=timedelta(milliseconds=200)
            ) as client,
            pytest.raises(TryLaterError),
        ):
            client.get_follow_user_list()
        over.set()
        thread.join(10)


@pytest.mark.parametrize(
    ("headers", "retry_after"),
    [
        pytest.param({"Retry-After": "7"}, timedelta(seconds=7), id="seconds"),
        pytest.param({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None, id="a date"),
        pytest.param({}, None, id="nothing"),
    ],
)
def test_a_retry_after_header_is_passed_on(platform, client, headers, retry_after):
    platform.say(CONTACT + "mark_tag", platform.raw(status=503, headers=headers))

    with pytest.raises(TryLaterError) as caught:
        client.mark_tag(MARK)

    assert caught.value.retry_after == retry_after


def test_a_path_that_the_platform_does_not_have_is_refused(platform, client):
    platform.say(CONTACT + "mark_tag", platform.raw(status=404))

    with pytest.raises(RefusedError) as caught:
        client.mark_tag(MARK)

    assert caught.value.code == "http-404"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        pytest.param(41050, WelcomeExpiredError, id="too late"),
        pytest.param(41051, AlreadyWelcomedError, id="somebody was first"),
        pytest.param(41096, AnotherAppWelcomesError, id="another app is at it"),
        pytest.param(60020, WrongSetupError, id="an address that is not trusted"),
    ],
)
def test_the_ends_of_a_welcome_are_told_apart(platform, client, code, error):
    platform.say(CONTACT + "send_welcome_msg", {"errcode": code})

    with pytest.raises(error) as caught:
        client.send_welcome_msg(HELLO)

    assert type(caught.value) is error


@pytest.mark.parametrize("url", ["http://example.com", "ftp://127.0.0.1", "example.com", "", "http://[", "http://"])
def test_an_address_that_would_show_the_secret_is_refused(url):
    with pytest.raises(InvalidValueError):
        WeComClient(Credentials(corp_id="ww1", secret="s"), VirtualClock(NOON), base_url=url)


@pytest.mark.parametrize("failure", ["ok", "refused", "lost", "away"])
def test_no_token_and_no_secret_stands_in_a_log_an_error_or_a_repr(platform, client, caplog, failure):
    caplog.set_level(logging.DEBUG)
    replies = {
        "ok": {"errcode": 0},
        "refused": {"errcode": 40058, "errmsg": "code-canary"},
        "lost": platform.raw(content=b"code-canary"),
        "away": platform.raw(hang_up=True),
    }
    platform.say("gettoken", {"access_token": "t0ken-canary", "expires_in": 7200})
    platform.say(CONTACT + "send_welcome_msg", replies[failure])

    shown = f"{client!r} {HELLO!r} {Credentials(corp_id='ww1', secret='s3cret-canary')!r}"
    try:
        client.send_welcome_msg(HELLO)
    except (RefusedError, TryLaterError) as error:
        shown += "".join(traceback.format_exception(error)) + repr(vars(error))
    shown += "".join(f"{record.getMessage()} {record.args!r}" for record in caplog.records)

    assert "canary" not in shown
    assert "HTTP Request: GET" in shown
