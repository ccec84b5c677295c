"""Contact ways: their limits, their pages, and what scanning them does."""

from __future__ import annotations

import pytest

from scrmkit.errors import InvalidValueError, UnknownNameError

WAY = {"type": 1, "scene": 2, "user": ["zhangsan"]}


def test_a_way_is_shown_as_it_was_made(api):
    made = api.post("add_contact_way", {**WAY, "state": "s", "remark": "门店", "skip_verify": False})

    assert api.post("get_contact_way", {"config_id": made["config_id"]})["contact_way"] == {
        "config_id": made["config_id"],
        "type": 1,
        "scene": 2,
        "remark": "门店",
        "skip_verify": False,
        "state": "s",
        "qr_code": made["qr_code"],
        "user": ["zhangsan"],
        "party": [],
        "is_temp": False,
        "is_exclusive": False,
        "mark_source": True,
    }


def test_a_button_has_a_style_and_no_code(api):
    made = api.post("add_contact_way", {**WAY, "scene": 1, "style": 3})

    way = api.post("get_contact_way", {"config_id": made["config_id"]})["contact_way"]
    assert "qr_code" not in made
    assert ("qr_code" in way, way["style"]) == (False, 3)


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        pytest.param({"type": None}, 41037, id="no type"),
        pytest.param({"type": 3}, 41039, id="a wrong type"),
        pytest.param({"scene": None}, 41038, id="no scene"),
        pytest.param({"scene": "x"}, 41040, id="a wrong scene"),
        pytest.param({"scene": 1, "style": 4}, 41042, id="a wrong style"),
        pytest.param({"type": 2, "scene": 1, "style": 3}, 41042, id="a wrong style for several"),
        pytest.param({"type": "1", "scene": "2"}, 0, id="numbers as texts"),
        pytest.param({"state": "客" * 30}, 0, id="a state of 30 characters"),
        pytest.param({"state": "客" * 31}, 40058, id="a state of 31 characters"),
        pytest.param({"remark": "a" * 31}, 40058, id="a remark of 31 characters"),
        pytest.param({"user": []}, 40063, id="no member"),
        pytest.param({"user": ["lisi", "wangwu"]}, 40032, id="two members for one"),
        pytest.param({"type": 2, "user": [], "party": []}, 40063, id="nobody for several"),
        pytest.param({"type": 2, "party": [9]}, 60123, id="an unknown department"),
        pytest.param({"user": ["nobody"]}, 60111, id="an unknown member"),
        pytest.param({"user": ["asleep"]}, 41054, id="a member who has not begun"),
        pytest.param({"user": ["unnamed"]}, 41054, id="a member without a verified name"),
        pytest.param({"user": ["warehouse"]}, 84074, id="a member without the function"),
        pytest.param({"user": ["hidden"]}, 60021, id="a member outside the range"),
        pytest.param({"type": 2, "party": [100]}, 0, id="100 members"),
        pytest.param({"type": 2, "party": [100, 1]}, 41041, id="more than 100 members"),
        pytest.param({"is_temp": True, "expires_in": 1_209_601}, 40058, id="over 14 days"),
        pytest.param({"is_temp": True, "type": 2}, 40058, id="a temporary one for several"),
    ],
)
def test_a_new_way_is_checked(api, sandbox, changes, errcode):
    sandbox.hire("asleep", active=False, departments=[2])
    sandbox.hire("unnamed", verified=False, departments=[2])
    sandbox.hire("warehouse", contact=False, departments=[2])
    sandbox.hire("hidden", visible=False, departments=[2])
    for number in range(99):
        sandbox.hire(f"m{number}", departments=[100])

    assert api.code("add_contact_way", {**WAY, **changes}) == errcode


def test_a_company_has_a_limited_number_of_ways(api, sandbox):
    sandbox.corp.way_limit = 1
    api.way()

    assert api.code("add_contact_way", WAY) == 41045


@pytest.mark.parametrize("call", ["get_contact_way", "update_contact_way", "del_contact_way"])
@pytest.mark.parametrize(("body", "errcode"), [({}, 41043), ({"config_id": "0"}, 41044)])
def test_a_way_is_named_by_its_id(api, call, body, errcode):
    assert api.code(call, body) == errcode


def test_an_update_replaces_members_and_leaves_the_rest(api):
    config_id = api.way(state="s", remark="old")

    assert api.code("update_contact_way", {"config_id": config_id, "user": ["lisi"]}) == 0

    way = api.post("get_contact_way", {"config_id": config_id})["contact_way"]
    assert (way["user"], way["state"], way["remark"]) == (["lisi"], "s", "old")


def test_an_update_never_changes_type_and_scene(api):
    config_id = api.way()
    api.post("update_contact_way", {"config_id": config_id, "type": 2, "scene": 1})

    way = api.post("get_contact_way", {"config_id": config_id})["contact_way"]
    assert (way["type"], way["scene"]) == (1, 2)


def test_a_refused_update_changes_nothing(api):
    config_id = api.way(state="s")
    body = {"config_id": config_id, "state": "new", "user": ["nobody"]}

    assert api.code("update_contact_way", body) == 60111
    way = api.post("get_contact_way", {"config_id": config_id})["contact_way"]
    assert way["state"] == "s"


def test_a_deleted_way_is_gone(api, sandbox):
    config_id = api.way()
    api.post("del_contact_way", {"config_id": config_id})

    assert api.code("get_contact_way", {"config_id": config_id}) == 41044
    with pytest.raises(UnknownNameError):
        sandbox.scan(config_id=config_id)


def test_ways_are_listed_in_pages_without_temporary_ones(api):
    made = [api.way(state=f"s{number}") for number in range(3)]
    api.way(is_temp=True)

    first = api.post("list_contact_way", {"limit": 2})
    rest = api.post("list_contact_way", {"limit": 2, "cursor": first["next_cursor"]})

    assert [way["config_id"] for way in first["contact_way"]] == made[:2]
    assert [way["config_id"] for way in rest["contact_way"]] == made[2:]
    assert rest["next_cursor"] == ""


def test_by_default_the_ways_of_90_days_are_listed(api, sandbox):
    api.way(state="old")
    sandbox.move_clock(seconds=91 * 86400)
    api.token = api.fetch()["access_token"]
    new = api.way(state="new")

    assert api.post("list_contact_way")["contact_way"] == [{"config_id": new}]
    assert len(api.post("list_contact_way", {"start_time": 0})["contact_way"]) == 2


# Scanning


def test_everybody_behind_a_way_for_several_gets_customers(api, sandbox):
    api.way(type=2, user=["lisi"], party=[1])

    members = {sandbox.scan(state="shop-1")["userid"] for _ in range(40)}
    assert members == {"zhangsan", "lisi", "wangwu"}


def test_an_exclusive_way_leads_the_same_customer_to_the_same_member(api, sandbox):
    api.way(type=2, user=[], party=[1], is_exclusive=True)
    first = sandbox.scan(state="shop-1")

    again = set()
    for _ in range(10):
        sandbox.delete_contact(first["userid"], first["external_userid"])
        scanned = sandbox.scan(state="shop-1", external_userid=first["external_userid"])
        again.add(scanned["userid"])
    assert again == {first["userid"]}


def test_a_second_scan_of_a_friend_adds_nothing(api, sandbox):
    api.way()
    first = sandbox.scan(state="shop-1")
    again = sandbox.scan(state="shop-1", external_userid=first["external_userid"])

    assert (again["added"], len(sandbox.list_events()["events"])) == (False, 1)


def test_without_skip_verify_the_member_has_to_agree(api, sandbox):
    api.way(skip_verify=False)
    asked = sandbox.scan(state="shop-1")
    assert api.get("list", userid="zhangsan")["errcode"] == 84061

    sandbox.confirm("zhangsan", asked["external_userid"])
    assert api.get("list", userid="zhangsan")["external_userid"] == [asked["external_userid"]]


def test_a_temporary_way_is_scanned_once_and_not_late(api, sandbox):
    api.way(state="once", is_temp=True)
    api.way(state="late", is_temp=True, expires_in=60)
    sandbox.scan(state="once")
    sandbox.move_clock(seconds=60)

    for state in ("once", "late"):
        with pytest.raises(InvalidValueError, match="expired"):
            sandbox.scan(state=state)


def test_equal_seeds_give_equal_ids(sandbox):
    other = type(sandbox)(seed=sandbox.seed)

    assert other.secret == sandbox.secret
    ours, theirs = (each.add_contact("lisi")["external_userid"] for each in (sandbox, other))
    assert ours == theirs
    stranger = type(sandbox)(seed=sandbox.seed + 1)
    assert stranger.corp_id != sandbox.corp_id
    assert stranger.add_contact("lisi")["external_userid"] != ours
