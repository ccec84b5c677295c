"""Decrypted callbacks become typed events."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar
from xml.etree.ElementTree import Element

from scrmkit_wecom.events import (
    ContactChange,
    ContactEvent,
    CustomerServiceEvent,
    Event,
    GroupChatChange,
    GroupChatEvent,
    Head,
    StaffEvent,
    StaffMessage,
    TagChange,
    TagEvent,
    UnknownEvent,
)
from scrmkit_wecom.xmltext import parse_xml

E = TypeVar("E", bound=StrEnum)

_STAFF_EVENTS = frozenset(
    {
        "LOCATION",
        "click",
        "enter_agent",
        "location_select",
        "pic_photo_or_album",
        "pic_sysphoto",
        "pic_weixin",
        "scancode_push",
        "scancode_waitmsg",
        "subscribe",
        "template_card_event",
        "template_card_menu_event",
        "unsubscribe",
        "view",
        "view_miniprogram",
    }
)
"""Source: WeCom API, 事件格式 (path/90240), read 2026-11."""

_STAFF_MESSAGES = frozenset({"text", "image", "voice", "video", "location", "link"})
"""Source: WeCom API, 消息格式 (path/90239), read 2026-11."""

_HEAD = frozenset({"ToUserName", "FromUserName", "CreateTime", "MsgType", "AgentID"})


def parse_event(xml: str) -> Event:
    """
    The event in the decrypted *xml*; one that nobody knows is an `UnknownEvent`.

    Raises:
        CallbackRejectedError: It is not XML, or has a DTD.
    """
    members = _Members(parse_xml(xml, code="plaintext"))
    head = Head(
        digest=hashlib.sha256(xml.encode(errors="surrogatepass")).hexdigest(),
        to=members["ToUserName"],
        created_at=_moment(members["CreateTime"]),
    )
    return _known(members, head) or UnknownEvent(head=head, raw_kind=_raw_kind(members))


class _Members:
    """The leaves of the document by name; a missing and an empty one are the same."""

    def __init__(self, root: Element) -> None:
        self.root = root
        self._texts: dict[str, str] = {}
        for name, text in _leaves(root):
            self._texts.setdefault(name, text)

    def __getitem__(self, name: str) -> str:
        return self._texts.get(name, "").strip()

    def raw(self, name: str) -> str:
        """The text with its white space, for what a person wrote."""
        return self._texts.get(name, "")

    def rest(self, *known: str) -> dict[str, str]:
        taken = _HEAD | frozenset(known)
        return {name: text for name, text in self._texts.items() if name not in taken and text}


def _leaves(root: Element) -> Iterator[tuple[str, str]]:
    """The members, and those one level down as ``ScanCodeInfo.ScanType``."""
    for child in root:
        if len(child):
            for inner in child:
                yield f"{child.tag}.{inner.tag}", inner.text or ""
        else:
            yield child.tag, child.text or ""


def _known(members: _Members, head: Head) -> Event | None:
    if members["MsgType"] != "event":
        return _staff_message(members, head)
    match members["Event"]:
        case "change_external_contact":
            return _contact(members, head)
        case "change_external_chat":
            return _group_chat(members, head)
        case "change_external_tag":
            return _tag(members, head)
        case "kf_msg_or_event":
            return _customer_service(members, head)
        case _:
            return _staff_event(members, head)


def _contact(members: _Members, head: Head) -> ContactEvent | None:
    change = _one_of(ContactChange, members["ChangeType"])
    if change is None or not (members["UserID"] and members["ExternalUserID"]):
        return None
    return ContactEvent(
        head=head,
        change=change,
        userid=members["UserID"],
        external_userid=members["ExternalUserID"],
        state=members["State"],
        welcome_code=members["WelcomeCode"],
        source=members["Source"],
        fail_reason=members["FailReason"],
    )


def _group_chat(members: _Members, head: Head) -> GroupChatEvent | None:
    change = _one_of(GroupChatChange, members["ChangeType"])
    if change is None or not members["ChatId"]:
        return None
    return GroupChatEvent(
        head=head,
        change=change,
        chat_id=members["ChatId"],
        detail=members["UpdateDetail"],
        join_scene=_number(members["JoinScene"]),
        quit_scene=_number(members["QuitScene"]),
        members=_changed_members(members.root),
        members_changed=_number(members["MemChangeCnt"]) or 0,
        last_version=members["LastMemVer"],
        version=members["CurMemVer"],
    )


def _changed_members(root: Element) -> tuple[str, ...]:
    """Items of ``MemChangeList``, which some senders write as bare text when there is one."""
    listed = root.find("MemChangeList")
    if listed is None:
        return ()
    texts = [item.text for item in listed.findall("Item")] if len(listed) else [listed.text]
    return tuple(text.strip() for text in texts if text and text.strip())


def _tag(members: _Members, head: Head) -> TagEvent | None:
    change = _one_of(TagChange, members["ChangeType"])
    if change is None or not (members["Id"] or change is TagChange.SHUFFLED):
        return None
    return TagEvent(
        head=head, change=change, tag_id=members["Id"], tag_type=members["TagType"], strategy_id=members["StrategyId"]
    )


def _customer_service(members: _Members, head: Head) -> CustomerServiceEvent | None:
    if not members["OpenKfId"]:
        return None
    return CustomerServiceEvent(head=head, open_kfid=members["OpenKfId"], sync_token=members["Token"])


def _staff_message(members: _Members, head: Head) -> StaffMessage | None:
    if members["MsgType"] not in _STAFF_MESSAGES or not members["FromUserName"]:
        return None
    return StaffMessage(
        head=head,
        userid=members["FromUserName"],
        agent_id=members["AgentID"],
        message_id=members["MsgId"],
        message_type=members["MsgType"],
        text=members.raw("Content"),
        media_id=members["MediaId"],
        details=members.rest("MsgId", "Content", "MediaId"),
    )


def _staff_event(members: _Members, head: Head) -> StaffEvent | None:
    if members["Event"] not in _STAFF_EVENTS or not members["FromUserName"]:
        return None
    return StaffEvent(
        head=head,
        userid=members["FromUserName"],
        agent_id=members["AgentID"],
        event=members["Event"],
        key=members["EventKey"],
        details=members.rest("Event", "EventKey"),
    )


def _raw_kind(members: _Members) -> str:
    if members["MsgType"] != "event":
        names = [members["MsgType"]]
    else:
        names = [name for name in (members["Event"], members["ChangeType"]) if name]
    return ("/".join(names) or "unnamed")[:128]


def _one_of(changes: type[E], name: str) -> E | None:
    try:
        return changes(name)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    """*text* as a whole number; None where it is none, or absurdly long."""
    return int(text) if len(text) <= 18 and text.isascii() and text.isdigit() else None


def _moment(text: str) -> datetime | None:
    seconds = _number(text)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
