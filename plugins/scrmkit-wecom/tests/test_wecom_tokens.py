"""Access tokens: one fetch for all who wait, renewed in time and once when refused."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from scrmkit.errors import TryLaterError
from scrmkit_wecom.api import WrongSetupError
from scrmkit_wecom.bodies import AddContactWay
from scrmkit_wecom.tokens import AccessToken, AccessTokens

USERS = "externalcontact/get_follow_user_list"


def used_tokens(platform):
    return [one.query["access_token"] for one in platform.of(USERS)]


def test_one_token_serves_many_calls(platform, client):
    for _ in range(3):
        client.get_follow_user_list()

    assert used_tokens(platform) == ["token-1"] * 3
    assert len(platform.of("gettoken")) == 1


def test_the_token_is_asked_for_with_company_and_secret(platform, client):
    client.get_follow_user_list()

    assert platform.of("gettoken")[0].query == {"corpid": "ww1", "corpsecret": "s3cret-canary"}


@pytest.mark.parametrize(
    ("expires_in", "passed_s", "token"),
    [
        pytest.param(7200, 6899, "token-1", id="until five minutes before its end"),
        pytest.param(7200, 6900, "token-2", id="no longer in the last five minutes"),
        pytest.param("600", 299, "token-1", id="a shorter life as a string"),
        pytest.param("600", 300, "token-2", id="over"),
        pytest.param(120, 59, "token-1", id="a very short life, half of it"),
        pytest.param(120, 60, "token-2", id="a very short life is over"),
    ],
)
def test_a_token_is_used_for_as_long_as_the_platform_said(platform, client, clock, expires_in, passed_s, token):
    platform.expires_in = expires_in
    client.get_follow_user_list()
    clock.advance(timedelta(seconds=passed_s))

    client.get_follow_user_list()

    assert used_tokens(platform)[-1] == token


@pytest.mark.parametrize("code", [40001, 40014, 42001, "40014"])
def test_a_call_whose_token_is_refused_is_made_once_more_with_another(platform, client, code):
    platform.say(USERS, {"errcode": code}, {"follow_user": ["zhangsan"]})

    assert client.get_follow_user_list() == ("zhangsan",)
    assert used_tokens(platform) == ["token-1", "token-2"]


def test_a_call_whose_token_is_refused_twice_is_given_up(platform, client):
    platform.say(USERS, {"errcode": 42001})

    with pytest.raises(WrongSetupError) as caught:
        client.get_follow_user_list()

    assert caught.value.code == "42001"
    assert len(platform.of(USERS)) == 2


def test_a_change_that_must_not_be_made_twice_is_repeated_after_a_refused_token(platform, client):
    platform.say("externalcontact/add_contact_way", {"errcode": 40014}, {"config_id": "c1", "qr_code": "q"})

    assert client.add_contact_way(AddContactWay(user=("u",))).config_id == "c1"


@pytest.mark.parametrize("code", [40001, 40013, 40091, 50003, 60020])
def test_a_refused_secret_is_not_tried_again(platform, client, code):
    platform.say("gettoken", {"errcode": code, "errmsg": "invalid credential"})

    with pytest.raises(WrongSetupError) as caught:
        client.get_follow_user_list()

    assert caught.value.code == str(code)
    assert len(platform.of("gettoken")) == 1


@pytest.mark.parametrize(
    "reply",
    [{}, {"access_token": "", "expires_in": 7200}, {"access_token": "t"},
     {"access_token": 7, "expires_in": 7200}, {"access_token": "t", "expires_in": -1}],
)  # fmt: skip
def test_a_reply_without_a_token_is_no_token(platform, client, reply):
    platform.say("gettoken", reply)

    with pytest.raises(TryLaterError):
        client.get_follow_user_list()


class Fetching:
    """A fetch that waits until the test lets it go on, and counts."""

    def __init__(self, error: Exception | None = None) -> None:
        self.count = 0
        self.error = error
        self.started = threading.Event()
        self.go_on = threading.Event()

    def __call__(self) -> AccessToken:
        self.count += 1
        self.started.set()
        self.go_on.wait(10)
        if self.error is not None:
            raise self.error
        return AccessToken(value=f"t{self.count}", lasts=timedelta(hours=2))


def all_at_once(tokens: AccessTokens, fetching: Fetching, callers: int) -> list[object]:
    waiting = threading.Barrier(callers + 1)

    def ask() -> object:
        waiting.wait(10)
        try:
            return tokens.get()
        except TryLaterError as error:
            return error

    with ThreadPoolExecutor(callers) as pool:
        answers = [pool.submit(ask) for _ in range(callers)]
        waiting.wait(10)
        fetching.started.wait(10)
        fetching.go_on.set()
        return [answer.result() for answer in answers]


def test_many_threads_share_one_fetch(clock):
    fetching = Fetching()

    answers = all_at_once(AccessTokens(fetching, clock), fetching, 16)

    assert answers == ["t1"] * 16
    assert fetching.count == 1


def test_a_failed_fetch_fails_whoever_waited_and_the_next_one_tries_again(clock):
    fetching = Fetching(TryLaterError("away"))
    tokens = AccessTokens(fetching, clock)
    answers = all_at_once(tokens, fetching, 4)
    failures = fetching.count

    fetching.error = None

    assert all(isinstance(answer, TryLaterError) for answer in answers)
    assert tokens.get() == f"t{failures + 1}"


def test_a_token_that_was_renewed_meanwhile_is_not_renewed_again(clock):
    fetching = Fetching()
    fetching.go_on.set()
    tokens = AccessTokens(fetching, clock)
    stale = tokens.get()

    renewed = [tokens.renew(stale), tokens.renew(stale)]

    assert renewed == ["t2", "t2"]
    assert fetching.count == 2
