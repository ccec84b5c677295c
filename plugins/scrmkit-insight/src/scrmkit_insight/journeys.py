"""Reads what was recorded of single customers, and the reason of anything that is so of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import itemgetter
from typing import Any

import attrs
from sqlalchemy import Table

from scrmkit.clock import from_micros
from scrmkit.domain.ids import CustomerId, OutgoingId, TouchpointId
from scrmkit.domain.messages import Status
from scrmkit.domain.policy import Verdict
from scrmkit.engine.customers import Who, find, is_over, newest
from scrmkit.errors import UnknownNameError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import frozen
from scrmkit.persistence.database import Database, Wire
from scrmkit.settings.structure import did_you_mean
from scrmkit_insight import entries as j

Row = dict[str, Any]
_WORDS = {
    "tag": (schema.tag, ("add_tag", "remove_tag"), ("group", "name")),
    "attribute": (schema.attribute, ("set_attribute",), ("name",)),
    "score": (schema.score, ("set_score",), ("scorer",)),
    "consent": (schema.consent, ("record_consent",), ("channel", "purpose")),
}
"""Where the newest word of a type stands, which effects write it, and what its key is there."""
_OUTGOING = ("propose", "request")
_RANKS = ("touchpoint", "merge", "decision", "score", "message", "request")


def journey(database: Database, tenant: str, who: Who) -> tuple[j.Entry, ...]:
    """
    Everything that is recorded of one customer, in the order in which it happened.

    Raises:
        UnknownNameError: The tenant has no such customer.
    """
    with _looking(database, tenant, who) as look:
        return look.journey()


def why(database: Database, tenant: str, who: Who, effect: str | j.EffectRef, at: datetime) -> j.Why:
    """
    Why something is so of a customer: who decided it, at what, and for which reason.

    Args:
        effect: Such as ``tag:source/table card``; see ``EffectRef``.
        at: Now; says whether a tag has expired. Timezone-aware.

    Raises:
        UnknownNameError: The tenant has no such customer, or the customer no such effect.
        InvalidValueError: The effect is not written so.
    """
    asked = j.EffectRef.of(effect) if isinstance(effect, str) else effect
    with _looking(database, tenant, who) as look:
        return look.word(asked, at) if asked.type in _WORDS else look.sent(asked)


@contextmanager
def _looking(database: Database, tenant: str, who: Who) -> Iterator[_Look]:
    with database.reading() as wire:
        yield _Look(wire, tenant, find(wire, tenant, who))


class _Look:
    """One look at one customer."""

    def __init__(self, wire: Wire, tenant: str, person: int) -> None:
        self._wire = wire
        self._tenant = tenant
        self._person = person
        # All customers that the person has been.
        self._ids = {row["id"] for row in self._own(schema.customer)}

    def journey(self) -> tuple[j.Entry, ...]:
        own, outgoing = self._own(schema.touchpoint), self._own(schema.outgoing)
        words = [row for table, *_ in _WORDS.values() for row in self._own(table)]
        wanted = {row["parent"] for row in own} | {row["touchpoint"] for row in outgoing + words}
        others = self._touchpoints(wanted - {None, *(row["id"] for row in own)})
        entries: list[j.Entry] = [_touchpoint(row) for row in own]
        entries += [_decision(row, document) for row in own for document in row["decisions"]]
        for row in others:
            for document in row["decisions"]:
                mine = [effect for effect in document.get("effects", ()) if self._is_of(effect, row)]
                if mine:
                    entries.append(_decision(row, {**document, "effects": mine, "answer": None}))
        entries += self._entries(outgoing, [*own, *others])
        entries += self._merges()
        entries += self._scores([*own, *others])
        return tuple(sorted(entries, key=lambda e: (e.at, e.touchpoint, _RANKS.index(e.what))))

    def word(self, effect: j.EffectRef, at: datetime) -> j.Why:
        """Why the newest word on a tag, attribute, score or consent is as it is."""
        table, types, fields = _WORDS[effect.type]
        width, names = len(table.primary_key.columns), [column.name for column in table.columns]
        found = newest(self._wire, table, self._tenant, self._person)
        words = {tuple(row[2:width]): dict(zip(names, row, strict=True)) for row in found}
        if effect.key not in words:
            hint = did_you_mean(str(effect), [str(j.EffectRef(effect.type, key)) for key in words])
            raise UnknownNameError(f"customer {self._person} has no {effect}{hint}")
        row = words[effect.key]
        state, value = _standing(effect.type, row, at)
        return self._why(effect, row["touchpoint"], types, fields, state=state, value=value)

    def sent(self, effect: j.EffectRef) -> j.Why:
        """Why a message or request was asked for, and became what it did."""
        (name,) = effect.key
        # A key is 32 characters of a hash; an id has at most 19 digits.
        column, value = ("id", int(name)) if name.isdecimal() and len(name) < 20 else ("key", name)
        rows = self._rows(schema.outgoing, (column,), [(value,)])
        if not rows or (rows[0]["person"], rows[0]["type"]) != (self._person, effect.type):
            raise UnknownNameError(f"customer {self._person} has no {effect}")
        row = rows[0]
        if row["slot"] is not None:
            rivals = self._rows(schema.outgoing, ("slot",), [(row["slot"],)])
            rows += [rival for rival in rivals if rival["id"] != row["id"]]
        first, *others = self._entries(rows, self._touchpoints({r["touchpoint"] for r in rows}))
        asked = attrs.evolve(effect, key=(row["key"],))
        why = self._why(asked, row["touchpoint"], _OUTGOING, ("key",), state=f"is {row['status']}")
        return attrs.evolve(why, effect=effect, outgoing=first, rivals=tuple(others))

    def _why(
        self, effect: j.EffectRef, id_: int | None, types: Sequence[str], fields: Sequence[str], **more: Any
    ) -> j.Why:
        line: list[Row] = []
        while id_ is not None:
            line += self._touchpoints({id_})
            id_ = line[-1]["parent"]
        decision = None
        for row, document, written in _effects(line[:1]):
            key = tuple(written.get(field) for field in fields)
            if written["type"] in types and key == effect.key and self._is_of(written, row):
                decision = _decision(row, {**document, "effects": [written]})
        touchpoint, *led_to = map(_touchpoint, line)
        return j.Why(
            customer=CustomerId(self._person), effect=effect, decision=decision,
            touchpoint=touchpoint, led_to=tuple(led_to), **more,
        )  # fmt: skip

    # --- rows ----------------------------------------------------------------------------

    def _rows(self, table: Table, keys: Sequence[str], wanted: Sequence[tuple[Any, ...]]) -> list[Row]:
        """Rows of this tenant, by their first column: an id in most, and ids rise with time."""
        names = [column.name for column in table.columns]
        asked = [(self._tenant, *one) for one in wanted]
        found = self._wire.find(table, ("tenant", *keys), asked)
        rows = [dict(zip(names, row, strict=True)) for row in sorted(found, key=itemgetter(0))]
        if table is schema.touchpoint:
            for row in rows:
                row["decisions"] = json.loads(row["decisions"])
        return rows

    def _own(self, table: Table) -> list[Row]:
        return self._rows(table, ("person",), [(self._person,)])

    def _touchpoints(self, ids: Iterable[int]) -> list[Row]:
        return self._rows(schema.touchpoint, ("id",), [(id_,) for id_ in ids])

    def _is_of(self, effect: Row, row: Row) -> bool:
        """Whether an effect, written down at a touchpoint, is about this customer."""
        return effect.get("customer", row["customer"]) in self._ids

    # --- entries -------------------------------------------------------------------------

    def _entries(self, rows: Sequence[Row], touchpoints: Iterable[Row]) -> list[j.OutgoingEntry]:
        asked: dict[str, tuple[str, Verdict]] = {}
        for _, document, effect in _effects(touchpoints):
            if effect["type"] in _OUTGOING and "code" in effect:
                goes = effect["status"] in (Status.PLANNED, Status.PROPOSED)
                at = from_micros(effect["due_at"]) if goes else None
                verdict = Verdict(send_at=at, code=effect["code"], reason=effect["reason"])
                asked[effect["key"]] = (document["reason"], verdict)
        attempts: dict[int, tuple[j.Attempt, ...]] = {}
        for one in self._rows(schema.attempt, ("outgoing",), [(row["id"],) for row in rows]):
            told = j.Attempt(at=from_micros(one["at"]), **_picked(one, "status", "code", "reason"))
            attempts[one["outgoing"]] = (*attempts.get(one["outgoing"], ()), told)
        return [_outgoing(row, attempts.get(row["id"], ()), *asked.get(row["key"], ("", None))) for row in rows]

    def _merges(self) -> Iterator[j.MergeEntry]:
        for row in self._rows(schema.merge, ("kept",), [(id_,) for id_ in self._ids]):
            undone_at = None if row["undone_at"] is None else from_micros(row["undone_at"])
            told = _picked(row, "touchpoint", "kept", "moved")
            yield j.MergeEntry(at=from_micros(row["at"]), undone_at=undone_at, **told)

    def _scores(self, touchpoints: Iterable[Row]) -> Iterator[j.ScoreEntry]:
        found = [
            (effect["as_of"], row["id"], effect)
            for row, _, effect in _effects(touchpoints)
            if effect["type"] == "set_score" and self._is_of(effect, row)
        ]
        bands: dict[str, str] = {}
        for at, id_, effect in sorted(found, key=itemgetter(0, 1)):
            told = _picked(effect, "scorer", "hundredths", "band", "segment", "stage")
            before = bands.get(effect["scorer"])
            bands[effect["scorer"]] = effect["band"]
            yield j.ScoreEntry(at=from_micros(at), touchpoint=id_, before=before, **told)


def _effects(touchpoints: Iterable[Row]) -> Iterator[tuple[Row, Row, Row]]:
    """Every effect that was written down, with its decision and its touchpoint."""
    for row in touchpoints:
        for document in row["decisions"]:
            for effect in document.get("effects", ()):
                yield row, document, effect


def _picked(row: Row, *names: str) -> Row:
    return {name: row[name] for name in names}


def _standing(type_: str, row: Row, at: datetime) -> tuple[str, Row]:
    """Where a word stands, and what is stored of it."""
    if type_ == "score":
        return f"is {row['hundredths'] / 100:.2f}", json.loads(row["detail"])
    if type_ == "attribute":
        return "is set", {"value": json.loads(row["value"])}
    if type_ == "consent":
        state = "was granted" if row["granted"] else "was withdrawn"
        return state, _picked(row, "granted", "proof")
    state = "has expired" if is_over(row["expires_at"], at) else "holds"
    stored = _picked(row, "present", "source", "expires_at")
    return state if row["present"] else "was taken away", stored


def _touchpoint(row: Row) -> j.TouchpointEntry:
    context = json.loads(row["context"])
    names = ("kind", "key", "customer", "amount_fen", "source", "brand", "shop", "parent")
    return j.TouchpointEntry(
        at=from_micros(row["occurred_at"]), received_at=from_micros(row["received_at"]),
        touchpoint=TouchpointId(row["id"]), payload=frozen(json.loads(row["payload"])),
        instance="/".join(context.get("to", ())), guide=context.get("guide"),
        **_picked(row, *names),
    )  # fmt: skip


def _decision(row: Row, document: Row) -> j.DecisionEntry:
    return j.DecisionEntry(
        at=from_micros(row["received_at"]), touchpoint=TouchpointId(row["id"]),
        instance="/".join(document.get("instance", ())), answer=frozen(document.get("answer")),
        effects=frozen(document.get("effects", [])),
        **_picked(document, "plugin", "code", "reason"),
    )  # fmt: skip


def _outgoing(row: Row, attempts: tuple[j.Attempt, ...], because: str, verdict: Verdict | None) -> j.OutgoingEntry:
    names = ("key", "plugin", "connector", "operation", "purpose", "status", "code", "reason")
    return j.OutgoingEntry(
        what=row["type"], at=from_micros(row["planned_at"]), due_at=from_micros(row["due_at"]),
        touchpoint=TouchpointId(row["touchpoint"]), id=OutgoingId(row["id"]), because=because,
        verdict=verdict, slot=row["slot"] or "", attempts=attempts, **_picked(row, *names),
    )  # fmt: skip
