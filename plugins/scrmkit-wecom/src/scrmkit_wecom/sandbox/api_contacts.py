"""API calls about members, their customers and the tags between them, and the welcome."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scrmkit_wecom.sandbox.contents import check_welcome
from scrmkit_wecom.sandbox.corp import Corp
from scrmkit_wecom.sandbox.errors import (
    BAD_CUSTOMER,
    BAD_TAG,
    BAD_WELCOME_CODE,
    EMPTY_PARAMETER,
    MEMBER_INVISIBLE,
    NO_CONTACT_FUNCTION,
    NO_CUSTOMER,
    NO_MEMBER,
    NO_USERID,
    NO_WELCOME_CODE,
    NOT_A_CONTACT,
    USER_COUNT,
    WELCOME_BEING_SENT,
    WELCOME_DELIVERED,
    ApiError,
)
from scrmkit_wecom.sandbox.fields import Call, after, cursor
from scrmkit_wecom.sandbox.state import Customer, Follow, Staff, Welcome

FOLLOWERS_PER_PAGE = 500
"""Source: WeCom API, 获取客户详情 (path/92114), read 2026-11."""

MOST_USERIDS = 100
DEFAULT_LIMIT = 50
MOST_PER_PAGE = 100
"""Source: WeCom API, 批量获取客户详情 (path/92994), read 2026-11; more is taken as the most."""

Answer = dict[str, Any]


def get_follow_user_list(corp: Corp, call: Call) -> Answer:
    """The members that may have customers. Source: WeCom API (path/92571), read 2026-11."""
    found = [m.userid for m in corp.staff.values() if m.has_contact_function and m.is_visible]
    return {"follow_user": found}


def list_customers(corp: Corp, call: Call) -> Answer:
    """
    All customers of one member; 84061 where there are none.

    Source: WeCom API, 获取客户列表 (path/92113), read 2026-11.
    """
    member = _member(corp, call.query.text("userid", missing=NO_USERID))
    follows = corp.customers_of(member.userid)
    if not follows:
        raise ApiError(NOT_A_CONTACT)
    return {"external_userid": [follow.external_userid for follow in follows]}


def get_customer(corp: Corp, call: Call) -> Answer:
    """One customer with all followers. Source: WeCom API (path/92114), read 2026-11."""
    external_userid = call.query.text("external_userid", missing=NO_CUSTOMER)
    customer = corp.customers.get(external_userid)
    if customer is None:
        raise ApiError(BAD_CUSTOMER)
    follows = corp.followers_of(external_userid)
    if not follows:
        raise ApiError(NOT_A_CONTACT)
    position = after(call.query.text("cursor"), 1)
    left = [follow for follow in follows if position is None or follow.number > position[0]]
    page = left[:FOLLOWERS_PER_PAGE]
    answer: Answer = {
        "external_contact": _contact(corp, customer),
        "follow_user": [{**_follow(f), "tags": _tags(corp, f)} for f in page],
    }
    if len(left) > len(page):
        answer["next_cursor"] = cursor(page[-1].number)
    return answer


def batch_get_by_user(corp: Corp, call: Call) -> Answer:
    """
    Customers of several members, page by page.

    The older form with one ``userid`` is understood as well.
    Source: WeCom API, 批量获取客户详情 (path/92994), read 2026-11.
    """
    userids = call.body.texts("userid_list") or [call.body.text("userid", missing=NO_USERID)]
    if len(userids) > MOST_USERIDS:
        raise ApiError(USER_COUNT, f"userid_list holds more than {MOST_USERIDS}")
    limit = call.body.integer("limit", low=-(2**31)) or DEFAULT_LIMIT
    limit = min(limit, MOST_PER_PAGE) if limit > 0 else DEFAULT_LIMIT
    position = after(call.body.text("cursor"), 2)
    rows = [
        ((index, follow.number), follow)
        for index, userid in enumerate(userids)
        for follow in corp.customers_of(_member(corp, userid).userid)
    ]
    left = [row for row in rows if position is None or row[0] > position]
    page = left[:limit]
    return {
        "external_contact_list": [
            {
                "external_contact": _contact(corp, corp.customers[follow.external_userid]),
                "follow_info": {**_follow(follow), "tag_id": list(follow.tag_ids)},
            }
            for _, follow in page
        ],
        "next_cursor": cursor(*page[-1][0]) if len(left) > len(page) else "",
        "fail_info": {"unlicensed_userid_list": []},
    }


def mark_tag(corp: Corp, call: Call) -> Answer:
    """Add and remove tags of one pair. Source: WeCom API (path/92118), read 2026-11."""
    member = _member(corp, call.body.text("userid", missing=NO_USERID))
    external_userid = call.body.text("external_userid", missing=NO_CUSTOMER)
    added, removed = call.body.texts("add_tag"), call.body.texts("remove_tag")
    if not added and not removed:
        raise ApiError(EMPTY_PARAMETER, "add_tag and remove_tag")
    follow = corp.follow(member.userid, external_userid)
    if follow is None or follow.status == "pending":
        raise ApiError(NOT_A_CONTACT)
    _known_tags(corp, [*added, *removed])
    kept = [each for each in follow.tag_ids if each not in removed]
    follow.tag_ids = list(dict.fromkeys([*kept, *added]))
    return {}


def send_welcome_msg(corp: Corp, call: Call) -> Answer:
    """
    Welcome a new customer; 20 s and once.

    Source: WeCom API, 发送新客户欢迎语 (path/92137), read 2026-11.
    """
    code = call.body.text("welcome_code", missing=NO_WELCOME_CODE)
    text, attachments = check_welcome(call.body)
    ticket = corp.tickets.get(code)
    if ticket is not None and ticket.claim == "other_app_sending":
        raise ApiError(WELCOME_BEING_SENT)
    if ticket is not None and ticket.claim:
        raise ApiError(WELCOME_DELIVERED)
    if ticket is None or ticket.is_late(call.at):
        raise ApiError(BAD_WELCOME_CODE)
    ticket.claim = "app"
    ticket.follow.is_welcomed = True
    corp.welcomes.append(
        Welcome(
            userid=ticket.follow.userid,
            external_userid=ticket.follow.external_userid,
            at=call.at,
            text=text,
            attachments=attachments,
        )
    )
    return {}


def _member(corp: Corp, userid: str) -> Staff:
    member = corp.member(userid)
    if member is None:
        raise ApiError(NO_MEMBER)
    if not member.is_visible:
        raise ApiError(MEMBER_INVISIBLE)
    if not member.has_contact_function:
        raise ApiError(NO_CONTACT_FUNCTION)
    return member


def _known_tags(corp: Corp, tag_ids: Sequence[str]) -> None:
    for tag_id in tag_ids:
        if corp.tag(tag_id) is None:
            raise ApiError(BAD_TAG, tag_id)


def _contact(corp: Corp, customer: Customer) -> Answer:
    shown: Answer = {
        "external_userid": customer.external_userid,
        "name": customer.name,
        "avatar": f"https://avatar.sandbox.invalid/{customer.external_userid}",
        "type": customer.type,
        "gender": customer.gender,
    }
    if customer.type == 1 and corp.exposes_unionid:
        shown["unionid"] = customer.unionid
    if customer.type == 2:
        shown |= {"position": "", "corp_name": "Other Co", "corp_full_name": "Other Co Ltd"}
    return shown


def _follow(follow: Follow) -> Answer:
    shown: Answer = {
        "userid": follow.userid,
        "remark": follow.remark,
        "description": "",
        "createtime": int(follow.created_at.timestamp()),
        "remark_mobiles": [],
        "add_way": follow.add_way,
        "oper_userid": follow.external_userid,
    }
    return {**shown, "state": follow.state} if follow.state else shown


def _tags(corp: Corp, follow: Follow) -> list[Answer]:
    shown: list[Answer] = []
    for tag_id in follow.tag_ids:
        if found := corp.tag(tag_id):
            group, tag = found
            names = {"group_name": group.name, "tag_name": tag.name}
            shown.append({**names, "type": 1, "tag_id": tag.id})
    own = [{"group_name": "", "tag_name": name, "type": 2} for name in follow.personal_tags]
    return [*shown, *own]
