"""Each code of Dysmsapi means one thing to do."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scrmkit.domain.messages import Refused, TryLater, Unknown
from scrmkit_sms.aliyun.client import Answer
from scrmkit_sms.aliyun.codes import ACCOUNT_STOP, judge, meaning_of
from scrmkit_sms.provider import Meaning

NOW = datetime(2026, 1, 2, 12, 34, 50, tzinfo=ZoneInfo("Asia/Shanghai"))


def answer(code, message="", status=200, retry_after=None):
    return Answer(status=status, code=code, message=message, retry_after=retry_after)


@pytest.mark.parametrize(
    ("message", "after"),
    [
        pytest.param("触发分钟级流控Permits:1", timedelta(seconds=10), id="to the next minute"),
        pytest.param("触发小时级流控Permits:5", timedelta(minutes=25, seconds=10), id="to the next hour"),
        pytest.param("触发天级流控Permits:10", timedelta(hours=24), id="a day is 24 hours"),
        pytest.param("something new", timedelta(seconds=10), id="a new text is read as a minute"),
    ],
)
def test_flow_control_waits_for_its_window(message, after):
    verdict = judge(answer("isv.BUSINESS_LIMIT_CONTROL", message), NOW)

    assert verdict.outcome == TryLater(reason="isv.BUSINESS_LIMIT_CONTROL", after=after)
    assert verdict.of_one


@pytest.mark.parametrize(
    ("code", "after"),
    [
        pytest.param("isv.AMOUNT_NOT_ENOUGH", ACCOUNT_STOP, id="no balance"),
        pytest.param("isv.OUT_OF_SERVICE", ACCOUNT_STOP, id="suspended"),
        pytest.param("isp.RAM_PERMISSION_DENY", ACCOUNT_STOP, id="no permission"),
        pytest.param("SignatureDoesNotMatch", ACCOUNT_STOP, id="a wrong secret"),
        pytest.param("InvalidAccessKeyId.NotFound", ACCOUNT_STOP, id="a wrong key"),
        pytest.param("Forbidden.RAM", ACCOUNT_STOP, id="a policy"),
        pytest.param("isv.DAY_LIMIT_CONTROL", timedelta(hours=11, minutes=25, seconds=10), id="day's cap"),
        pytest.param("isv.MONTH_LIMIT_CONTROL", timedelta(days=29, hours=11, minutes=25, seconds=10), id="month's cap"),
    ],
)
def test_what_concerns_the_account_rests_the_lane(code, after):
    verdict = judge(answer(code), NOW)

    assert verdict.outcome == TryLater(reason=code, after=after, lane=True)
    assert not verdict.of_one


def test_throttling_waits_as_long_as_it_is_told():
    wait = timedelta(milliseconds=250)

    verdict = judge(answer("Throttling.User", status=400, retry_after=wait), NOW)

    assert verdict.outcome == TryLater(reason="Throttling.User", after=wait, lane=True)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        pytest.param("isp.SYSTEM_ERROR", 200, id="a fault of the service"),
        pytest.param("ServiceUnavailable", 503, id="a fault of the gateway"),
    ],
)
def test_a_fault_on_their_side_says_nothing_about_what_was_done(code, status):
    assert judge(answer(code, status=status), NOW).outcome == Unknown(reason=code)


@pytest.mark.parametrize(
    ("code", "of_one", "suppress"),
    [
        pytest.param("isv.MOBILE_NUMBER_ILLEGAL", True, True, id="a bad number, for ever"),
        pytest.param("isv.PARAM_LENGTH_LIMIT", True, False, id="a value too long"),
        pytest.param("isv.SMS_TEMPLATE_ILLEGAL", False, False, id="the template of all"),
        pytest.param("isv.SOMETHING_NEW", False, False, id="a code that nobody documents"),
        pytest.param("MissingTemplateCode", False, False, id="a parameter left out"),
    ],
)
def test_the_rest_is_refused(code, of_one, suppress):
    verdict = judge(answer(code, "13900000001 is wrong"), NOW)

    assert verdict.outcome == Refused(code=code, reason="Dysmsapi refused it", suppress=suppress)
    assert verdict.of_one == of_one


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("DELIVERED", Meaning.DELIVERED),
        ("UNDELIV", Meaning.DEAD_NUMBER),
        ("MBBLACK", Meaning.BLACKLISTED),
        ("tuiding", Meaning.OPTED_OUT),
        ("td:88", Meaning.OPTED_OUT),
        ("GB:0008", Meaning.OPTED_OUT),
        ("R1:0210", Meaning.NO_OPT_OUT_TEXT),
        ("YX:9420", Meaning.NIGHT),
        ("SIGFAIL", Meaning.SIGNATURE),
        ("never heard of", Meaning.OTHER),
        ("", Meaning.OTHER),
    ],
)
def test_a_receipts_code_has_a_meaning(code, meaning):
    assert meaning_of(code) is meaning
