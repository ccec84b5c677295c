"""Reports and replies are read as Dysmsapi writes them."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit.domain.messages import Delivered, Undelivered
from scrmkit.errors import CallbackRejectedError
from scrmkit_sms.aliyun.callbacks import parse_replies, parse_reports
from scrmkit_sms.provider import Meaning, SmsReply, SmsReport

BEIJING = ZoneInfo("Asia/Shanghai")
REPORT = {
    "phone_number": "13900000001",
    "send_time": "2026-01-02 11:04:05",
    "report_time": "2026-01-02 11:04:09",
    "success": True,
    "err_code": "DELIVERED",
    "err_msg": "用户接收成功",
    "sms_size": "1",
    "biz_id": "900619746936498440^0",
    "out_id": "touch-1",
}
REPLY = {
    "phone_number": "13900000001",
    "send_time": "2026-01-02 11:06:00",
    "content": "R",
    "sign_name": "半城云",
    "dest_code": "01",
    "sequence_id": 1234567890,
}


def body(*items):
    return json.dumps(items, ensure_ascii=False).encode()


def test_a_report_is_read():
    assert parse_reports(body(REPORT)) == (
        SmsReport(
            phone="+8613900000001",
            echo="touch-1",
            key="touch-1",
            provider_id="900619746936498440^0",
            outcome=Delivered(provider_id="touch-1"),
            meaning=Meaning.DELIVERED,
            reported_at=datetime(2026, 1, 2, 11, 4, 9, tzinfo=BEIJING),
            parts=1,
        ),
    )


def test_a_failure_says_its_code_and_what_that_means():
    (report,) = parse_reports(body(REPORT | {"success": False, "err_code": "MBBLACK"}))

    assert report.outcome == Undelivered(code="MBBLACK", reason="blacklisted")
    assert report.meaning is Meaning.BLACKLISTED


def test_several_reports_keep_their_order():
    pushed = body(REPORT, REPORT | {"phone_number": "13900000002"})

    assert [each.phone for each in parse_reports(pushed)] == ["+8613900000001", "+8613900000002"]


@pytest.mark.parametrize("absent", ["out_id", "sms_size", "err_code", "biz_id"])
def test_a_report_may_leave_out_what_not_all_have(absent):
    item = {name: value for name, value in REPORT.items() if name != absent}

    assert len(parse_reports(body(item))) == 1


def test_a_reply_is_read():
    assert parse_replies(body(REPLY)) == (
        SmsReply(
            id="1234567890",
            phone="+8613900000001",
            text="R",
            sign="半城云",
            replied_at=datetime(2026, 1, 2, 11, 6, tzinfo=BEIJING),
        ),
    )


def test_half_a_character_in_a_reply_does_no_harm():
    (reply,) = parse_replies(b"[%s]" % json.dumps(REPLY | {"content": "\ud83d!"}).encode())

    assert reply.text == "?!"


@pytest.mark.parametrize(
    "pushed",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe", id="no text"),
        pytest.param(b"{}", id="no array"),
        pytest.param(b"[1]", id="no objects"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(body({}), id="an empty object"),
        pytest.param(body(REPLY), id="what belongs to the other address"),
        pytest.param(body(REPORT | {"success": "true"}), id="a flag that is none"),
        pytest.param(body(REPORT | {"phone_number": "13"}), id="a bad number"),
        pytest.param(body(REPORT | {"report_time": "now"}), id="a bad moment"),
        pytest.param(body(REPORT | {"sms_size": "many"}), id="a bad count"),
        pytest.param(body(REPORT, {}), id="one of two bad"),
    ],
)
def test_what_is_no_report_is_rejected_as_a_whole(pushed):
    with pytest.raises(CallbackRejectedError) as caught:
        parse_reports(pushed)

    assert caught.value.code == "body"
    assert "139" not in str(caught.value)


@pytest.mark.parametrize(
    "pushed",
    [
        pytest.param(body(REPORT), id="what belongs to the other address"),
        pytest.param(body(REPLY | {"sequence_id": None}), id="no number"),
        pytest.param(body(REPLY | {"sequence_id": True}), id="a flag for a number"),
        pytest.param(body(REPLY | {"sequence_id": "9" * 65}), id="a number that is too long"),
        pytest.param(body(REPLY | {"content": 1}), id="no text"),
    ],
)
def test_what_is_no_reply_is_rejected(pushed):
    with pytest.raises(CallbackRejectedError):
        parse_replies(pushed)


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_read_or_rejected(pushed):
    for parse in (parse_reports, parse_replies):
        with contextlib.suppress(CallbackRejectedError):
            parse(pushed)
