"""The kinds of touchpoints that WeCom adds to the core's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from scrmkit.domain.identity import personal
from scrmkit.domain.touchpoint import TouchpointKind


@attrs.frozen(kw_only=True)
class ContactEdited:
    """A member changed a customer's remark, phone or tags in the client."""

    account: str


@attrs.frozen(kw_only=True)
class TransferFailed:
    """A customer did not pass to another member. *reason* is the platform's name of it."""

    account: str
    reason: str = ""


@attrs.frozen(kw_only=True)
class ArchiveAgreed:
    """A customer agreed that chats with the member are archived (会话内容存档)."""

    account: str


@attrs.frozen(kw_only=True)
class GroupChatChanged:
    """
    A customer group chat was made, changed or dismissed.

    Customers who joined or left are touchpoints of their own as well.

    Attributes:
        change: ``create``, ``update`` or ``dismiss``.
        detail: What an update was about, such as ``add_member``.
        members: Who joined or left, staff included. Personal.
        last_version: Where it is not the version that you know, read the group anew.
    """

    chat: str
    change: str
    detail: str = ""
    join_scene: int | None = None
    quit_scene: int | None = None
    members: tuple[str, ...] = personal(default=())
    members_changed: int = 0
    last_version: str = ""
    version: str = ""


@attrs.frozen(kw_only=True)
class CorpTagChanged:
    """The tag library changed. *change* is ``create``, ``update``, ``delete`` or ``shuffle``."""

    change: str
    tag_id: str = ""
    tag_type: str = ""
    strategy_id: str = ""


@attrs.frozen(kw_only=True)
class StaffWrote:
    """
    A member sent something to the app; a customer's own words never come this way.

    Attributes:
        form: ``text``, ``image``, ``voice``, ``video``, ``location``, ``link``.
        details: What else there is, by the platform's names. Personal.
    """

    account: str
    agent_id: str
    form: str
    message_id: str = ""
    text: str = personal(default="")
    media_id: str = personal(default="")
    details: Mapping[str, str] = personal(factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class StaffActed:
    """
    A member opened the app, tapped its menu, or left it.

    Attributes:
        event: The platform's name, such as ``enter_agent``.
        details: What else there is, by the platform's names. Personal.
    """

    account: str
    agent_id: str
    event: str
    key: str = ""
    details: Mapping[str, str] = personal(factory=dict, hash=False)


@attrs.frozen(kw_only=True)
class ServiceNotified:
    """Something new waits at customer service (微信客服). *sync_token* is good for ten minutes."""

    open_kfid: str
    sync_token: str = personal(default="")


WECOM_KINDS: tuple[TouchpointKind[Any], ...] = (
    TouchpointKind(name="wecom.contact_edited", payload=ContactEdited),
    TouchpointKind(name="wecom.transfer_failed", payload=TransferFailed),
    TouchpointKind(name="wecom.archive_agreed", payload=ArchiveAgreed),
    TouchpointKind(name="wecom.group_chat_changed", payload=GroupChatChanged),
    TouchpointKind(name="wecom.tag_changed", payload=CorpTagChanged),
    TouchpointKind(name="wecom.staff_wrote", payload=StaffWrote),
    TouchpointKind(name="wecom.staff_acted", payload=StaffActed),
    TouchpointKind(name="wecom.service_notified", payload=ServiceNotified),
)
