"""Baseline (b): the same reads, JSON and writes by hand, for these eight rules and no others."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import count
from pathlib import Path
from typing import Any

import attrs

from benchmarks.intake_raw import connect
from benchmarks.shop import START, WINDOW, band_of, thanks_for, wait_after
from scrmkit.clock import to_micros
from scrmkit.domain.kinds import OrderPaid
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.persistence import schema

TENANT, FOREVER = "main", 1 << 62
WINDOW_US = int(WINDOW.total_seconds()) * 1_000_000
dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
FIRST_ID = 1_000_000_000_000_000
"""Below all that an engine allocates, and as long as the digest knows ids to be."""


def _lookup(table: str, *keys: str, wanted: str = "t.*") -> str:
    on = " AND ".join(f"t.{key} = json_extract(k.value, '$[{number}]')" for number, key in enumerate(keys))
    return f"SELECT {wanted} FROM json_each(?) AS k JOIN {schema.PREFIX}{table} AS t ON {on}"


def _insert(table: str) -> str:
    marks = ", ".join("?" * len(schema.TABLES[table].columns))
    return f"INSERT INTO {schema.PREFIX}{table} VALUES ({marks})"


_RECORDED = _lookup("touchpoint", "tenant", "kind", "key", wanted="t.key, t.decisions")
_KNOWN = _lookup("identity", "tenant", "kind", "scope", "value", wanted="t.id, t.value, t.person")
_NAMES = _lookup("identity", "tenant", "person", wanted="t.id, t.person, t.kind, t.value")
_PROFILE = {table: _lookup(table, "tenant", "person") for table in ("tag", "attribute", "memo", "consent", "score")}
_BOUGHT = (
    "SELECT json_extract(k.value, '$[1]'), json_extract(k.value, '$[2]'), count(t.id),"
    " coalesce(sum(t.amount_fen), 0) FROM json_each(?) AS k JOIN scrmkit_touchpoint AS t"
    " ON t.tenant = json_extract(k.value, '$[0]') AND t.person = json_extract(k.value, '$[1]')"
    " AND t.kind = 'order.paid' AND t.occurred_at >= json_extract(k.value, '$[2]')"
    " GROUP BY 1, 2"
)
_SENT = _lookup("outgoing", "tenant", "key", wanted="t.key")
_SUPPRESSED = _lookup("suppression", "tenant", "channel", "identity", wanted="t.identity")
_TAG = _insert("tag") + (
    " ON CONFLICT (tenant, customer, grp, name) DO UPDATE SET person = excluded.person,"
    " at = excluded.at, by_key = excluded.by_key, present = excluded.present,"
    " source = excluded.source, plugin = excluded.plugin, touchpoint = excluded.touchpoint,"
    " expires_at = excluded.expires_at WHERE excluded.at > scrmkit_tag.at"
    " OR excluded.at = scrmkit_tag.at AND excluded.by_key >= scrmkit_tag.by_key"
)
_TIMER = _insert("timer") + (
    " ON CONFLICT (tenant, plugin, scope, key) DO UPDATE SET due_at = excluded.due_at, customer = excluded.customer"
)


@attrs.define(slots=True)
class _Known:
    """What one batch knows of its customers."""

    tags: dict[int, set[tuple[str, str]]]
    attributes: dict[int, dict[str, Any]]
    promises: dict[int, Any]
    refused: set[int]
    best: set[int]
    bought: dict[tuple[int, int], tuple[int, int]]
    here: dict[int, list[tuple[int, int]]]
    phones: dict[int, int]
    sent: set[str]
    suppressed: set[int]

    def orders(self, person: int, since: int) -> tuple[int, int]:
        """How many orders, and what they came to."""
        times, fen = self.bought.get((person, since), (0, 0))
        for at, amount in self.here.get(person, ()):
            if at >= since:
                times, fen = times + 1, fen + amount
        return times, fen


class ByHand:
    """Takes batches of paid orders, and nothing else."""

    def __init__(self, path: Path) -> None:
        self._run = connect(path)
        self._ids = count(FIRST_ID)

    def record(self, number: int, batch: Sequence[Touchpoint[Any]]) -> None:
        """Record a batch in one transaction."""
        self._run.execute("BEGIN IMMEDIATE")
        self._writes: dict[str, list[tuple[Any, ...]]] = {
            name: [] for name in ("customer", "identity", "touchpoint", "outgoing", "personal")
        }
        self._tags: dict[Any, tuple[Any, ...]] = {}
        self._timers: dict[Any, tuple[Any, ...]] = {}
        known = {row[0] for row in self._ask(_RECORDED, [[TENANT, t.kind, t.key] for t in batch])}
        fresh = [touchpoint for touchpoint in batch if touchpoint.key not in known]
        people = self._people(fresh)
        knowing = self._know(fresh, people)
        for touchpoint in fresh:
            self._take(touchpoint, *people[touchpoint.identities[0].value], knowing)
        for table, rows in self._writes.items():
            self._run.executemany(_insert(table), rows)
        self._run.executemany(_TAG, list(self._tags.values()))
        self._run.executemany(_TIMER, list(self._timers.values()))
        self._run.execute("COMMIT")

    def _ask(self, sql: str, keys: Sequence[Sequence[Any]]) -> list[Any]:
        return self._run.execute(sql, (dumps(keys),)).fetchall()

    def _people(self, fresh: Iterable[Touchpoint[Any]]) -> dict[str, tuple[int, int]]:
        """The person and the identity of each phone, new ones made."""
        phones = list(dict.fromkeys(touchpoint.identities[0].value for touchpoint in fresh))
        keys = [[TENANT, "phone", "", phone] for phone in phones]
        people = {value: (person, id_) for id_, value, person in self._ask(_KNOWN, keys)}
        now = to_micros(START)
        for phone in phones:
            if phone not in people:
                person, id_ = next(self._ids), next(self._ids)
                people[phone] = (person, id_)
                self._writes["customer"].append((person, TENANT, person, now))
                self._writes["identity"].append((id_, TENANT, "phone", "", phone, person, person, now))
        return people

    def _know(self, fresh: Sequence[Touchpoint[Any]], people: dict[str, tuple[int, int]]) -> _Known:
        """Everything that the rules and the contact policy look at."""
        persons = [[TENANT, person] for person, _ in people.values()]
        profile = {table: self._ask(sql, persons) for table, sql in _PROFILE.items()}
        tags: dict[int, set[tuple[str, str]]] = {}
        for row in profile["tag"]:
            if row[7]:
                tags.setdefault(row[4], set()).add((row[2], row[3]))
        attributes: dict[int, dict[str, Any]] = {}
        for row in profile["attribute"]:
            attributes.setdefault(row[3], {})[row[2]] = json.loads(row[6])
        windows: list[list[Any]] = [[TENANT, person, -FOREVER] for person, _ in people.values()]
        steps = []
        for touchpoint in fresh:
            person = people[touchpoint.identities[0].value][0]
            windows.append([TENANT, person, to_micros(touchpoint.occurred_at) - WINDOW_US])
            steps.append([TENANT, key_of(person, touchpoint.payload.order_no)])
        phones = {person: id_ for id_, person, kind, _ in self._ask(_NAMES, persons) if kind == "phone"}
        phones.update(people.values())
        addresses = [[TENANT, "notices", id_] for id_ in phones.values()]
        return _Known(
            tags, attributes,
            promises={row[3]: json.loads(row[6]) for row in profile["memo"]},
            refused={row[4] for row in profile["consent"] if not row[7]},
            best={row[3] for row in profile["score"] if row[7] == "A"},
            bought={(row[0], row[1]): (row[2], row[3]) for row in self._ask(_BOUGHT, windows)},
            here={}, phones=phones,
            sent={row[0] for row in self._ask(_SENT, steps)},
            suppressed={row[0] for row in self._ask(_SUPPRESSED, addresses)},
        )  # fmt: skip

    def _take(self, touchpoint: Touchpoint[OrderPaid], person: int, name: int, known: _Known) -> None:
        """Decide about one order, and keep what is to be written."""
        order, id_, at = touchpoint.payload, next(self._ids), to_micros(touchpoint.occurred_at)
        by_key = f"{touchpoint.kind}|{touchpoint.key}"
        tags = known.tags.setdefault(person, set())
        times, fen = known.orders(person, -FOREVER)
        fen += order.amount_fen
        said = [
            self._tag(
                person, ("source", touchpoint.source), "source", "source-tag", id_, at, by_key,
                f"{'again' if ('source', touchpoint.source) in tags else 'first'}"
                f" by {touchpoint.source}",
            ),
            self._tag(
                person, ("spend", band_of(fen)), "interaction", "spend-tag", id_, at, by_key,
                f"spent {fen} fen in {times + 1} orders",
            ),
        ]  # fmt: skip
        if person not in known.refused:
            said.append(self._thank(order, person, name, id_, known))
        said.append(self._follow_up(person, at, known.orders(person, at - WINDOW_US)[0]))
        if known.attributes.get(person, {}).get("desk.complaint") is not None:
            said.append(said_by("complaint", "complained"))
        if person in known.best:
            said.append(said_by("best-customers", "one of the best"))
        if order.amount_fen > 1_000_000 and ("spend", "large") not in tags:
            said.append(said_by("big-order", "a large order of a stranger"))
        if known.promises.get(person) is not None:
            said.append(said_by("promise", "kept a promise"))
        tags |= {("source", touchpoint.source), ("spend", band_of(fen))}
        known.here.setdefault(person, []).append((at, order.amount_fen))
        payload: dict[str, Any] = {"order_no": order.order_no, "amount_fen": order.amount_fen}
        if order.quantity != 1:
            payload["quantity"] = order.quantity
        if order.transaction is not None:
            payload["transaction"] = order.transaction
        self._writes["touchpoint"].append(
            (id_, TENANT, touchpoint.kind, touchpoint.key, 1, at, to_micros(START), person,
             person, order.amount_fen, touchpoint.source, touchpoint.brand, touchpoint.shop,
             dumps({"identities": [name]}), dumps(payload), dumps(said), None)
        )  # fmt: skip

    def _tag(
        self, person: int, tag: tuple[str, str], source: str, plugin: str, touchpoint: int, at: int,
        by_key: str, reason: str,
    ) -> dict[str, Any]:  # fmt: skip
        self._tags[person, tag] = (
            TENANT, person, *tag, person, at, by_key, 1, source, plugin, touchpoint, None,
        )  # fmt: skip
        effect = {"type": "add_tag", "group": tag[0], "name": tag[1], "source": source}
        return said_by(plugin, reason, effect)

    def _follow_up(self, person: int, at: int, times: int) -> dict[str, Any]:
        after = wait_after(times)
        due_at = at + after.days * 86_400_000_000
        scope = f"customer:{person}"
        self._timers[scope] = (TENANT, "follow-up", scope, "follow-up", due_at, person)
        effect = {"type": "start_timer", "key": "follow-up", "due_at": due_at}
        return said_by("follow-up", f"again in {after.days} days", effect)

    def _thank(self, order: OrderPaid, person: int, name: int, touchpoint: int, known: _Known) -> dict[str, Any]:
        key, now = key_of(person, order.order_no), to_micros(START)
        effect: dict[str, Any] = {
            "type": "propose", "key": key, "purpose": "service", "connector": "notices",
            "operation": "send",
        }  # fmt: skip
        if key in known.sent:
            return said_by("thank-you", "paid", {**effect, "status": "repeated"})
        known.sent.add(key)
        address = known.phones.get(person)
        status, code, reason = "planned", "ok", "the contact policy allows it"
        if address is None or address in known.suppressed:
            status, code, reason = "suppressed", "suppressed", "not to be written to"
        id_ = next(self._ids)
        self._writes["outgoing"].append(
            (id_, TENANT, key, "message", "notices", "send", person, person, "thank-you",
             "service", status, code, reason, 5, now, FOREVER, now,
             None if status == "planned" else now, 0, 0, None, address, None, None, touchpoint)
        )  # fmt: skip
        if status == "planned":
            text = dumps({"text": thanks_for(order)})
            self._writes["personal"].append((id_, TENANT, person, text))
        effect.update(status=status, code=code, reason=reason, due_at=now)
        effect.update(priority=5, address=address)
        return said_by("thank-you", "paid", effect)


def said_by(plugin: str, reason: str, *effects: dict[str, Any]) -> dict[str, Any]:
    """A decision as it is kept."""
    said: dict[str, Any] = {"plugin": plugin, "code": "ok", "reason": reason}
    if effects:
        said["effects"] = effects
    return said


def key_of(person: int, step: str) -> str:
    """The key of a thank-you."""
    text = "\x1f".join((TENANT, "thank-you", "", "", str(person), step))
    return blake2b(text.encode(), digest_size=16).hexdigest()
