"""One touchpoint on its way through a batch, and who is speaking about it."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import attrs

from scrmkit.domain.campaign import Campaign, InstanceRef
from scrmkit.domain.decisions import Decision, Now
from scrmkit.domain.messages import Message, Operation
from scrmkit.domain.touchpoint import Touchpoint, TouchpointKind
from scrmkit.engine.people import Resolved
from scrmkit.engine.rows import InstanceRow
from scrmkit.plugins import LoadedPlugin

Decided = tuple[LoadedPlugin, Decision]
"""A decision that was made elsewhere, and in whose name."""


@attrs.define(slots=True, eq=False)
class Frame:
    """
    A touchpoint with everything that its row will hold.

    Attributes:
        id: 0 until its turn: ids rise in the order of deciding, as participants stand.
        touchpoint: As plugins see it: resolved.
        customer: The original customer, *person* the canonical one.
        by_key: Breaks ties between words of one moment.
        decisions: The stored form; effects are documents.
        asked: The plugins whose turn it is, each with what it declared or addressed.
        emitted: What to record right after this one.
        decided: A decision that was made elsewhere and is only written down here.
    """

    tenant: str
    kind: TouchpointKind[Any]
    touchpoint: Touchpoint[Any]
    occurred_us: int
    received_us: int
    id: int = 0
    resolved: Resolved = Resolved()
    customer: int | None = None
    person: int | None = None
    parent: int | None = None
    root: int = 0
    depth: int = 0
    asked: list[tuple[LoadedPlugin, Any]] = attrs.field(factory=list)
    decisions: list[dict[str, Any]] = attrs.field(factory=list)
    emitted: list[Touchpoint[Any]] = attrs.field(factory=list)
    by_key: str = ""
    decided: Decided | None = None


@attrs.define(slots=True, eq=False)
class Target:
    """One instance that a mechanic is to be asked about; *row* None: to be opened."""

    loaded: LoadedPlugin
    ref: InstanceRef
    row: InstanceRow | None
    campaign: Campaign[Any] | None


@attrs.define(slots=True, eq=False)
class Author:
    """
    The plugin that decides, at what moment, and for a mechanic about which instance.

    Attributes:
        slow: Whether one of its calls took too long, which is counted already.
        instance: The target's, also where this decision opens it.
    """

    loaded: LoadedPlugin
    now: Now
    slow: bool = False
    target: Target | None = None
    instance: InstanceRow | None = attrs.field(
        init=False, default=attrs.Factory(lambda own: own.target and own.target.row, takes_self=True)
    )

    @property
    def name(self) -> str:
        """The configured name."""
        return self.loaded.name

    @property
    def campaign(self) -> str:
        """The instance's campaign, or empty."""
        return self.instance.campaign if self.instance is not None else ""

    def key(self, first: str, *last: object) -> str:
        """A short key of *first*, who this is, and *last*."""
        key = self.instance.key if self.instance is not None else ""
        return key_of(first, self.name, self.campaign, key, *last)


@attrs.define(slots=True, eq=False)
class Proposed:
    """
    A message or request that a decision asks for.

    Attributes:
        connector: Who is to carry it, a channel for messages.
        document: Its stored form, completed when it is planned.
        body: What is sent, as JSON text. Personal.
        consents: The customer's word at this touchpoint, for messages.
        address: The identity that the channel would write to, looked up for planning.
        once: The author's own key, which the document's is made of.
    """

    frame: Frame
    author: Author
    connector: LoadedPlugin
    operation: Operation
    document: dict[str, Any]
    body: str = attrs.field(repr=False)
    customer: int | None
    person: int | None
    message: Message | None = None
    consents: dict[tuple[str, Any], bool] = attrs.field(factory=dict)
    identities: tuple[tuple[Any, ...], ...] = attrs.field(default=(), repr=False)
    address: int | None = None
    once: str = ""


class GuardError(Exception):
    """A limit was reached at the last moment: the whole decision is dropped."""


def key_of(*parts: object) -> str:
    """A short key that is equal for equal parts and tells nothing of them."""
    text = "\x1f".join(map(str, parts))
    return blake2b(text.encode(), digest_size=16).hexdigest()
