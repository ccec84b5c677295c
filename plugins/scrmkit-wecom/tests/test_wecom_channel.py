"""The channel: bodies become calls, errors become outcomes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from scrmkit.domain.identity import Identity
from scrmkit.domain.ids import OutgoingId, TenantId
from scrmkit.domain.messages import Accepted, Delivered, Outgoing, Refused, TryLater, Unknown
from scrmkit.errors import SettingsError
from scrmkit.settings import structure_options
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
from scrmkit_wecom.channel import WeComSettings

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
CONTACT = "externalcontact/"
CORP = "wx5823bf96d3bd56c7"


def who(value: str) -> tuple[Identity, ...]:
    return (Identity(kind="external_userid", value=value, scope=CORP),)


def out(body: object, attempt: int = 1) -> Outgoing:
    return Outgoing(id=OutgoingId(1), tenant=TenantId("t"), key="k", body=body, attempt=attempt, planned_at=NOON)


@pytest.mark.parametrize(
    ("identities", "reached"),
    [
        pytest.param(who("wm1"), "wm1", id="known in this company"),
        pytest.param((Identity(kind="external_userid", value="wm1", scope="ww2"),), None, id="in another"),
        pytest.param((Identity(kind="phone", value="+8613900000001"),), None, id="not at all"),
        pytest.param((), None, id="nothing known"),
    ],
)
def test_a_customer_is_reached_by_the_id_of_this_company(channel, identities, reached):
    found = channel.reach(identities)

    assert (found.value if found else None) == reached


HELLO = Welcome(welcome_code="c", text="hello")
WAY = AddContactWay(user=("zhangsan",), state="s1")
TAGS = AddCorpTags(group_name="来源", tags=(NewTag(name="门店"),))
GROUP = {"group_id": "et0", "group_name": "来源", "tag": [{"id": "et1", "name": "门店"}]}


@pytest.mark.parametrize(
    ("operation", "body", "path", "reply", "outcome"),
    [
        ("welcome", HELLO, "send_welcome_msg", {}, Accepted()),
        (
            "add_contact_way",
            WAY,
            "add_contact_way",
            {"config_id": "c1", "qr_code": "q"},
            Delivered(provider_id="c1", answer={"config_id": "c1", "qr_code": "q"}),
        ),
        ("update_contact_way", UpdateContactWay(config_id="c1", remark="r"), "update_contact_way", {}, Delivered()),
        ("del_contact_way", DeleteContactWay(config_id="c1"), "del_contact_way", {}, Delivered()),
        (
            "add_corp_tag",
            TAGS,
            "add_corp_tag",
            {"tag_group": GROUP},
            Delivered(provider_id="et0", answer={"group_id": "et0", "tags": {"门店": "et1"}}),
        ),
        ("edit_corp_tag", EditCorpTag(id="et1", name="n"), "edit_corp_tag", {}, Delivered()),
        ("del_corp_tag", DeleteCorpTags(tag_id=("et1",)), "del_corp_tag", {}, Delivered()),
        ("mark_tag", MarkTag(userid="u", external_userid="wm1", add_tag=("et1",)), "mark_tag", {}, Delivered()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_operation_makes_its_call(platform, channel, operation, body, path, reply, outcome):
    platform.say(CONTACT + path, reply)

    assert channel.send(operation, [out(body)]) == [outcome]
    assert len(platform.of(CONTACT + path)) == 1


def test_every_operation_can_be_carried_out(channel):
    assert set(channel.operations) == set(channel._doers)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        pytest.param(41050, Refused, id="too late"),
        pytest.param(41051, Refused, id="somebody was first"),
        pytest.param(41096, TryLater, id="another app is at it"),
    ],
)
def test_the_ends_of_a_welcome_are_told_apart(platform, channel, code, outcome):
    platform.say(CONTACT + "send_welcome_msg", {"errcode": code})

    (got,) = channel.send("welcome", [out(HELLO)])

    assert type(got) is outcome
    assert str(code) in (got.code if isinstance(got, Refused) else got.reason)


@pytest.mark.parametrize(
    ("code", "lane"),
    [
        pytest.param(-1, False, id="busy"),
        pytest.param(45009, True, id="over the limit"),
        pytest.param(60020, True, id="an address that is not trusted"),
        pytest.param(48002, True, id="no permission"),
    ],
)
def test_what_stops_all_calls_stops_the_lane(platform, channel, code, lane):
    platform.say(CONTACT + "send_welcome_msg", {"errcode": code})

    (got,) = channel.send("welcome", [out(HELLO)])

    assert isinstance(got, TryLater)
    assert got.lane is lane


def test_a_body_that_cannot_be_sent_is_refused(channel):
    (got,) = channel.send("welcome", [out(Welcome(text="no code"))])

    assert isinstance(got, Refused)
    assert got.code == "invalid"


def test_one_item_that_fails_leaves_the_others_of_its_batch_alone(platform, channel):
    platform.say(CONTACT + "send_welcome_msg", {"errcode": 41050}, {"errcode": 0})

    got = channel.send("welcome", [out(HELLO), out(HELLO)])

    assert [type(one) for one in got] == [Refused, Accepted]


def test_a_lost_answer_to_a_contact_way_is_looked_up_in_the_platforms_list(platform, channel):
    platform.say(CONTACT + "add_contact_way", platform.raw(hang_up=True))
    platform.say(CONTACT + "list_contact_way", {"contact_way": [{"config_id": "c0"}, {"config_id": "c1"}]})
    states = {"c0": "another", "c1": "s1"}
    platform.say(
        CONTACT + "get_contact_way",
        lambda asked: {
            "contact_way": {
                "config_id": asked.body["config_id"],
                "state": states[asked.body["config_id"]],
                "user": ["zhangsan"],
                "qr_code": "q",
            }
        },
    )

    (lost,) = channel.send("add_contact_way", [out(WAY)])
    (found,) = channel.ask("add_contact_way", [out(WAY)])

    assert isinstance(lost, Unknown)
    assert found == Delivered(provider_id="c1", answer={"config_id": "c1", "qr_code": "q"})


@pytest.mark.parametrize(
    ("operation", "body", "path", "reply", "outcome"),
    [
        pytest.param("add_contact_way", WAY, "list_contact_way", {}, TryLater, id="no such contact way"),
        pytest.param(
            "add_contact_way",
            AddContactWay(user=("u",)),
            "list_contact_way",
            {},
            Unknown,
            id="a contact way without a state",
        ),
        pytest.param("add_contact_way", WAY, "list_contact_way", {"errcode": -1}, Unknown, id="busy"),
        pytest.param("add_corp_tag", TAGS, "get_corp_tag_list", {}, TryLater, id="no such tags"),
        pytest.param(
            "add_corp_tag", TAGS, "get_corp_tag_list", {"tag_group": [GROUP]}, Delivered, id="the tags are there"
        ),
        pytest.param("mark_tag", None, "mark_tag", {}, TryLater, id="harmless to do again"),
    ],
)
def test_what_became_of_a_lost_request_is_asked(platform, channel, operation, body, path, reply, outcome):
    platform.say(CONTACT + path, reply)

    (got,) = channel.ask(operation, [out(body)])

    assert type(got) is outcome


BY_NAME = MarkTag(userid="u", external_userid="wm1", add_named=(("来源", "门店"),))


def test_a_tag_is_put_on_by_its_name(platform, channel):
    platform.say(CONTACT + "get_corp_tag_list", {"tag_group": [GROUP]})

    channel.send("mark_tag", [out(BY_NAME), out(BY_NAME)])

    assert [body["add_tag"] for body in platform.bodies(CONTACT + "mark_tag")] == [["et1"], ["et1"]]
    assert len(platform.of(CONTACT + "get_corp_tag_list")) == 1


def test_a_tag_that_the_library_lacks_is_made_first(platform, channel):
    platform.say(CONTACT + "get_corp_tag_list", {}, {"tag_group": [GROUP]})
    platform.say(CONTACT + "add_corp_tag", {"tag_group": GROUP})

    assert channel.send("mark_tag", [out(BY_NAME)]) == [Delivered()]
    assert platform.bodies(CONTACT + "add_corp_tag") == [TAGS.as_json()]
    assert platform.bodies(CONTACT + "mark_tag")[0]["add_tag"] == ["et1"]


def test_a_tag_that_was_deleted_meanwhile_is_looked_up_again(platform, channel):
    again = {**GROUP, "tag": [{"id": "et9", "name": "门店"}]}
    platform.say(CONTACT + "get_corp_tag_list", {"tag_group": [GROUP]}, {"tag_group": [again]})
    platform.say(CONTACT + "mark_tag", {"errcode": 40068}, {"errcode": 0})

    assert channel.send("mark_tag", [out(BY_NAME)]) == [Delivered()]
    assert platform.bodies(CONTACT + "mark_tag")[-1]["add_tag"] == ["et9"]


def test_all_that_is_wrong_with_the_settings_is_said_at_once():
    written = {
        "corp_id": "",
        "secret": {"env": "GOOD"},
        "token": {"env": "BAD"},
        "encoding_aes_key": {"env": "BAD"},
        "base_url": "http://example.com",
        "timeout": "0s",
    }

    with pytest.raises(SettingsError) as caught:
        structure_options(WeComSettings, written, "plugins.wecom", {"GOOD": "s", "BAD": "canary not a key!"})

    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "plugins.wecom.corp_id",
        "plugins.wecom.token",
        "plugins.wecom.encoding_aes_key",
        "plugins.wecom.base_url",
        "plugins.wecom.timeout",
    ]
    assert "canary" not in str(caught.value)


def test_no_secret_stands_in_a_repr(channel, settings):
    shown = repr([channel, settings, HELLO])

    assert "canary" not in shown
    assert settings.token.reveal() not in shown
    assert settings.encoding_aes_key.reveal() not in shown
