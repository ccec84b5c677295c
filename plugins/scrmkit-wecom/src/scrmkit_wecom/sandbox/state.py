"""What a company consists of: members, customers, who follows whom, tags, ways, welcomes."""

from __future__ import annotations

import hashlib
import string
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, Literal

import attrs

_LETTERS = string.ascii_letters + string.digits

FollowStatus = Literal["pending", "half", "full"]
Claim = Literal["", "app", "other_app", "other_app_sending", "chat"]

ADD_WAY_QR = 1
"""``add_way`` of a scanned code. Source: WeCom API, 获取客户详情 (path/92114), read 2026-11."""

WELCOME_WINDOW = timedelta(seconds=20)
"""How long a ``welcome_code`` lives; it works once.
Source: WeCom API, 发送新客户欢迎语 (path/92137), read 2026-11."""


class Ids:
    """
    Ids that look like the platform's and depend only on the seed and on what they are for.

    Calls that come in another order, as from several threads, get the same ids.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._counts: Counter[tuple[str, str]] = Counter()

    def make(self, prefix: str, length: int, key: str = "") -> str:
        """A new id: *prefix* and *length* letters and digits; the next one for *key*."""
        return prefix + "".join(_LETTERS[byte % len(_LETTERS)] for byte in self._bytes(prefix, key, length))

    def hexadecimal(self, key: str) -> str:
        """A new id of 32 hexadecimal digits; the next one for *key*."""
        return self._bytes("hex", key, 16).hex()

    def below(self, bound: int, key: str) -> int:
        """A number from 0 to below *bound*; the next one for *key*."""
        return int.from_bytes(self._bytes("below", key, 8), "big") % bound

    def _bytes(self, kind: str, key: str, length: int) -> bytes:
        number = self._counts[kind, key]
        self._counts[kind, key] += 1
        text = f"{self._seed}:{kind}:{key}:{number}".encode(errors="surrogatepass")
        return hashlib.shake_256(text).digest(length)


@attrs.define(kw_only=True)
class Staff:
    """
    A member of the company (成员).

    Attributes:
        has_contact_function: May have customers (配置了客户联系功能).
        is_visible: Lies in the app's visible range (可见范围).
    """

    userid: str
    name: str
    departments: tuple[int, ...] = (1,)
    is_active: bool = True
    is_verified: bool = True
    has_contact_function: bool = True
    is_visible: bool = True


@attrs.define(kw_only=True)
class Customer:
    """Someone outside (外部联系人); type 1 uses WeChat, type 2 another company's WeCom."""

    external_userid: str
    name: str
    unionid: str
    type: int = 1
    gender: int = 0


@attrs.define(kw_only=True)
class Follow:
    """
    One member's relation to one customer (跟进); tags hang here, not on the customer.

    Attributes:
        number: Counted up through the company's life; the order of pages.
        status: ``pending`` until the member agrees, ``half`` until the customer does.
        is_welcomed: A welcome went out already.
    """

    number: int
    userid: str
    external_userid: str
    created_at: datetime
    status: FollowStatus = "full"
    state: str = ""
    add_way: int = ADD_WAY_QR
    remark: str = ""
    tag_ids: list[str] = attrs.field(factory=list)
    personal_tags: list[str] = attrs.field(factory=list)
    is_welcomed: bool = False


@attrs.define(kw_only=True)
class ContactWay:
    """
    A contact way (联系我).

    Attributes:
        settings: All other members, as ``get_contact_way`` shows them.
        scanned: How often a customer was added through it.
        customers: Which member took which customer, for exclusive ways.
    """

    number: int
    config_id: str
    created_at: datetime
    state: str
    users: list[str]
    parties: list[int]
    settings: dict[str, Any]
    scanned: int = 0
    customers: dict[str, str] = attrs.field(factory=dict)

    @property
    def is_temp(self) -> bool:
        """Whether it lives for a while only and for one customer."""
        return bool(self.settings["is_temp"])

    def is_expired(self, at: datetime) -> bool:
        """Whether it is a temporary way that can no longer be scanned."""
        life = timedelta(seconds=self.settings.get("expires_in", 0))
        return self.is_temp and (self.scanned > 0 or at >= self.created_at + life)


@attrs.define(kw_only=True)
class CorpTag:
    """A tag of the company (企业标签); the app may change only what it created."""

    id: str
    name: str
    created_at: datetime
    order: int = 0
    is_ours: bool = True
    is_deleted: bool = False


@attrs.define(kw_only=True)
class CorpTagGroup:
    """A group of the company's tags (标签组)."""

    id: str
    name: str
    created_at: datetime
    order: int = 0
    is_ours: bool = True
    is_deleted: bool = False
    tags: list[CorpTag] = attrs.field(factory=list)

    def living(self) -> list[CorpTag]:
        """The tags that are not deleted."""
        return [tag for tag in self.tags if not tag.is_deleted]


@attrs.define(kw_only=True)
class WelcomeTicket:
    """What a ``welcome_code`` stands for, and who used it."""

    follow: Follow
    issued_at: datetime
    claim: Claim = ""

    def is_late(self, at: datetime) -> bool:
        """Whether its 20 seconds are over."""
        return at >= self.issued_at + WELCOME_WINDOW


@attrs.define(kw_only=True)
class Welcome:
    """A welcome message (欢迎语) that reached a customer."""

    userid: str
    external_userid: str
    at: datetime
    text: str
    attachments: list[Any]
