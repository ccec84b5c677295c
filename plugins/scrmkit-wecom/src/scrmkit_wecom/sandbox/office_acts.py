"""What happens inside the company: its members, its admin's tags, group chats, the app."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import attrs

from scrmkit.errors import InvalidValueError, UnknownNameError
from scrmkit.testing.sandbox import control
from scrmkit_wecom.sandbox.api_tags import NAME_CHARS
from scrmkit_wecom.sandbox.calling_back import AGENT_ID, CallingBack, Value
from scrmkit_wecom.sandbox.state import CorpTag, CorpTagGroup, Staff

Answer = dict[str, Any]


def _check_names(*names: str) -> None:
    if not all(1 <= len(name) <= NAME_CHARS for name in names):
        raise InvalidValueError(f"a tag's name and a group's have 1 to {NAME_CHARS} characters")


@attrs.define(kw_only=True)
class GroupChat:
    """A customer group (客户群): only what its events need."""

    chat_id: str
    members: list[str]
    version: int = 1

    def next_version(self) -> tuple[str, str]:
        """The member list's version before and after a change."""
        before, self.version = self.version, self.version + 1
        return f"{before:032x}", f"{self.version:032x}"


class OfficeActs(CallingBack):
    """Members come, the admin edits tags, groups change, staff talk to the app."""

    def forget(self) -> None:
        """Start with an empty company and no callback address."""
        super().forget()
        self._chats: dict[str, GroupChat] = {}

    # Members

    @control("POST", "members", example={"userid": "guide-1", "departments": [2]})
    def hire(
        self,
        userid: Annotated[str, "1 to 64 bytes; an existing one is changed"],
        name: Annotated[str, "empty for the userid"] = "",
        departments: Annotated[list[int] | None, "department ids; new ones come to be"] = None,
        active: Annotated[bool, "has activated the account"] = True,
        verified: Annotated[bool, "has verified the real name"] = True,
        contact: Annotated[bool, "may have customers"] = True,
        visible: Annotated[bool, "lies in the app's visible range"] = True,
    ) -> Answer:
        """A member joins the company or changes; the app is not told."""
        if not 1 <= len(userid.encode()) <= 64:
            raise InvalidValueError("a userid is 1 to 64 bytes long")
        member = Staff(
            userid=userid,
            name=name or userid,
            departments=tuple(departments or (1,)),
            is_active=active,
            is_verified=verified,
            has_contact_function=contact,
            is_visible=visible,
        )
        self.corp.hire(member)
        return attrs.asdict(member)

    @control("POST", "corp", example={"exposes_unionid": False})
    def change_corp(self, exposes_unionid: Annotated[bool, "a WeChat developer account is bound"]) -> Answer:
        """The company binds its WeChat developer account, or does not."""
        self.corp.exposes_unionid = exposes_unionid
        return {"exposes_unionid": exposes_unionid}

    @control("GET", "state")
    def show_state(self) -> Answer:
        """Show the whole company: members, customers, relations, ways, tags."""
        corp = self.corp
        return {
            "members": [attrs.asdict(member) for member in corp.staff.values()],
            "customers": [attrs.asdict(customer) for customer in corp.customers.values()],
            "follows": [
                {**attrs.asdict(follow), "created_at": follow.created_at.isoformat()} for follow in corp.follows()
            ],
            "contact_ways": [
                {"config_id": way.config_id, "state": way.state, "user": way.users} for way in corp.ways.values()
            ],
            "tag_groups": [
                {
                    "id": group.id,
                    "name": group.name,
                    "tags": [{"id": tag.id, "name": tag.name} for tag in group.living()],
                }
                for group in corp.living_groups()
            ],
            "group_chats": [attrs.asdict(chat) for chat in self._chats.values()],
        }

    # The admin's tags

    @control("POST", "admin-tags", example={"group": "Level", "name": "Gold"})
    def add_tag(
        self, group: Annotated[str, "the group's name; a new one comes to be"], name: Annotated[str, "the tag's name"]
    ) -> Answer:
        """The admin adds a tag in the management pages."""
        _check_names(group, name)
        now = self.clock.now()
        found = next((each for each in self.corp.living_groups() if each.name == group), None)
        if found is None:
            found = self.corp.add_group(group, 0, now, is_ours=False)
            self._tag_event("create", found)
        if any(tag.name == name for tag in found.living()):
            raise InvalidValueError("the group has a tag of this name already")
        tag = self.corp.add_tag(found, name, 0, now, is_ours=False)
        self._tag_event("create", tag)
        return {"group_id": found.id, "tag_id": tag.id}

    @control("POST", "admin-tags/rename", example={"which": "et…", "name": "Silver"})
    def rename_tag(
        self, which: Annotated[str, "the id of a tag or a group"], name: Annotated[str, "its new name"]
    ) -> Answer:
        """The admin renames a tag or a group of tags."""
        _check_names(name)
        _, edited = self._named(which)
        edited.name = name
        return self._tag_event("update", edited)

    @control("POST", "admin-tags/delete", example={"which": "et…"})
    def delete_tag(self, which: Annotated[str, "the id of a tag or a group"]) -> Answer:
        """The admin deletes a tag, or a group with its tags, which are not reported one by one."""
        group, edited = self._named(which)
        if isinstance(edited, CorpTag):
            self.corp.delete_tag(group, edited)
        else:
            self.corp.delete_group(group)
        return self._tag_event("delete", edited)

    @control("POST", "admin-tags/shuffle", example={})
    def shuffle_tags(self, group_id: Annotated[str, "whose tags; empty for the groups themselves"] = "") -> Answer:
        """The admin reorders tags."""
        members: dict[str, Value] = {"Event": "change_external_tag", "ChangeType": "shuffle"}
        return self.emit({**members, "Id": group_id})

    def _named(self, which: str) -> tuple[CorpTagGroup, CorpTag | CorpTagGroup]:
        for group in self.corp.living_groups():
            if group.id == which:
                return group, group
        found = self.corp.tag(which)
        if found is None:
            raise UnknownNameError("the company has no such tag or group of tags")
        return found

    def _tag_event(self, change: str, edited: CorpTag | CorpTagGroup) -> Answer:
        kind = "tag" if isinstance(edited, CorpTag) else "tag_group"
        head = {"Event": "change_external_tag", "ChangeType": change}
        return self.emit({**head, "Id": edited.id, "TagType": kind})

    # Group chats

    @control("POST", "chats", example={"userid": "zhangsan"})
    def open_chat(self, userid: Annotated[str, "the owner"]) -> Answer:
        """A member opens a group chat."""
        owner = self.corp.named_member(userid)
        chat = GroupChat(chat_id=self.corp.ids.make("wr", 30), members=[owner.userid])
        self._chats[chat.chat_id] = chat
        return {**self._chat_event("create", chat), "chat_id": chat.chat_id}

    @control("POST", "chats/join", example={"chat_id": "wr…", "external_userid": "wm…"})
    def join_chat(
        self,
        chat_id: Annotated[str, "which group"],
        external_userid: Annotated[str, "a customer met before; empty for a new one"] = "",
        scene: Annotated[Literal[0, 3], "0 invited, 3 by a QR code"] = 3,
    ) -> Answer:
        """A customer joins a group chat."""
        chat = self._chat(chat_id)
        customer = self.corp.named_customer(external_userid) if external_userid else self.corp.meet("", "", 1)
        if customer.external_userid in chat.members:
            raise InvalidValueError("this customer is in the group already")
        chat.members.append(customer.external_userid)
        self._member_event(chat, customer.external_userid, "add_member", {"JoinScene": scene})
        return {"chat_id": chat_id, "external_userid": customer.external_userid}

    @control("POST", "chats/leave", example={"chat_id": "wr…", "external_userid": "wm…"})
    def leave_chat(
        self,
        chat_id: Annotated[str, "which group"],
        external_userid: Annotated[str, "which customer"],
        removed: Annotated[bool, "was removed, did not leave"] = False,
    ) -> Answer:
        """A customer leaves a group chat, or is removed."""
        chat = self._chat(chat_id)
        if external_userid not in chat.members:
            raise UnknownNameError("this customer is not in the group")
        chat.members.remove(external_userid)
        self._member_event(chat, external_userid, "del_member", {"QuitScene": int(removed)})
        return {"chat_id": chat_id, "external_userid": external_userid}

    @control("POST", "chats/change", example={"chat_id": "wr…", "detail": "change_name"})
    def change_chat(
        self,
        chat_id: Annotated[str, "which group"],
        detail: Annotated[
            Literal["change_owner", "change_name", "change_notice"], "what of it changes"
        ] = "change_name",
    ) -> Answer:
        """A group chat gets another owner, name or notice."""
        return self._chat_event("update", self._chat(chat_id), {"UpdateDetail": detail})

    @control("POST", "chats/dismiss", example={"chat_id": "wr…"})
    def dismiss_chat(self, chat_id: Annotated[str, "which group"]) -> Answer:
        """The owner dismisses a group chat."""
        chat = self._chat(chat_id)
        del self._chats[chat_id]
        return self._chat_event("dismiss", chat)

    def _chat(self, chat_id: str) -> GroupChat:
        if chat_id not in self._chats:
            raise UnknownNameError("the sandbox has no such group chat")
        return self._chats[chat_id]

    def _member_event(self, chat: GroupChat, who: str, detail: str, scene: dict[str, Value]) -> Answer:
        before, now = chat.next_version()
        return self._chat_event(
            "update",
            chat,
            {
                "UpdateDetail": detail,
                **scene,
                "MemChangeCnt": 1,
                "MemChangeList": [who],
                "LastMemVer": before,
                "CurMemVer": now,
            },
        )

    def _chat_event(self, change: str, chat: GroupChat, more: dict[str, Value] | None = None) -> Answer:
        members: dict[str, Value] = {"Event": "change_external_chat", "ChangeType": change}
        return self.emit({**members, "ChatId": chat.chat_id, **(more or {})})

    # Staff and the app

    @control("POST", "staff-message", example={"userid": "zhangsan", "text": "1024"})
    def write_to_app(self, userid: Annotated[str, "which member"], text: Annotated[str, "what is written"]) -> Answer:
        """A member writes to the app."""
        member = self.corp.named_member(userid)
        message_id = str(7_000_000_000_000_000_000 + self.corp.next_number())
        members = {"MsgType": "text", "Content": text, "MsgId": message_id, "AgentID": AGENT_ID}
        return self.emit(members, from_user=member.userid, agent=True)

    @control("POST", "staff-event", example={"userid": "zhangsan", "event": "enter_agent"})
    def use_app(
        self,
        userid: Annotated[str, "which member"],
        event: Annotated[str, "such as enter_agent, click, view, subscribe"] = "enter_agent",
        key: Annotated[str, "which menu item"] = "",
    ) -> Answer:
        """A member opens the app or taps its menu."""
        member = self.corp.named_member(userid)
        members = {"Event": event, "EventKey": key, "AgentID": AGENT_ID}
        return self.emit(members, from_user=member.userid, agent=True)
