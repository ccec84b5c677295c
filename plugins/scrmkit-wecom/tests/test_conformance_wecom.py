"""The channel and the rules keep what all channels and rules keep; the channel, at the sandbox."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from scrmkit.domain.ids import StateToken
from scrmkit.domain.kinds import Nothing
from scrmkit.domain.organisation import Entrance, Incentive
from scrmkit.protocols import CallbackRequest
from scrmkit.settings import Secret
from scrmkit.testing import (
    NOON,
    ChannelSuite,
    Example,
    RuleSuite,
    make_contact_added,
    make_context,
    make_identity,
    make_outgoing,
    make_touchpoint,
)
from scrmkit.testing.sandbox import running
from scrmkit.testing.sandbox_faults import Fault
from scrmkit_wecom.bodies import (
    AddContactWay,
    AddCorpTags,
    DeleteContactWay,
    DeleteCorpTags,
    EditCorpTag,
    MarkTag,
    NewTag,
    UpdateContactWay,
    Welcome,
)
from scrmkit_wecom.channel import WeComChannel, WeComSettings
from scrmkit_wecom.crypto import CallbackCrypto
from scrmkit_wecom.rules import EntranceTagsRule, EntranceTagsSettings, WelcomeRule, WelcomeSettings
from scrmkit_wecom.sandbox.server import WecomSandbox

PATHS = {"welcome": "send_welcome_msg"}
"""Where an operation is not called as the platform's own path."""

ENTRANCE = Entrance(
    token=StateToken("table7"),
    name="table 7",
    tags=(("来源", "桌卡"),),
    welcome="欢迎光临",
    incentive=Incentive(benefit="coupon:welcome-20", text="回复领券"),
)


def event(name, change="", more=""):
    return (
        "<xml><ToUserName>{corp}</ToUserName><FromUserName>zhangsan</FromUserName>"
        "<CreateTime>1735689600</CreateTime><MsgType>event</MsgType>"
        f"<Event>{name}</Event><ChangeType>{change}</ChangeType>{more}</xml>"
    )


EVENTS = (
    event(
        "change_external_contact",
        "add_external_contact",
        "<UserID>zhangsan</UserID><ExternalUserID>wm-of-ann</ExternalUserID>"
        "<WelcomeCode>welcome-code-7</WelcomeCode><State>table7</State>",
    ),
    event(
        "change_external_contact",
        "del_follow_user",
        "<UserID>zhangsan</UserID><ExternalUserID>wm-of-ann</ExternalUserID>",
    ),
    event(
        "change_external_chat",
        "update",
        "<ChatId>wr1</ChatId><UpdateDetail>add_member</UpdateDetail>"
        "<MemChangeList><Item>wm-of-ann</Item><Item>wm-of-bob</Item></MemChangeList>",
    ),
    event("change_external_tag", "create", "<Id>et1</Id><TagType>tag</TagType>"),
    event("enter_agent", more="<AgentID>7</AgentID>"),
    event("solar_flare", "began"),
    "<xml><ToUserName>{corp}</ToUserName><FromUserName>zhangsan</FromUserName>"
    "<CreateTime>1735689600</CreateTime><MsgType>text</MsgType><Content>芝麻开门</Content>"
    "<MsgId>7264518393000000001</MsgId><AgentID>7</AgentID></xml>",
)


class TestWeCom(ChannelSuite):
    @pytest.fixture
    def sandbox(self, virtual_clock):
        sandbox = WecomSandbox(virtual_clock)
        with running(sandbox):
            yield sandbox

    @pytest.fixture
    def plugin_settings(self, sandbox):
        return WeComSettings(
            corp_id=sandbox.corp_id,
            secret=Secret(sandbox.secret),
            token=Secret(sandbox.token),
            encoding_aes_key=Secret(sandbox.encoding_aes_key),
            base_url=sandbox.url,
        )

    @pytest.fixture
    def channel(self, plugin_settings, virtual_clock):
        channel = WeComChannel(make_context("wecom", plugin_settings, clock=virtual_clock))
        yield channel
        channel.close()

    @pytest.fixture
    def canaries(self, sandbox):
        return (sandbox.secret, sandbox.token, sandbox.encoding_aes_key, "芝麻开门")

    @pytest.fixture
    def contact(self, sandbox):
        return sandbox.add_contact("zhangsan", name="陈大文")

    @pytest.fixture
    def customers(self, sandbox, contact):
        userid = contact["external_userid"]
        known = make_identity(userid, kind="external_userid", scope=sandbox.corp_id)
        elsewhere = make_identity("wm-elsewhere", kind="external_userid", scope="ww-other")
        return [(elsewhere, known, make_identity())]

    @pytest.fixture
    def bodies(self, channel, contact):
        way, tags = AddContactWay(user=("zhangsan",), state="shop-1"), ("Gold", "Silver")
        (made,) = channel.send("add_contact_way", [make_outgoing(way)])
        group = AddCorpTags(group_name="Level", tags=tuple(NewTag(name=name) for name in tags))
        (tagged,) = channel.send("add_corp_tag", [make_outgoing(group)])
        config_id, ids = made.answer["config_id"], tagged.answer["tags"]
        userid = contact["external_userid"]
        return {
            "welcome": [Welcome(welcome_code=contact["welcome_code"], text="欢迎光临，陈大文")],
            "add_contact_way": [attrs.evolve(way, state="shop-2")],
            "update_contact_way": [UpdateContactWay(config_id=config_id, remark="by the door")],
            "del_contact_way": [DeleteContactWay(config_id=config_id)],
            "add_corp_tag": [AddCorpTags(group_name="Level", tags=(NewTag(name="Bronze"),))],
            "edit_corp_tag": [EditCorpTag(id=ids["Gold"], name="Golden")],
            "mark_tag": [
                MarkTag(userid="zhangsan", external_userid=userid, add_tag=(ids["Gold"],)),
                MarkTag(userid="zhangsan", external_userid=userid, add_named=(("来源", "桌卡"),)),
            ],
            "del_corp_tag": [DeleteCorpTags(tag_id=(ids["Silver"],))],
        }

    @pytest.fixture
    def refused(self, channel):
        return {
            "welcome": Welcome(welcome_code="never-given-out", text="欢迎光临"),
            "del_contact_way": DeleteContactWay(config_id="unknown"),
        }

    @pytest.fixture
    def callbacks(self, sandbox):
        crypto = CallbackCrypto(sandbox.token, sandbox.encoding_aes_key, sandbox.corp_id)
        sent = [
            crypto.deliver(xml.format(corp=sandbox.corp_id), "1735689601", "n1", random16=b"0" * 16) for xml in EVENTS
        ]
        return [CallbackRequest(method="POST", query=one.query, body=one.body) for one in sent]

    @pytest.fixture
    def platform_state(self, sandbox):
        return lambda: (sandbox.show_state(), sandbox.list_welcomes())

    @pytest.fixture
    def lose_answer(self, sandbox):
        return lambda operation: sandbox.faults.add(Fault(kind="drop", path=f"*/{PATHS.get(operation, operation)}"))


def added(**changes):
    return make_contact_added(source="wecom", name="Ann Example", **changes)


class TestWelcome(RuleSuite):
    @pytest.fixture
    def rule(self):
        return WelcomeRule(make_context("welcome", WelcomeSettings(text="你好")))

    @pytest.fixture
    def examples(self):
        return [
            Example(touchpoint=added()),
            Example(touchpoint=added(entrance=ENTRANCE)),
            Example(touchpoint=added(), at=NOON + timedelta(seconds=21)),
            Example(touchpoint=added(welcome_code=None)),
            Example(touchpoint=make_contact_added(source="wecom-of-others")),
            Example(touchpoint=added(entrance=attrs.evolve(ENTRANCE, welcome="长" * 1_400))),
        ]


class TestEntranceTags(RuleSuite):
    @pytest.fixture(params=["", "wecom"], ids=["tags", "tags and corp tags"])
    def rule(self, request):
        return EntranceTagsRule(make_context("entrance-tags", EntranceTagsSettings(mark_in=request.param)))

    @pytest.fixture
    def examples(self):
        scanned = make_touchpoint("entrance.scanned", Nothing(), identities=[make_identity()], entrance=ENTRANCE)
        return [Example(touchpoint=added(entrance=ENTRANCE)), Example(touchpoint=added()), Example(touchpoint=scanned)]
