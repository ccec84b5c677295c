"""The channel: callbacks become touchpoints, and each event only once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scrmkit.domain.identity import Identity
from scrmkit.domain.ids import StateToken
from scrmkit.domain.kinds import ContactAdded, ContactRemoved, GroupChatJoined, GroupChatLeft, Noted
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import CallbackRejectedError
from scrmkit.protocols import CallbackRequest, Inbound, Reply
from scrmkit_wecom.crypto import CallbackCrypto
from scrmkit_wecom.kinds import (
    ContactEdited,
    CorpTagChanged,
    GroupChatChanged,
    ServiceNotified,
    StaffActed,
    StaffWrote,
    TransferFailed,
)

VECTORS = json.loads((Path(__file__).parent / "data" / "wecom-callback.json").read_text("utf-8"))
CONFIG = VECTORS["configs"]["corp_a"]
CORP = CONFIG["receiveid"]
ROWS = {row["id"]: row for row in VECTORS["accept"] + VECTORS["reject"]}
CRYPTO = CallbackCrypto(CONFIG["token"], CONFIG["encoding_aes_key"], CORP)
NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
EVENT_AT = datetime(2025, 1, 1, tzinfo=UTC)
CONTACT = "externalcontact/"


def posted(xml: str) -> CallbackRequest:
    sent = CRYPTO.deliver(xml, "1735689601", "n1", random16=b"0" * 16)
    return CallbackRequest(method="POST", query=sent.query, body=sent.body)


def event(name: str, change: str = "", sender: str = "sys", more: str = "") -> str:
    return (
        f"<xml><ToUserName>{CORP}</ToUserName><FromUserName>{sender}</FromUserName>"
        "<CreateTime>1735689600</CreateTime><MsgType>event</MsgType>"
        f"<Event>{name}</Event><ChangeType>{change}</ChangeType>{more}</xml>"
    )


def who(value: str) -> tuple[Identity, ...]:
    return (Identity(kind="external_userid", value=value, scope=CORP),)


def test_a_url_verification_is_answered_with_the_bare_message(channel):
    row = ROWS["V01"]
    query = {
        "msg_signature": row["msg_signature"],
        "timestamp": row["timestamp"],
        "nonce": row["nonce"],
        "echostr": row["encrypt"],
    }

    got = channel.receive(CallbackRequest(method="GET", query=query))

    assert got == Inbound(reply=Reply(body=b"1616140317555161061"))


def test_a_plus_that_a_proxy_made_a_space_is_read_as_a_plus(channel):
    row = ROWS["V01"]
    query = {
        "msg_signature": row["msg_signature"],
        "timestamp": row["timestamp"],
        "nonce": row["nonce"],
        "echostr": row["encrypt"].replace("+", " "),
    }

    got = channel.receive(CallbackRequest(method="GET", query=query))

    assert got.reply.body == b"1616140317555161061"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "HEAD"])
def test_a_request_that_is_not_the_platforms_is_refused(channel, method):
    with pytest.raises(CallbackRejectedError):
        channel.receive(CallbackRequest(method=method, body=b"<xml/>"))


def test_a_refused_callback_of_the_vectors_is_refused(channel):
    row = ROWS["N06"]
    query = {name: row[name] for name in ("msg_signature", "timestamp", "nonce")}

    with pytest.raises(CallbackRejectedError):
        channel.receive(CallbackRequest(method="POST", query=query, body=row["post_body"].encode()))


def test_a_new_contact_is_a_touchpoint_with_its_state_and_code(channel):
    got = channel.receive(posted(ROWS["V02"]["plaintext"]))

    (touchpoint,) = got.touchpoints
    assert got.reply == Reply()
    assert touchpoint == Touchpoint(
        kind="contact.added",
        key=touchpoint.key,
        occurred_at=EVENT_AT,
        payload=ContactAdded(account="zhangsan", welcome_code="WELCOMECODE-0001-abcdef"),
        identities=who("wmScrmkitDemoCustomer0000000001"),
        source="wecom-hq",
        state=StateToken("store-001/门口海报"),
    )


def test_a_repeated_delivery_has_the_same_identity_key(channel):
    keys = {channel.receive(posted(ROWS[row]["plaintext"])).touchpoints[0].key for row in ("V02", "V03")}

    assert len(keys) == 1


CUSTOMER = "<UserID>zhangsan</UserID><ExternalUserID>wm1</ExternalUserID>"


@pytest.mark.parametrize(
    ("change", "kind", "payload"),
    [
        pytest.param(
            "add_half_external_contact", "contact.added", ContactAdded(account="zhangsan", half=True), id="half added"
        ),
        pytest.param(
            "del_external_contact",
            "contact.removed",
            ContactRemoved(account="zhangsan", by="guide"),
            id="removed by the member",
        ),
        pytest.param(
            "del_follow_user",
            "contact.removed",
            ContactRemoved(account="zhangsan", by="customer"),
            id="removed by the customer",
        ),
        pytest.param("edit_external_contact", "wecom.contact_edited", ContactEdited(account="zhangsan"), id="edited"),
        pytest.param(
            "transfer_fail", "wecom.transfer_failed", TransferFailed(account="zhangsan"), id="a transfer failed"
        ),
    ],
)
def test_a_contact_event_is_a_touchpoint_of_the_customer(channel, change, kind, payload):
    got = channel.receive(posted(event("change_external_contact", change, more=CUSTOMER)))

    (touchpoint,) = got.touchpoints
    assert (touchpoint.kind, touchpoint.payload) == (kind, payload)
    assert touchpoint.identities == who("wm1")


@pytest.mark.parametrize(
    ("detail", "kind", "payload"),
    [
        ("add_member", "group_chat.joined", GroupChatJoined(chat="wr1")),
        ("del_member", "group_chat.left", GroupChatLeft(chat="wr1")),
    ],
)
def test_customers_who_join_or_leave_a_group_chat_are_touchpoints_of_their_own(channel, detail, kind, payload):
    members = "<MemChangeList><Item>wm1</Item><Item>lisi</Item><Item>wo2</Item></MemChangeList>"
    more = f"<ChatId>wr1</ChatId><UpdateDetail>{detail}</UpdateDetail>{members}"

    chat, *customers = channel.receive(posted(event("change_external_chat", "update", more=more))).touchpoints

    assert chat.payload == GroupChatChanged(chat="wr1", change="update", detail=detail, members=("wm1", "lisi", "wo2"))
    assert [one.identities for one in customers] == [who("wm1"), who("wo2")]
    assert {(one.kind, one.payload) for one in customers} == {(kind, payload)}
    assert len({one.key for one in customers}) == 2


@pytest.mark.parametrize(
    ("xml", "kind", "payload"),
    [
        pytest.param(
            event("change_external_tag", "create", more="<Id>et1</Id><TagType>tag</TagType>"),
            "wecom.tag_changed",
            CorpTagChanged(change="create", tag_id="et1", tag_type="tag"),
            id="a tag",
        ),
        pytest.param(
            event("enter_agent", sender="zhangsan", more="<AgentID>7</AgentID>"),
            "wecom.staff_acted",
            StaffActed(account="zhangsan", agent_id="7", event="enter_agent"),
            id="a member opens the app",
        ),
        pytest.param(
            ROWS["V06"]["plaintext"],
            "wecom.staff_wrote",
            StaffWrote(
                account="zhangsan",
                agent_id="1000002",
                form="text",
                message_id="7264518393000000001",
                text="暗号 芝麻开门 🎉 <b>&amp; 50% off",
            ),
            id="a member writes to the app",
        ),
        pytest.param(
            ROWS["V11"]["plaintext"],
            "wecom.service_notified",
            ServiceNotified(open_kfid="wkScrmkitDemoKf00000000000001", sync_token="ENCSandboxSyncToken0001"),
            id="customer service",
        ),
    ],
)
def test_what_concerns_no_customer_is_a_touchpoint_without_one(channel, xml, kind, payload):
    (touchpoint,) = channel.receive(posted(xml)).touchpoints

    assert (touchpoint.kind, touchpoint.payload, touchpoint.identities) == (kind, payload, ())


def test_an_unknown_event_is_noted_by_its_name(channel):
    (touchpoint,) = channel.receive(posted(event("solar_flare", "began"))).touchpoints

    assert touchpoint.kind == "platform.noted"
    assert touchpoint.payload == Noted(what="wecom: solar_flare/began", detail={"digest": touchpoint.key})


def test_an_event_with_an_impossible_value_is_noted(channel):
    more = f"<UserID>u</UserID><ExternalUserID>{'w' * 300}</ExternalUserID>"

    (touchpoint,) = channel.receive(
        posted(event("change_external_contact", "add_external_contact", more=more))
    ).touchpoints

    assert touchpoint.kind == "platform.noted"


def test_an_event_without_a_moment_happened_when_it_came(channel):
    (touchpoint,) = channel.receive(posted(ROWS["V07"]["plaintext"])).touchpoints

    assert touchpoint.occurred_at == NOON
