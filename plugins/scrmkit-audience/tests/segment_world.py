"""An engine whose one rule does what touchpoints tell it to, and histories for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs

from scrmkit.clock import VirtualClock
from scrmkit.domain.decisions import Decision
from scrmkit.domain.effects import AddTag, RecordConsent, RemoveTag, SetAttribute, SetScore
from scrmkit.domain.identity import Identity
from scrmkit.domain.kinds import ContactAdded, Noted, Nothing, OrderPaid, OrderRefunded
from scrmkit.domain.messages import Purpose
from scrmkit.domain.profile import Score, TagSource
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit.settings import settings_from

NOW = datetime(2026, 3, 10, 4, 0, tzinfo=UTC)
"""Noon of a Tuesday in Shanghai; in New York the clocks changed two days before."""


class NoteRule:
    """Does what a note says: the effects of its ``detail``, by name."""

    kinds = frozenset({"platform.noted"})

    def __init__(self, context: Any) -> None:
        self.name = context.name

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Any]:
        return ()

    def decide(self, touchpoint: Touchpoint[Any], known: Any, now: Any) -> Decision | None:
        at = touchpoint.occurred_at
        effects: list[Any] = []
        for what, value in touchpoint.payload.detail.items():
            if what == "tag":
                group, name, days = value
                expires = None if days is None else at + timedelta(days=days)
                tag = AddTag(group=group, name=name, source=TagSource.TIME, expires_at=expires)
                effects.append(tag)
            elif what == "untag":
                effects.append(RemoveTag(group=value[0], name=value[1]))
            elif what == "consent":
                effects.append(RecordConsent(channel=value[0], purpose=Purpose(value[1]), granted=value[2]))
            elif what == "score":
                hundredths, band, segment, stage = value
                score = Score(scorer="value", hundredths=hundredths, band=band, as_of=at, segment=segment, stage=stage)
                effects.append(SetScore(score=score))
            else:
                effects.append(SetAttribute(name=what, value=value))
        return Decision(reason="the note says so", effects=tuple(effects))


@attrs.frozen
class Nil:
    """Features of nothing."""


class ValueScorer:
    """Stands for the scorer of the settings; the rule sets its scores."""

    kinds = frozenset({"order.paid"})

    def __init__(self, context: Any) -> None:
        self.name = context.name

    def empty(self) -> Nil:
        return Nil()

    def fold(self, features: Nil, touchpoint: Touchpoint[Any]) -> Nil:
        return features

    def combine(self, one: Nil, other: Nil) -> Nil:
        return one

    def calibrate(self, population: Iterable[Nil], as_of: datetime) -> Nil:
        return Nil()

    def score(self, features: Nil, calibration: Nil, as_of: datetime, previous: Any) -> Score:
        return Score(scorer=self.name, hundredths=0, band="none", as_of=as_of)


def make_engine(url: str, tenants: Iterable[str] = ("main",), **more: Any) -> Engine:
    """An engine on an empty database, with the rule ``note`` and the scorer ``value``."""
    core = {"tenants": list(tenants), "stage_from": "value", "durability": "normal"}
    document = {"scrmkit": core, "plugins": {"note": {"use": "rule.note"}, "value": {"use": "scorer.value"}}, **more}
    environ = {"SCRMKIT_SECRET": "0123456789abcdef", "SCRMKIT_DATABASE": url}
    return Engine(
        settings_from(document, environ),
        plugins={"rule.note": NoteRule, "scorer.value": ValueScorer},
        create=True,
        clock=VirtualClock(NOW),
    )


PAYLOADS: Mapping[str, Any] = {
    "entrance.scanned": lambda n, fen: Nothing(),
    "contact.added": lambda n, fen: ContactAdded(),
    "order.paid": lambda n, fen: OrderPaid(order_no=str(n), amount_fen=fen),
    "order.refunded": lambda n, fen: OrderRefunded(order_no=str(n), refund_no=str(n), amount_fen=fen or 1),
}


def phone(number: int) -> Identity:
    """One of a few phones."""
    return Identity(kind="phone", value=f"+86139{number:08}")


def happening(
    number: int, kind: str, who: Iterable[int], at: datetime, *, fen: int = 0, **more: Any
) -> Touchpoint[Any]:
    """The touchpoint of this number; of two people it makes one."""
    payload = PAYLOADS[kind](number, fen)
    return Touchpoint(
        kind=kind, key=str(number), occurred_at=at, payload=payload, identities=tuple(map(phone, who)), **more
    )


def note(number: int, who: Iterable[int], at: datetime, /, **detail: Any) -> Touchpoint[Any]:
    """A note that makes the rule do something."""
    return Touchpoint(
        kind="platform.noted",
        key=str(number),
        occurred_at=at,
        payload=Noted(what="note", detail=detail),
        identities=tuple(map(phone, who)),
    )
