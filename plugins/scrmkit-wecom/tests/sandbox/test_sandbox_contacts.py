"""Customers, followers, tags on a pair, and welcomes, as an app sees them."""

from __future__ import annotations

import pytest


def test_follow_users_are_the_visible_members_with_the_function(api, sandbox):
    sandbox.hire("hidden", visible=False)
    sandbox.hire("warehouse", contact=False)

    assert api.get("get_follow_user_list")["follow_user"] == ["zhangsan", "lisi", "wangwu"]


def test_a_member_without_customers_gets_84061_and_no_empty_list(api):
    assert api.get("list", userid="zhangsan")["errcode"] == 84061


@pytest.mark.parametrize(
    ("query", "errcode"),
    [
        pytest.param({}, 41009, id="no member"),
        pytest.param({"userid": "nobody"}, 60111, id="an unknown one"),
        pytest.param({"userid": "hidden"}, 60021, id="one outside the range"),
        pytest.param({"userid": "warehouse"}, 84074, id="one without the function"),
    ],
)
def test_only_members_that_may_have_customers_can_be_listed(api, sandbox, query, errcode):
    sandbox.hire("hidden", visible=False)
    sandbox.hire("warehouse", contact=False)

    assert api.get("list", **query)["errcode"] == errcode


def test_userids_do_not_tell_upper_from_lower_case(api, sandbox):
    added = sandbox.add_contact("ZhangSan")

    assert api.get("list", userid="ZHANGSAN")["external_userid"] == [added["external_userid"]]


def test_a_scanned_customer_shows_where_from(api, sandbox):
    api.way(state="shop-1")
    added = sandbox.scan(state="shop-1", name="Mei", unionid="oMei")

    assert api.get("get", external_userid=added["external_userid"]) == {
        "errcode": 0,
        "errmsg": "ok",
        "external_contact": {
            "external_userid": added["external_userid"],
            "name": "Mei",
            "avatar": f"https://avatar.sandbox.invalid/{added['external_userid']}",
            "type": 1,
            "gender": 0,
            "unionid": "oMei",
        },
        "follow_user": [
            {
                "userid": "zhangsan",
                "remark": "",
                "description": "",
                "createtime": int(sandbox.clock.now().timestamp()),
                "remark_mobiles": [],
                "add_way": 1,
                "oper_userid": added["external_userid"],
                "state": "shop-1",
                "tags": [],
            }
        ],
    }


def test_the_unionid_shows_only_where_a_developer_account_is_bound(api, sandbox):
    added = sandbox.add_contact("zhangsan")
    sandbox.change_corp(exposes_unionid=False)

    contact = api.get("get", external_userid=added["external_userid"])["external_contact"]
    assert "unionid" not in contact


def test_another_companys_people_have_no_unionid(api, sandbox):
    added = sandbox.add_contact("zhangsan", contact_type=2)

    contact = api.get("get", external_userid=added["external_userid"])["external_contact"]
    assert added["external_userid"].startswith("wo")
    assert (contact["type"], "unionid" in contact) == (2, False)


@pytest.mark.parametrize(("query", "errcode"), [({}, 41035), ({"external_userid": "wm0"}, 40096)])
def test_an_unknown_customer_is_refused(api, query, errcode):
    assert api.get("get", **query)["errcode"] == errcode


def test_a_customer_whom_nobody_follows_any_more_is_no_contact(api, sandbox):
    added = sandbox.add_contact("zhangsan")
    sandbox.delete_contact("zhangsan", added["external_userid"])

    assert api.get("get", external_userid=added["external_userid"])["errcode"] == 84061
    assert api.get("list", userid="zhangsan")["errcode"] == 84061


def test_followers_come_in_pages_of_500(api, sandbox):
    customer = sandbox.add_contact("zhangsan")["external_userid"]
    for number in range(500):
        sandbox.hire(f"member-{number}")
        sandbox.add_contact(f"member-{number}", external_userid=customer)

    first = api.get("get", external_userid=customer)
    last = api.get("get", external_userid=customer, cursor=first["next_cursor"])

    assert len(first["follow_user"]) == 500
    assert [each["userid"] for each in last["follow_user"]] == ["member-499"]
    assert "next_cursor" not in last


def test_batch_get_turns_pages_over_several_members(api, sandbox):
    added = [sandbox.add_contact(name)["external_userid"] for name in ("lisi", "zhangsan", "lisi")]

    seen, cursor = [], ""
    while True:
        body = {"userid_list": ["zhangsan", "lisi"], "cursor": cursor, "limit": 2}
        page = api.post("batch/get_by_user", body)
        seen += page["external_contact_list"]
        cursor = page["next_cursor"]
        if not cursor:
            break

    assert [each["external_contact"]["external_userid"] for each in seen] == [added[1], added[0], added[2]]
    assert seen[0]["follow_info"]["tag_id"] == []
    assert "tags" not in seen[0]["follow_info"]


def test_a_deleted_contact_does_not_disturb_the_pages(api, sandbox):
    added = [sandbox.add_contact("lisi")["external_userid"] for _ in range(3)]
    first = api.post("batch/get_by_user", {"userid_list": ["lisi"], "limit": 2})
    sandbox.delete_contact("lisi", added[0])

    body = {"userid_list": ["lisi"], "limit": 2, "cursor": first["next_cursor"]}
    rest = api.post("batch/get_by_user", body)["external_contact_list"]
    assert [each["external_contact"]["external_userid"] for each in rest] == [added[2]]


@pytest.mark.parametrize(
    ("limit", "rows"),
    [
        pytest.param({}, 50, id="by default 50"),
        pytest.param({"limit": 100}, 100, id="at most 100"),
        pytest.param({"limit": 1000}, 100, id="more is taken as 100"),
    ],
)
def test_a_batch_page_is_clamped(api, sandbox, limit, rows):
    for _ in range(101):
        sandbox.add_contact("lisi")

    page = api.post("batch/get_by_user", {"userid_list": ["lisi"], **limit})
    assert len(page["external_contact_list"]) == rows


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        pytest.param({}, 41009, id="nobody"),
        pytest.param({"userid_list": ["lisi"] * 101}, 40032, id="more than 100"),
        pytest.param({"userid_list": ["nobody"]}, 60111, id="an unknown member"),
        pytest.param({"userid_list": ["lisi"], "cursor": "?"}, 40058, id="a made-up cursor"),
        pytest.param({"userid_list": "lisi"}, 40058, id="no list"),
    ],
)
def test_a_wrong_batch_is_refused(api, body, errcode):
    assert api.code("batch/get_by_user", body) == errcode


# Tags on a pair


def test_tags_hang_on_the_pair_and_not_on_the_customer(api, sandbox):
    gold = api.tag("Gold")
    customer = sandbox.add_contact("zhangsan")["external_userid"]
    sandbox.add_contact("lisi", external_userid=customer)

    body = {"userid": "zhangsan", "external_userid": customer, "add_tag": [gold, gold]}
    assert api.code("mark_tag", body) == 0

    tags = {each["userid"]: each["tags"] for each in api.get("get", external_userid=customer)["follow_user"]}
    assert tags == {"zhangsan": [{"group_name": "Level", "tag_name": "Gold", "type": 1, "tag_id": gold}], "lisi": []}


def test_tags_are_removed_and_added_in_one_call(api, sandbox):
    gold, silver = api.tag("Gold"), api.tag("Silver")
    customer = sandbox.add_contact("lisi")["external_userid"]
    pair = {"userid": "lisi", "external_userid": customer}
    api.post("mark_tag", {**pair, "add_tag": [gold]})

    assert api.code("mark_tag", {**pair, "add_tag": [silver], "remove_tag": [gold]}) == 0

    rows = api.post("batch/get_by_user", {"userid": "lisi"})["external_contact_list"]
    assert [row["follow_info"]["tag_id"] for row in rows] == [[silver]]


def test_personal_tags_show_in_get_and_never_in_the_batch(api, sandbox):
    customer = sandbox.add_contact("lisi")["external_userid"]
    sandbox.edit_contact("lisi", customer, personal_tags=["tall"])

    [follow] = api.get("get", external_userid=customer)["follow_user"]
    [row] = api.post("batch/get_by_user", {"userid": "lisi"})["external_contact_list"]
    assert follow["tags"] == [{"group_name": "", "tag_name": "tall", "type": 2}]
    assert row["follow_info"]["tag_id"] == []


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        pytest.param({"userid": None}, 41009, id="no member"),
        pytest.param({"external_userid": ""}, 41035, id="no customer"),
        pytest.param({"userid": "nobody"}, 60111, id="an unknown member"),
        pytest.param({"userid": "wangwu"}, 84061, id="not this member's customer"),
        pytest.param({"add_tag": [], "remove_tag": []}, 40063, id="no tag"),
        pytest.param({"add_tag": ["et0"]}, 40068, id="an unknown tag"),
        pytest.param({"add_tag": [7]}, 40058, id="a tag that is no text"),
    ],
)
def test_a_wrong_mark_is_refused_and_marks_nothing(api, sandbox, changes, errcode):
    gold = api.tag()
    customer = sandbox.add_contact("lisi")["external_userid"]

    body = {"userid": "lisi", "external_userid": customer, "add_tag": [gold], **changes}
    assert api.code("mark_tag", body) == errcode

    [row] = api.post("batch/get_by_user", {"userid": "lisi"})["external_contact_list"]
    assert row["follow_info"]["tag_id"] == []


# Welcomes


@pytest.fixture
def code(api, sandbox):
    return sandbox.add_contact("zhangsan")["welcome_code"]


def welcome(api, code, **changes):
    return api.code("send_welcome_msg", {"welcome_code": code, "text": {"content": "hi"}, **changes})


def test_a_welcome_reaches_the_customer(api, sandbox, code):
    assert welcome(api, code, text={"content": "你好"}) == 0

    [sent] = api.control("welcomes")["welcomes"]
    assert (sent["userid"], sent["text"]) == ("zhangsan", "你好")


def test_a_welcome_code_works_once(api, code):
    welcome(api, code)

    assert welcome(api, code) == 41051
    assert len(api.control("welcomes")["welcomes"]) == 1


@pytest.mark.parametrize(("seconds", "errcode"), [(19, 0), (20, 41050)])
def test_a_welcome_code_lives_20_seconds(api, sandbox, code, seconds, errcode):
    sandbox.move_clock(seconds=seconds)

    assert welcome(api, code) == errcode


@pytest.mark.parametrize(("claim", "errcode"), [("other_app", 41051), ("chat", 41051), ("other_app_sending", 41096)])
def test_somebody_else_may_come_first(api, sandbox, code, claim, errcode):
    sandbox.claim_welcome(code, claim)

    assert welcome(api, code) == errcode


def test_another_apps_attempt_may_fail_so_that_ours_passes_later(api, sandbox, code):
    sandbox.claim_welcome(code, "other_app_sending")
    sandbox.claim_welcome(code, "")

    assert welcome(api, code) == 0


def test_after_a_welcome_to_the_half_added_the_full_add_has_no_code(api, sandbox):
    api.way()
    half = sandbox.scan(state="shop-1", half=True)
    welcome(api, half["welcome_code"])

    full = sandbox.confirm("zhangsan", half["external_userid"])
    assert "welcome_code" not in full


def test_another_companys_people_are_not_welcomed(sandbox):
    assert "welcome_code" not in sandbox.add_contact("lisi", contact_type=2)


LINK = {"title": "t", "url": "https://shop.invalid/"}
MINI = {"title": "t", "pic_media_id": "m", "appid": "wx1", "page": "p"}


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        pytest.param({"welcome_code": ""}, 41049, id="no code"),
        pytest.param({"welcome_code": "made-up"}, 41050, id="an unknown code"),
        pytest.param({"text": {}}, 40063, id="neither text nor attachment"),
        pytest.param({"text": {"content": "客" * 1333 + "a"}}, 0, id="4000 bytes"),
        pytest.param({"text": {"content": "客" * 1333 + "aa"}}, 40058, id="4001 bytes"),
        pytest.param({"text": "hi"}, 40058, id="a text that is no object"),
    ],
)
def test_the_parts_of_a_welcome_are_checked(api, code, changes, errcode):
    assert welcome(api, code, **changes) == errcode


@pytest.mark.parametrize(
    ("attachments", "errcode"),
    [
        pytest.param([{"msgtype": "link", "link": LINK}] * 9, 0, id="nine"),
        pytest.param([{"msgtype": "link", "link": LINK}] * 10, 41064, id="ten"),
        pytest.param([{"msgtype": "poll", "poll": {}}], 41065, id="an unknown type"),
        pytest.param([{"link": LINK}], 41065, id="no type"),
        pytest.param([{"msgtype": "link", "miniprogram": MINI}], 40058, id="another key"),
        pytest.param([{"msgtype": "miniprogram", "miniprogram": MINI}], 0, id="a mini-program"),
        pytest.param(
            [{"msgtype": "miniprogram", "miniprogram": {**MINI, "title": "a" * 65}}],
            40058,
            id="a mini-program's title of 65 bytes",
        ),
        pytest.param(
            [{"msgtype": "link", "link": {**LINK, "title": "客" * 43}}], 40058, id="a link's title of 129 bytes"
        ),
        pytest.param(
            [{"msgtype": "link", "link": {**LINK, "desc": "a" * 513}}], 40058, id="a link's text of 513 bytes"
        ),
        pytest.param([{"msgtype": "image", "image": {}}], 40058, id="an empty picture"),
        pytest.param([{"msgtype": "image", "image": {"pic_url": "u"}}], 0, id="a picture"),
        pytest.param([{"msgtype": "file", "file": {"media_id": "m"}}], 0, id="a file"),
        pytest.param([{"msgtype": "video", "video": {}}], 40058, id="a film without media"),
    ],
)
def test_attachments_are_checked(api, code, attachments, errcode):
    assert welcome(api, code, text=None, attachments=attachments) == errcode


def test_a_refused_welcome_leaves_the_code_alive(api, code):
    welcome(api, code, text={"content": "a" * 4001})

    assert welcome(api, code) == 0
