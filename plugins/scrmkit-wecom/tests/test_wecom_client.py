"""The API client: what it asks for, and what it understands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scrmkit.errors import TryLaterError
from scrmkit_wecom.bodies import (
    AddContactWay,
    AddCorpTags,
    Attachment,
    AttachmentKind,
    DeleteCorpTags,
    EditCorpTag,
    MarkTag,
    NewTag,
    UpdateContactWay,
    Welcome,
)
from scrmkit_wecom.client import AddedContactWay
from scrmkit_wecom.records import (
    ContactWayRecord,
    CorpTag,
    CorpTagGroup,
    CustomerRecord,
    ExternalContact,
    Follower,
    FollowerTag,
)

NOON = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
CONTACT = "externalcontact/"
WAY = AddContactWay(user=("zhangsan",), state="s1")
TAGS = AddCorpTags(group_name="来源", tags=(NewTag(name="门店"),))
HELLO = Welcome(welcome_code="code-canary", text="hello")
MARK = MarkTag(userid="zhangsan", external_userid="wm1", add_tag=("et1",))


def test_a_welcome_is_sent_as_the_platform_wants_it(platform, client):
    client.send_welcome_msg(
        Welcome(
            welcome_code="c",
            text="欢迎",
            attachments=(
                Attachment(kind=AttachmentKind.IMAGE, media_id="m1"),
                Attachment(kind=AttachmentKind.LINK, title="t", url="https://example.com"),
                Attachment(kind=AttachmentKind.MINIPROGRAM, title="t", pic_media_id="m2", appid="wx1", page="/i"),
                Attachment(kind=AttachmentKind.FILE, media_id="m3"),
            ),
        )
    )

    assert platform.bodies(CONTACT + "send_welcome_msg") == [
        {
            "welcome_code": "c",
            "text": {"content": "欢迎"},
            "attachments": [
                {"msgtype": "image", "image": {"media_id": "m1"}},
                {"msgtype": "link", "link": {"title": "t", "url": "https://example.com"}},
                {
                    "msgtype": "miniprogram",
                    "miniprogram": {"title": "t", "pic_media_id": "m2", "appid": "wx1", "page": "/i"},
                },
                {"msgtype": "file", "file": {"media_id": "m3"}},
            ],
        }
    ]


def test_a_member_without_customers_has_none(platform, client):
    platform.say(CONTACT + "list", {"errcode": 84061, "errmsg": "not external contact"})

    assert client.list_customers("zhangsan") == ()


@pytest.mark.parametrize("reply", [{}, {"external_userid": None}, {"external_userid": []}, {"external_userid": ""}])
def test_an_empty_list_is_empty_however_it_is_written(platform, client, reply):
    platform.say(CONTACT + "list", reply)

    assert client.list_customers("zhangsan") == ()


def test_a_customer_is_read_over_all_pages(platform, client):
    pages = {
        "": {
            "errcode": 0,
            "external_contact": {
                "external_userid": "wm1",
                "name": "李四",
                "type": "1",
                "gender": "2",
                "unionid": "o1",
                "something_new": {"a": 1},
            },
            "follow_user": [
                {
                    "userid": "zhangsan",
                    "remark": "r",
                    "createtime": "1735689600",
                    "add_way": 1,
                    "state": "s1",
                    "tags": [
                        {"group_name": "g", "tag_name": "n", "type": 1, "tag_id": "et1"},
                        {"group_name": "h", "tag_name": "own", "type": 2},
                    ],
                    "remark_mobiles": ["13900000001"],
                }
            ],
            "next_cursor": "p2",
        },
        "p2": {"external_contact": {"external_userid": "wm1", "name": "李四", "gender": 2,
               "unionid": "o1"}, "follow_user": [{"userid": "lisi", "createtime": None}, "odd"]},
    }  # fmt: skip
    platform.say(CONTACT + "get", lambda asked: pages[asked.query.get("cursor", "")])

    assert client.get_customer("wm1") == CustomerRecord(
        contact=ExternalContact(external_userid="wm1", name="李四", gender=2, unionid="o1"),
        followers=(
            Follower(
                userid="zhangsan",
                remark="r",
                mobiles=("13900000001",),
                since=datetime.fromtimestamp(1735689600, UTC),
                tags=(FollowerTag(id="et1", group="g", name="n"), FollowerTag(group="h", name="own", type=2)),
                add_way=1,
                state="s1",
            ),
            Follower(userid="lisi"),
        ),
    )


def test_customers_of_several_members_are_read_page_by_page(platform, client):
    pages = {
        "": {"external_contact_list": [
                {"external_contact": {"external_userid": "wm1"},
                 "follow_info": {"userid": "zhangsan", "tag_id": ["et1"]}}],
             "next_cursor": "p2"},
        "p2": {"external_contact_list": [
                {"external_contact": {"external_userid": "wm2"}, "follow_info": None}, {}]},
    }  # fmt: skip
    platform.say(CONTACT + "batch/get_by_user", lambda asked: pages[asked.body["cursor"]])

    found = list(client.batch_get_by_user(["zhangsan", "lisi"]))

    assert found == [
        CustomerRecord(
            contact=ExternalContact(external_userid="wm1"),
            followers=(Follower(userid="zhangsan", tags=(FollowerTag(id="et1"),)),),
        ),
        CustomerRecord(contact=ExternalContact(external_userid="wm2")),
    ]
    assert platform.bodies(CONTACT + "batch/get_by_user")[0] == {
        "userid_list": ["zhangsan", "lisi"],
        "cursor": "",
        "limit": 100,
    }


def test_pages_that_lead_back_to_themselves_are_given_up(platform, client):
    platform.say(CONTACT + "list_contact_way", {"contact_way": [], "next_cursor": "again"})

    with pytest.raises(TryLaterError):
        list(client.list_contact_way())


def test_a_contact_way_is_added_as_the_platform_wants_it(platform, client):
    platform.say(CONTACT + "add_contact_way", {"config_id": "c1", "qr_code": "https://q"})

    assert client.add_contact_way(WAY) == AddedContactWay(config_id="c1", qr_code="https://q")
    assert platform.bodies(CONTACT + "add_contact_way") == [
        {"type": 1, "scene": 2, "skip_verify": True, "state": "s1", "user": ["zhangsan"], "is_exclusive": False}
    ]


def test_a_contact_way_is_read(platform, client):
    platform.say(
        CONTACT + "get_contact_way",
        {"contact_way": {"config_id": "c1", "type": 2, "scene": "2", "state": "s1",
                         "skip_verify": False, "user": ["u"], "party": ["7"], "qr_code": "q"}},
    )  # fmt: skip

    assert client.get_contact_way("c1") == ContactWayRecord(
        config_id="c1", type=2, skip_verify=False, state="s1", qr_code="q", user=("u",), party=(7,)
    )


def test_contact_ways_are_listed_in_a_window(platform, client):
    platform.say(CONTACT + "list_contact_way", {"contact_way": [{"config_id": "c1"}, {}]})

    assert list(client.list_contact_way(NOON, NOON + timedelta(hours=1))) == ["c1"]
    assert platform.bodies(CONTACT + "list_contact_way") == [
        {"limit": 1000, "start_time": 1793592000, "end_time": 1793595600}
    ]


def test_a_change_names_only_what_changes(platform, client):
    client.update_contact_way(UpdateContactWay(config_id="c1", remark="", user=("lisi",)))
    client.edit_corp_tag(EditCorpTag(id="et1", order=0))

    assert platform.bodies(CONTACT + "update_contact_way") == [{"config_id": "c1", "remark": "", "user": ["lisi"]}]
    assert platform.bodies(CONTACT + "edit_corp_tag") == [{"id": "et1", "order": 0}]


GROUP = {
    "group_id": "et0",
    "group_name": "来源",
    "order": "3",
    "tag": [{"id": "et1", "name": "门店", "order": 1}, {"name": "no id"}],
}
GROUP_READ = CorpTagGroup(id="et0", name="来源", order=3, tags=(CorpTag(id="et1", name="门店", order=1),))


@pytest.mark.parametrize(
    ("asked_for", "body"),
    [
        pytest.param({}, {}, id="all"),
        pytest.param({"tag_ids": ["et1"]}, {"tag_id": ["et1"]}, id="some tags"),
        pytest.param({"tag_ids": ["et1"], "group_ids": ["et0"]}, {"group_id": ["et0"]}, id="groups win"),
    ],
)
def test_the_tag_library_is_read(platform, client, asked_for, body):
    platform.say(CONTACT + "get_corp_tag_list", {"tag_group": [GROUP, {"group_name": "no id"}]})

    assert client.get_corp_tag_list(**asked_for) == (GROUP_READ,)
    assert platform.bodies(CONTACT + "get_corp_tag_list") == [body]


@pytest.mark.parametrize(
    ("tags", "body"),
    [
        pytest.param(TAGS, {"group_name": "来源", "order": 0, "tag": [{"name": "门店", "order": 0}]}, id="a new group"),
        pytest.param(
            AddCorpTags(group_id="et0", group_name="x", tags=(NewTag(name="a", order=2),)),
            {"group_id": "et0", "tag": [{"name": "a", "order": 2}]},
            id="a known group",
        ),
    ],
)
def test_tags_are_added(platform, client, tags, body):
    platform.say(CONTACT + "add_corp_tag", {"tag_group": GROUP})

    assert client.add_corp_tag(tags) == GROUP_READ
    assert platform.bodies(CONTACT + "add_corp_tag") == [body]


def test_tags_are_put_on_and_taken_off(platform, client):
    client.mark_tag(MarkTag(userid="u", external_userid="wm1", add_tag=("et1",), remove_tag=("et2",)))
    client.del_corp_tag(DeleteCorpTags(group_id=("et0",)))

    assert platform.bodies(CONTACT + "mark_tag") == [
        {"userid": "u", "external_userid": "wm1", "add_tag": ["et1"], "remove_tag": ["et2"]}
    ]
    assert platform.bodies(CONTACT + "del_corp_tag") == [{"group_id": ["et0"]}]
