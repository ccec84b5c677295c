"""What WeCom says of customers, contact ways and tags; lenient, since replies vary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs

from scrmkit.domain.identity import personal
from scrmkit_wecom.api import whole_number


@attrs.frozen(kw_only=True)
class ExternalContact:
    """
    A customer (客户) as the platform knows it.

    Source: WeCom API, 获取客户详情 (path/92114), read 2026-11.

    Attributes:
        type: 1 a WeChat user, 2 another company's WeCom user.
        gender: 0 unknown, 1 male, 2 female.
        unionid: Only of WeChat users, and only where the company has bound a
            WeChat developer account; else empty.
    """

    external_userid: str
    name: str = personal(default="")
    avatar: str = personal(default="")
    type: int = 1
    gender: int = 0
    unionid: str = personal(default="")
    corp_name: str = ""


@attrs.frozen(kw_only=True)
class FollowerTag:
    """
    A tag that a member has put on a customer.

    Attributes:
        type: 1 the company's, 2 the member's own (then without id), 3 of a strategy.
    """

    id: str = ""
    group: str = ""
    name: str = ""
    type: int = 1


@attrs.frozen(kw_only=True)
class Follower:
    """
    A member's relation to a customer (跟进人).

    Attributes:
        since: When the customer was added; None where it is not said.
        add_way: How, by the platform's number: 1 a QR code, 16 an acquisition link …
        state: The contact way's state, our own source.
    """

    userid: str
    remark: str = personal(default="")
    description: str = personal(default="")
    mobiles: tuple[str, ...] = personal(default=())
    since: datetime | None = None
    tags: tuple[FollowerTag, ...] = ()
    add_way: int = 0
    state: str = ""


@attrs.frozen(kw_only=True)
class CustomerRecord:
    """A customer with all members who have it as a contact."""

    contact: ExternalContact
    followers: tuple[Follower, ...] = ()


@attrs.frozen(kw_only=True)
class ContactWayRecord:
    """
    A contact way (联系我) as the platform keeps it.

    Attributes:
        qr_code: The code's address, with scene 2.
    """

    config_id: str
    type: int = 1
    scene: int = 2
    style: int | None = None
    remark: str = ""
    skip_verify: bool = True
    state: str = ""
    qr_code: str = ""
    user: tuple[str, ...] = ()
    party: tuple[int, ...] = ()


@attrs.frozen(kw_only=True)
class CorpTag:
    """One of the company's tags; a deleted one is listed only when asked for by id."""

    id: str
    name: str
    order: int = 0
    deleted: bool = False


@attrs.frozen(kw_only=True)
class CorpTagGroup:
    """A group of the company's tags."""

    id: str
    name: str
    order: int = 0
    deleted: bool = False
    tags: tuple[CorpTag, ...] = ()


def customer_record(contact: Any, followers: Iterable[Any]) -> CustomerRecord | None:
    """A customer from its JSON, None where it has no id."""
    members = _object(contact)
    external_userid = _text(members, "external_userid")
    if not external_userid:
        return None
    return CustomerRecord(
        contact=ExternalContact(
            external_userid=external_userid,
            name=_text(members, "name"),
            avatar=_text(members, "avatar"),
            type=whole_number(members.get("type"), 1),
            gender=whole_number(members.get("gender")),
            unionid=_text(members, "unionid"),
            corp_name=_text(members, "corp_name"),
        ),
        followers=tuple(found for one in followers if (found := _follower(one)) is not None),
    )


def contact_way_record(way: Any) -> ContactWayRecord | None:
    """A contact way from its JSON, None where it has no id."""
    members = _object(way)
    config_id = _text(members, "config_id")
    if not config_id:
        return None
    style = whole_number(members.get("style"))
    return ContactWayRecord(
        config_id=config_id,
        type=whole_number(members.get("type"), 1),
        scene=whole_number(members.get("scene"), 2),
        style=style or None,
        remark=_text(members, "remark"),
        skip_verify=members.get("skip_verify") is not False,
        state=_text(members, "state"),
        qr_code=_text(members, "qr_code"),
        user=texts(members.get("user")),
        party=tuple(whole_number(one) for one in _list(members.get("party"))),
    )


def tag_group(group: Any) -> CorpTagGroup | None:
    """A tag group from its JSON, None where it has no id."""
    members = _object(group)
    group_id = _text(members, "group_id")
    if not group_id:
        return None
    return CorpTagGroup(
        id=group_id,
        name=_text(members, "group_name"),
        order=whole_number(members.get("order")),
        deleted=members.get("deleted") is True,
        tags=tuple(
            CorpTag(
                id=_text(one, "id"),
                name=_text(one, "name"),
                order=whole_number(one.get("order")),
                deleted=one.get("deleted") is True,
            )
            for one in map(_object, _list(members.get("tag")))
            if _text(one, "id")
        ),
    )


def texts(value: Any) -> tuple[str, ...]:
    """The texts of a list; absent, empty and null are one."""
    return tuple(one for one in _list(value) if isinstance(one, str) and one)


def objects(value: Any) -> tuple[Mapping[str, Any], ...]:
    """The objects of a list; absent, empty and null are one."""
    return tuple(one for one in _list(value) if isinstance(one, dict))


def _follower(follower: Any) -> Follower | None:
    members = _object(follower)
    userid = _text(members, "userid")
    if not userid:
        return None
    since = whole_number(members.get("createtime"))
    return Follower(
        userid=userid,
        remark=_text(members, "remark"),
        description=_text(members, "description"),
        mobiles=texts(members.get("remark_mobiles")),
        since=datetime.fromtimestamp(since, UTC) if 0 < since < 2**37 else None,
        tags=_follower_tags(members),
        add_way=whole_number(members.get("add_way")),
        state=_text(members, "state"),
    )


def _follower_tags(members: Mapping[str, Any]) -> tuple[FollowerTag, ...]:
    """``get`` lists objects, ``batch/get_by_user`` only ids."""
    described = tuple(
        FollowerTag(
            id=_text(one, "tag_id"),
            group=_text(one, "group_name"),
            name=_text(one, "tag_name"),
            type=whole_number(one.get("type"), 1),
        )
        for one in objects(members.get("tags"))
    )
    return described or tuple(FollowerTag(id=one) for one in texts(members.get("tag_id")))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
