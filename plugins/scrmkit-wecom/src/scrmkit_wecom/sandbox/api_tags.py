"""API calls about the company's library of tags (企业标签库)."""

from __future__ import annotations

from typing import Any

from scrmkit_wecom.sandbox.corp import Corp
from scrmkit_wecom.sandbox.errors import (
    BAD_TAG,
    EMPTY_PARAMETER,
    NO_PRIVILEGE,
    TAG_EXISTS,
    TAG_LIMIT,
    TAG_NAME_LENGTH,
    WRONG_AGENT,
    ApiError,
)
from scrmkit_wecom.sandbox.fields import Call, Fields
from scrmkit_wecom.sandbox.state import CorpTag, CorpTagGroup

NAME_CHARS = 30
"""Source: WeCom API, 管理企业标签 (path/92117), read 2026-11."""

Answer = dict[str, Any]


def get_corp_tag_list(corp: Corp, call: Call) -> Answer:
    """
    The library, or part of it; what is asked for by id is shown when deleted, too.

    ``group_id`` wins over ``tag_id``. Source: WeCom API (path/92117), read 2026-11.
    """
    group_ids, tag_ids = call.body.texts("group_id"), call.body.texts("tag_id")
    if group_ids:
        for group_id in group_ids:
            if group_id not in corp.groups:
                raise ApiError(BAD_TAG, group_id)
        asked = [group for group in corp.groups.values() if group.id in group_ids]
        shown = [_show(group, group.tags, tag_states=True) for group in _sorted(asked)]
    elif tag_ids:
        known = {tag.id for _, tag in corp.tags()}
        if unknown := [each for each in tag_ids if each not in known]:
            raise ApiError(BAD_TAG, unknown[0])
        parts = [(g, [t for t in g.tags if t.id in tag_ids]) for g in _sorted(corp.groups.values())]
        shown = [_show(g, tags, tag_states=True, group_state=True) for g, tags in parts if tags]
    else:
        shown = [_show(group, group.living()) for group in _sorted(corp.living_groups())]
    return {"tag_group": shown}


def add_corp_tag(corp: Corp, call: Call) -> Answer:
    """
    Add tags to a group of that id or name, or to a new group.

    Equal names in one request count once; the answer holds only the new tags.
    Source: WeCom API (path/92117), read 2026-11.
    """
    body = call.body
    _check_agent(call)
    group = _target(corp, body)
    group_order = body.integer("order")
    wanted = {
        _name(part): part.integer("order")
        for part in reversed(body.parts("tag"))  # the first of equal names counts
    }
    if not wanted:
        raise ApiError(EMPTY_PARAMETER, "tag")
    if group is not None and {tag.name for tag in group.living()} & set(wanted):
        raise ApiError(TAG_EXISTS)
    living = sum(len(each.living()) for each in corp.living_groups())
    if living + len(wanted) > corp.tag_limit:
        raise ApiError(TAG_LIMIT)
    if group is None:
        group = corp.add_group(body.text("group_name"), group_order, call.at, is_ours=True)
    made = [corp.add_tag(group, name, order, call.at, is_ours=True) for name, order in reversed(wanted.items())]
    return {"tag_group": _show(group, made)}


def edit_corp_tag(corp: Corp, call: Call) -> Answer:
    """Rename or reorder a tag or a group. Source: WeCom API (path/92117), read 2026-11."""
    _check_agent(call)
    group, tag = _find(corp, call.body.text("id", missing=BAD_TAG))
    edited: CorpTag | CorpTagGroup = tag or group
    _check_ours(edited)
    name, order = edited.name, call.body.integer("order", default=edited.order)
    if "name" in call.body:
        name = _name(call.body)
        others = group.living() if tag else corp.living_groups()
        if any(other.name == name and other is not edited for other in others):
            raise ApiError(TAG_EXISTS)
    edited.name, edited.order = name, order
    return {}


def del_corp_tag(corp: Corp, call: Call) -> Answer:
    """Delete tags and groups, all or none. Source: WeCom API (path/92117), read 2026-11."""
    _check_agent(call)
    tag_ids, group_ids = call.body.texts("tag_id"), call.body.texts("group_id")
    if not tag_ids and not group_ids:
        raise ApiError(EMPTY_PARAMETER, "tag_id and group_id")
    found = [_find(corp, each) for each in (*tag_ids, *group_ids)]
    for group, tag in found:
        _check_ours(tag or group)
    for group, tag in found:
        if tag is None:
            corp.delete_group(group)
        elif not tag.is_deleted:
            corp.delete_tag(group, tag)
    return {}


def _target(corp: Corp, body: Fields) -> CorpTagGroup | None:
    if group_id := body.text("group_id"):
        group = corp.groups.get(group_id)
        if group is None or group.is_deleted:
            raise ApiError(BAD_TAG, group_id)
        return group
    name = body.text("group_name", missing=EMPTY_PARAMETER)
    if len(name) > NAME_CHARS:
        raise ApiError(TAG_NAME_LENGTH, "group_name")
    return next((group for group in corp.living_groups() if group.name == name), None)


def _find(corp: Corp, id_: str) -> tuple[CorpTagGroup, CorpTag | None]:
    group = corp.groups.get(id_)
    if group is not None and not group.is_deleted:
        return group, None
    found = corp.tag(id_)
    if found is None:
        raise ApiError(BAD_TAG, id_)
    return found


def _name(part: Fields) -> str:
    return part.text("name", most_chars=NAME_CHARS, missing=TAG_NAME_LENGTH, wrong=TAG_NAME_LENGTH)


def _check_ours(edited: CorpTag | CorpTagGroup) -> None:
    if not edited.is_ours:
        raise ApiError(NO_PRIVILEGE, "an app changes only tags that it created")


def _check_agent(call: Call) -> None:
    if "agentid" in call.body and str(call.body.raw("agentid")) != call.agent_id:
        raise ApiError(WRONG_AGENT)


def _sorted(items: Any) -> list[Any]:
    return sorted(items, key=lambda item: -item.order)


def _show(group: CorpTagGroup, tags: list[CorpTag], *, tag_states: bool = False, group_state: bool = False) -> Answer:
    shown: Answer = {
        "group_id": group.id,
        "group_name": group.name,
        "create_time": int(group.created_at.timestamp()),
        "order": group.order,
    }
    if group_state:
        shown["deleted"] = group.is_deleted
    shown["tag"] = [
        {
            "id": tag.id,
            "name": tag.name,
            "create_time": int(tag.created_at.timestamp()),
            "order": tag.order,
            **({"deleted": tag.is_deleted} if tag_states else {}),
        }
        for tag in _sorted(tags)
    ]
    return shown
