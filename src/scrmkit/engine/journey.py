"""Reads a customer's journey, and the reason of anything that is so of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any

import attrs
from sqlalchemy import Table

from scrmkit.clock import from_micros
from scrmkit.domain import journey as j
from scrmkit.domain.ids import CustomerId, OutgoingId, TouchpointId
from scrmkit.domain.messages import Status
from scrmkit.domain.policy import Verdict
from scrmkit.engine.customers import Customers, is_over
from scrmkit.errors import UnknownNameError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import frozen
from scrmkit.persistence.database import Wire
from scrmkit.settings.structure import did_you_mean

Row = dict[str, Any]
_WORDS = {"tag": schema.tag, "attribute": schema.attribute, "score": schema.score}
_WORDS |= {"consent": schema.consent}
_WRITTEN: Mapping[str, tuple[str, Callable[[Any], tuple[str, ...]]]] = {
    "add_tag": ("tag", lambda x: (x["group"], x["name"])),
    "remove_tag": ("tag", lambda x: (x["group"], x["name"])),
    "set_attribute": ("attribute", lambda x: (x["name"],)),
    "set_score": ("score", lambda x: (x["scorer"],)),
    "record_consent": ("consent", lambda x: (x["channel"], x["purpose"])),
    "propose": ("outgoing", lambda x: (x["key"],)),
    "request": ("outgoing", lambda x: (x["key"],)),
}
_RANKS = ("touchpoint", "merge", "decision", "score", "message", "request")


class Journeys:
    """Reads what was recorded of single customers, and why."""

    def __init__(self, customers: Customers) -> None:
        self._customers = customers

    def journey(self, wire: Wire, tenant: str, person: int) -> tuple[j.Entry, ...]:
        """Everything about a customer, by canonical id, in the order in which it happened."""
        ids = self._ids(wire, tenant, person)
        own = self._rows(wire, schema.touchpoint, ("tenant", "person"), [(tenant, person)])
        outgoing = self._rows(wire, schema.outgoing, ("tenant", "person"), [(tenant, person)])
        wanted = {row["parent"] for row in own} | {row["touchpoint"] for row in outgoing}
        for table in _WORDS.values():
            words = self._rows(wire, table, ("tenant", "person"), [(tenant, person)])
            wanted |= {row["touchpoint"] for row in words}
        wanted -= {None, *(row["id"] for row in own)}
        others = self._touchpoints(wire, tenant, wanted)
        entries: list[j.Entry] = [_touchpoint(row) for row in own]
        for row in own:
            entries += [_decision(row, document) for document in json.loads(row["decisions"])]
        for row in others:
            for document in json.loads(row["decisions"]):
                mine = [x for x in document.get("effects", ()) if _is_of(x, row, ids)]
                if mine:
                    entries.append(_decision(row, {**document, "effects": mine, "answer": None}))
        entries += self._outgoing(wire, tenant, outgoing, [*own, *others])
        entries += self._merges(wire, tenant, ids)
        entries += _scores([*own, *others], ids)
        return tuple(sorted(entries, key=lambda e: (e.at, e.touchpoint, _RANKS.index(e.what))))

    def why(self, wire: Wire, tenant: str, person: int, effect: j.EffectRef, at: datetime) -> j.Why:
        """
        Why something is so of a customer, by canonical id.

        Args:
            at: Now; says whether a tag has expired.

        Raises:
            UnknownNameError: There is no such thing of this customer.
        """
        if effect.type in _WORDS:
            row, value, state = self._word(wire, tenant, person, effect, at)
            asked: tuple[str, tuple[str, ...]] = (effect.type, effect.key)
            outgoing: list[j.OutgoingEntry] = []
        else:
            row = self._sent(wire, tenant, person, effect)
            value, state, asked = {}, f"is {row['status']}", ("outgoing", (row["key"],))
            rows = [row]
            if row["slot"] is not None:
                slot = [(tenant, row["slot"])]
                rows = self._rows(wire, schema.outgoing, ("tenant", "slot"), slot)
                rows.sort(key=lambda one: one["id"] != row["id"])
            found = self._touchpoints(wire, tenant, {one["touchpoint"] for one in rows})
            outgoing = self._outgoing(wire, tenant, rows, found)
        touchpoint, *led_to = self._line(wire, tenant, row["touchpoint"])
        return j.Why(
            customer=CustomerId(person),
            effect=effect,
            state=state,
            value=value,
            decision=_deciding(touchpoint, asked, self._ids(wire, tenant, person)),
            touchpoint=_touchpoint(touchpoint),
            led_to=tuple(map(_touchpoint, led_to)),
            outgoing=outgoing[0] if outgoing else None,
            rivals=tuple(outgoing[1:]),
        )

    # --- finding -------------------------------------------------------------------------

    def _rows(
        self, wire: Wire, table: Table, keys: Sequence[str], wanted: Sequence[Sequence[Any]]
    ) -> list[Row]:
        names = [column.name for column in table.columns]
        found = self._customers.rows(wire, table, keys, wanted) if wanted else []
        # By the first column: an id, where there is one, and ids rise with time.
        return [dict(zip(names, row, strict=True)) for row in sorted(found, key=itemgetter(0))]

    def _ids(self, wire: Wire, tenant: str, person: int) -> set[int]:
        """All customers that a person has been."""
        rows = self._rows(wire, schema.customer, ("tenant", "person"), [(tenant, person)])
        return {row["id"] for row in rows}

    def _touchpoints(self, wire: Wire, tenant: str, ids: Iterable[int]) -> list[Row]:
        keys = [(tenant, id_) for id_ in sorted(ids)]
        return self._rows(wire, schema.touchpoint, ("tenant", "id"), keys)

    def _line(self, wire: Wire, tenant: str, id_: int | None) -> list[Row]:
        """A touchpoint, and those whose decisions led to it."""
        line = []
        while id_ is not None:
            line += self._touchpoints(wire, tenant, [id_])
            id_ = line[-1]["parent"]
        return line

    def _word(
        self, wire: Wire, tenant: str, person: int, effect: j.EffectRef, at: datetime
    ) -> tuple[Row, Row, str]:
        """The newest word on it, what is stored of it, and where it stands."""
        table = _WORDS[effect.type]
        columns = [column.name for column in table.columns]
        width = len(table.primary_key.columns)
        words = {
            tuple(row[2:width]): dict(zip(columns, row, strict=True))
            for row in self._customers.newest(wire, table, tenant, person)
        }
        if effect.key not in words:
            names = [str(j.EffectRef(effect.type, key)) for key in words]
            hint = did_you_mean(str(effect), names)
            raise UnknownNameError(f"customer {person} has no {effect}{hint}")
        row = words[effect.key]
        if effect.type == "score":
            return row, json.loads(row["detail"]), f"is {row['hundredths'] / 100:.2f}"
        if effect.type == "attribute":
            return row, {"value": json.loads(row["value"])}, "is set"
        if effect.type == "consent":
            state = "was granted" if row["granted"] else "was withdrawn"
            return row, {name: row[name] for name in ("granted", "proof")}, state
        state = "has expired" if is_over(row["expires_at"], at) else "holds"
        value = {name: row[name] for name in ("present", "source", "expires_at")}
        return row, value, state if row["present"] else "was taken away"

    def _sent(self, wire: Wire, tenant: str, person: int, effect: j.EffectRef) -> Row:
        (name,) = effect.key
        # A key is 32 characters of a hash; an id has at most 19 digits.
        by_id = name.isdecimal() and len(name) < 20
        wanted = (tenant, int(name) if by_id else name)
        found = self._rows(wire, schema.outgoing, ("tenant", "id" if by_id else "key"), [wanted])
        for row in found:
            if (row["person"], row["type"]) == (person, effect.type):
                return row
        raise UnknownNameError(f"customer {person} has no {effect}")

    def _outgoing(
        self, wire: Wire, tenant: str, rows: Sequence[Row], touchpoints: Iterable[Row]
    ) -> list[j.OutgoingEntry]:
        asked = _asked(touchpoints)
        attempts: dict[int, list[j.Attempt]] = {row["id"]: [] for row in rows}
        keys = [(id_,) for id_ in attempts]
        for one in self._rows(wire, schema.attempt, ("outgoing",), keys):
            attempts[one["outgoing"]].append(
                j.Attempt(
                    at=from_micros(one["at"]), status=one["status"], code=one["code"],
                    reason=one["reason"],
                )
            )  # fmt: skip
        return [
            _outgoing(row, attempts[row["id"]], *asked.get(row["key"], ("", None))) for row in rows
        ]

    def _merges(self, wire: Wire, tenant: str, ids: Iterable[int]) -> list[j.MergeEntry]:
        keys = [(tenant, id_) for id_ in sorted(ids)]
        return [
            j.MergeEntry(
                at=from_micros(row["at"]), touchpoint=row["touchpoint"], kept=row["kept"],
                moved=row["moved"],
                undone_at=None if row["undone_at"] is None else from_micros(row["undone_at"]),
            )
            for row in self._rows(wire, schema.merge, ("tenant", "kept"), keys)
        ]  # fmt: skip


def _touchpoint(row: Row) -> j.TouchpointEntry:
    context = json.loads(row["context"])
    names = ("kind", "key", "customer", "amount_fen", "source", "brand", "shop", "parent")
    return j.TouchpointEntry(
        at=from_micros(row["occurred_at"]),
        touchpoint=TouchpointId(row["id"]),
        instance="/".join(context.get("to", ())),
        guide=context.get("guide"),
        payload=frozen(json.loads(row["payload"])),
        received_at=from_micros(row["received_at"]),
        **{name: row[name] for name in names},
    )


def _decision(row: Row, document: Row) -> j.DecisionEntry:
    return j.DecisionEntry(
        at=from_micros(row["received_at"]),
        touchpoint=TouchpointId(row["id"]),
        plugin=document["plugin"],
        code=document["code"],
        reason=document["reason"],
        instance="/".join(document.get("instance", ())),
        effects=frozen(document.get("effects", [])),
        answer=frozen(document.get("answer")),
    )


def _is_of(effect: Row, row: Row, ids: Collection[int]) -> bool:
    """Whether an effect, written down at a touchpoint, is about one of these customers."""
    return effect.get("customer", row["customer"]) in ids


def _deciding(
    row: Row, asked: tuple[str, tuple[str, ...]], ids: Collection[int]
) -> j.DecisionEntry | None:
    """The last decision of a touchpoint that wrote what is asked for, with that alone."""
    type_, key = asked
    for document in reversed(json.loads(row["decisions"])):
        for effect in reversed(document.get("effects", ())):
            written, key_of = _WRITTEN.get(effect["type"], ("", lambda x: ()))
            if written == type_ and key_of(effect) == key and _is_of(effect, row, ids):
                return _decision(row, {**document, "effects": [effect]})
    return None


def _asked(touchpoints: Iterable[Row]) -> dict[str, tuple[str, Verdict | None]]:
    """By key: why a message or request was asked for, and what was said when it was planned."""
    found: dict[str, tuple[str, Verdict | None]] = {}
    for row in touchpoints:
        for document in json.loads(row["decisions"]):
            for effect in document.get("effects", ()):
                if effect["type"] in ("propose", "request") and "code" in effect:
                    goes = effect["status"] in (Status.PLANNED, Status.PROPOSED)
                    verdict = Verdict(
                        send_at=from_micros(effect["due_at"]) if goes else None,
                        code=effect["code"], reason=effect["reason"],
                    )  # fmt: skip
                    found[effect["key"]] = (document["reason"], verdict)
    return found


def _outgoing(
    row: Row, attempts: Sequence[j.Attempt], because: str, verdict: Verdict | None
) -> j.OutgoingEntry:
    names = ("key", "plugin", "connector", "operation", "purpose", "status", "code", "reason")
    return j.OutgoingEntry(
        what=row["type"],
        at=from_micros(row["planned_at"]),
        touchpoint=TouchpointId(row["touchpoint"]),
        id=OutgoingId(row["id"]),
        due_at=from_micros(row["due_at"]),
        because=because,
        verdict=verdict,
        slot=row["slot"] or "",
        attempts=tuple(attempts),
        **{name: row[name] for name in names},
    )


def _scores(touchpoints: Iterable[Row], ids: Collection[int]) -> list[j.ScoreEntry]:
    found = []
    for row in touchpoints:
        for document in json.loads(row["decisions"]):
            for effect in document.get("effects", ()):
                if effect["type"] == "set_score" and _is_of(effect, row, ids):
                    names = ("scorer", "hundredths", "band", "segment", "stage")
                    at, id_ = from_micros(effect["at"]), TouchpointId(row["id"])
                    told = {name: effect[name] for name in names}
                    found.append(j.ScoreEntry(at=at, touchpoint=id_, **told))
    bands: dict[str, str] = {}
    moved = []
    for entry in sorted(found, key=lambda entry: (entry.at, entry.touchpoint)):
        moved.append(attrs.evolve(entry, before=bands.get(entry.scorer)))
        bands[entry.scorer] = entry.band
    return moved
