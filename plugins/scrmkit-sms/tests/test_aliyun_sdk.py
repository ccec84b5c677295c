"""The platform's own SDK works against the sandbox, unchanged but for the address."""

from __future__ import annotations

import json
import warnings
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from scrmkit_sms.sandbox import create

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    sdk = pytest.importorskip("alibabacloud_dysmsapi20170525.client")
    models = pytest.importorskip("alibabacloud_dysmsapi20170525.models")
    openapi = pytest.importorskip("alibabacloud_tea_openapi.models")
    errors = pytest.importorskip("alibabacloud_tea_openapi.exceptions")

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning")


@pytest.fixture
def keys():
    made = create()
    with made:
        yield made.credentials()


def client_of(keys, **changes):
    config = openapi.Config(
        access_key_id=keys["access_key_id"],
        access_key_secret=keys["access_key_secret"],
        endpoint=keys["url"].removeprefix("http://"),
        protocol="http",
    )
    for name, value in changes.items():
        setattr(config, name, value)
    return sdk.Client(config)


@pytest.fixture
def client(keys):
    return client_of(keys)


def test_it_sends_one(client, keys):
    request = models.SendSmsRequest(
        phone_numbers="13900000001",
        sign_name=keys["sign_name"],
        template_code=keys["template_code"],
        template_param='{"code":"12 *~+34"}',
        out_id="touch-1",
    )

    response = client.send_sms(request)

    assert (response.status_code, response.body.code) == (200, "OK")
    assert response.body.biz_id


def test_it_sends_a_batch_and_asks_what_became_of_it(client, keys):
    request = models.SendBatchSmsRequest(
        phone_number_json=json.dumps(["13900000001", "13900000002"]),
        sign_name_json=json.dumps([keys["sign_name"]] * 2, ensure_ascii=False),
        template_code="SMS_154950911",
        template_param_json=json.dumps([{"name": "甲", "item": "茶"}] * 2, ensure_ascii=False),
    )
    sent = client.send_batch_sms(request).body

    details = client.query_send_details(
        models.QuerySendDetailsRequest(
            phone_number="13900000002",
            biz_id=sent.biz_id,
            send_date=datetime.now(ZoneInfo("Asia/Shanghai")).strftime("%Y%m%d"),
            page_size=10,
            current_page=1,
        )
    ).body

    (detail,) = details.sms_send_detail_dtos.sms_send_detail_dto
    assert (sent.code, details.code, details.total_count) == ("OK", "OK", "1")
    assert detail.content == "【半城云】甲，您预订的茶已到店。"


def test_a_business_error_is_no_exception(client, keys):
    request = models.SendSmsRequest(
        phone_numbers="139", sign_name=keys["sign_name"], template_code=keys["template_code"]
    )

    body = client.send_sms(request).body

    assert (body.code, body.biz_id) == ("isv.MOBILE_NUMBER_ILLEGAL", None)


def test_a_wrong_secret_is_an_exception_with_its_code(keys):
    request = models.SendSmsRequest(
        phone_numbers="13900000001", sign_name=keys["sign_name"], template_code=keys["template_code"]
    )

    with pytest.raises(errors.ClientException) as caught:
        client_of(keys, access_key_secret="wrong").send_sms(request)

    assert (caught.value.status_code, caught.value.code) == (400, "SignatureDoesNotMatch")
