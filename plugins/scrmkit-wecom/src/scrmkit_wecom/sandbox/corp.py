"""The company that the sandbox plays, and what can be looked up in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from scrmkit.errors import InvalidValueError, UnknownNameError
from scrmkit_wecom.sandbox.state import (
    ContactWay,
    CorpTag,
    CorpTagGroup,
    Customer,
    Follow,
    Ids,
    Staff,
    Welcome,
    WelcomeTicket,
)


class Corp:
    """All that the platform knows of one company and one app of it."""

    way_limit = 500_000
    """Source: WeCom API, 客户联系「联系我」管理 (path/92228), read 2026-11."""

    tag_limit = 10_000
    """Source: WeCom API, 管理企业标签 (path/92117), read 2026-11; older texts say 3,000."""

    def __init__(self, seed: int) -> None:
        self.ids = Ids(seed)
        self.exposes_unionid = True
        self.departments = {1}
        self.staff: dict[str, Staff] = {}
        self.customers: dict[str, Customer] = {}
        self._follows: dict[str, dict[str, Follow]] = {}
        self.ways: dict[str, ContactWay] = {}
        self.groups: dict[str, CorpTagGroup] = {}
        self.tickets: dict[str, WelcomeTicket] = {}
        self.welcomes: list[Welcome] = []
        self._number = 0
        for name in ("zhangsan", "lisi", "wangwu"):
            self.hire(Staff(userid=name, name=name))

    def next_number(self) -> int:
        """A number that only grows, for the order of pages."""
        self._number += 1
        return self._number

    # Members

    def hire(self, member: Staff) -> None:
        """Add a member, or change the one of the same userid."""
        self.staff[member.userid.lower()] = member
        self.departments.update(member.departments)

    def member(self, userid: str) -> Staff | None:
        """The member; userids do not tell upper from lower case."""
        return self.staff.get(userid.lower())

    def named_member(self, userid: str) -> Staff:
        """
        The member.

        Raises:
            UnknownNameError: There is none; for control calls.
        """
        member = self.member(userid)
        if member is None:
            raise UnknownNameError(f"the sandbox's company has no member {userid!r}")
        return member

    def expand(self, users: Sequence[str], parties: Sequence[int]) -> list[Staff]:
        """The members named, and those of the departments, each once."""
        found = {userid.lower(): self.staff[userid.lower()] for userid in users}
        found |= {userid: member for userid, member in self.staff.items() if set(member.departments) & set(parties)}
        return list(found.values())

    # Customers and their relations

    def meet(self, name: str, unionid: str, contact_type: int) -> Customer:
        """A new customer; empty texts get invented ones."""
        number = len(self.customers) + 1
        customer = Customer(
            external_userid=self.ids.make("wo" if contact_type == 2 else "wm", 30),
            name=name or f"Customer {number}",
            unionid=unionid or self.ids.make("o", 27),
            type=contact_type,
        )
        self.customers[customer.external_userid] = customer
        return customer

    def named_customer(self, external_userid: str) -> Customer:
        """
        The customer.

        Raises:
            UnknownNameError: There is none; for control calls.
        """
        if external_userid not in self.customers:
            raise UnknownNameError(f"the sandbox has no customer {external_userid!r}")
        return self.customers[external_userid]

    def follow(self, userid: str, external_userid: str) -> Follow | None:
        """The relation, also one that is not agreed on yet."""
        return self._follows.get(userid.lower(), {}).get(external_userid)

    def named_follow(self, userid: str, external_userid: str) -> Follow:
        """
        The relation.

        Raises:
            UnknownNameError: There is none; for control calls.
        """
        follow = self.follow(userid, external_userid)
        if follow is None:
            raise UnknownNameError("this member and this customer are not in contact")
        return follow

    def befriend(self, member: Staff, customer: Customer, at: datetime, **more: Any) -> Follow:
        """A new relation, in place of one that was not agreed on."""
        follow = Follow(
            number=self.next_number(),
            userid=member.userid,
            external_userid=customer.external_userid,
            created_at=at,
            **more,
        )
        theirs = self._follows.setdefault(member.userid.lower(), {})
        theirs.pop(customer.external_userid, None)
        theirs[customer.external_userid] = follow
        return follow

    def part(self, follow: Follow) -> None:
        """End a relation."""
        del self._follows[follow.userid.lower()][follow.external_userid]

    def customers_of(self, userid: str) -> list[Follow]:
        """The member's relations, oldest first, without pending ones."""
        theirs = self._follows.get(userid.lower(), {})
        return [follow for follow in theirs.values() if follow.status != "pending"]

    def followers_of(self, external_userid: str) -> list[Follow]:
        """The customer's relations, oldest first, without pending ones."""
        found = [
            theirs[external_userid]
            for theirs in self._follows.values()
            if external_userid in theirs and theirs[external_userid].status != "pending"
        ]
        return sorted(found, key=lambda follow: follow.number)

    def follows(self) -> Iterator[Follow]:
        """Every relation, pending ones too."""
        for theirs in self._follows.values():
            yield from theirs.values()

    # Tags

    def living_groups(self) -> list[CorpTagGroup]:
        """The groups of tags that are not deleted."""
        return [group for group in self.groups.values() if not group.is_deleted]

    def tags(self) -> Iterator[tuple[CorpTagGroup, CorpTag]]:
        """Every tag with its group, deleted ones too."""
        for group in self.groups.values():
            for tag in group.tags:
                yield group, tag

    def tag(self, tag_id: str) -> tuple[CorpTagGroup, CorpTag] | None:
        """The tag that is not deleted, with its group."""
        for group, tag in self.tags():
            if tag.id == tag_id and not tag.is_deleted:
                return group, tag
        return None

    def add_group(self, name: str, order: int, at: datetime, *, is_ours: bool) -> CorpTagGroup:
        """A new group of tags."""
        group_id = self.ids.make("et", 30, f"group:{name}")
        group = CorpTagGroup(id=group_id, name=name, created_at=at, order=order, is_ours=is_ours)
        self.groups[group_id] = group
        return group

    def add_tag(self, group: CorpTagGroup, name: str, order: int, at: datetime, *, is_ours: bool) -> CorpTag:
        """A new tag."""
        tag_id = self.ids.make("et", 30, f"tag:{group.name}:{name}")
        tag = CorpTag(id=tag_id, name=name, created_at=at, order=order, is_ours=is_ours)
        group.tags.append(tag)
        return tag

    def delete_tag(self, group: CorpTagGroup, tag: CorpTag) -> None:
        """Delete a tag everywhere; the last one takes its group along."""
        tag.is_deleted = True
        if not group.living():
            group.is_deleted = True
        for follow in self.follows():
            if tag.id in follow.tag_ids:
                follow.tag_ids.remove(tag.id)

    def delete_group(self, group: CorpTagGroup) -> None:
        """Delete a group with its tags."""
        for tag in group.living():
            self.delete_tag(group, tag)
        group.is_deleted = True

    # Contact ways and welcomes

    def find_way(self, config_id: str, state: str) -> ContactWay:
        """
        The way of that config_id, or else the oldest of that state.

        Raises:
            InvalidValueError: Neither is given.
            UnknownNameError: There is none; for control calls.
        """
        if not (config_id or state):
            raise InvalidValueError("say which code: 'config_id', or its 'state'")
        for way in self.ways.values():
            if way.config_id == config_id or (not config_id and way.state == state):
                return way
        raise UnknownNameError("no contact way has this config_id or state; add one by the API")

    def ticket(self, follow: Follow, at: datetime) -> str:
        """A new welcome_code for the relation."""
        code = self.ids.make("", 43, f"welcome:{follow.userid}:{follow.external_userid}")
        self.tickets[code] = WelcomeTicket(follow=follow, issued_at=at)
        return code
