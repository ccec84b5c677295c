"""Loads what plugins declared, in bulk, and answers exactly that."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import attrs
from sqlalchemy import Table

from scrmkit.clock import from_micros, to_micros
from scrmkit.domain import reads as r
from scrmkit.domain.campaign import InstanceRef, Participant
from scrmkit.domain.ids import CustomerId, TouchpointId
from scrmkit.domain.messages import Purpose
from scrmkit.domain.profile import Consent, Score, Tag, TagSource
from scrmkit.domain.text import is_storable
from scrmkit.engine.calls import ContractError, listed
from scrmkit.engine.frame import Frame
from scrmkit.engine.rows import AccountRow, PartRow, Person
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import UndeclaredReadError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import Codec, frozen

_EARLIEST, _LATEST = -(1 << 62), 1 << 62
_NEVER = r.Activity(0, 0, None, None)
_NOTHING: Mapping[Any, Any] = MappingProxyType({})
_SOURCES = {str(source): source for source in TagSource}

Key = tuple[Any, ...]
Declared = dict[r.Read[Any], Key | None]
"""What a plugin named, and where the answers will be: known when they are loaded."""

Wanted = defaultdict[type, list[tuple[str, str, Any, Declared]]]
"""By type of read: tenants, asking plugins, what they ask, and where that stands."""

_Load = Callable[[WorkSet, list[Any]], None]


def _is_customer(value: Any) -> bool:
    return value is None or (type(value) is int and -_LATEST < value < _LATEST)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and is_storable(value)


def _is_moment(value: Any) -> bool:
    return value is None or (isinstance(value, datetime) and value.tzinfo is not None)


def _is_ref(value: Any) -> bool:
    return isinstance(value, InstanceRef)


_FIELDS: dict[str, Callable[[Any], bool]] = {
    "customer": _is_customer, "ref": _is_ref, "since": _is_moment, "until": _is_moment,
    "scorer": _is_text, "kind": _is_text, "role": _is_text, "campaign": _is_text,
    "resource": _is_text, "ledger": _is_text, "owner": _is_text,
}  # fmt: skip
"""What every database can look for, by the fields of reads."""

_CHECKS: dict[Any, tuple[tuple[str, Callable[[Any], bool]], ...]] = {
    kind: tuple((name, _FIELDS[name]) for name in _FIELDS if name in kind.__slots__) for kind in r.Read.__subclasses__()
}


class Knowing:
    """
    Loads and answers reads over one working set.

    Attributes:
        here: Customers who are known to be canonical.
    """

    def __init__(self, work: WorkSet, codec: Codec) -> None:
        self._work = work
        self._codec = codec
        self.here: set[Person] = set()

    def declared(self, found: Any) -> Declared:
        """
        What a plugin listed as its needs.

        Raises:
            ContractError: It lists something else, or a read of what cannot be.
        """
        declared = listed(found)
        for read in declared:
            kind = type(read)
            if kind not in _CHECKS:
                raise ContractError(f"{kind.__name__} is no read")
            for name, fits in _CHECKS[kind]:
                if not fits(getattr(read, name)):
                    raise ContractError(f"{kind.__name__} asks for what cannot be")
        return declared

    def load(self, wanted: Wanted) -> None:
        """Load everything of *wanted* that is not there yet, each table in one query."""
        self._meet(wanted)
        for kind, asked in wanted.items():
            key_of, load, _ = _READS[kind]
            for tenant, plugin, read, declared in asked:
                declared[read] = key_of(self, tenant, plugin, read)
            load(self._work, [declared[read] for _, _, read, declared in asked])

    def _meet(self, wanted: Wanted) -> None:
        """Look up who those are that are asked about by an id that may be an old one."""
        named = {
            (tenant, read.customer)
            for kind, asked in wanted.items()
            if "customer" in kind.__slots__  # type: ignore[attr-defined]
            for tenant, _, read, _ in asked
        } - self.here
        strangers = [one for one in named if one[1] is not None]
        for row in self._work.select(schema.customer, ("tenant", "id"), strangers):
            self._work.people[row[1], row[0]] = row[2]
        self.here |= named

    def consents(self, person: Person, *_: object) -> tuple[Consent, ...]:
        """The word of somebody whose consents were loaded before."""
        return tuple(map(consent_of, self._work.newest["consent"].of(person).values()))

    # --- keys ----------------------------------------------------------------------------

    def _whose(self, tenant: str, plugin: str, read: Any) -> Person:
        customer = read.customer
        return tenant, self._work.people.get((tenant, customer), customer)

    def _activity_key(self, tenant: str, plugin: str, read: r.ActivityOf) -> Key:
        since = _EARLIEST if read.since is None else to_micros(read.since)
        until = _LATEST if read.until is None else to_micros(read.until)
        return (*self._whose(tenant, plugin, read), read.kind, since, until)

    def _member_key(self, tenant: str, plugin: str, read: Any) -> Key:
        return (tenant, plugin, self._whose(tenant, plugin, read)[1])

    def _part_key(self, tenant: str, plugin: str, read: r.ParticipantOf) -> Key:
        return (*self._member_key(tenant, read.ref.plugin, read), read.ref)

    def _instance_key(self, tenant: str, plugin: str, read: r.Participants) -> Key:
        return (tenant, read.ref)

    def _stock_key(self, tenant: str, plugin: str, read: r.StockOf) -> Key:
        return (tenant, f"{plugin}/{read.campaign}/{read.resource}")

    def _account_key(self, tenant: str, plugin: str, read: r.BalanceOf) -> Key:
        return (tenant, f"{plugin}/{read.ledger}", read.owner)

    # --- answers -------------------------------------------------------------------------

    def _tags(self, key: Person, plugin: str, read: r.Tags, now_us: int) -> Mapping[Any, Tag]:
        rows = self._work.newest["tag"].of(key)
        if not rows:
            return _NOTHING
        tags = {name: tag_of(row) for name, row in rows.items() if row[7] and (row[11] is None or row[11] > now_us)}
        return MappingProxyType(tags)

    def _attributes(self, key: Person, plugin: str, read: r.Attributes, now_us: int) -> Mapping[str, Any]:
        rows = self._work.newest["attribute"].of(key)
        if not rows:
            return _NOTHING
        return MappingProxyType({name[0]: json.loads(row[6]) for name, row in rows.items()})

    def _memo(self, key: Person, plugin: str, read: r.Memo, now_us: int) -> Any:
        row = self._work.newest["memo"].of(key).get((plugin,))
        return None if row is None else frozen(json.loads(row[6]))

    def _score(self, key: Person, plugin: str, read: r.ScoreOf, now_us: int) -> Score | None:
        row = self._work.newest["score"].of(key).get((read.scorer,))
        return None if row is None else self._codec.load(json.loads(row[10]), Score)

    def _activity(self, key: Key, plugin: str, read: r.ActivityOf, now_us: int) -> r.Activity:
        count, amount, first, last = self._work.activities[key]
        for at, fen in self._work.recorded.get(key[:3], ()):
            if key[3] <= at < key[4]:
                count, amount = count + 1, amount + fen
                first = at if first is None else min(first, at)
                last = at if last is None else max(last, at)
        if not count:
            return _NEVER
        return r.Activity(count, int(amount), from_micros(first), from_micros(last))

    def _participant(self, key: Any, plugin: str, read: r.ParticipantOf, now_us: int) -> Participant | None:
        for part in self._work.parts_of(*key[:3]):
            if part.ref == read.ref and part.role == read.role:
                return participant_of(part)
        return None

    def _participants(self, key: Any, plugin: str, read: r.Participants, now_us: int) -> tuple[Participant, ...]:
        row = self._work.instances.get(key)
        listed = [] if row is None else self._work.role_list(row, read.role)
        return tuple([participant_of(part) for part in listed[: read.limit]])

    def _parts(self, key: Any, plugin: str, read: r.PartsOf, now_us: int) -> r.Parts:
        opened = closed = 0
        for part in self._work.parts_of(*key):
            if part.ref.campaign == read.campaign and part.role == read.role:
                row = self._work.by_id.get(part.instance)
                is_closed = row.closed if row is not None else part.closed
                opened, closed = opened + (not is_closed), closed + is_closed
        return r.Parts(opened, closed)

    def _stock(self, key: Any, plugin: str, read: r.StockOf, now_us: int) -> r.Stock | None:
        row = self._work.resources.get(key)
        return None if row is None else r.Stock(row.capacity, row.held, row.used)

    def _balance(self, key: Any, plugin: str, read: r.BalanceOf, now_us: int) -> int:
        account: AccountRow = self._work.accounts[key]
        return account.balance


def _newest(table: Table) -> _Load:
    return lambda work, people: work.load_newest(table, people)


def _rows(name: str) -> _Load:
    return lambda work, keys: getattr(work, name).load(keys)


def _parts(work: WorkSet, keys: list[Any]) -> None:
    work.load_instances((key[0], key[3]) for key in keys)
    work.load_members(key[:3] for key in keys)


_READS: dict[type, tuple[Callable[..., Key], _Load, Callable[..., Any]]] = {
    r.Tags: (Knowing._whose, _newest(schema.tag), Knowing._tags),
    r.Attributes: (Knowing._whose, _newest(schema.attribute), Knowing._attributes),
    r.Memo: (Knowing._whose, _newest(schema.memo), Knowing._memo),
    r.Consents: (Knowing._whose, _newest(schema.consent), Knowing.consents),
    r.ScoreOf: (Knowing._whose, _newest(schema.score), Knowing._score),
    r.ActivityOf: (Knowing._activity_key, WorkSet.load_activities, Knowing._activity),
    r.ParticipantOf: (Knowing._part_key, _parts, Knowing._participant),
    r.Participants: (Knowing._instance_key, WorkSet.load_instances, Knowing._participants),
    r.PartsOf: (Knowing._member_key, WorkSet.load_members, Knowing._parts),
    r.StockOf: (Knowing._stock_key, _rows("resources"), Knowing._stock),
    r.BalanceOf: (Knowing._account_key, _rows("accounts"), Knowing._balance),
}
"""Of each read: the key of its rows, what loads rows by keys, and what makes an answer of them."""


@attrs.define(slots=True, eq=False)
class View:
    """The ``known`` of one plugin and one touchpoint; nobody can change its answers."""

    _knowing: Knowing
    _frame: Frame
    _plugin: str
    _declared: Declared

    def __getitem__(self, read: r.Read[Any]) -> Any:
        """The answer to a declared read."""
        key = self._declared.get(read)
        if key is None:
            raise UndeclaredReadError(f"{self._plugin} read {type(read).__name__} without naming it in needs()")
        _, _, answer = _READS[type(read)]
        return answer(self._knowing, key, self._plugin, read, self._frame.received_us)


def tag_of(row: tuple[Any, ...]) -> Tag:
    """A tag from its row."""
    return Tag(
        group=row[2], name=row[3], at=from_micros(row[5]), source=_SOURCES[row[8]], plugin=row[9],
        touchpoint=TouchpointId(row[10]),
        expires_at=None if row[11] is None else from_micros(row[11]),
    )  # fmt: skip


def consent_of(row: tuple[Any, ...]) -> Consent:
    """A consent from its row."""
    return Consent(
        channel=row[2], purpose=Purpose(row[3]), at=from_micros(row[5]), granted=bool(row[7]),
        proof=row[8], touchpoint=TouchpointId(row[9]),
    )  # fmt: skip


def participant_of(part: PartRow) -> Participant:
    """A participant from its row."""
    return Participant(
        customer=CustomerId(part.person), role=part.role, data=frozen(json.loads(part.data)),
        joined_at=from_micros(part.joined_at), order=part.position,
    )  # fmt: skip
