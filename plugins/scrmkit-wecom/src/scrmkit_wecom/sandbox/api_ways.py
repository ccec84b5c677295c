"""API calls about contact ways (联系我)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from scrmkit_wecom.sandbox.contents import check_conclusions
from scrmkit_wecom.sandbox.corp import Corp
from scrmkit_wecom.sandbox.errors import (
    BAD_CONFIG_ID,
    BAD_DEPARTMENT,
    BAD_PARAMETER,
    BAD_WAY_SCENE,
    BAD_WAY_STYLE,
    BAD_WAY_TYPE,
    EMPTY_PARAMETER,
    MEMBER_INVISIBLE,
    MEMBER_NOT_READY,
    NO_CONFIG_ID,
    NO_CONTACT_FUNCTION,
    NO_MEMBER,
    NO_WAY_SCENE,
    NO_WAY_TYPE,
    USER_COUNT,
    WAY_LIMIT,
    WAY_MEMBERS,
    ApiError,
)
from scrmkit_wecom.sandbox.fields import Call, Fields, after, cursor
from scrmkit_wecom.sandbox.state import ContactWay, Staff

REMARK_CHARS = 30
STATE_CHARS = 30
MOST_MEMBERS = 100
DEFAULT_LIFE = timedelta(days=7)
DEFAULT_CHAT_LIFE = timedelta(hours=24)
MOST_LIFE = timedelta(days=14)
DEFAULT_LIMIT = 100
MOST_PER_PAGE = 1000
LISTED = timedelta(days=90)
"""Limits. Source: WeCom API, 客户联系「联系我」管理 (path/92228), read 2026-11."""

SINGLE, MULTI = 1, 2
BUTTON, QR_CODE = 1, 2
_MOST_STYLE = {SINGLE: 3, MULTI: 2}

Answer = dict[str, Any]


def add_contact_way(corp: Corp, call: Call) -> Answer:
    """Make a contact way."""
    body = call.body
    kind = body.integer("type", low=1, high=2, missing=NO_WAY_TYPE, wrong=BAD_WAY_TYPE)
    scene = body.integer("scene", low=1, high=2, missing=NO_WAY_SCENE, wrong=BAD_WAY_SCENE)
    settings = {"type": kind, "scene": scene, **_settings(body, kind, scene, body.truth("is_temp", default=False))}
    users, parties = _members(corp, body, kind)
    if len(corp.ways) >= corp.way_limit:
        raise ApiError(WAY_LIMIT)
    state = body.text("state", most_chars=STATE_CHARS)
    config_id = corp.ids.hexadecimal(f"way:{state}")
    corp.ways[config_id] = ContactWay(
        number=corp.next_number(),
        config_id=config_id,
        created_at=call.at,
        state=state,
        users=users,
        parties=parties,
        settings=settings,
    )
    made = {"config_id": config_id}
    return {**made, "qr_code": _picture(config_id)} if scene == QR_CODE else made


def get_contact_way(corp: Corp, call: Call) -> Answer:
    """Show one contact way."""
    way = _way(corp, call)
    shown = {"config_id": way.config_id, **way.settings, "state": way.state, "user": way.users, "party": way.parties}
    if way.settings["scene"] == QR_CODE:
        shown["qr_code"] = _picture(way.config_id)
    return {"contact_way": shown}


def list_contact_way(corp: Corp, call: Call) -> Answer:
    """List the ids of all but temporary ways, page by page, oldest first."""
    now = int(call.at.timestamp())
    start = call.body.integer("start_time", default=int((call.at - LISTED).timestamp()))
    end = call.body.integer("end_time", default=now)
    limit = call.body.integer("limit", default=DEFAULT_LIMIT) or DEFAULT_LIMIT
    position = after(call.body.text("cursor"), 1)
    left = [
        way
        for way in corp.ways.values()
        if not way.is_temp
        and _moment(start) <= way.created_at < _moment(end + 1)
        and (position is None or way.number > position[0])
    ]
    page = left[: min(limit, MOST_PER_PAGE)]
    return {
        "contact_way": [{"config_id": way.config_id} for way in page],
        "next_cursor": cursor(page[-1].number) if len(left) > len(page) else "",
    }


def update_contact_way(corp: Corp, call: Call) -> Answer:
    """Change what is given of a contact way; type and scene stay."""
    way, body = _way(corp, call), call.body
    if way.is_expired(call.at):
        raise ApiError(BAD_PARAMETER, "this temporary contact way has expired")
    kind, scene = way.settings["type"], way.settings["scene"]
    settings = _settings(body, kind, scene, way.is_temp)
    state = body.text("state", most_chars=STATE_CHARS)
    if "user" in body or "party" in body:
        way.users, way.parties = _members(corp, body, kind, way)
    way.settings.update({name: value for name, value in settings.items() if name in body})
    if "state" in body:
        way.state = state
    return {}


def del_contact_way(corp: Corp, call: Call) -> Answer:
    """Delete a contact way; its code leads nowhere from now on."""
    del corp.ways[_way(corp, call).config_id]
    return {}


def _way(corp: Corp, call: Call) -> ContactWay:
    config_id = call.body.text("config_id", missing=NO_CONFIG_ID, wrong=BAD_CONFIG_ID)
    if config_id not in corp.ways:
        raise ApiError(BAD_CONFIG_ID)
    return corp.ways[config_id]


def _settings(body: Fields, kind: int, scene: int, is_temp: bool) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "remark": body.text("remark", most_chars=REMARK_CHARS),
        "skip_verify": body.truth("skip_verify", default=True),
        "is_temp": is_temp,
        "is_exclusive": body.truth("is_exclusive", default=False),
        "mark_source": body.truth("mark_source", default=True),
    }
    if scene == BUTTON:
        high = _MOST_STYLE[kind]
        settings["style"] = body.integer("style", default=1, low=1, high=high, wrong=BAD_WAY_STYLE)
    if is_temp:
        if kind != SINGLE:
            raise ApiError(BAD_PARAMETER, "is_temp is for type 1 only")
        most = int(MOST_LIFE.total_seconds())
        life, chat_life = DEFAULT_LIFE.total_seconds(), DEFAULT_CHAT_LIFE.total_seconds()
        settings |= {
            "expires_in": body.integer("expires_in", default=int(life), high=most),
            "chat_expires_in": body.integer("chat_expires_in", default=int(chat_life), high=most),
            "unionid": body.text("unionid"),
            "conclusions": check_conclusions(body),
        }
    return settings


def _members(corp: Corp, body: Fields, kind: int, way: ContactWay | None = None) -> tuple[list[str], list[int]]:
    users = body.texts("user") if way is None or "user" in body else way.users
    parties = body.integers("party") if way is None or "party" in body else way.parties
    if kind == SINGLE:
        parties = []
        if len(users) != 1:
            raise ApiError(USER_COUNT if users else EMPTY_PARAMETER, "type 1 takes one user")
    elif not users and not parties:
        raise ApiError(EMPTY_PARAMETER, "user and party")
    for userid in users:
        _check_ready(corp.member(userid))
    if not set(parties) <= corp.departments:
        raise ApiError(BAD_DEPARTMENT)
    if len(corp.expand(users, parties)) > MOST_MEMBERS:
        raise ApiError(WAY_MEMBERS)
    return list(users), list(parties)


def _check_ready(member: Staff | None) -> None:
    if member is None:
        raise ApiError(NO_MEMBER)
    if not member.is_visible:
        raise ApiError(MEMBER_INVISIBLE)
    if not member.has_contact_function:
        raise ApiError(NO_CONTACT_FUNCTION)
    if not (member.is_active and member.is_verified):
        raise ApiError(MEMBER_NOT_READY)


def _picture(config_id: str) -> str:
    # An address that leads nowhere: nobody may fetch it from outside by mistake.
    return f"https://qr.sandbox.invalid/{config_id}"


def _moment(unix: int) -> datetime:
    return datetime.fromtimestamp(unix, UTC)
