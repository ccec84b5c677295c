"""The company's library of tags."""

from __future__ import annotations

import pytest


def names(api):
    return {
        group["group_name"]: [tag["name"] for tag in group["tag"]]
        for group in api.post("get_corp_tag_list")["tag_group"]
    }


def test_a_new_group_is_answered_with_its_new_tags(api, sandbox):
    now = int(sandbox.clock.now().timestamp())
    body = {"group_name": "Level", "order": 5, "tag": [{"name": "Gold", "order": 1}]}

    group = api.post("add_corp_tag", body)["tag_group"]

    assert (group["group_name"], group["order"], group["create_time"]) == ("Level", 5, now)
    [tag] = group["tag"]
    assert tag == {"id": tag["id"], "name": "Gold", "order": 1, "create_time": now}


def test_tags_are_added_to_the_group_of_that_name_or_id(api):
    api.tag("Gold", "Level")
    group_id = api.post("get_corp_tag_list")["tag_group"][0]["group_id"]

    api.tag("Silver", "Level")
    body = {"group_id": group_id, "group_name": "Ignored", "tag": [{"name": "Bronze"}]}
    answer = api.post("add_corp_tag", body)

    assert [tag["name"] for tag in answer["tag_group"]["tag"]] == ["Bronze"]
    assert names(api) == {"Level": ["Gold", "Silver", "Bronze"]}


def test_equal_names_in_one_request_make_one_tag(api):
    body = {"group_name": "G", "tag": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}

    assert len(api.post("add_corp_tag", body)["tag_group"]["tag"]) == 2


def test_a_larger_order_comes_first(api):
    tags = [{"name": "low"}, {"name": "high", "order": 9}]
    api.post("add_corp_tag", {"group_name": "G", "tag": tags})
    api.post("add_corp_tag", {"group_name": "First", "order": 1, "tag": [{"name": "x"}]})

    assert list(names(api).items()) == [("First", ["x"]), ("G", ["high", "low"])]


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        pytest.param({"tag": [{"name": "a"}]}, 40063, id="no group"),
        pytest.param({"group_id": "et0", "tag": [{"name": "a"}]}, 40068, id="an unknown group"),
        pytest.param({"group_name": "G"}, 40063, id="no tag"),
        pytest.param({"group_name": "G" * 31, "tag": [{"name": "a"}]}, 40072, id="a long group"),
        pytest.param({"group_name": "G", "tag": [{"name": "客" * 30}]}, 0, id="30 characters"),
        pytest.param({"group_name": "G", "tag": [{"name": "客" * 31}]}, 40072, id="31 characters"),
        pytest.param({"group_name": "G", "tag": [{}]}, 40072, id="a tag without a name"),
        pytest.param({"group_name": "Level", "tag": [{"name": "Gold"}]}, 40071, id="a known name"),
        pytest.param({"group_name": "G", "tag": [{"name": "a", "order": 2**32}]}, 40058, id="a large order"),
        pytest.param({"group_name": "G", "tag": [{"name": "a"}], "agentid": 7}, 301002, id="another app"),
        pytest.param({"group_name": "G", "tag": [{"name": "a"}], "agentid": 1000002}, 0, id="this app"),
    ],
)
def test_new_tags_are_checked(api, body, errcode):
    api.tag("Gold", "Level")

    assert api.code("add_corp_tag", body) == errcode


def test_a_refused_request_makes_no_group(api):
    api.post("add_corp_tag", {"group_name": "G", "tag": [{"name": "客" * 31}]})

    assert names(api) == {}


def test_a_company_has_a_limited_number_of_tags(api, sandbox):
    sandbox.corp.tag_limit = 1

    tags = [{"name": "a"}, {"name": "b"}]
    assert api.code("add_corp_tag", {"group_name": "G", "tag": tags}) == 40126


def test_a_tag_and_a_group_are_renamed(api):
    gold = api.tag("Gold", "Level")
    group_id = api.post("get_corp_tag_list")["tag_group"][0]["group_id"]

    assert api.code("edit_corp_tag", {"id": gold, "name": "Platinum", "order": 3}) == 0
    assert api.code("edit_corp_tag", {"id": group_id, "name": "Rank"}) == 0
    assert names(api) == {"Rank": ["Platinum"]}


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        pytest.param({}, 40068, id="no id"),
        pytest.param({"id": "et0", "name": "a"}, 40068, id="an unknown id"),
        pytest.param({"name": "Silver"}, 40071, id="a neighbour's name"),
        pytest.param({"name": "Gold"}, 0, id="its own name"),
        pytest.param({"name": "a" * 31}, 40072, id="a long name"),
    ],
)
def test_an_edit_is_checked(api, body, errcode):
    gold = api.tag("Gold")
    api.tag("Silver")

    given = {"id": gold, **body} if body else {}
    assert api.code("edit_corp_tag", given) == errcode


def test_the_last_tag_takes_its_group_along(api):
    gold, silver = api.tag("Gold"), api.tag("Silver")

    api.post("del_corp_tag", {"tag_id": [gold]})
    assert names(api) == {"Level": ["Silver"]}
    api.post("del_corp_tag", {"tag_id": [silver]})
    assert names(api) == {}


def test_a_deleted_group_takes_its_tags_from_the_customers(api, sandbox):
    gold = api.tag("Gold")
    customer = sandbox.add_contact("lisi")["external_userid"]
    api.post("mark_tag", {"userid": "lisi", "external_userid": customer, "add_tag": [gold]})
    group_id = api.post("get_corp_tag_list")["tag_group"][0]["group_id"]

    assert api.code("del_corp_tag", {"group_id": [group_id]}) == 0

    [follow] = api.get("get", external_userid=customer)["follow_user"]
    assert follow["tags"] == []


@pytest.mark.parametrize(("body", "errcode"), [({}, 40063), ({"tag_id": ["et0"]}, 40068)])
def test_a_deletion_is_checked(api, body, errcode):
    assert api.code("del_corp_tag", body) == errcode


def test_an_app_leaves_the_admins_tags_alone(api, sandbox):
    made = sandbox.add_tag("Admin", "VIP")

    for id_ in (made["tag_id"], made["group_id"]):
        assert api.code("edit_corp_tag", {"id": id_, "name": "mine"}) == 60011
    assert api.code("del_corp_tag", {"tag_id": [made["tag_id"]]}) == 60011


def test_deleted_tags_show_only_when_asked_for_by_id(api):
    gold, _ = api.tag("Gold"), api.tag("Silver")
    group_id = api.post("get_corp_tag_list")["tag_group"][0]["group_id"]
    api.post("del_corp_tag", {"tag_id": [gold]})

    [by_tag] = api.post("get_corp_tag_list", {"tag_id": [gold]})["tag_group"]
    [by_group] = api.post("get_corp_tag_list", {"group_id": [group_id]})["tag_group"]
    [all_of_them] = api.post("get_corp_tag_list", {"tag_id": []})["tag_group"]

    assert (by_tag["deleted"], [tag["deleted"] for tag in by_tag["tag"]]) == (False, [True])
    assert [tag["deleted"] for tag in by_group["tag"]] == [True, False]
    assert ("deleted" in by_group, "deleted" in all_of_them["tag"][0]) == (False, False)


def test_an_unknown_id_is_refused(api):
    assert api.code("get_corp_tag_list", {"tag_id": ["et0"]}) == 40068
    assert api.code("get_corp_tag_list", {"group_id": ["et0"]}) == 40068
