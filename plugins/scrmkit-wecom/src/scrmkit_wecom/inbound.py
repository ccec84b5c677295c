"""WeCom's events as touchpoints."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import attrs

from scrmkit.domain.identity import EXTERNAL_USERID, Identity
from scrmkit.domain.ids import StateToken
from scrmkit.domain.kinds import ContactAdded, ContactRemoved, GroupChatJoined, GroupChatLeft, Noted
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import InvalidValueError
from scrmkit_wecom.events import (
    ContactChange,
    ContactEvent,
    CustomerServiceEvent,
    Event,
    GroupChatEvent,
    Head,
    StaffEvent,
    StaffMessage,
    TagEvent,
    UnknownEvent,
)
from scrmkit_wecom.kinds import (
    ArchiveAgreed,
    ContactEdited,
    CorpTagChanged,
    GroupChatChanged,
    ServiceNotified,
    StaffActed,
    StaffWrote,
    TransferFailed,
)

_CUSTOMER_PREFIXES = ("wm", "wo")
"""How external_userids begin, of WeChat users and of other companies' WeCom users.
Source: samples of the WeCom API, 客户联系 (path/92109), read 2026-11."""


@attrs.frozen(kw_only=True)
class Reader:
    """
    Turns events into touchpoints.

    Attributes:
        source: The configured channel's name.
        corp_id: Where an external_userid is unique.
    """

    source: str
    corp_id: str

    def touchpoints(self, event: Event, received_at: datetime) -> tuple[Touchpoint[Any], ...]:
        """
        What *event* is worth recording as; an unknown one is noted, none is lost.

        Args:
            received_at: Stands in for the platform's moment where it gave none.
        """
        at = event.head.created_at or received_at
        try:
            return tuple(self._of(event, at))
        except InvalidValueError:
            # An id that is longer than any id can be, say.
            return (self._noted(event.head, at, f"{type(event).__name__} with an impossible value"),)

    def _of(self, event: Event, at: datetime) -> Iterator[Touchpoint[Any]]:
        match event:
            case ContactEvent():
                yield self._contact(event, at)
            case GroupChatEvent():
                yield from self._group_chat(event, at)
            case TagEvent():
                payload = CorpTagChanged(
                    change=event.change.value,
                    tag_id=event.tag_id,
                    tag_type=event.tag_type,
                    strategy_id=event.strategy_id,
                )
                yield self._made("wecom.tag_changed", event.head, at, payload)
            case StaffMessage():
                yield self._made("wecom.staff_wrote", event.head, at, _staff_wrote(event))
            case StaffEvent():
                acted = StaffActed(
                    account=event.userid,
                    agent_id=event.agent_id,
                    event=event.event,
                    key=event.key,
                    details=event.details,
                )
                yield self._made("wecom.staff_acted", event.head, at, acted)
            case CustomerServiceEvent():
                notified = ServiceNotified(open_kfid=event.open_kfid, sync_token=event.sync_token)
                yield self._made("wecom.service_notified", event.head, at, notified)
            case UnknownEvent():
                yield self._noted(event.head, at, event.raw_kind)

    def _contact(self, event: ContactEvent, at: datetime) -> Touchpoint[Any]:
        kind, payload = _contact_payload(event)
        return attrs.evolve(
            self._made(kind, event.head, at, payload),
            identities=(self._identity(event.external_userid),),
            state=StateToken(event.state) if event.state else None,
        )

    def _group_chat(self, event: GroupChatEvent, at: datetime) -> Iterator[Touchpoint[Any]]:
        yield self._made(
            "wecom.group_chat_changed",
            event.head,
            at,
            GroupChatChanged(
                chat=event.chat_id,
                change=event.change.value,
                detail=event.detail,
                join_scene=event.join_scene,
                quit_scene=event.quit_scene,
                members=event.members,
                members_changed=event.members_changed,
                last_version=event.last_version,
                version=event.version,
            ),
        )
        kind: str
        payload: GroupChatJoined | GroupChatLeft
        if event.detail == "add_member":
            kind, payload = "group_chat.joined", GroupChatJoined(chat=event.chat_id)
        elif event.detail == "del_member":
            kind, payload = "group_chat.left", GroupChatLeft(chat=event.chat_id)
        else:
            return
        for number, member in enumerate(event.members):
            if member.startswith(_CUSTOMER_PREFIXES):
                yield attrs.evolve(
                    self._made(kind, event.head, at, payload),
                    key=f"{event.head.digest}:{number}",
                    identities=(self._identity(member),),
                )

    def _noted(self, head: Head, at: datetime, what: str) -> Touchpoint[Any]:
        noted = Noted(what=f"wecom: {what}", detail={"digest": head.digest})
        return self._made("platform.noted", head, at, noted)

    def _made(self, kind: str, head: Head, at: datetime, payload: Any) -> Touchpoint[Any]:
        return Touchpoint(kind=kind, key=head.digest, occurred_at=at, payload=payload, source=self.source)

    def _identity(self, external_userid: str) -> Identity:
        return Identity(kind=EXTERNAL_USERID, value=external_userid, scope=self.corp_id)


def _contact_payload(event: ContactEvent) -> tuple[str, Any]:
    match event.change:
        case ContactChange.ADDED | ContactChange.HALF_ADDED:
            return "contact.added", ContactAdded(
                account=event.userid,
                welcome_code=event.welcome_code or None,
                half=event.change is ContactChange.HALF_ADDED,
            )
        case ContactChange.REMOVED_BY_STAFF:
            return "contact.removed", ContactRemoved(account=event.userid, by="guide")
        case ContactChange.REMOVED_BY_CUSTOMER:
            return "contact.removed", ContactRemoved(account=event.userid, by="customer")
        case ContactChange.EDITED:
            return "wecom.contact_edited", ContactEdited(account=event.userid)
        case ContactChange.TRANSFER_FAILED:
            return "wecom.transfer_failed", TransferFailed(account=event.userid, reason=event.fail_reason)
        case ContactChange.ARCHIVE_AGREED:
            return "wecom.archive_agreed", ArchiveAgreed(account=event.userid)


def _staff_wrote(event: StaffMessage) -> StaffWrote:
    return StaffWrote(
        account=event.userid,
        agent_id=event.agent_id,
        form=event.message_type,
        message_id=event.message_id,
        text=event.text,
        media_id=event.media_id,
        details=event.details,
    )
