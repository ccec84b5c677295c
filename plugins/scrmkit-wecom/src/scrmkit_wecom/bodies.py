"""What WeCom can be asked to do: typed bodies, checked against its limits when they are made."""

from __future__ import annotations

import enum
from typing import Any

import attrs

from scrmkit.domain.identity import personal
from scrmkit.errors import InvalidValueError
from scrmkit_wecom.limits import between, max_bytes, max_characters, max_items, needed

STATE_CHARACTERS = 30
WAY_MEMBERS = 100
TAG_NAME_CHARACTERS = 30
_ORDER = between(0, 2**32 - 1)


class AttachmentKind(enum.StrEnum):
    """The platform's ``msgtype`` of an attachment."""

    IMAGE = "image"
    LINK = "link"
    MINIPROGRAM = "miniprogram"
    VIDEO = "video"
    FILE = "file"


@attrs.frozen(kw_only=True)
class Attachment:
    """
    What goes along with a welcome (附件).

    Source: WeCom API, 发送新客户欢迎语 (path/92137), read 2026-11.

    Attributes:
        media_id: Of an image, video or file; uploaded ones live three days.
        pic_url: An image's address from ``media/uploadimg``, where there is no media id.
        title: Of a link (up to 128 bytes) or mini-program (up to 64 bytes).
        description: Of a link, up to 512 bytes.
        url: A link's target.
        picture_url: A link's picture.
        pic_media_id: A mini-program's cover.
        appid: The mini-program, which must be bound to the company.
        page: Where in the mini-program.
    """

    kind: AttachmentKind
    media_id: str = ""
    pic_url: str = ""
    title: str = attrs.field(default="", validator=max_bytes(128))
    description: str = attrs.field(default="", validator=max_bytes(512))
    url: str = ""
    picture_url: str = ""
    pic_media_id: str = ""
    appid: str = ""
    page: str = ""

    def __attrs_post_init__(self) -> None:
        match self.kind:
            case AttachmentKind.IMAGE:
                needed(self.media_id or self.pic_url, "an image's media_id or pic_url")
            case AttachmentKind.LINK:
                needed(self.title, "a link's title")
                needed(self.url, "a link's url")
            case AttachmentKind.MINIPROGRAM:
                for name in ("title", "pic_media_id", "appid", "page"):
                    needed(getattr(self, name), f"a mini-program's {name}")
                title = attrs.fields(Attachment).title
                max_bytes(64, called="a mini-program's title")(self, title, self.title)
            case _:
                needed(self.media_id, f"a {self.kind.value}'s media_id")

    def as_json(self) -> dict[str, Any]:
        """As the platform wants it: the payload's name equals its type."""
        match self.kind:
            case AttachmentKind.LINK:
                payload = {"title": self.title, "picurl": self.picture_url, "desc": self.description, "url": self.url}
            case AttachmentKind.MINIPROGRAM:
                payload = {
                    "title": self.title,
                    "pic_media_id": self.pic_media_id,
                    "appid": self.appid,
                    "page": self.page,
                }
            case _:
                payload = {"media_id": self.media_id, "pic_url": self.pic_url}
        return {"msgtype": self.kind.value, self.kind.value: {name: value for name, value in payload.items() if value}}


@attrs.frozen(kw_only=True)
class Welcome:
    """
    A welcome message (新客户欢迎语), sent once within 20 s of the contact.

    Source: WeCom API, 发送新客户欢迎语 (path/92137), read 2026-11.

    Attributes:
        text: Up to 4,000 bytes; may be empty if something is attached.
        attachments: Up to nine.
    """

    welcome_code: str | None = personal(default=None)
    text: str = personal(default="", validator=max_bytes(4_000))
    attachments: tuple[Attachment, ...] = attrs.field(default=(), validator=max_items(9))

    def as_json(self) -> dict[str, Any]:
        """
        As the platform wants it.

        Raises:
            InvalidValueError: There is no code, or nothing to say.
        """
        needed(self.welcome_code, "welcome_code")
        needed(self.text or self.attachments, "text or attachments")
        body: dict[str, Any] = {"welcome_code": self.welcome_code}
        if self.text:
            body["text"] = {"content": self.text}
        if self.attachments:
            body["attachments"] = [attachment.as_json() for attachment in self.attachments]
        return body


@attrs.frozen(kw_only=True)
class AddContactWay:
    """
    A new contact way (联系我): a code or button that adds a member.

    The platform shows those made by API nowhere; keep the ``config_id``, or it
    can be neither changed nor removed.

    Source: WeCom API, 客户联系「联系我」管理 (path/92228), read 2026-11.

    Attributes:
        type: 1 for one member, 2 for several.
        scene: 1 a mini-program's button, 2 a QR code.
        style: The button's look, with scene 1 only.
        remark: For our own people, up to 30 characters.
        state: Comes back when a customer is added, up to 30 characters.
        user: Members; exactly one with type 1, up to 100 with type 2.
        party: Departments, with type 2 only.
    """

    type: int = attrs.field(default=1, validator=between(1, 2))
    scene: int = attrs.field(default=2, validator=between(1, 2))
    style: int | None = attrs.field(default=None, validator=between(1, 3))
    remark: str = attrs.field(default="", validator=max_characters(30))
    skip_verify: bool = True
    state: str = attrs.field(default="", validator=max_characters(STATE_CHARACTERS))
    user: tuple[str, ...] = attrs.field(default=(), validator=max_items(WAY_MEMBERS))
    party: tuple[int, ...] = ()
    is_exclusive: bool = False

    def __attrs_post_init__(self) -> None:
        if self.type == 1 and (len(self.user) != 1 or self.party):
            raise InvalidValueError("a contact way of type 1 has exactly one user and no party")
        if self.type == 2 and not (self.user or self.party):
            raise InvalidValueError("a contact way of type 2 needs users or parties")
        if self.style is not None and self.scene != 1:
            raise InvalidValueError("a contact way has a style only with scene 1")

    def as_json(self) -> dict[str, Any]:
        """As the platform wants it."""
        return _without_empty({**attrs.asdict(self), "user": list(self.user), "party": list(self.party)})


@attrs.frozen(kw_only=True)
class UpdateContactWay:
    """
    A change of a contact way; what is None stays. Type and scene cannot change.

    Attributes:
        user: Replaces all members.
        party: Replaces all departments.
    """

    config_id: str
    remark: str | None = attrs.field(default=None, validator=max_characters(30))
    skip_verify: bool | None = None
    style: int | None = attrs.field(default=None, validator=between(1, 3))
    state: str | None = attrs.field(default=None, validator=max_characters(STATE_CHARACTERS))
    user: tuple[str, ...] | None = attrs.field(default=None, validator=max_items(WAY_MEMBERS))
    party: tuple[int, ...] | None = None

    def __attrs_post_init__(self) -> None:
        needed(self.config_id, "config_id")

    def as_json(self) -> dict[str, Any]:
        """As the platform wants it."""
        given = {name: value for name, value in attrs.asdict(self).items() if value is not None}
        for name in ("user", "party"):
            if name in given:
                given[name] = list(given[name])
        return given


@attrs.frozen(kw_only=True)
class DeleteContactWay:
    """Remove a contact way; its code leads nowhere from then on."""

    config_id: str


@attrs.frozen(kw_only=True)
class NewTag:
    """
    A tag to add.

    Attributes:
        name: Up to 30 characters.
        order: The larger, the further in front; 0 to 2**32 - 1.
    """

    name: str = attrs.field(validator=max_characters(TAG_NAME_CHARACTERS, called="a tag's name"))
    order: int = attrs.field(default=0, validator=_ORDER)

    def __attrs_post_init__(self) -> None:
        needed(self.name, "a tag's name")


@attrs.frozen(kw_only=True)
class AddCorpTags:
    """
    Tags to add to the company's library (企业客户标签), in a new group or an existing one.

    Source: WeCom API, 管理企业标签 (path/92117), read 2026-11.

    Attributes:
        group_id: The group, if it exists; its name and order are then not looked at.
        group_name: Up to 30 characters; the tags join a group of that name if there is one.
    """

    tags: tuple[NewTag, ...]
    group_id: str = ""
    group_name: str = attrs.field(
        default="", validator=max_characters(TAG_NAME_CHARACTERS, called="a tag group's name")
    )
    order: int = attrs.field(default=0, validator=_ORDER)

    def __attrs_post_init__(self) -> None:
        needed(self.tags, "a tag to add")
        needed(self.group_id or self.group_name, "group_id or group_name")

    def as_json(self) -> dict[str, Any]:
        """As the platform wants it."""
        group = {"group_id": self.group_id} if self.group_id else {"group_name": self.group_name, "order": self.order}
        return {**group, "tag": [{"name": tag.name, "order": tag.order} for tag in self.tags]}


@attrs.frozen(kw_only=True)
class EditCorpTag:
    """A new name or order for a tag or a tag group that this app has made."""

    id: str
    name: str | None = attrs.field(default=None, validator=max_characters(TAG_NAME_CHARACTERS, called="a tag's name"))
    order: int | None = attrs.field(default=None, validator=_ORDER)

    def __attrs_post_init__(self) -> None:
        needed(self.id, "id")

    def as_json(self) -> dict[str, Any]:
        """As the platform wants it."""
        return {name: value for name, value in attrs.asdict(self).items() if value is not None}


@attrs.frozen(kw_only=True)
class DeleteCorpTags:
    """Tags and groups to delete; a group goes with its last tag."""

    tag_id: tuple[str, ...] = ()
    group_id: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        needed(self.tag_id or self.group_id, "tag_id or group_id")

    def as_json(self) -> dict[str, Any]:
        """As the platform wants it."""
        return _without_empty({"tag_id": list(self.tag_id), "group_id": list(self.group_id)})


@attrs.frozen(kw_only=True)
class MarkTag:
    """
    Tags to put on a customer, or to take off, as one member sees the customer.

    Tags hang on the pair of member and customer.

    Source: WeCom API, 编辑客户企业标签 (path/92118), read 2026-11.

    Attributes:
        add_tag: Ids to put on.
        remove_tag: Ids to take off.
        add_named: Tags to put on by ``(group, name)``; they are looked up, and
            made where the library has none.
    """

    userid: str
    external_userid: str = personal(default="")
    add_tag: tuple[str, ...] = ()
    remove_tag: tuple[str, ...] = ()
    add_named: tuple[tuple[str, str], ...] = ()

    def __attrs_post_init__(self) -> None:
        needed(self.userid, "userid")
        needed(self.add_tag or self.remove_tag or self.add_named, "a tag to put on or take off")

    def as_json(self) -> dict[str, Any]:
        """
        As the platform wants it.

        Raises:
            InvalidValueError: There is no customer, or a name was not looked up.
        """
        needed(self.external_userid, "external_userid")
        needed(self.add_tag or self.remove_tag, "a tag to put on or take off")
        return _without_empty(
            {
                "userid": self.userid,
                "external_userid": self.external_userid,
                "add_tag": list(self.add_tag),
                "remove_tag": list(self.remove_tag),
            }
        )


def _without_empty(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in ("", [], None)}
