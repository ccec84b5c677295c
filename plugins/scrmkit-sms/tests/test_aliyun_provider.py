"""Every answer, and every missing one, has its outcome."""

from __future__ import annotations

import itertools
import logging
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from scrmkit.domain.messages import Accepted, Delivered, Refused, TryLater, Undelivered, Unknown
from scrmkit.errors import InvalidValueError, SettingsError
from scrmkit_sms.aliyun.client import Dysmsapi
from scrmkit_sms.aliyun.provider import AliyunProvider
from scrmkit_sms.echoes import echo_of
from scrmkit_sms.provider import Account, NoTrace, Sent, Sms, load_provider

CODE, RESERVED = "SMS_154950910", "SMS_154950911"


def sms(number=0, **changes):
    made = Sms(
        key=f"key-{number}",
        phone=f"+8613900{number:06d}",
        sign="半城云",
        template=RESERVED,
        params={"name": "甲", "item": "茶"},
        text="",
    )
    return attrs.evolve(made, **changes)


def actions(sandbox):
    return [each["operation"] for each in sandbox.list_requests()["requests"]]


def sent(message, since):
    return Sent(key=message.key, phone=message.phone, template=message.template, since=since)


def test_one_message_goes_by_send_sms(provider, sandbox):
    (outcome,) = provider.send([sms(1)])

    (message,) = sandbox.list_messages()["messages"]
    assert actions(sandbox) == ["SendSms"]
    assert outcome == Accepted(provider_id="key-1", answer={"biz_id": message["biz_id"]})
    assert message["content"] == "【半城云】甲，您预订的茶已到店。"
    assert (message["phone"], message["out_id"]) == ("13900000001", "key-1")


def test_several_go_by_one_send_batch_sms(provider, sandbox):
    batch = [sms(n, params={"name": str(n), "item": "*~+ &"}) for n in range(100)]

    outcomes = provider.send(batch)

    messages = sandbox.list_messages()["messages"]
    assert actions(sandbox) == ["SendBatchSms"]
    assert [each.provider_id for each in outcomes] == [echo_of([b.key for b in batch])] * 100
    assert [each["content"] for each in messages] == [f"【半城云】{n}，您预订的*~+ &已到店。" for n in range(100)]


def test_a_call_has_one_template_and_each_phone_once(provider, sandbox):
    batch = [sms(1), sms(2), sms(1, key="again"), sms(3, template=CODE, params={"code": "1234"})]

    outcomes = provider.send(batch)

    assert actions(sandbox) == ["SendBatchSms", "SendSms", "SendSms"]
    assert [each.provider_id for each in outcomes] == [
        echo_of(["key-1", "key-2"]),
        echo_of(["key-1", "key-2"]),
        "again",
        "key-3",
    ]


def test_a_template_without_variables_is_sent_without_values(provider, sandbox):
    batch = [sms(n, template="SMS_154950909", params={}) for n in range(2)]

    provider.send(batch)

    (request,) = sandbox.list_requests()["requests"]
    assert "TemplateParamJson" not in request["body"]


def test_one_bad_message_does_not_bring_the_others_down(provider, sandbox):
    batch = [sms(n) for n in range(8)]
    batch[5] = sms(5, params={"name": "see https://x.cn", "item": "茶"})

    outcomes = provider.send(batch)

    assert outcomes[5] == Refused(code="isv.PARAM_NOT_SUPPORT_URL", reason="Dysmsapi refused it")
    assert all(isinstance(each, Accepted) for n, each in enumerate(outcomes) if n != 5)
    assert [m["phone"] for m in sandbox.list_messages()["messages"]] == [f"13900{n:06d}" for n in range(8) if n != 5]


def test_what_is_wrong_with_the_template_is_asked_once(provider, sandbox):
    outcomes = provider.send([sms(n, template="SMS_1") for n in range(4)])

    assert {each.code for each in outcomes} == {"isv.SMS_TEMPLATE_ILLEGAL"}
    assert actions(sandbox) == ["SendBatchSms"]


def test_a_number_that_is_none_is_never_sent(provider, sandbox):
    outcomes = provider.send([sms(1, phone="+8610086"), sms(2)])

    assert outcomes[0] == Refused(code="phone", reason="not a phone number", suppress=True)
    assert actions(sandbox) == ["SendSms"]


def test_half_a_character_is_refused_alone(provider):
    outcomes = provider.send([sms(1, params={"name": "\ud83d", "item": "茶"}), sms(2)])

    assert isinstance(outcomes[0], Refused)
    assert isinstance(outcomes[1], Accepted)


def test_flow_control_says_when_it_ends(provider):
    code = sms(1, template=CODE, params={"code": "1234"})
    provider.send([code])

    (outcome,) = provider.send([code])

    assert outcome == TryLater(reason="isv.BUSINESS_LIMIT_CONTROL", after=timedelta(seconds=30))


def test_nothing_is_sent_without_a_connection(account, clock):
    gone = attrs.evolve(account, endpoint="http://127.0.0.1:9")

    outcomes = AliyunProvider(gone, clock).send([sms(1), sms(2)])

    assert [type(each) for each in outcomes] == [TryLater, TryLater]
    assert outcomes[0].lane


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"kind": "hang"}, id="no answer"),
        pytest.param({"kind": "drop"}, id="a connection that breaks"),
        pytest.param({"kind": "slow", "seconds": 5.0}, id="an answer too late"),
        pytest.param({"kind": "status", "status": 502}, id="a gateway's error"),
        pytest.param({"kind": "code", "code": "isp.SYSTEM_ERROR"}, id="their own fault"),
    ],
)
def test_a_lost_answer_is_unknown_and_not_asked_again(hasty, sandbox, fault):
    sandbox.inject(**fault)

    outcomes = hasty.send([sms(1), sms(2)])

    assert [type(each) for each in outcomes] == [Unknown, Unknown]
    assert actions(sandbox) == ["SendBatchSms"]


def test_a_number_that_is_answered_late_is_unknown_and_has_arrived(hasty, sandbox):
    (outcome,) = hasty.send([sms(990005)])

    assert isinstance(outcome, Unknown)
    assert len(sandbox.list_messages()["messages"]) == 1


def test_throttling_rests_the_lane(provider, sandbox):
    sandbox.inject(kind="rate_limit")

    (outcome,) = provider.send([sms(1)])

    after = timedelta(seconds=1)
    assert outcome == TryLater(reason="Throttling.User", after=after, lane=True)


def test_an_account_without_balance_rests_the_lane(provider, sandbox):
    sandbox.set_account(balance=1)

    outcomes = provider.send([sms(1), sms(2)])

    assert {(type(each), each.lane) for each in outcomes} == {(TryLater, True)}
    assert sandbox.list_messages()["messages"] == []


@pytest.mark.parametrize("lost", [1, 3])
def test_a_message_that_arrived_unanswered_is_found(provider, sandbox, clock, lost):
    batch = [sms(n) for n in range(lost)]
    sandbox.inject(kind="drop")
    provider.send(batch)

    found = provider.query([sent(each, clock.now()) for each in batch])

    assert found == [Accepted(provider_id=echo_of([each.key for each in batch]))] * lost


def test_a_message_that_never_arrived_leaves_no_trace(provider, hasty, sandbox, clock):
    provider.send([sms(1, key="another")])
    sandbox.inject(kind="hang")
    hasty.send([sms(1)])

    assert provider.query([sent(sms(1), clock.now())]) == [NoTrace()]


def test_what_became_of_it_is_found_days_later(provider, clock):
    start = clock.now()
    batch = [sms(1), sms(990001), sms(990004)]
    provider.send(batch)
    clock.advance(timedelta(days=3))

    found = provider.query([sent(each, start) for each in batch])

    echo = echo_of([each.key for each in batch])
    assert found == [
        Delivered(provider_id=echo),
        Undelivered(code="UNDELIV", reason="dead_number"),
        Accepted(provider_id=echo),
    ]


def test_all_pages_are_read(provider, sandbox, clock):
    sandbox.set_account(whitelist=["13900000001"])
    start = clock.now()
    for number in range(60):
        provider.send([sms(1, key=f"k{number}")])

    (found,) = provider.query([sent(sms(1, key="k0"), start)])

    assert found == Accepted(provider_id="k0")


def test_a_query_without_an_answer_leaves_it_unknown(hasty, sandbox, clock):
    sandbox.inject(kind="hang")

    (found,) = hasty.query([sent(sms(1), clock.now())])

    assert isinstance(found, Unknown)


def test_a_used_nonce_is_replaced_once(account, clock, sandbox):
    nonces = itertools.chain(["a", "a", "b"], map(str, itertools.count()))
    provider = AliyunProvider(account, clock, api=Dysmsapi(account, clock, nonces=nonces.__next__))

    outcomes = [provider.send([sms(n)])[0] for n in range(2)]

    assert [type(each) for each in outcomes] == [Accepted, Accepted]
    assert len(actions(sandbox)) == 3


def test_a_wrong_secret_rests_the_lane(account, clock):
    wrong = attrs.evolve(account, access_key_secret="wrong")

    (outcome,) = AliyunProvider(wrong, clock).send([sms(1)])

    assert (outcome.reason, outcome.lane) == ("SignatureDoesNotMatch", True)


def test_nothing_personal_is_logged_or_shown(provider, sandbox, account, caplog):
    caplog.set_level(logging.DEBUG)
    message = sms(123456, params={"name": "王小明", "item": "茶"})
    sandbox.inject(kind="drop")

    outcomes = provider.send([message])

    shown = " ".join([caplog.text, repr(outcomes), repr(message), repr(account)])
    for secret in ("13900123456", "王小明", account.access_key_secret, account.access_key_id):
        assert secret not in shown


@pytest.mark.parametrize("endpoint", ["dysmsapi.aliyuncs.com", "ftp://x", "https://x/path", "http://"])
def test_an_endpoint_that_is_none_is_refused(endpoint):
    account = Account(access_key_id="a", access_key_secret="b", endpoint=endpoint)

    with pytest.raises(InvalidValueError, match="endpoint"):
        Dysmsapi(account, clock=None)


def test_the_provider_is_found_by_its_name():
    assert load_provider("aliyun") is AliyunProvider


def test_a_misspelt_provider_gets_a_hint():
    with pytest.raises(SettingsError, match="did you mean 'aliyun'"):
        load_provider("aliyum")


def test_the_date_is_the_clocks(account, clock, sandbox):
    clock.move_to(datetime(2027, 5, 6, tzinfo=UTC))

    (outcome,) = AliyunProvider(account, clock).send([sms(1)])

    assert isinstance(outcome, Accepted)
