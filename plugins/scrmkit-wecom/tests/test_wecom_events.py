"""Decrypted callbacks become typed events, and no event is lost for being unknown."""

from __future__ import annotations

import contextlib
import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit.errors import CallbackRejectedError
from scrmkit_wecom.events import (
    ContactChange,
    ContactEvent,
    CustomerServiceEvent,
    GroupChatChange,
    GroupChatEvent,
    Head,
    StaffEvent,
    StaffMessage,
    TagChange,
    TagEvent,
    UnknownEvent,
)
from scrmkit_wecom.parsing import parse_event

VECTORS = json.loads((Path(__file__).parent / "data" / "wecom-callback.json").read_text("utf-8"))
PLAIN = {row["id"]: row["plaintext"] for row in VECTORS["accept"]}
CORP, AT = "wx5823bf96d3bd56c7", 1735689600


def xml_of(event: str, change: str = "", sender: str = "sys", **members: str) -> str:
    named = {"Event": event, "ChangeType": change, **members}
    inner = "".join(f"<{k}><![CDATA[{v}]]></{k}>" for k, v in named.items() if v)
    return (
        f"<xml><ToUserName>{CORP}</ToUserName><FromUserName><![CDATA[{sender}]]></FromUserName>"
        f"<CreateTime>{AT}</CreateTime><MsgType><![CDATA[event]]></MsgType>{inner}</xml>"
    )


def head_of(xml: str, seconds: int = AT) -> Head:
    return Head(
        digest=hashlib.sha256(xml.encode()).hexdigest(), to=CORP, created_at=datetime.fromtimestamp(seconds, UTC)
    )


def contact(xml: str, change: ContactChange, **more: str) -> ContactEvent:
    return ContactEvent(head=head_of(xml), change=change, userid="zhangsan", external_userid="wm1", **more)


@pytest.mark.parametrize(
    ("change", "sent", "read"),
    [
        pytest.param(
            ContactChange.ADDED,
            {"State": "s1", "WelcomeCode": "code"},
            {"state": "s1", "welcome_code": "code"},
            id="added through a contact way",
        ),
        pytest.param(ContactChange.ADDED, {}, {}, id="added in another way"),
        pytest.param(
            ContactChange.ADDED,
            {"State": "channel-é/+ %"},
            {"state": "channel-é/+ %"},
            id="the state of an acquisition link",
        ),
        pytest.param(ContactChange.HALF_ADDED, {"WelcomeCode": "c"}, {"welcome_code": "c"}, id="half added"),
        pytest.param(ContactChange.EDITED, {}, {}, id="edited"),
        pytest.param(
            ContactChange.REMOVED_BY_STAFF,
            {"Source": "DELETE_BY_TRANSFER"},
            {"source": "DELETE_BY_TRANSFER"},
            id="removed by the member",
        ),
        pytest.param(ContactChange.REMOVED_BY_CUSTOMER, {}, {}, id="removed by the customer"),
        pytest.param(
            ContactChange.TRANSFER_FAILED,
            {"FailReason": "customer_refused"},
            {"fail_reason": "customer_refused"},
            id="a transfer failed",
        ),
        pytest.param(ContactChange.ARCHIVE_AGREED, {}, {}, id="agreed to the archive"),
    ],
)
def test_a_contact_event_is_read(change, sent, read):
    xml = xml_of("change_external_contact", change.value, UserID="zhangsan", ExternalUserID="wm1", **sent)

    assert parse_event(xml) == contact(xml, change, **read)


def test_the_contact_event_of_the_vectors_is_read():
    xml = PLAIN["V02"]

    assert parse_event(xml) == ContactEvent(
        head=head_of(xml),
        change=ContactChange.ADDED,
        userid="zhangsan",
        external_userid="wmScrmkitDemoCustomer0000000001",
        state="store-001/门口海报",
        welcome_code="WELCOMECODE-0001-abcdef",
    )


def test_a_delivery_and_its_repetition_have_one_identity_key():
    assert parse_event(PLAIN["V02"]).head.digest == parse_event(PLAIN["V03"]).head.digest


def test_two_customers_added_in_one_second_have_two_identity_keys():
    one, other = (
        xml_of("change_external_contact", "add_external_contact", UserID="u", ExternalUserID=who)
        for who in ("wm1", "wm2")
    )

    assert parse_event(one).head.digest != parse_event(other).head.digest


@pytest.mark.parametrize(
    ("items", "members"),
    [
        pytest.param("<Item>wm1</Item><Item><![CDATA[lisi]]></Item>", ("wm1", "lisi"), id="two"),
        pytest.param("\n <Item> wm1 </Item>\n", ("wm1",), id="one, with white space"),
        pytest.param("<![CDATA[wm1]]>", ("wm1",), id="one as bare text"),
        pytest.param("<Item/>", (), id="an empty item"),
        pytest.param("", (), id="none"),
    ],
)
def test_the_members_of_a_group_chat_that_came_or_went_are_read(items, members):
    xml = xml_of(
        "change_external_chat",
        "update",
        ChatId="wr1",
        UpdateDetail="add_member",
        JoinScene="3",
        MemChangeCnt="2",
        LastMemVer="v1",
        CurMemVer="v2",
    ).replace("</xml>", f"<MemChangeList>{items}</MemChangeList></xml>")

    assert parse_event(xml) == GroupChatEvent(
        head=head_of(xml),
        change=GroupChatChange.UPDATED,
        chat_id="wr1",
        detail="add_member",
        join_scene=3,
        members=members,
        members_changed=2,
        last_version="v1",
        version="v2",
    )


@pytest.mark.parametrize("change", [GroupChatChange.CREATED, GroupChatChange.DISMISSED])
def test_a_group_chat_that_begins_or_ends_is_read(change):
    xml = xml_of("change_external_chat", change.value, ChatId="wr1")

    assert parse_event(xml) == GroupChatEvent(head=head_of(xml), change=change, chat_id="wr1")


@pytest.mark.parametrize(
    ("change", "members", "read"),
    [
        pytest.param(TagChange.CREATED, {"Id": "et1", "TagType": "tag"}, ("et1", "tag"), id="new"),
        pytest.param(TagChange.DELETED, {"Id": "et1", "TagType": "tag_group"}, ("et1", "tag_group"), id="gone"),
        pytest.param(TagChange.SHUFFLED, {}, ("", ""), id="the order of all groups"),
    ],
)
def test_a_tag_event_is_read(change, members, read):
    xml = xml_of("change_external_tag", change.value, **members)

    assert parse_event(xml) == TagEvent(head=head_of(xml), change=change, tag_id=read[0], tag_type=read[1])


def test_what_a_member_writes_to_the_app_is_read_with_emoji_and_markup():
    xml = PLAIN["V06"]

    assert parse_event(xml) == StaffMessage(
        head=head_of(xml, 1735690199),
        userid="zhangsan",
        agent_id="1000002",
        message_id="7264518393000000001",
        message_type="text",
        text="暗号 芝麻开门 🎉 <b>&amp; 50% off",
    )


def test_a_location_from_a_member_keeps_its_details():
    xml = (
        "<xml><FromUserName>zhangsan</FromUserName><MsgType>location</MsgType><AgentID>1</AgentID>"
        "<MsgId>9</MsgId><Location_X>23.1</Location_X><Label><![CDATA[门店]]></Label></xml>"
    )

    event = parse_event(xml)

    assert isinstance(event, StaffMessage)
    assert dict(event.details) == {"Location_X": "23.1", "Label": "门店"}


@pytest.mark.parametrize("name", ["enter_agent", "click", "LOCATION", "subscribe"])
def test_what_a_member_does_in_the_app_is_read(name):
    xml = xml_of(name, sender="zhangsan", EventKey="k", AgentID="1000002", Latitude="1.5")

    assert parse_event(xml) == StaffEvent(
        head=head_of(xml), userid="zhangsan", agent_id="1000002", event=name, key="k", details={"Latitude": "1.5"}
    )


def test_a_scan_in_the_app_keeps_what_lies_one_level_down():
    xml = xml_of("scancode_push", sender="zhangsan").replace(
        "</xml>", "<ScanCodeInfo><ScanType>qrcode</ScanType></ScanCodeInfo></xml>"
    )

    event = parse_event(xml)

    assert isinstance(event, StaffEvent)
    assert event.details == {"ScanCodeInfo.ScanType": "qrcode"}


def test_the_sign_of_customer_service_is_read_without_a_sender():
    xml = PLAIN["V11"]

    assert parse_event(xml) == CustomerServiceEvent(
        head=head_of(xml, 1735690599), open_kfid="wkScrmkitDemoKf00000000000001", sync_token="ENCSandboxSyncToken0001"
    )


@pytest.mark.parametrize(
    ("xml", "raw_kind"),
    [
        pytest.param(xml_of("change_external_contact", "new_thing"), None, id="a new change"),
        pytest.param(
            xml_of("change_external_contact", "add_external_contact", UserID="u"),
            "change_external_contact/add_external_contact",
            id="no customer",
        ),
        pytest.param(xml_of("change_external_chat", "update"), "change_external_chat/update", id="no chat"),
        pytest.param(xml_of("change_external_tag", "create"), "change_external_tag/create", id="no tag"),
        pytest.param(
            xml_of("customer_acquisition", "balance_low"), "customer_acquisition/balance_low", id="another family"
        ),
        pytest.param(xml_of("kf_msg_or_event"), "kf_msg_or_event", id="no service account"),
        pytest.param("<xml><MsgType>hologram</MsgType></xml>", "hologram", id="a new message"),
        pytest.param("<xml/>", "unnamed", id="nothing at all"),
        pytest.param(PLAIN["V07"], "unnamed", id="an event without a name"),
        pytest.param(xml_of("e" * 500), "e" * 128, id="a very long name"),
    ],
)
def test_an_unknown_event_is_kept_with_its_name_and_digest(xml, raw_kind):
    event = parse_event(xml)

    assert isinstance(event, UnknownEvent)
    assert event.raw_kind == (raw_kind or "change_external_contact/new_thing")
    assert event.head.digest == hashlib.sha256(xml.encode()).hexdigest()


@pytest.mark.parametrize("time", ["", "soon", "-1", "9" * 18, "9" * 400, "１２"])
def test_a_moment_that_is_none_is_left_out(time):
    event = parse_event(f"<xml><CreateTime>{time}</CreateTime></xml>")

    assert event.head.created_at is None


def test_no_code_and_no_words_stand_in_a_repr():
    shown = repr([parse_event(PLAIN[row]) for row in ("V02", "V06", "V11")])

    assert "WELCOMECODE" not in shown
    assert "芝麻" not in shown
    assert "ENCSandbox" not in shown


@pytest.mark.parametrize("xml", ["", "hello", "<a/>", '<!DOCTYPE xml [<!ENTITY a "b">]><xml>&a;</xml>'])
def test_what_is_no_xml_is_refused(xml):
    with pytest.raises(CallbackRejectedError) as caught:
        parse_event(xml)

    assert caught.value.code == "plaintext"


NAMES = st.sampled_from(
    ["MsgType", "Event", "ChangeType", "UserID", "ExternalUserID", "ChatId", "Id", "OpenKfId",
     "MemChangeCnt", "JoinScene", "CreateTime", "FromUserName", "MemChangeList", "Item"]
)  # fmt: skip
VALUES = st.sampled_from(
    ["event", "text", *(c.value for c in ContactChange), "change_external_contact",
     "change_external_chat", "change_external_tag", "kf_msg_or_event", "update", "shuffle", "x",
     "7", "<Item>a</Item>", "<Item><Item/></Item>", ""]
)  # fmt: skip


@given(st.lists(st.tuples(NAMES, VALUES), max_size=8))
def test_any_document_is_an_event(members):
    xml = "<xml>" + "".join(f"<{k}>{v}</{k}>" for k, v in members) + "</xml>"

    assert parse_event(xml).head.digest == hashlib.sha256(xml.encode()).hexdigest()


@given(st.text(max_size=100))
def test_any_text_is_refused_or_an_event(text):
    with contextlib.suppress(CallbackRejectedError):
        assert parse_event(text).head.digest
