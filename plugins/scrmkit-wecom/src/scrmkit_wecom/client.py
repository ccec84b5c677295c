"""The calls of the WeCom API that scrmkit uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import attrs

from scrmkit.clock import Clock, aware
from scrmkit.errors import InvalidValueError, RefusedError, TryLaterError, UnknownOutcomeError
from scrmkit_wecom import errcodes
from scrmkit_wecom.api import BASE_URL, TIMEOUT, Api, Credentials, Json
from scrmkit_wecom.bodies import (
    AddContactWay,
    AddCorpTags,
    DeleteCorpTags,
    EditCorpTag,
    MarkTag,
    UpdateContactWay,
    Welcome,
)
from scrmkit_wecom.records import (
    ContactWayRecord,
    CorpTagGroup,
    CustomerRecord,
    contact_way_record,
    customer_record,
    objects,
    tag_group,
    texts,
)

_Ask = Callable[[str], Json]

USERS_PER_BATCH = 100
CUSTOMERS_PER_PAGE = 100
WAYS_PER_PAGE = 1_000


@attrs.frozen(kw_only=True)
class AddedContactWay:
    """What a new contact way is called; *qr_code* is empty for a mini-program's button."""

    config_id: str
    qr_code: str = ""


class WeComClient:
    """
    The customer-contact API (客户联系) of one app; safe to use from any number of threads.

    Every method may raise `RefusedError`, `TryLaterError` and, where it changes
    something that must not be changed twice, `UnknownOutcomeError`.
    """

    def __init__(
        self, credentials: Credentials, clock: Clock, *, base_url: str = BASE_URL, timeout: timedelta = TIMEOUT
    ) -> None:
        """
        Raises:
            InvalidValueError: *base_url* is not one to send secrets to.
        """
        self._api = Api(credentials, clock, base_url=base_url, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; the client is of no use afterwards."""
        self._api.close()

    def get_follow_user_list(self) -> tuple[str, ...]:
        """The members who may have customers and whom the app can see (path/92571)."""
        return texts(self._api.get("externalcontact/get_follow_user_list").get("follow_user"))

    def list_customers(self, userid: str) -> tuple[str, ...]:
        """
        All customers of a member (path/92113), nobody for a member without customers.

        The platform says "no relation" (84061) for the latter.
        """
        try:
            reply = self._api.get("externalcontact/list", userid=userid)
        except RefusedError as error:
            if error.code == str(errcodes.NO_RELATION):
                return ()
            raise
        return texts(reply.get("external_userid"))

    def get_customer(self, external_userid: str) -> CustomerRecord:
        """A customer with all members who have it as a contact (path/92114)."""
        path = "externalcontact/get"
        found: CustomerRecord | None = None
        followers: list[Any] = []
        for page in self._pages(
            path,
            lambda cursor: self._api.get(
                path, external_userid=external_userid, **({"cursor": cursor} if cursor else {})
            ),
        ):
            followers.extend(objects(page.get("follow_user")))
            found = customer_record(page.get("external_contact"), followers) or found
        if found is None:
            raise TryLaterError(f"WeCom's reply to {path} holds no customer")
        return found

    def batch_get_by_user(self, userids: Sequence[str]) -> Iterator[CustomerRecord]:
        """
        The customers of up to 100 members, page by page (path/92994).

        A customer of several of them comes several times, each with one follower.
        """
        if not 1 <= len(userids) <= USERS_PER_BATCH:
            raise InvalidValueError(f"userids holds {len(userids)}; WeCom takes 1 to {USERS_PER_BATCH}")
        path = "externalcontact/batch/get_by_user"
        for page in self._pages(
            path,
            lambda cursor: self._api.post(
                path, {"userid_list": list(userids), "cursor": cursor, "limit": CUSTOMERS_PER_PAGE}, repeatable=True
            ),
        ):
            for one in objects(page.get("external_contact_list")):
                record = customer_record(one.get("external_contact"), [one.get("follow_info")])
                if record is not None:
                    yield record

    def add_contact_way(self, way: AddContactWay) -> AddedContactWay:
        """Make a contact way (path/92228); never repeated, since each call makes another."""
        path = "externalcontact/add_contact_way"
        reply = self._api.post(path, way.as_json(), repeatable=False)
        config_id, qr_code = reply.get("config_id"), reply.get("qr_code")
        if not isinstance(config_id, str) or not config_id:
            raise UnknownOutcomeError(f"WeCom's reply to {path} holds no config_id")
        return AddedContactWay(config_id=config_id, qr_code=qr_code if isinstance(qr_code, str) else "")

    def get_contact_way(self, config_id: str) -> ContactWayRecord:
        """One contact way of this app (path/92228)."""
        path = "externalcontact/get_contact_way"
        reply = self._api.post(path, {"config_id": config_id}, repeatable=True)
        found = contact_way_record(reply.get("contact_way"))
        if found is None:
            raise TryLaterError(f"WeCom's reply to {path} holds no contact way")
        return found

    def list_contact_way(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[str]:
        """
        The ids of this app's contact ways, page by page (path/92228).

        Args:
            since: Made at or after this moment; None: in the last 90 days.
            until: Made up to this moment; None: now.
        """
        path = "externalcontact/list_contact_way"
        window: dict[str, Any] = {"limit": WAYS_PER_PAGE}
        if since is not None:
            window["start_time"] = int(aware(since).timestamp())
        if until is not None:
            window["end_time"] = int(aware(until).timestamp())
        for page in self._pages(
            path,
            lambda cursor: self._api.post(path, {**window, **({"cursor": cursor} if cursor else {})}, repeatable=True),
        ):
            for way in objects(page.get("contact_way")):
                yield from texts([way.get("config_id")])

    def update_contact_way(self, change: UpdateContactWay) -> None:
        """Change a contact way of this app (path/92228)."""
        self._api.post("externalcontact/update_contact_way", change.as_json(), repeatable=True)

    def del_contact_way(self, config_id: str) -> None:
        """Remove a contact way of this app (path/92228)."""
        self._api.post("externalcontact/del_contact_way", {"config_id": config_id}, repeatable=True)

    def send_welcome_msg(self, welcome: Welcome) -> None:
        """
        Send the welcome that a contact's code stands for (path/92137).

        Safe to repeat: the code works once, so nobody is welcomed twice.

        Raises:
            WelcomeExpiredError: The code is unknown or older than 20 s.
            AlreadyWelcomedError: Somebody was first, or the chat has begun.
            AnotherAppWelcomesError: Another app is at it; trying again may pass.
        """
        self._api.post("externalcontact/send_welcome_msg", welcome.as_json(), repeatable=True)

    def get_corp_tag_list(
        self, *, tag_ids: Sequence[str] = (), group_ids: Sequence[str] = ()
    ) -> tuple[CorpTagGroup, ...]:
        """The company's tags (path/92117): all, or those of the groups, or those named."""
        asked: dict[str, Any] = {}
        if group_ids:
            asked = {"group_id": list(group_ids)}
        elif tag_ids:
            asked = {"tag_id": list(tag_ids)}
        reply = self._api.post("externalcontact/get_corp_tag_list", asked, repeatable=True)
        found = map(tag_group, objects(reply.get("tag_group")))
        return tuple(group for group in found if group is not None)

    def add_corp_tag(self, tags: AddCorpTags) -> CorpTagGroup:
        """Add tags (path/92117); the reply's group holds the new ones only."""
        path = "externalcontact/add_corp_tag"
        reply = self._api.post(path, tags.as_json(), repeatable=False)
        found = tag_group(reply.get("tag_group"))
        if found is None:
            raise UnknownOutcomeError(f"WeCom's reply to {path} holds no tag group")
        return found

    def edit_corp_tag(self, change: EditCorpTag) -> None:
        """Rename or move a tag or group that this app has made (path/92117)."""
        self._api.post("externalcontact/edit_corp_tag", change.as_json(), repeatable=True)

    def del_corp_tag(self, tags: DeleteCorpTags) -> None:
        """Delete tags or groups that this app has made (path/92117)."""
        self._api.post("externalcontact/del_corp_tag", tags.as_json(), repeatable=True)

    def mark_tag(self, mark: MarkTag) -> None:
        """Put tags on a member's customer, or take them off (path/92118)."""
        self._api.post("externalcontact/mark_tag", mark.as_json(), repeatable=True)

    @staticmethod
    def _pages(path: str, ask: _Ask) -> Iterator[Mapping[str, Any]]:
        """Page by page until there is no next cursor; a cursor that comes twice is an error."""
        cursor, seen = "", set[str]()
        while True:
            page: Json = ask(cursor)
            yield page
            following = page.get("next_cursor")
            if not isinstance(following, str) or not following:
                return
            if following in seen:
                raise TryLaterError(f"WeCom's pages of {path} lead back to themselves")
            seen.add(following)
            cursor = following
