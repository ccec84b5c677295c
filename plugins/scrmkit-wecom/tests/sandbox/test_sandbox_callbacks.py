"""Callbacks: the address, what people's acts send, and what goes wrong on the way."""

from __future__ import annotations

import time

import pytest

from scrmkit.errors import CallbackRejectedError, InvalidValueError


def received(sandbox, receiver):
    assert sandbox.callbacks.wait_idle()
    return receiver.events()


def test_an_address_is_saved_after_it_answered_the_verification(api, receiver):
    assert api.control("callback") == {"url": receiver.url}


@pytest.mark.parametrize("answer", [b"", b'"1"', b"success"])
def test_an_address_that_answers_otherwise_is_not_saved(sandbox, receiver, answer):
    sandbox.set_callback("")
    receiver.greeting = answer

    with pytest.raises(InvalidValueError, match="not saved"):
        sandbox.set_callback(receiver.url)
    assert sandbox.show_callback() == {"url": ""}


def test_an_address_with_a_line_after_the_message_is_not_saved(sandbox, receiver, monkeypatch):
    sandbox.set_callback("")
    verify = receiver.verify
    monkeypatch.setattr(receiver, "verify", lambda query: verify(query) + b"\n")

    with pytest.raises(InvalidValueError, match="bare decrypted message"):
        sandbox.set_callback(receiver.url)


def test_an_address_that_answers_late_is_not_saved(sandbox, receiver, monkeypatch):
    monkeypatch.setattr(receiver, "verify", lambda query: time.sleep(1.5) or b"")

    with pytest.raises(InvalidValueError, match="within 1 s"):
        sandbox.set_callback(receiver.url)


def test_an_address_outside_is_refused(api):
    response = api.http.post("/sandbox/callback", json={"url": "http://192.0.2.1/"})

    assert response.status_code == 400
    assert "only this machine" in response.json()["error"]


def test_a_scan_tells_state_and_welcome_code(api, sandbox, receiver):
    api.way(state="shop-1")
    added = api.control("scan", {"state": "shop-1"})

    assert received(sandbox, receiver) == [
        {
            "ToUserName": sandbox.corp_id,
            "FromUserName": "sys",
            "CreateTime": str(int(sandbox.clock.now().timestamp())),
            "MsgType": "event",
            "Event": "change_external_contact",
            "ChangeType": "add_external_contact",
            "UserID": "zhangsan",
            "ExternalUserID": added["external_userid"],
            "State": "shop-1",
            "WelcomeCode": added["welcome_code"],
        }
    ]


def test_api_calls_cause_no_callback(api, sandbox, receiver):
    config_id, gold = api.way(), api.tag()
    added = sandbox.scan(config_id=config_id)
    pair = {"userid": "zhangsan", "external_userid": added["external_userid"]}
    api.post("mark_tag", {**pair, "add_tag": [gold]})
    api.post("edit_corp_tag", {"id": gold, "name": "Silver"})
    api.post("del_corp_tag", {"tag_id": [gold]})
    api.post("del_contact_way", {"config_id": config_id})

    assert len(received(sandbox, receiver)) == 1


def test_a_half_added_customer_is_added_later(api, sandbox, receiver):
    api.way()
    half = sandbox.scan(state="shop-1", half=True)
    sandbox.confirm("zhangsan", half["external_userid"])

    first, second = received(sandbox, receiver)
    assert first["ChangeType"] == "add_half_external_contact"
    assert second["ChangeType"] == "add_external_contact"
    assert second["State"] == "shop-1"
    assert first["WelcomeCode"] != second["WelcomeCode"]


def test_a_welcome_of_the_admin_leaves_no_code(api, sandbox, receiver):
    api.way()
    sandbox.scan(state="shop-1", welcome=False)

    [event] = received(sandbox, receiver)
    assert "WelcomeCode" not in event


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        pytest.param({"by": "customer"}, "del_follow_user", id="by the customer"),
        pytest.param({"by": "member"}, "del_external_contact", id="by the member"),
    ],
)
def test_a_contact_is_deleted_either_way(sandbox, receiver, how, kind):
    customer = sandbox.add_contact("lisi")["external_userid"]
    sandbox.delete_contact("lisi", customer, **how)

    event = received(sandbox, receiver)[-1]
    assert (event["ChangeType"], event["ExternalUserID"]) == (kind, customer)
    assert "Source" not in event


def test_a_transfer_names_itself_as_the_source(sandbox, receiver):
    customer = sandbox.add_contact("lisi")["external_userid"]
    sandbox.delete_contact("lisi", customer, by_transfer=True)

    assert received(sandbox, receiver)[-1]["Source"] == "DELETE_BY_TRANSFER"


def test_tagging_by_hand_is_told(api, sandbox, receiver):
    gold = api.tag()
    customer = sandbox.add_contact("lisi")["external_userid"]
    sandbox.edit_contact("lisi", customer, add_tag=[gold], remark="Mei")

    [follow] = api.get("get", external_userid=customer)["follow_user"]
    assert received(sandbox, receiver)[-1]["ChangeType"] == "edit_external_contact"
    assert (follow["remark"], [tag["tag_id"] for tag in follow["tags"]]) == ("Mei", [gold])


def test_the_admins_tags_are_told(sandbox, receiver):
    made = sandbox.add_tag("Level", "Gold")
    sandbox.rename_tag(made["tag_id"], "Silver")
    sandbox.shuffle_tags()
    sandbox.delete_tag(made["group_id"])

    told = [(event["ChangeType"], event["Id"], event.get("TagType")) for event in received(sandbox, receiver)]
    assert told == [
        ("create", made["group_id"], "tag_group"),
        ("create", made["tag_id"], "tag"),
        ("update", made["tag_id"], "tag"),
        ("shuffle", "", None),
        ("delete", made["group_id"], "tag_group"),
    ]


def test_a_group_chat_is_told_from_its_opening_to_its_end(api, sandbox, receiver):
    chat = api.control("chats", {"userid": "zhangsan"})["chat_id"]
    who = api.control("chats/join", {"chat_id": chat})["external_userid"]
    api.control("chats/leave", {"chat_id": chat, "external_userid": who, "removed": True})
    api.control("chats/change", {"chat_id": chat, "detail": "change_name"})
    api.control("chats/dismiss", {"chat_id": chat})

    events = received(sandbox, receiver)
    told = [(event["ChangeType"], event.get("UpdateDetail")) for event in events]
    assert told == [
        ("create", None),
        ("update", "add_member"),
        ("update", "del_member"),
        ("update", "change_name"),
        ("dismiss", None),
    ]
    assert (events[1]["JoinScene"], events[2]["QuitScene"]) == ("3", "1")
    assert events[1]["CurMemVer"] == events[2]["LastMemVer"]


def test_what_staff_write_to_the_app_names_the_app(sandbox, receiver):
    sandbox.write_to_app("lisi", "1 < 2 ]]> ok")

    [event] = received(sandbox, receiver)
    assert (event["FromUserName"], event["MsgType"]) == ("lisi", "text")
    assert (event["Content"], event["AgentID"]) == ("1 < 2 ]]> ok", "1000002")
    assert b"<AgentID><![CDATA[1000002]]></AgentID>" in receiver.posts[0][1]


def test_what_xml_cannot_hold_is_replaced(sandbox, receiver):
    sandbox.write_to_app("zhangsan", "a\x00b\x0b\uffff\t王😀")

    assert received(sandbox, receiver)[0]["Content"] == "a\ufffdb\ufffd\ufffd\t王😀"


def test_staff_open_the_app(sandbox, receiver):
    sandbox.use_app("lisi", "click", key="menu-1")

    [event] = received(sandbox, receiver)
    assert (event["Event"], event["EventKey"]) == ("click", "menu-1")


def test_any_other_event_can_be_caused(api, sandbox, receiver):
    api.control("emit", {"members": {"Event": "brand_new", "Number": 7}})

    [event] = received(sandbox, receiver)
    assert (event["Event"], event["Number"]) == ("brand_new", "7")


@pytest.mark.parametrize("members", [{"a b": "x"}, {"": "x"}, {"E": None}, {"E": 1.5}, {"E": ["a", 1]}, {"E": {}}])
def test_what_is_no_member_of_an_event_is_refused(sandbox, members):
    with pytest.raises(InvalidValueError, match="XML names"):
        sandbox.emit(members)


@pytest.mark.parametrize(("group", "name"), [("", "Gold"), ("Level", ""), ("x" * 31, "Gold"), ("Level", "x" * 31)])
def test_the_admins_tags_have_names_as_long_as_the_platforms(sandbox, group, name):
    with pytest.raises(InvalidValueError, match="1 to 30"):
        sandbox.add_tag(group, name)


def test_without_an_address_events_are_lost_but_listed(api, sandbox):
    sandbox.add_contact("lisi")

    [event] = api.control("events")["events"]
    assert (event["members"]["ChangeType"], event["pushed"]) == ("add_external_contact", False)


def test_a_failed_callback_is_sent_again_byte_for_byte(sandbox, receiver):
    receiver.statuses = [500, 500]
    sandbox.add_contact("lisi")
    for _ in range(5):
        assert sandbox.callbacks.wait_idle()
        sandbox.move_clock(seconds=5)

    assert len(receiver.posts) == 3
    assert receiver.posts[0] == receiver.posts[1] == receiver.posts[2]


def test_a_callback_is_given_up_after_three_retries(sandbox, receiver):
    receiver.statuses = [500] * 9
    sandbox.add_contact("lisi")
    for _ in range(9):
        assert sandbox.callbacks.wait_idle()
        sandbox.move_clock(seconds=60)

    assert len(receiver.posts) == 4


def test_a_duplicate_is_the_same_callback_twice(api, sandbox, receiver):
    api.way()
    sandbox.scan(state="shop-1", duplicate=True)

    first, second = received(sandbox, receiver)
    assert first == second


def test_callbacks_can_come_in_another_order(sandbox, receiver):
    sandbox.spoil_callbacks("reorder")
    sandbox.add_contact("lisi")
    sandbox.add_contact("wangwu")

    assert [event["UserID"] for event in received(sandbox, receiver)] == ["wangwu", "lisi"]


def test_a_callback_can_be_signed_wrongly(api, sandbox, receiver):
    api.control("callback-faults", {"kind": "bad_signature"})
    sandbox.add_contact("lisi")
    sandbox.add_contact("lisi")

    assert sandbox.callbacks.wait_idle()
    with pytest.raises(CallbackRejectedError):
        receiver.open(*receiver.posts[0])
    assert receiver.open(*receiver.posts[1])["UserID"] == "lisi"


def test_a_late_callback_brings_a_dead_welcome_code(api, sandbox, receiver):
    api.control("callback-faults", {"kind": "slow", "seconds": 20})
    sandbox.add_contact("lisi")
    sandbox.move_clock(seconds=20)

    [event] = received(sandbox, receiver)
    body = {"welcome_code": event["WelcomeCode"], "text": {"content": "hi"}}
    assert api.code("send_welcome_msg", body) == 41050


def test_every_control_call_is_described(api):
    index = api.control("")

    assert index["sandbox"] == "wecom"
    assert all(call["about"].endswith(".") for call in index["calls"])
    assert {"/sandbox/scan", "/sandbox/callback", "/sandbox/delete-contact", "/sandbox/clock"} <= {
        call["path"] for call in index["calls"]
    }


def test_the_whole_company_can_be_shown(api, sandbox):
    api.way()
    api.tag()
    sandbox.scan(state="shop-1")
    sandbox.open_chat("lisi")

    state = api.control("state")
    assert {name: len(rows) for name, rows in state.items()} == {
        "members": 3,
        "customers": 1,
        "follows": 1,
        "contact_ways": 1,
        "tag_groups": 1,
        "group_chats": 1,
    }


def test_the_credentials_are_what_a_client_needs(sandbox):
    shown = sandbox.credentials()

    assert sorted(shown) == ["agent_id", "corp_id", "encoding_aes_key", "secret", "token", "url"]
    assert (len(shown["encoding_aes_key"]), shown["url"]) == (43, sandbox.url)
