"""Tokens, unknown paths, and the form of answers."""

from __future__ import annotations

import re

import pytest


def test_the_same_token_is_handed_out_until_shortly_before_its_end(api, sandbox):
    first = api.fetch()
    sandbox.move_clock(seconds=6000)
    again = api.fetch()
    sandbox.move_clock(seconds=1000)
    new = api.fetch()

    assert (first["errcode"], first["expires_in"]) == (0, 7200)
    assert (again["access_token"], again["expires_in"]) == (first["access_token"], 1200)
    assert new["access_token"] != first["access_token"]
    assert new["expires_in"] == 7200


def test_an_old_token_lives_on_beside_a_new_one(api, sandbox):
    sandbox.move_clock(seconds=7000)
    api.fetch()

    assert api.get("get_follow_user_list")["errcode"] == 0


@pytest.mark.parametrize(
    ("changes", "errcode", "text"),
    [
        pytest.param({"corpid": ""}, 41002, "corpid missing", id="no company"),
        pytest.param({"corpsecret": ""}, 41004, "corpsecret missing", id="no secret"),
        pytest.param({"corpid": "ww0"}, 40013, "invalid corpid", id="another company"),
        pytest.param({"corpsecret": "x"}, 40001, "invalid credential", id="a wrong secret"),
    ],
)
def test_no_token_without_the_right_credentials(api, changes, errcode, text):
    answer = api.fetch(**changes)

    assert answer["errcode"] == errcode
    assert answer["errmsg"].startswith(text)
    assert "access_token" not in answer


def test_a_call_without_a_token_is_refused(api):
    api.token = ""

    assert api.get("get_follow_user_list")["errcode"] == 41001


def test_an_unknown_token_is_refused(api):
    api.token = "made-up"

    assert api.get("get_follow_user_list")["errcode"] == 40014


def test_a_token_ends_after_7200_seconds_and_not_before(api, sandbox):
    sandbox.move_clock(seconds=7199)
    assert api.get("get_follow_user_list")["errcode"] == 0

    sandbox.move_clock(seconds=1)
    assert api.get("get_follow_user_list")["errcode"] == 42001


def test_revoked_tokens_are_unknown_until_a_new_one_is_fetched(api):
    api.control("faults", {"kind": "token_revoked", "path": "*/get_follow_user_list"})
    assert api.get("get_follow_user_list")["errcode"] == 40014

    api.token = api.fetch()["access_token"]
    assert api.get("get_follow_user_list")["errcode"] == 0


def test_an_error_carries_the_platforms_hint_and_link(api):
    api.token = ""

    assert re.fullmatch(
        r"access_token missing, hint: \[\d+_\d+_[0-9a-f]{32}\], from ip: 127\.0\.0\.1, "
        r"more info at https://open\.work\.weixin\.qq\.com/devtool/query\?e=41001",
        api.get("get_follow_user_list")["errmsg"],
    )


@pytest.mark.parametrize(
    ("fault", "errcode"),
    [
        pytest.param({"kind": "rate_limit"}, 45009, id="too often"),
        pytest.param({"kind": "code", "code": "45033"}, 45033, id="too many at once"),
        pytest.param({"kind": "code", "code": "-1"}, -1, id="busy"),
        pytest.param({"kind": "code", "code": "60020"}, 60020, id="from a strange address"),
    ],
)
def test_faults_answer_with_the_platforms_codes(api, fault, errcode):
    api.control("faults", fault)

    assert api.get("get_follow_user_list")["errcode"] == errcode
    assert api.get("get_follow_user_list")["errcode"] == 0


@pytest.mark.parametrize("path", ["/cgi-bin/externalcontact/groupchat/list", "/cgi-bin/x", "/"])
def test_an_unknown_path_is_not_found(api, path):
    response = api.http.post(path, json={})

    assert (response.status_code, response.content) == (404, b"")


def test_a_body_counts_as_json_whatever_its_type(api):
    response = api.http.post(
        "/cgi-bin/externalcontact/add_contact_way",
        params={"access_token": api.token},
        content=b'{"type": 1, "scene": 2, "user": ["lisi"]}',
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert response.json()["errcode"] == 0


@pytest.mark.parametrize("raw", [b"{", b"[1]", b"\xff", b"type=1", b'{"state": "\\ud800"}', b"[" * 200_000])
def test_a_malformed_body_counts_as_empty_and_is_warned_of(api, raw):
    answer = api.post("add_contact_way", raw=raw)

    assert answer["errcode"] == 41037
    assert "Warning: wrong json format." in answer["errmsg"]


def test_requests_are_listed_without_secret_and_token(api, sandbox):
    api.get("get_follow_user_list")

    kept = str(api.control("requests"))
    assert "gettoken" in kept
    assert sandbox.secret not in kept
    assert api.token not in kept
