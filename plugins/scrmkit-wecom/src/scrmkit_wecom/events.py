"""What a decrypted callback says, as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import attrs


class ContactChange(StrEnum):
    """How a contact changed; the values are the platform's ``ChangeType``."""

    ADDED = "add_external_contact"
    HALF_ADDED = "add_half_external_contact"
    EDITED = "edit_external_contact"
    REMOVED_BY_STAFF = "del_external_contact"
    REMOVED_BY_CUSTOMER = "del_follow_user"
    TRANSFER_FAILED = "transfer_fail"
    ARCHIVE_AGREED = "msg_audit_approved"


class GroupChatChange(StrEnum):
    """How a group chat changed; the values are the platform's ``ChangeType``."""

    CREATED = "create"
    UPDATED = "update"
    DISMISSED = "dismiss"


class TagChange(StrEnum):
    """How the company's tags changed; the values are the platform's ``ChangeType``."""

    CREATED = "create"
    UPDATED = "update"
    DELETED = "delete"
    SHUFFLED = "shuffle"


@attrs.frozen(kw_only=True)
class Head:
    """
    What every callback has in common.

    Source: WeCom API, 事件格式 (path/92130, path/97299, path/90240), read 2026-11.

    Attributes:
        digest: sha256 in hex of the decrypted XML. The identity key: the
            advised FromUserName + CreateTime collides, since customer events
            all come from ``sys``.
        to: The company (``ToUserName``); empty where the platform left it out.
        created_at: When the platform made it, to the second, in UTC; None
            where it did not say so.
    """

    digest: str
    to: str = ""
    created_at: datetime | None = None


@attrs.frozen(kw_only=True)
class ContactEvent:
    """
    A customer was added, changed or removed (客户联系事件).

    Attributes:
        userid: The member concerned; of a failed transfer the one who should take over.
        external_userid: The customer.
        state: State of the contact way or link that led here; empty if none.
        welcome_code: Lets one welcome be sent within 20 s; empty where none may be.
        source: ``DELETE_BY_TRANSFER`` where a transfer removed the contact.
        fail_reason: Why a transfer failed, as the platform names it.
    """

    head: Head
    change: ContactChange
    userid: str
    external_userid: str
    state: str = ""
    welcome_code: str = attrs.field(default="", repr=False)
    source: str = ""
    fail_reason: str = ""


@attrs.frozen(kw_only=True)
class GroupChatEvent:
    """
    A customer group chat (客户群) changed.

    Attributes:
        detail: What an update was about (``add_member``, ``change_name`` …), else empty.
        join_scene: 0 invited, 3 by QR code; not the numbers of ``groupchat/get``.
        quit_scene: 0 left, 1 was removed.
        members: Who joined or left: userids and external_userids mixed.
        members_changed: How many joined or left, as the platform counts.
        last_version: Version of the member list before; if it is not the one
            that you know, read the group anew.
        version: Version of the member list now.
    """

    head: Head
    change: GroupChatChange
    chat_id: str
    detail: str = ""
    join_scene: int | None = None
    quit_scene: int | None = None
    members: tuple[str, ...] = ()
    members_changed: int = 0
    last_version: str = ""
    version: str = ""


@attrs.frozen(kw_only=True)
class TagEvent:
    """
    The company's tag library (企业客户标签) changed.

    Deleting a group does not report the tags in it.

    Attributes:
        tag_id: The tag or group; empty when the order of all groups changed.
        tag_type: ``tag`` or ``tag_group``; empty for a new order.
    """

    head: Head
    change: TagChange
    tag_id: str
    tag_type: str = ""
    strategy_id: str = ""


@attrs.frozen(kw_only=True)
class StaffMessage:
    """
    What a member sent to the app (成员发给应用的消息).

    Attributes:
        message_id: The platform's 64-bit number; empty if it sent none.
        message_type: ``text``, ``image``, ``voice``, ``video``, ``location``, ``link`` …
        text: The words of a text message, else empty.
        media_id: Picture, sound or film, readable for three days, else empty.
        details: All other members by the platform's name.
    """

    head: Head
    userid: str
    agent_id: str
    message_id: str
    message_type: str
    text: str = attrs.field(default="", repr=False)
    media_id: str = attrs.field(default="", repr=False)
    details: Mapping[str, str] = attrs.field(factory=dict, repr=False)


@attrs.frozen(kw_only=True)
class StaffEvent:
    """
    What a member did in the app (应用事件): opened it, tapped its menu, left it.

    Attributes:
        event: The platform's name, such as ``enter_agent`` or ``click``.
        key: Which menu item; empty where none was.
        details: All other members by the platform's name.
    """

    head: Head
    userid: str
    agent_id: str
    event: str
    key: str = ""
    details: Mapping[str, str] = attrs.field(factory=dict, repr=False)


@attrs.frozen(kw_only=True)
class CustomerServiceEvent:
    """
    Something new waits at customer service (微信客服); it does not say what.

    Attributes:
        sync_token: Lifts the rate limit of ``kf/sync_msg`` for ten minutes; secret.
    """

    head: Head
    open_kfid: str
    sync_token: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class UnknownEvent:
    """
    An event that this version does not know, or one that lacks what it must have.

    Attributes:
        raw_kind: ``Event/ChangeType``, or the message type, as the platform
            names it; at most 128 characters.
    """

    head: Head
    raw_kind: str


Event = ContactEvent | GroupChatEvent | TagEvent | StaffMessage | StaffEvent | CustomerServiceEvent | UnknownEvent
