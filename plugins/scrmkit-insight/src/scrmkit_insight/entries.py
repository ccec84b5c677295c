"""A customer's journey, and why something is so: values to print, without personal ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from scrmkit.domain.ids import CustomerId, OutgoingId, TouchpointId
from scrmkit.domain.policy import Verdict
from scrmkit.errors import InvalidValueError


@attrs.frozen(kw_only=True)
class Entry:
    """
    One line of a journey.

    Attributes:
        what: ``touchpoint``, ``decision``, ``message``, ``request``, ``score`` or ``merge``.
        at: When it happened or, for a decision, when it was made. Timezone-aware.
        touchpoint: What it happened at.
    """

    what: str
    at: datetime
    touchpoint: TouchpointId

    @property
    def words(self) -> str:
        """It in one line."""
        raise NotImplementedError


@attrs.frozen(kw_only=True)
class TouchpointEntry(Entry):
    """
    A touchpoint that was recorded.

    Attributes:
        customer: Who it was at the time; after a merge not the canonical one.
        payload: Its fields but for the personal ones, as JSON values.
        instance: ``plugin/campaign/key`` where it was for one instance, else empty.
        parent: The touchpoint whose decision emitted it.
    """

    what: str = "touchpoint"
    kind: str
    key: str
    received_at: datetime
    customer: CustomerId | None
    payload: Mapping[str, Any] = attrs.field(factory=dict, hash=False)
    amount_fen: int = 0
    source: str = ""
    brand: str | None = None
    shop: str | None = None
    guide: str | None = None
    instance: str = ""
    parent: TouchpointId | None = None

    @property
    def words(self) -> str:
        """It in one line."""
        where = (("from", self.source), ("at", self.shop), ("for", self.instance))
        return " ".join([self.kind, *(f"{word} {name}" for word, name in where if name)])


@attrs.frozen(kw_only=True)
class DecisionEntry(Entry):
    """
    What a plugin decided.

    Attributes:
        instance: ``campaign/key`` for a mechanic, else empty.
        effects: As they were written down; of somebody else's touchpoint only
            those about this customer.
    """

    what: str = "decision"
    plugin: str
    code: str
    reason: str
    instance: str = ""
    effects: tuple[Mapping[str, Any], ...] = attrs.field(default=(), hash=False)
    answer: Mapping[str, Any] | None = attrs.field(default=None, hash=False)

    @property
    def words(self) -> str:
        """It in one line."""
        refused = "" if self.code == "ok" else f" ({self.code})"
        return f"{self.plugin}: {self.reason}{refused}"


@attrs.frozen(kw_only=True)
class Attempt:
    """What became of a message or request at one moment."""

    at: datetime
    status: str
    code: str
    reason: str

    @property
    def words(self) -> str:
        """It in one line."""
        return _with_reason(self.status, ": ", self.reason)


@attrs.frozen(kw_only=True)
class OutgoingEntry(Entry):
    """
    A message or request, where it is now and how it came there; *what* says which.

    Attributes:
        because: The reason of the decision that asked for it.
        verdict: What the contact policy said when it was planned.
        slot: What it competed for, empty where for nothing.
    """

    id: OutgoingId
    key: str
    plugin: str
    connector: str
    operation: str
    purpose: str
    status: str
    code: str
    reason: str
    due_at: datetime
    because: str = ""
    verdict: Verdict | None = None
    slot: str = ""
    attempts: tuple[Attempt, ...] = ()

    @property
    def words(self) -> str:
        """It in one line."""
        what = f"{self.connector}.{self.operation} by {self.plugin}"
        return f"{what}: {_with_reason(self.status, ', ', self.reason)}"


@attrs.frozen(kw_only=True)
class ScoreEntry(Entry):
    """
    A score that was set.

    Attributes:
        before: The band before, None where none is known.
    """

    what: str = "score"
    scorer: str
    hundredths: int
    band: str
    segment: str = ""
    stage: str = ""
    before: str | None = None

    @property
    def words(self) -> str:
        """It in one line."""
        moved = f", {self.before} before" if self.before not in (None, self.band) else ""
        return f"{self.scorer}: {self.hundredths / 100:.2f} ({self.band}{moved})"


@attrs.frozen(kw_only=True)
class MergeEntry(Entry):
    """Two customers turned out to be one; *undone_at* says until when."""

    what: str = "merge"
    kept: CustomerId
    moved: CustomerId
    undone_at: datetime | None = None

    @property
    def words(self) -> str:
        """It in one line."""
        undone = ", undone since" if self.undone_at is not None else ""
        return f"{self.moved} turned out to be {self.kept}{undone}"


def _with_reason(status: str, mark: str, reason: str) -> str:
    # What went well has none.
    return f"{status}{mark}{reason}" if reason else status


_FORMS = {
    "tag": "GROUP/NAME",
    "attribute": "PLUGIN.NAME",
    "score": "SCORER",
    "consent": "CHANNEL/PURPOSE",
    "message": "ID-OR-KEY",
    "request": "ID-OR-KEY",
}


@attrs.frozen
class EffectRef:
    """
    What a reason is asked for, such as ``EffectRef("tag", ("source", "table card"))``.

    Attributes:
        type: ``tag``, ``attribute``, ``score``, ``consent``, ``message`` or ``request``.
        key: What tells it from others of its type.
    """

    type: str
    key: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> EffectRef:
        """
        Read ``tag:GROUP/NAME``, ``score:SCORER`` and the like.

        Raises:
            InvalidValueError: It is written otherwise.
        """
        type_, _, rest = text.partition(":")
        form = _FORMS.get(type_, "")
        key = tuple(rest.split("/", form.count("/")))
        if not form or not all(key) or len(key) <= form.count("/"):
            forms = ", ".join(f"{name}:{form}" for name, form in _FORMS.items())
            raise InvalidValueError(f"{text!r} names no effect; write one of {forms}")
        return cls(type_, key)

    def __str__(self) -> str:
        return f"{self.type}:{'/'.join(self.key)}"


@attrs.frozen(kw_only=True)
class Why:
    """
    Why something is so of a customer (why).

    Attributes:
        state: Where it stands now, in words.
        value: What is stored of it now, as JSON values; a score's with its parts.
        decision: The plugin, the code and the reason, with this effect alone.
        touchpoint: What the decision was made at, with the inputs that are stored.
        led_to: The touchpoints whose decisions led to that one, the nearest first.
        outgoing: The message or request, with the policy's verdict and the attempts.
        rivals: What was proposed for the same slot.
    """

    customer: CustomerId
    effect: EffectRef
    state: str
    value: Mapping[str, Any] = attrs.field(factory=dict, hash=False)
    decision: DecisionEntry | None = None
    touchpoint: TouchpointEntry | None = None
    led_to: tuple[TouchpointEntry, ...] = ()
    outgoing: OutgoingEntry | None = None
    rivals: tuple[OutgoingEntry, ...] = ()

    @property
    def words(self) -> str:
        """The answer in one sentence."""
        said = f"; {self.decision.words}" if self.decision is not None else ""
        seen = f", at {self.touchpoint.words}" if self.touchpoint is not None else ""
        return f"{self.effect} {self.state}{said}{seen}"
