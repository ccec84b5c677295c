"""The sandbox answers as Dysmsapi does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scrmkit.domain.messages import Purpose
from scrmkit.errors import InvalidValueError
from scrmkit_sms.texts import compose

SIGN = "半城云"
NOTICE, CODE, RESERVED = "SMS_154950909", "SMS_154950910", "SMS_154950911"
SALE, SALE_WITHOUT_WAY_OUT, ABROAD = "SMS_154950912", "SMS_154950913", "SMS_154950914"


def details(answer):
    return answer.data["SmsSendDetailDTOs"]["SmsSendDetailDTO"]


# Sending.


def test_a_message_is_answered_as_documented(send, sandbox):
    answer = send(OutId="touch-1")

    assert answer.status == 200
    assert set(answer.data) == {"Code", "Message", "RequestId", "BizId"}
    assert (answer.data["Code"], answer.data["Message"]) == ("OK", "OK")
    assert answer.data["BizId"].endswith("^0")


def test_one_call_takes_a_thousand_numbers(send, sandbox):
    phones = ",".join(f"13900{n:06d}" for n in range(1000))

    assert send(phones).code == "OK"
    assert len(sandbox.list_messages()["messages"]) == 1000
    assert send(phones + ",13800000000").code == "isv.MOBILE_COUNT_OVER_LIMIT"


def test_a_batch_takes_a_hundred(send_batch):
    assert send_batch([f"13900{n:06d}" for n in range(100)]).code == "OK"
    assert send_batch([f"13800{n:06d}" for n in range(101)]).code == "isv.MOBILE_COUNT_OVER_LIMIT"


def test_a_batch_gives_each_number_its_own_values(send_batch, sandbox):
    params = [{"name": "甲", "item": "茶"}, {"name": "乙", "item": "酒"}]

    send_batch(["13900000001", "13900000002"], params=params)

    contents = [each["content"] for each in sandbox.list_messages()["messages"]]
    assert contents == ["【半城云】甲，您预订的茶已到店。", "【半城云】乙，您预订的酒已到店。"]


@pytest.mark.parametrize("form", ["13900000001", "+8613900000001", "008613900000001", "8613900000001"])
def test_a_number_is_taken_in_each_form(send, sandbox, form):
    send(form)

    assert sandbox.list_messages()["messages"][0]["phone"] == "13900000001"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        pytest.param({"phones": "139"}, "isv.MOBILE_NUMBER_ILLEGAL", id="a short number"),
        pytest.param({"phones": "13900000001,"}, "isv.MOBILE_NUMBER_ILLEGAL", id="half a list"),
        pytest.param({"phones": "+6591234567"}, "isv.MOBILE_NUMBER_ILLEGAL", id="abroad"),
        pytest.param({"template": ABROAD}, "isv.DOMESTIC_NUMBER_NOT_SUPPORTED", id="at home"),
        pytest.param({"template": "SMS_1"}, "isv.SMS_TEMPLATE_ILLEGAL", id="no such template"),
        pytest.param({"template": "SMS_154950915"}, "isv.SMS_TEMPLATE_ILLEGAL", id="not approved"),
        pytest.param({"SignName": "x"}, "isv.SMS_SIGNATURE_ILLEGAL", id="no such signature"),
        pytest.param({"template": CODE}, "isv.TEMPLATE_MISSING_PARAMETERS", id="no value for a variable"),
        pytest.param(
            {"template": CODE, "params": {"name": "x"}},
            "isv.TEMPLATE_MISSING_PARAMETERS",
            id="a value for another variable",
        ),
        pytest.param({"params": "{"}, "isv.INVALID_JSON_PARAM", id="no JSON"),
        pytest.param({"params": "[]"}, "isv.INVALID_JSON_PARAM", id="no object"),
        pytest.param(
            {"template": CODE, "params": '{"code": "\\ud800"}'}, "isv.INVALID_JSON_PARAM", id="half a character"
        ),
        pytest.param(
            {"template": CODE, "params": {"code": 1234}}, "isv.INVALID_JSON_PARAM", id="a number for a string"
        ),
        pytest.param(
            {"template": CODE, "params": {"code": "1" * 21}}, "isv.PARAM_LENGTH_LIMIT", id="a value of 21 characters"
        ),
        pytest.param({"template": CODE, "params": {"code": ""}}, "isv.TEMPLATE_PARAMS_ILLEGAL", id="empty"),
        pytest.param({"template": CODE, "params": {"code": "a.cn"}}, "isv.PARAM_NOT_SUPPORT_URL", id="URL"),
        pytest.param({"OutId": "x" * 256}, "isv.INVALID_PARAMETERS", id="a long OutId"),
        pytest.param({"SmsUpExtendCode": "ab"}, "isv.EXTEND_CODE_ERROR", id="a bad extension"),
    ],
)
def test_a_bad_parameter_is_refused_with_its_code(send, sandbox, given, code):
    answer = send(**given)

    assert (answer.status, answer.code) == (200, code)
    assert "BizId" not in answer.data
    assert sandbox.list_messages()["messages"] == []


@pytest.mark.parametrize(
    ("given", "code"),
    [
        pytest.param({"phones": []}, "isv.INVALID_PARAMETERS", id="nobody"),
        pytest.param({"signs": [SIGN] * 2}, "isv.INVALID_PARAMETERS", id="unequal lengths"),
        pytest.param({"params": [{}]}, "isv.TEMPLATE_MISSING_PARAMETERS", id="no values"),
        pytest.param({"PhoneNumberJson": "13900000001"}, "isv.INVALID_JSON_PARAM", id="no array"),
        pytest.param({"PhoneNumberJson": "[1]"}, "isv.INVALID_JSON_PARAM", id="no strings"),
    ],
)
def test_a_bad_batch_is_refused_whole(send_batch, sandbox, given, code):
    answer = send_batch(**{"phones": ["13900000001"], **given})

    assert (answer.status, answer.code) == (200, code)
    assert sandbox.list_messages()["messages"] == []


@pytest.mark.parametrize("missing", ["PhoneNumbers", "SignName", "TemplateCode"])
def test_a_parameter_left_out_is_refused_by_the_gateway(send, missing):
    answer = send(**{missing: ""})

    assert (answer.status, answer.code) == (400, f"Missing{missing}")
    assert set(answer.data) == {"RequestId", "HostId", "Code", "Message", "Recommend"}


def test_the_longest_out_id_passes(send):
    assert send(OutId="x" * 255).code == "OK"


def test_templates_and_signatures_can_be_registered(send, sandbox):
    sandbox.set_template(code="SMS_7", text="${who}您好")
    sandbox.set_sign(name="新店", state="waiting")

    assert send(template="SMS_7", params={"who": "王"}).code == "OK"
    assert send(SignName="新店").code == "isv.SIGN_STATE_ILLEGAL"


@pytest.mark.parametrize("text", ["", "【半城云】您好", "字" * 501])
def test_a_template_that_nobody_would_approve_is_not_registered(sandbox, text):
    with pytest.raises(InvalidValueError):
        sandbox.set_template(code="SMS_7", text=text)


@pytest.mark.parametrize("name", ["", "【半城云】"])
def test_a_signature_is_registered_without_brackets(sandbox, name):
    with pytest.raises(InvalidValueError):
        sandbox.set_sign(name=name)


def test_a_long_text_is_billed_in_parts(send, sandbox):
    sandbox.set_template(code="SMS_7", text="茶" * 66)

    send(template="SMS_7")

    assert sandbox.list_messages()["messages"][0]["parts"] == 2


# Frequency.


def test_a_code_passes_once_in_each_natural_minute(send, clock):
    def code():
        return send(template=CODE, params={"code": "1234"})

    first, second = code(), code()
    clock.advance(timedelta(seconds=30))

    assert (first.code, code().code) == ("OK", "OK")
    assert (second.code, second.message) == ("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1")


def test_a_code_passes_five_times_in_each_natural_hour(send, clock):
    answers = []
    for _ in range(6):
        answers.append(send(template=CODE, params={"code": "1234"}))
        clock.advance(timedelta(minutes=2))
    clock.advance(timedelta(minutes=60))

    assert [each.code for each in answers[:5]] == ["OK"] * 5
    assert answers[5].message == "触发小时级流控Permits:5"
    assert send(template=CODE, params={"code": "1234"}).code == "OK"


def test_a_code_passes_ten_times_in_24_hours(send, clock):
    start, messages = clock.now(), []
    for _ in range(11):
        messages.append(send(template=CODE, params={"code": "1234"}).message)
        clock.advance(timedelta(minutes=13))
    clock.move_to(start + timedelta(hours=24))

    assert messages == ["OK"] * 10 + ["触发天级流控Permits:10"]
    assert send(template=CODE, params={"code": "1234"}).code == "OK"


def test_a_notice_passes_fifty_times_a_day(send):
    messages = [send().message for _ in range(51)]

    assert messages == ["OK"] * 50 + ["触发天级流控Permits:50"]
    assert send(template=RESERVED, params={"name": "a", "item": "b"}).code == "OK"


def test_a_call_that_is_refused_does_not_count(send):
    send("13900000001,139", template=CODE, params={"code": "1234"})

    assert send(template=CODE, params={"code": "1234"}).code == "OK"


def test_a_whitelisted_number_is_not_limited(send, sandbox):
    sandbox.set_account(whitelist=["13900000001"])

    assert {send(template=CODE, params={"code": "1"}).code for _ in range(3)} == {"OK"}


# What becomes of them.


def test_a_detail_is_shown_as_documented(send, query, clock):
    send(OutId="touch-1")
    before = details(query())
    clock.advance(timedelta(seconds=2))

    answer = query()

    assert answer.data["TotalCount"] == "1"
    assert details(answer) == [
        {
            "PhoneNum": "13900000001",
            "SendStatus": 3,
            "TemplateCode": NOTICE,
            "Content": compose("您的会员权益已更新，详情请到店咨询。", sign=SIGN, purpose=Purpose.SERVICE),
            "SendDate": "2026-01-02 12:00:30",
            "OutId": "touch-1",
            "ErrCode": "DELIVERED",
            "ReceiveDate": "2026-01-02 12:00:31",
        }
    ]
    assert before[0]["SendStatus"] == 1
    assert "ReceiveDate" not in before[0]


@pytest.mark.parametrize(
    ("number", "status", "err_code"),
    [
        ("13900990000", 3, "DELIVERED"),
        ("13900990001", 2, "UNDELIV"),
        ("13900990002", 2, "MBBLACK"),
        ("13900990004", 1, None),
        ("13900990006", 2, "SIGFAIL"),
        ("13900990007", 2, "KEYWORD"),
    ],
)
def test_the_end_of_a_number_decides(send, query, clock, number, status, err_code):
    send(number)
    clock.advance(timedelta(days=1))

    (detail,) = details(query(number))

    assert (detail["SendStatus"], detail.get("ErrCode")) == (status, err_code)


def test_one_number_breaks_once(send):
    assert [send("13900990003").code for _ in range(2)] == ["isp.SYSTEM_ERROR", "OK"]


@pytest.mark.parametrize(
    ("template", "hour", "opted_out", "err_code"),
    [
        pytest.param(SALE, 12, False, "DELIVERED", id="a promotion by day"),
        pytest.param(SALE, 23, False, "YX:9420", id="a promotion at night"),
        pytest.param(SALE, 12, True, "GB:0008", id="a promotion to who opted out"),
        pytest.param(SALE_WITHOUT_WAY_OUT, 12, False, "R1:0210", id="one without the way out"),
        pytest.param(NOTICE, 23, True, "DELIVERED", id="a notice does not mind"),
    ],
)
def test_promotions_have_rules_of_their_own(send, sandbox, clock, template, hour, opted_out, err_code):
    if opted_out:
        sandbox.reply(phone="13900000001", text="R")
    clock.advance(timedelta(hours=hour - 12))
    send(template=template)
    clock.advance(timedelta(seconds=2))

    assert sandbox.list_messages()["messages"][0]["err_code"] == err_code


def test_details_come_in_pages_and_by_day(send, query, clock):
    for number in range(3):
        send(OutId=str(number))
    clock.advance(timedelta(days=1))
    send(OutId="3")

    pages = [details(query(size="2", page=page)) for page in ("1", "2", "3")]

    assert [[each["OutId"] for each in page] for page in pages] == [["2", "1"], ["0"], []]
    assert [each["OutId"] for each in details(query(day="20260103"))] == ["3"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"day": "2026-01-02"}, id="another form of day"),
        pytest.param({"day": "20251202"}, id="more than thirty days back"),
        pytest.param({"day": "20260103"}, id="tomorrow"),
        pytest.param({"size": "51"}, id="too large a page"),
        pytest.param({"size": "0"}, id="an empty page"),
        pytest.param({"page": "0"}, id="page 0"),
    ],
)
def test_a_bad_question_is_refused(query, changes):
    assert query(**changes).code == "isv.INVALID_PARAMETERS"


def test_the_balance_goes_down_with_each_receipt(send, sandbox, clock):
    sandbox.set_account(balance=1)
    first = send()
    clock.advance(timedelta(seconds=2))

    assert (first.code, send().code) == ("OK", "isv.AMOUNT_NOT_ENOUGH")


# The gateway.
