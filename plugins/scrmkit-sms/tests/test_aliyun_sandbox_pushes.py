"""Reports and replies are pushed, acknowledged, and pushed again."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from scrmkit.errors import InvalidValueError

SIGN, NOTICE = "半城云", "SMS_154950909"


@pytest.fixture
def send(api):
    def call(*numbers, out_id=""):
        phones = ",".join(f"13900{number:06d}" for number in numbers)
        query = {"PhoneNumbers": phones, "SignName": SIGN, "TemplateCode": NOTICE}
        return api.call("SendSms", query | ({"OutId": out_id} if out_id else {}))

    return call


@pytest.fixture
def called_back(sandbox, receiver):
    sandbox.set_callback_urls(report=f"{receiver.url}/report", reply=f"{receiver.url}/reply")
    return receiver


def test_a_report_is_pushed_when_the_receipt_is_due(send, sandbox, clock, called_back):
    biz_id = send(1, out_id="touch-1").data["BizId"]
    sandbox.settle()
    before = called_back.pushed()
    clock.advance(timedelta(seconds=2))
    sandbox.settle()

    assert before == []
    assert called_back.pushed() == [
        [
            {
                "phone_number": "13900000001",
                "send_time": "2026-01-02 12:00:30",
                "report_time": "2026-01-02 12:00:31",
                "success": True,
                "err_code": "DELIVERED",
                "err_msg": "用户接收成功",
                "sms_size": "1",
                "biz_id": biz_id,
                "out_id": "touch-1",
            }
        ]
    ]


def test_one_push_carries_up_to_a_hundred(send, sandbox, clock, called_back):
    send(*range(250))
    clock.advance(timedelta(seconds=2))
    sandbox.settle()

    assert [len(each) for each in called_back.pushed()] == [100, 100, 50]


def test_a_message_without_a_receipt_is_never_reported(send, sandbox, clock, called_back):
    send(990004)
    clock.advance(timedelta(days=2))
    sandbox.settle()

    assert called_back.pushed() == []


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((500, b'{"code":0}'), id="an error"),
        pytest.param((200, b"ok"), id="no JSON"),
        pytest.param((200, b"{}"), id="no code"),
        pytest.param((200, b'{"code":"0"}'), id="a code that is no number"),
        pytest.param((200, b'{"code":1}'), id="a code that says no"),
    ],
)
def test_what_is_not_acknowledged_comes_again_after_1_5_and_10_minutes(send, sandbox, clock, called_back, answer):
    called_back.answers = [answer]
    send(1)
    clock.advance(timedelta(seconds=1))
    tries = []
    for minutes in (0, 1, 4, 1, 9, 1, 60):
        clock.advance(timedelta(minutes=minutes))
        sandbox.settle()
        tries.append(len(called_back.bodies))

    assert tries == [1, 2, 2, 3, 3, 4, 4]
    assert len(set(called_back.bodies)) == 1


def test_an_acknowledged_push_does_not_come_again(send, sandbox, clock, called_back):
    called_back.answers = [(503, b""), (200, b'{"code":0,"msg":"ok"}')]
    send(1)
    for minutes in (1, 1, 60):
        clock.advance(timedelta(minutes=minutes))
        sandbox.settle()

    assert len(called_back.bodies) == 2


def test_a_reply_is_pushed_as_documented(sandbox, called_back):
    sandbox.reply(phone="+8613900000001", text="还有货吗？")
    sandbox.settle()

    assert called_back.pushed() == [
        [
            {
                "phone_number": "13900000001",
                "send_time": "2026-01-02 12:00:30",
                "content": "还有货吗？",
                "sign_name": SIGN,
                "dest_code": "01",
                "sequence_id": 1_000_000_001,
            }
        ]
    ]


def test_nobody_is_called_without_an_address(send, sandbox, clock):
    send(1)
    clock.advance(timedelta(seconds=2))

    assert sandbox.reply(phone="13900000001", text="R")["pushed"] is False
    assert sandbox.settle()
    assert sandbox.list_callbacks()["attempts"] == []


def test_only_this_machine_is_called_back(sandbox):
    with pytest.raises(InvalidValueError, match="only this machine"):
        sandbox.set_callback_urls(report="http://example.com/report")


def test_everything_can_be_done_over_http(sandbox, receiver):
    def call(path, **body):
        answer = httpx.post(f"{sandbox.url}/sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    call("callback-urls", reply=f"{receiver.url}/reply")
    assert call("replies", phone="13900000001", text="R")["pushed"] is True
    assert call("callbacks/wait", seconds=10) == {"idle": True}

    assert receiver.pushed()[0][0]["content"] == "R"


def test_each_control_call_describes_itself_with_an_example_that_works(sandbox):
    described = httpx.get(f"{sandbox.url}/sandbox/").json()

    assert described["sandbox"] == "sms-aliyun"
    for call in described["calls"]:
        answer = httpx.request(
            call["method"],
            sandbox.url + call["path"],
            **({"json": call["example"]} if call["method"] == "POST" else {}),
        )
        assert answer.status_code == 200, (call, answer.text)
        assert call["about"]
