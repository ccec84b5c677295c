"""What customers and members do with each other; each act causes its callback."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from scrmkit.errors import InvalidValueError, UnknownNameError
from scrmkit.testing.sandbox import control
from scrmkit_wecom.sandbox.calling_back import CallingBack, Value
from scrmkit_wecom.sandbox.state import Claim, ContactWay, Customer, Follow, Staff

Answer = dict[str, Any]


class ContactActs(CallingBack):
    """Customers scan codes, add members and leave; members agree, tag and delete."""

    @control("POST", "scan", example={"state": "shop-1"})
    def scan(
        self,
        config_id: Annotated[str, "which contact way; or give its state"] = "",
        state: Annotated[str, "the oldest contact way of this state"] = "",
        external_userid: Annotated[str, "a customer met before; empty for a new one"] = "",
        name: Annotated[str, "the new customer's name"] = "",
        unionid: Annotated[str, "the new customer's unionid"] = "",
        contact_type: Annotated[Literal[1, 2], "1 uses WeChat, 2 another company's WeCom"] = 1,
        half: Annotated[bool, "the customer has not confirmed yet; see /sandbox/confirm"] = False,
        duplicate: Annotated[bool, "the callback comes twice"] = False,
        welcome: Annotated[bool, "false as where the admin has set a welcome: no code"] = True,
    ) -> Answer:
        """A customer scans a contact way's code and adds the member behind it."""
        way = self.corp.find_way(config_id, state)
        if way.is_expired(self.clock.now()):
            raise InvalidValueError("this temporary contact way has expired or was used")
        customer = self._customer(external_userid, name, unionid, contact_type)
        member = self._member_of(way, customer)
        known = self.corp.follow(member.userid, customer.external_userid)
        ids = {"userid": member.userid, "external_userid": customer.external_userid}
        if known is not None and known.status == "full":
            return {**ids, "added": False, "why": "they are in contact already"}
        way.scanned += 1
        way.customers[customer.external_userid] = member.userid
        follow = self.corp.befriend(member, customer, self.clock.now(), state=way.state)
        if not way.settings["skip_verify"]:
            follow.status = "pending"
            return {**ids, "added": False, "why": "the member has to agree; see /sandbox/confirm"}
        follow.status = "half" if half else "full"
        return self._added(follow, welcome=welcome, duplicate=duplicate)

    @control("POST", "add-contact", example={"userid": "zhangsan", "add_way": 2})
    def add_contact(
        self,
        userid: Annotated[str, "which member"],
        external_userid: Annotated[str, "a customer met before; empty for a new one"] = "",
        name: Annotated[str, "the new customer's name"] = "",
        unionid: Annotated[str, "the new customer's unionid"] = "",
        contact_type: Annotated[Literal[1, 2], "1 uses WeChat, 2 another company's WeCom"] = 1,
        state: Annotated[str, "such as the channel of an acquisition link"] = "",
        add_way: Annotated[int, "how: 2 by phone number, 3 a shared card, 16 a link …"] = 2,
        welcome: Annotated[bool, "whether the event carries a welcome code"] = True,
    ) -> Answer:
        """A customer and a member come into contact without a contact way."""
        member = self.corp.named_member(userid)
        customer = self._customer(external_userid, name, unionid, contact_type)
        known = self.corp.follow(userid, customer.external_userid)
        if known is not None and known.status == "full":
            raise InvalidValueError("this member and this customer are in contact already")
        follow = self.corp.befriend(member, customer, self.clock.now(), state=state, add_way=add_way)
        return self._added(follow, welcome=welcome)

    @control("POST", "confirm", example={"userid": "zhangsan", "external_userid": "wm…"})
    def confirm(
        self,
        userid: Annotated[str, "which member"],
        external_userid: Annotated[str, "which customer"],
        welcome: Annotated[bool, "whether the event may carry a welcome code"] = True,
    ) -> Answer:
        """The one who had not agreed to the contact yet does so."""
        follow = self.corp.named_follow(userid, external_userid)
        if follow.status == "full":
            raise InvalidValueError("this member and this customer are in contact already")
        follow.status = "full"
        return self._added(follow, welcome=welcome)

    @control("POST", "delete-contact", example={"userid": "zhangsan", "external_userid": "wm…"})
    def delete_contact(
        self,
        userid: Annotated[str, "which member"],
        external_userid: Annotated[str, "which customer"],
        by: Annotated[Literal["member", "customer"], "who deletes whom"] = "customer",
        by_transfer: Annotated[bool, "the member lost the customer to a colleague"] = False,
    ) -> Answer:
        """A member deletes a customer, or a customer a member; the API shows neither any more."""
        follow = self.corp.named_follow(userid, external_userid)
        self.corp.part(follow)
        kind = "del_external_contact" if by == "member" or by_transfer else "del_follow_user"
        more: dict[str, Value] = {"Source": "DELETE_BY_TRANSFER"} if by_transfer else {}
        return self._contact_event(kind, follow, more)

    @control("POST", "edit-contact", example={"userid": "zhangsan", "external_userid": "wm…"})
    def edit_contact(
        self,
        userid: Annotated[str, "which member"],
        external_userid: Annotated[str, "which customer"],
        remark: Annotated[str | None, "the member's own name for the customer"] = None,
        add_tag: Annotated[list[str] | None, "ids of the company's tags"] = None,
        remove_tag: Annotated[list[str] | None, "ids of the company's tags"] = None,
        personal_tags: Annotated[list[str] | None, "all tags of the member's own"] = None,
    ) -> Answer:
        """A member edits remark and tags of a customer, in the app and not by the API."""
        follow = self.corp.named_follow(userid, external_userid)
        for tag_id in add_tag or ():
            if self.corp.tag(tag_id) is None:
                raise UnknownNameError("the company has no such tag")
        kept = [each for each in follow.tag_ids if each not in (remove_tag or ())]
        follow.tag_ids = list(dict.fromkeys([*kept, *(add_tag or ())]))
        follow.remark = follow.remark if remark is None else remark
        if personal_tags is not None:
            follow.personal_tags = list(personal_tags)
        return self._contact_event("edit_external_contact", follow)

    @control("POST", "claim-welcome", example={"welcome_code": "…", "claim": "other_app"})
    def claim_welcome(
        self,
        welcome_code: Annotated[str, "from the event"],
        claim: Annotated[
            Literal["other_app", "other_app_sending", "chat", ""],
            "another app has sent one, is just sending one, the chat has begun; empty: nothing",
        ],
    ) -> Answer:
        """Somebody else comes first, so that our welcome fails with 41051 or 41096."""
        ticket = self.corp.tickets.get(welcome_code)
        if ticket is None:
            raise UnknownNameError("no event carried this welcome code")
        claimed: Claim = claim
        ticket.claim = claimed
        return {}

    @control("GET", "welcomes")
    def list_welcomes(self) -> Answer:
        """List the welcome messages that reached customers, oldest first."""
        return {
            "welcomes": [
                {
                    "userid": welcome.userid,
                    "external_userid": welcome.external_userid,
                    "at": welcome.at.isoformat(),
                    "text": welcome.text,
                    "attachments": welcome.attachments,
                }
                for welcome in self.corp.welcomes
            ]
        }

    def _customer(self, external_userid: str, name: str, unionid: str, contact_type: int) -> Customer:
        if external_userid:
            return self.corp.named_customer(external_userid)
        return self.corp.meet(name, unionid, contact_type)

    def _member_of(self, way: ContactWay, customer: Customer) -> Staff:
        earlier = self.corp.member(way.customers.get(customer.external_userid, ""))
        if way.settings["is_exclusive"] and earlier is not None:
            return earlier
        members = self.corp.expand(way.users, way.parties)
        if not members:
            raise InvalidValueError("nobody stands behind this contact way")
        return members[self.corp.ids.below(len(members), f"scan:{way.config_id}")]

    def _added(self, follow: Follow, *, welcome: bool, duplicate: bool = False) -> Answer:
        kind = "add_half_external_contact" if follow.status == "half" else "add_external_contact"
        more: dict[str, Value] = {"State": follow.state} if follow.state else {}
        # No code for another company's people, nor after a welcome to the half-added.
        is_wechat = self.corp.customers[follow.external_userid].type == 1
        if welcome and is_wechat and not follow.is_welcomed:
            more["WelcomeCode"] = self.corp.ticket(follow, self.clock.now())
        return {**self._contact_event(kind, follow, more, duplicate=duplicate), "added": True}

    def _contact_event(
        self, kind: str, follow: Follow, more: dict[str, Value] | None = None, *, duplicate: bool = False
    ) -> Answer:
        event = {
            "Event": "change_external_contact",
            "ChangeType": kind,
            "UserID": follow.userid,
            "ExternalUserID": follow.external_userid,
            **(more or {}),
        }
        pushed = self.emit(event, duplicate=duplicate)["pushed"]
        answer: Answer = {"userid": follow.userid, "external_userid": follow.external_userid}
        if "WelcomeCode" in event:
            answer["welcome_code"] = event["WelcomeCode"]
        return {**answer, "pushed": pushed}
