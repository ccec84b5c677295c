"""The channel as the core uses it, against the sandbox."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import attrs
import pytest

from scrmkit.domain.identity import Identity
from scrmkit.domain.ids import OutgoingId, TenantId
from scrmkit.domain.kinds import ConsentChanged, MessageReceived
from scrmkit.domain.messages import (
    Accepted,
    Delivered,
    Outgoing,
    Purpose,
    Refused,
    Report,
    TryLater,
    Undelivered,
    Unknown,
)
from scrmkit.errors import CallbackRejectedError, InvalidValueError, SettingsError
from scrmkit.protocols import CallbackRequest, PluginContext
from scrmkit.settings import structure_options
from scrmkit_sms.channel import SmsChannel, SmsText
from scrmkit_sms.echoes import echo_of
from scrmkit_sms.settings import SmsSettings

TOKEN = "Zk3hV9pQ4tY7wX2c"
TABLE = {
    "access_key_id": {"env": "ID"},
    "access_key_secret": {"env": "SECRET"},
    "callback_token": {"env": "TOKEN"},
    "sign_name": "半城云",
    "timeout": "30s",
    "settle_after": "10m",
    "templates": {
        "reserved": {"code": "SMS_154950911", "text": "${name}，您预订的${item}已到店。"},
        "sale": {"code": "SMS_154950912", "text": "会员日全场八折，欢迎光临！拒收请回复R"},
        "bare": {"code": "SMS_154950913", "text": "会员日全场八折，欢迎光临！"},
        "long": {"code": "SMS_154950911", "text": "${name}，您预订的${item}已到店。" + "茶" * 470},
    },
}


def settings(**changes):
    environ = {"ID": "id-1", "SECRET": "secret-1", "TOKEN": TOKEN}
    return structure_options(SmsSettings, {**TABLE, **changes}, "plugins.sms", environ, Path())


@pytest.fixture
def channel(sandbox, clock):
    keys = sandbox.credentials()
    environ = {"ID": keys["access_key_id"], "SECRET": keys["access_key_secret"], "TOKEN": TOKEN}
    table = {**TABLE, "endpoint": keys["url"]}
    made = structure_options(SmsSettings, table, "plugins.sms", environ, Path())
    return SmsChannel(PluginContext(name="sms", settings=made, clock=clock))


@pytest.fixture
def outgoing(clock):
    def make(number=1, **changes):
        made = Outgoing(
            id=OutgoingId(number),
            tenant=TenantId("t"),
            key=f"key-{number}",
            body=SmsText(template="reserved", params={"name": "甲", "item": "茶"}),
            address=phone(f"+8613900{number:06d}"),
            planned_at=clock.now(),
            purpose=Purpose.SERVICE,
        )
        return attrs.evolve(made, **changes)

    return make


def phone(value):
    return Identity(kind="phone", value=value)


def push(what, *items, token=TOKEN, method="POST"):
    body = json.dumps(items).encode()
    return CallbackRequest(method=method, path=f"/{token}/{what}", body=body)


def report(number=1, out_id="key-1", err_code="DELIVERED"):
    return {
        "phone_number": f"13900{number:06d}",
        "send_time": "2026-01-02 11:04:05",
        "report_time": "2026-01-02 11:04:09",
        "success": err_code == "DELIVERED",
        "err_code": err_code,
        "sms_size": "1",
        "biz_id": "9^0",
        "out_id": out_id,
    }


def reply(text):
    return {
        "phone_number": "13900000001",
        "send_time": "2026-01-02 11:06:00",
        "content": text,
        "sign_name": "半城云",
        "dest_code": "01",
        "sequence_id": 77,
    }


def test_a_batch_is_what_the_provider_takes(channel):
    operation = channel.operations["send"]

    assert (operation.max_batch, operation.idempotent, operation.addressed) == (100, False, True)
    assert operation.body is SmsText


@pytest.mark.parametrize(
    ("identities", "expected"),
    [
        pytest.param([], None, id="nobody"),
        pytest.param([Identity(kind="unionid", value="u")], None, id="no phone"),
        pytest.param([phone("+8610086")], None, id="no phone that is one"),
        pytest.param([phone("13900000001")], None, id="a phone without its country"),
        pytest.param(
            [phone("1"), phone("+8613900000001"), phone("+8613900000002")],
            phone("+8613900000001"),
            id="the first good phone",
        ),
    ],
)
def test_it_reaches_a_customer_by_phone(channel, identities, expected):
    assert channel.reach(identities) == expected


def test_each_message_of_a_batch_gets_its_own_outcome(channel, sandbox, outgoing):
    batch = [
        outgoing(1),
        outgoing(2, body=SmsText(template="gone")),
        outgoing(3, body=SmsText(template="reserved", params={"name": "甲"})),
        outgoing(4, address=None),
        outgoing(5, body=SmsText(template="long", params={"name": "甲" * 20, "item": "茶" * 20})),
        outgoing(6),
    ]

    outcomes = channel.send("send", batch)

    codes = [each.code if isinstance(each, Refused) else "accepted" for each in outcomes]
    assert codes == ["accepted", "unknown_template", "template_params", "unreachable", "too_long", "accepted"]
    assert outcomes[0].provider_id == echo_of(["key-1", "key-6"])
    assert outcomes[0].answer["parts"] == 1
    phones = [each["phone"] for each in sandbox.list_messages()["messages"]]
    assert phones == ["13900000001", "13900000006"]


def test_a_batch_without_anything_to_send_asks_nobody(channel, sandbox, outgoing):
    channel.send("send", [outgoing(1, address=None)])

    assert sandbox.list_requests()["requests"] == []


def test_a_marketing_text_ends_with_the_way_out(channel, sandbox, outgoing):
    sale = SmsText(template="sale")

    (outcome,) = channel.send("send", [outgoing(1, body=sale, purpose=Purpose.MARKETING)])

    (message,) = sandbox.list_messages()["messages"]
    assert isinstance(outcome, Accepted)
    assert message["content"] == "【半城云】会员日全场八折，欢迎光临！拒收请回复R"


def test_marketing_with_a_text_registered_without_it_is_refused(channel, sandbox, outgoing):
    bare = SmsText(template="bare")

    (outcome,) = channel.send("send", [outgoing(1, body=bare, purpose=Purpose.MARKETING)])

    assert outcome.code == "no_opt_out_text"
    assert sandbox.list_messages()["messages"] == []


def test_an_operation_that_it_does_not_have_is_refused(channel):
    with pytest.raises(InvalidValueError, match="'send'"):
        channel.send("shout", [])


def test_a_message_that_arrived_unanswered_is_settled_by_asking(channel, sandbox, clock, outgoing):
    batch = [outgoing(1), outgoing(2), outgoing(990002)]
    sandbox.inject(kind="drop")
    lost = channel.send("send", batch)
    clock.advance(timedelta(minutes=1))

    outcomes = channel.ask("send", batch)

    echo = echo_of([each.key for each in batch])
    assert [type(each) for each in lost] == [Unknown] * 3
    assert outcomes == [
        Delivered(provider_id=echo),
        Delivered(provider_id=echo),
        Undelivered(code="MBBLACK", reason="blacklisted"),
    ]
    assert len(sandbox.list_messages()["messages"]) == 3


def test_a_message_without_trace_may_be_sent_again_only_after_a_while(channel, clock, outgoing):
    outcomes = []
    for _ in range(3):
        outcomes += channel.ask("send", [outgoing(1)])
        clock.advance(timedelta(minutes=5))

    assert [type(each) for each in outcomes] == [Unknown, Unknown, TryLater]


def test_a_message_that_shows_up_meanwhile_is_not_sent_again(channel, sandbox, clock, outgoing):
    channel.ask("send", [outgoing(1)])
    clock.advance(timedelta(hours=1))
    sandbox.inject(kind="drop")
    channel.send("send", [outgoing(1)])

    (outcome,) = channel.ask("send", [outgoing(1)])

    assert outcome == Accepted(provider_id="key-1")


def test_reports_settle_what_was_sent(channel):
    inbound = channel.receive(push("report", report(), report(2, err_code="UNDELIV"), report(3, out_id="")))

    assert inbound.reports == (
        Report(
            outcome=Delivered(provider_id="key-1"), key="key-1", provider_id="key-1", address=phone("+8613900000001")
        ),
        Report(
            outcome=Undelivered(code="UNDELIV", reason="dead_number"),
            key="key-1",
            provider_id="key-1",
            address=phone("+8613900000002"),
        ),
    )
    assert inbound.touchpoints == ()


def test_reports_of_a_batch_are_told_apart_by_phone(channel):
    echo = echo_of(["key-1", "key-2"])

    (first, second) = channel.receive(push("report", report(1, echo), report(2, echo))).reports

    assert (first.key, first.provider_id) == (None, echo)
    assert first.address != second.address


@pytest.mark.parametrize("err_code", ["tuiding", "td:88", "GB:0008", "GX:1002", "MBBLACK"])
def test_a_report_that_the_customer_opted_out_withdraws_the_consent(channel, err_code):
    (withdrawn,) = channel.receive(push("report", report(err_code=err_code))).touchpoints

    assert withdrawn.kind == "consent.withdrawn"
    assert withdrawn.payload.channel == "sms"
    assert "139" not in withdrawn.key


def test_the_same_report_has_the_same_key_and_another_phone_another(channel):
    def key(number):
        pushed = push("report", report(number, err_code="tuiding"))
        return channel.receive(pushed).touchpoints[0].key

    assert key(1) == key(1)
    assert key(1) != key(2)


def test_a_reply_of_an_opt_out_word_withdraws_the_consent(channel):
    (withdrawn,) = channel.receive(push("reply", reply(" ｔd "))).touchpoints

    assert withdrawn.kind == "consent.withdrawn"
    assert withdrawn.key == "aliyun-up:77"
    assert withdrawn.identities == (phone("+8613900000001"),)
    assert withdrawn.payload == ConsentChanged(channel="sms", purpose=Purpose.MARKETING, proof="reply 77")


def test_any_other_reply_is_a_message(channel):
    (message,) = channel.receive(push("reply", reply("还有货吗？"))).touchpoints

    assert (message.kind, message.key) == ("message.received", "aliyun-up:77")
    assert message.payload == MessageReceived(text="还有货吗？", form="sms")
    assert message.occurred_at.isoformat() == "2026-01-02T11:06:00+08:00"


def test_a_callback_is_acknowledged_as_the_platform_wants_it(channel):
    answered = channel.receive(push("reply", reply("好"))).reply

    assert (answered.status, json.loads(answered.body)["code"]) == (200, 0)
    assert answered.media_type == "application/json"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        pytest.param(push("report", report(), token="guess"), "token", id="another's token"),
        pytest.param(push("report", report(), token="猜"), "token", id="a token of other letters"),
        pytest.param(CallbackRequest(method="POST", path=""), "token", id="no path"),
        pytest.param(push("other", report()), "path", id="an address that is none"),
        pytest.param(push("report", method="GET"), "path", id="no POST"),
        pytest.param(push("report", reply("R")), "body", id="a reply among the reports"),
    ],
)
def test_what_is_not_the_platforms_is_rejected(channel, request_, code):
    with pytest.raises(CallbackRejectedError) as caught:
        channel.receive(request_)

    assert caught.value.code == code
    assert TOKEN not in str(caught.value)


def test_the_sandbox_and_the_channel_understand_each_other(channel, sandbox, clock, outgoing, receiver):
    sandbox.set_callback_urls(report=f"{receiver.url}/{TOKEN}/report", reply=f"{receiver.url}/{TOKEN}/reply")
    channel.send("send", [outgoing(1), outgoing(990001)])
    clock.advance(timedelta(seconds=2))
    sandbox.reply(phone="13900000001", text="退订")
    assert sandbox.settle()

    pushed = {}
    for body in receiver.bodies:
        name = "report" if b"success" in body else "reply"
        request = CallbackRequest(method="POST", path=f"/{TOKEN}/{name}", body=body)
        pushed[name] = channel.receive(request)

    assert [type(each.outcome) for each in pushed["report"].reports] == [Delivered, Undelivered]
    assert pushed["reply"].touchpoints[0].kind == "consent.withdrawn"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param({"sign_name": "【半城云】"}, "sign_name", id="brackets in the signature"),
        pytest.param({"sign_name": ""}, "sign_name", id="no signature"),
        pytest.param({"timeout": "0s"}, "timeout", id="no time at all"),
        pytest.param({"access_key_secret": "plain"}, "access_key_secret", id="a secret in the file"),
        pytest.param({"sign": "x"}, "sign", id="an unknown key"),
        pytest.param({"templates": {"x": {"code": "SMS_1", "text": "茶" * 500}}}, "x", id="a text too long"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes, problem):
    with pytest.raises(SettingsError) as caught:
        settings(**changes)

    assert problem in str(caught.value)


def test_a_callback_token_that_can_be_guessed_is_refused():
    with pytest.raises(SettingsError, match="callback_token"):
        structure_options(SmsSettings, TABLE, "plugins.sms", {"ID": "a", "SECRET": "b", "TOKEN": "short"}, Path())


def test_a_provider_that_is_not_installed_is_named(clock):
    made = settings(provider="aliyn")

    with pytest.raises(SettingsError, match="aliyun"):
        SmsChannel(PluginContext(name="sms", settings=made, clock=clock))
