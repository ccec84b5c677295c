"""The SMS channel keeps what every channel keeps, against the sandbox."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scrmkit.protocols import CallbackRequest
from scrmkit.settings import structure_options
from scrmkit.testing import ChannelSuite, make_context, make_identity
from scrmkit.testing.sandbox_faults import Fault
from scrmkit_sms.channel import SmsChannel, SmsText
from scrmkit_sms.settings import SmsSettings

TOKEN = "Zk3hV9pQ4tY7wX2c"
WORDS = "请尽快给我回电话"


def push(what, **said):
    return CallbackRequest(method="POST", path=f"/{TOKEN}/{what}", body=json.dumps([said], ensure_ascii=False).encode())


def report(number, err_code):
    return push(
        "report",
        phone_number=f"1390000{number:04d}",
        send_time="2026-01-02 11:04:05",
        report_time="2026-01-02 11:04:09",
        success=err_code == "DELIVERED",
        err_code=err_code,
        sms_size="1",
        biz_id=f"9^{number}",
        out_id=f"key-{number}",
    )


def reply(number, content):
    return push(
        "reply",
        phone_number=f"1390000{number:04d}",
        send_time="2026-01-02 11:06:00",
        content=content,
        sign_name="半城云",
        dest_code="01",
        sequence_id=number,
    )


class TestSms(ChannelSuite):
    @pytest.fixture
    def virtual_clock(self, clock):
        return clock

    @pytest.fixture
    def plugin_settings(self, sandbox):
        keys = sandbox.credentials()
        environ = {"ID": keys["access_key_id"], "SECRET": keys["access_key_secret"], "TOKEN": TOKEN}
        table = {
            "access_key_id": {"env": "ID"},
            "access_key_secret": {"env": "SECRET"},
            "callback_token": {"env": "TOKEN"},
            "sign_name": "半城云",
            "endpoint": keys["url"],
            "timeout": "30s",
            "templates": {"reserved": {"code": "SMS_154950911", "text": "${name}，您预订的${item}已到店。"}},
        }
        return structure_options(SmsSettings, table, "plugins.sms", environ, Path())

    @pytest.fixture
    def channel(self, plugin_settings, clock):
        return SmsChannel(make_context("sms", plugin_settings, clock=clock))

    @pytest.fixture
    def canaries(self, sandbox):
        keys = sandbox.credentials()
        return (TOKEN, keys["access_key_secret"], "陈大文", "明前龙井茶", WORDS)

    @pytest.fixture
    def bodies(self):
        return {
            "send": [
                SmsText(template="reserved", params={"name": "陈大文", "item": "明前龙井茶"}),
                SmsText(template="reserved", params={"name": "甲", "item": "茶"}),
            ]
        }

    @pytest.fixture
    def refused(self):
        return {"send": SmsText(template="gone", params={"name": "陈大文"})}

    @pytest.fixture
    def customers(self):
        """So many that the platform's limit for one phone is not reached."""
        unionid = make_identity("union-1", kind="unionid")
        return [(unionid, make_identity(f"+861390001{number:04d}")) for number in range(60)]

    @pytest.fixture
    def callbacks(self):
        return [
            report(1, "DELIVERED"),
            report(2, "DB:0141"),
            report(3, "SP:0010"),
            reply(4, WORDS),
            reply(5, WORDS),
            reply(6, "R"),
        ]

    @pytest.fixture
    def platform_state(self, sandbox):
        return sandbox.list_messages

    @pytest.fixture
    def lose_answer(self, sandbox):
        return lambda operation: sandbox.faults.add(Fault(kind="drop", path="Send*"))
