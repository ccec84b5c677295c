"""The sandbox's gateway: keys, dates, signatures, faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import httpx
import pytest

from scrmkit.testing.sandbox import ShiftedClock
from scrmkit_sms.aliyun.client import Dysmsapi
from scrmkit_sms.aliyun.signing import percent, rpc_signature
from scrmkit_sms.provider import Account
from scrmkit_sms.sandbox import create

SIGN = "半城云"
NOTICE, CODE, RESERVED = "SMS_154950909", "SMS_154950910", "SMS_154950911"
SALE, SALE_WITHOUT_WAY_OUT, ABROAD = "SMS_154950912", "SMS_154950913", "SMS_154950914"


def details(answer):
    return answer.data["SmsSendDetailDTOs"]["SmsSendDetailDTO"]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        pytest.param({"access_key_secret": "x"}, 400, "SignatureDoesNotMatch", id="wrong secret"),
        pytest.param({"access_key_id": "x"}, 404, "InvalidAccessKeyId.NotFound", id="wrong key"),
    ],
)
def test_a_wrong_key_is_refused(account, clock, changes, status, code):
    answer = Dysmsapi(attrs.evolve(account, **changes), clock).call("SendSms", {})

    assert (answer.status, answer.code) == (status, code)


def test_a_nonce_passes_once(account, clock):
    api = Dysmsapi(account, clock, nonces=lambda: "n")
    question = {"PhoneNumber": "13900000001", "SendDate": "20260102"}
    first = api.call("QuerySendDetails", question | {"PageSize": "1", "CurrentPage": "1"})

    assert (first.code, api.call("SendSms", {}).code) == ("OK", "SignatureNonceUsed")


@pytest.mark.parametrize(
    ("minutes", "code"), [(-16, "InvalidTimeStamp.Expired"), (-14, "OK"), (14, "OK"), (16, "InvalidTimeStamp.Expired")]
)
def test_a_date_may_be_fifteen_minutes_off(account, clock, minutes, code):
    class Off:
        def now(self):
            return clock.now() + timedelta(minutes=minutes)

    query = {"PhoneNumbers": "13900000001", "SignName": SIGN, "TemplateCode": NOTICE}

    assert Dysmsapi(account, Off()).call("SendSms", query).code == code


def test_a_client_on_this_machine_may_call_after_the_clock_was_moved():
    made = create()
    with made as url:
        made.move_clock(seconds=86_400)
        keys = made.credentials()
        account = Account(
            access_key_id=keys["access_key_id"], access_key_secret=keys["access_key_secret"], endpoint=url
        )
        query = {"PhoneNumbers": "13900000001", "SignName": SIGN, "TemplateCode": NOTICE}

        assert Dysmsapi(account, ShiftedClock()).call("SendSms", query).code == "OK"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_older_signature_passes_too(sandbox, clock, method):
    params = rpc_params(sandbox, clock, TemplateParam='{"code":"1 *~+"}', SignatureType="")
    signature = rpc_signature(method, list(params.items()), sandbox.credentials()["access_key_secret"])

    answer = call_rpc(sandbox, method, params | {"Signature": signature})

    assert answer.json()["Code"] == "OK"


def test_a_wrong_older_signature_does_not(sandbox, clock):
    answer = call_rpc(sandbox, "GET", rpc_params(sandbox, clock) | {"Signature": "x"})

    assert (answer.status_code, answer.json()["Code"]) == (400, "SignatureDoesNotMatch")


def rpc_params(sandbox, clock, **changes):
    return {
        "AccessKeyId": sandbox.credentials()["access_key_id"],
        "Action": "SendSms",
        "Format": "JSON",
        "PhoneNumbers": "13900000001",
        "SignName": SIGN,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureNonce": "n-1",
        "SignatureVersion": "1.0",
        "TemplateCode": NOTICE,
        "Timestamp": clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Version": "2017-05-25",
        **changes,
    }


def call_rpc(sandbox, method, params):
    encoded = "&".join(f"{percent(name)}={percent(value)}" for name, value in params.items())
    if method == "GET":
        return httpx.get(f"{sandbox.url}/?{encoded}")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return httpx.post(f"{sandbox.url}/", content=encoded, headers=headers)


def test_a_request_without_any_signature_is_refused(sandbox):
    answer = httpx.post(f"{sandbox.url}/?Action=SendSms")

    assert (answer.status_code, answer.json()["Code"]) == (400, "MissingAccessKeyId")


def test_an_unknown_action_or_path_is_answered_as_one(api, sandbox):
    answer = api.call("AddSmsSign", {})
    elsewhere = httpx.get(f"{sandbox.url}/elsewhere")

    assert (answer.status, answer.code) == (404, "InvalidAction.NotFound")
    assert (elsewhere.status_code, elsewhere.json()["Code"]) == (404, "InvalidAction.NotFound")


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "rate_limit"}, 400, "Throttling.User"),
        ({"kind": "code", "code": "isv.OUT_OF_SERVICE"}, 200, "isv.OUT_OF_SERVICE"),
        ({"kind": "code", "code": "ServiceUnavailable"}, 503, "ServiceUnavailable"),
    ],
)
def test_a_fault_is_answered_in_the_platforms_words(send, sandbox, fault, status, code):
    sandbox.inject(**fault, path="SendSms")

    answer = send()

    assert (answer.status, answer.code) == (status, code)
    assert send().code == "OK"


def test_equal_seeds_give_equal_keys_and_others_do_not():
    assert create(seed=1).credentials() == create(seed=1).credentials()
    assert create(seed=1).credentials() != create(seed=2).credentials()


def test_a_reset_forgets_all_but_the_keys(send, sandbox):
    keys = sandbox.credentials()
    send()
    sandbox.set_template(code="SMS_7", text="x")

    sandbox.reset()

    assert sandbox.list_messages()["messages"] == []
    assert send(template="SMS_7").code == "isv.SMS_TEMPLATE_ILLEGAL"
    assert (send().code, sandbox.credentials()) == ("OK", keys)


def test_the_date_of_today_is_beijings(send, query, clock):
    clock.move_to(datetime(2026, 1, 2, 16, 30, tzinfo=UTC))
    send()

    assert len(details(query(day="20260103"))) == 1
