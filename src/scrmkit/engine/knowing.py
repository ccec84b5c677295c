"""Loads what plugins declared, in bulk, and answers exactly that."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

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
_SOURCES = {str(source): source for source in TagSource}
_TABLES = {
    r.Tags: schema.tag,
    r.Attributes: schema.attribute,
    r.Memo: schema.memo,
    r.Consents: schema.consent,
    r.ScoreOf: schema.score,
}
Wanted = defaultdict[type, list[tuple[str, str, Any]]]
"""By type of read: tenants, asking plugins and what they ask."""

_OF_CUSTOMERS_ALONE = frozenset({r.Tags, r.Attributes, r.Memo, r.Consents})
_OF_CUSTOMERS = _OF_CUSTOMERS_ALONE | {r.ScoreOf, r.ActivityOf, r.ParticipantOf, r.PartsOf}
_TEXTS = frozenset({"scorer", "kind", "role", "campaign", "resource", "ledger", "owner"})

Declared = dict[r.Read[Any], Any]
"""What a plugin named, with the answers that it asked for; None where it did not yet."""


class Knowing:
    """
    Loads and answers reads over one working set.

    Attributes:
        here: Customers who are known to be canonical.
    """

    def __init__(self, work: WorkSet, codec: Codec) -> None:
        self._work = work
        self._codec = codec
        self._answer: dict[type, Callable[[str, str, Any, int], Any]] = {
            r.Tags: self._tags,
            r.Attributes: self._attributes,
            r.Memo: self._memo,
            r.Consents: self._consents,
            r.ScoreOf: self._score,
            r.ActivityOf: self._activity,
            r.ParticipantOf: self._participant,
            r.Participants: self._participants,
            r.PartsOf: self._parts,
            r.StockOf: self._stock,
            r.BalanceOf: self._balance,
        }
        self.here: set[Person] = set()
        self._load: dict[type, Callable[[Any], None]] = {
            r.ParticipantOf: self._load_parts,
            r.Participants: self._load_parts,
            r.PartsOf: self._load_parts,
            r.StockOf: self._load_stock,
            r.BalanceOf: self._load_accounts,
            r.ActivityOf: self._load_activities,
        }

    def declared(self, found: Any) -> Declared:
        """
        What a plugin listed as its needs.

        Raises:
            ContractError: It lists something else, or a read of what cannot be.
        """
        declared: Declared = listed(found)
        for read in declared:
            kind = type(read)
            if kind not in self._answer:
                raise ContractError(f"{kind.__name__} is no read")
            if not _makes_sense(read):
                raise ContractError(f"{kind.__name__} asks for what cannot be")
        return declared

    def load(self, wanted: Wanted) -> None:
        """Load everything of *wanted* that is not there yet, each table in one query."""
        self._meet(wanted)
        for kind, asked in wanted.items():
            table = _TABLES.get(kind)
            if table is None:
                self._load[kind](asked)
            else:
                people = [(one[0], self._who(one[0], one[2].customer)) for one in asked]
                self._work.load_newest(table, people)

    def _meet(self, wanted: Wanted) -> None:
        """Look up who those are that are asked about by an id that may be an old one."""
        named = {
            (tenant, read.customer)
            for kind, asked in wanted.items()
            if kind in _OF_CUSTOMERS
            for tenant, _, read in asked
        }
        strangers = [one for one in named - self.here if one[1] is not None]
        for row in self._work.select(schema.customer, ("tenant", "id"), strangers):
            self._work.people[row[1], row[0]] = row[2]
        self.here |= named

    def _who(self, tenant: str, customer: Any) -> Any:
        return self._work.people.get((tenant, customer), customer)

    def _load_parts(self, asked: Sequence[tuple[str, str, Any]]) -> None:
        refs = [(tenant, one.ref) for tenant, _, one in asked if not isinstance(one, r.PartsOf)]
        self._work.load_instances(refs)
        self._work.load_members(
            (tenant, plugin if isinstance(one, r.PartsOf) else one.ref.plugin,
             self._who(tenant, one.customer))
            for tenant, plugin, one in asked
            if not isinstance(one, r.Participants)
        )  # fmt: skip

    def _load_stock(self, asked: Sequence[tuple[str, str, Any]]) -> None:
        self._work.resources.load(
            (tenant, f"{plugin}/{one.campaign}/{one.resource}") for tenant, plugin, one in asked
        )

    def _load_accounts(self, asked: Sequence[tuple[str, str, Any]]) -> None:
        self._work.accounts.load(
            (tenant, f"{plugin}/{one.ledger}", one.owner) for tenant, plugin, one in asked
        )

    def _load_activities(self, asked: Sequence[tuple[str, str, Any]]) -> None:
        self._work.load_activities(self._activity_key(tenant, one) for tenant, _, one in asked)

    def _activity_key(self, tenant: str, read: r.ActivityOf) -> tuple[Any, ...]:
        return (
            tenant,
            self._who(tenant, read.customer),
            read.kind,
            _EARLIEST if read.since is None else to_micros(read.since),
            _LATEST if read.until is None else to_micros(read.until),
        )

    def answer(self, tenant: str, plugin: str, read: r.Read[Any], now_us: int) -> Any:
        """The answer to one read, whose rows were loaded before."""
        return self._answer[type(read)](tenant, plugin, read, now_us)

    # --- answers -------------------------------------------------------------------------

    def _newest(self, name: str, tenant: str, read: Any) -> dict[Any, tuple[Any, ...]]:
        return self._work.newest[name].of((tenant, self._who(tenant, read.customer)))

    def _tags(self, tenant: str, plugin: str, read: r.Tags, now_us: int) -> Mapping[Any, Tag]:
        rows = self._newest("tag", tenant, read)
        return MappingProxyType(
            {
                key: tag_of(row)
                for key, row in sorted(rows.items())
                if row[7] and (row[11] is None or row[11] > now_us)
            }
        )

    def _attributes(
        self, tenant: str, plugin: str, read: r.Attributes, now_us: int
    ) -> Mapping[str, Any]:
        rows = self._newest("attribute", tenant, read)
        return MappingProxyType({key[0]: json.loads(row[6]) for key, row in sorted(rows.items())})

    def _memo(self, tenant: str, plugin: str, read: r.Memo, now_us: int) -> Any:
        row = self._newest("memo", tenant, read).get((plugin,))
        return None if row is None else frozen(json.loads(row[6]))

    def _consents(
        self, tenant: str, plugin: str, read: r.Consents, now_us: int
    ) -> tuple[Consent, ...]:
        rows = self._newest("consent", tenant, read)
        return tuple(consent_of(rows[key]) for key in sorted(rows))

    def _score(self, tenant: str, plugin: str, read: r.ScoreOf, now_us: int) -> Score | None:
        row = (
            self._work.newest["score"]
            .of((tenant, self._who(tenant, read.customer)))
            .get((read.scorer,))
        )
        return None if row is None else self._codec.load(json.loads(row[10]), Score)

    def _activity(self, tenant: str, plugin: str, read: r.ActivityOf, now_us: int) -> r.Activity:
        key = self._activity_key(tenant, read)
        count, amount, first, last = self._work.activities[key]
        for at, fen in self._work.recorded.get((tenant, key[1], read.kind), ()):
            if key[3] <= at < key[4]:
                count, amount = count + 1, amount + fen
                first = at if first is None else min(first, at)
                last = at if last is None else max(last, at)
        if not count:
            return _NEVER
        return r.Activity(count, int(amount), from_micros(first), from_micros(last))

    def _participant(
        self, tenant: str, plugin: str, read: r.ParticipantOf, now_us: int
    ) -> Participant | None:
        for part in self._work.parts_of(tenant, read.ref.plugin, self._who(tenant, read.customer)):
            if part.ref == read.ref and part.role == read.role:
                return participant_of(part)
        return None

    def _participants(
        self, tenant: str, plugin: str, read: r.Participants, now_us: int
    ) -> tuple[Participant, ...]:
        row = self._work.instances.get((tenant, read.ref))
        if row is None:
            return ()
        listed = self._work.role_list(row, read.role)
        return tuple(participant_of(part) for part in listed[: read.limit])

    def _parts(self, tenant: str, plugin: str, read: r.PartsOf, now_us: int) -> r.Parts:
        opened = closed = 0
        for part in self._work.parts_of(tenant, plugin, self._who(tenant, read.customer)):
            if part.ref.campaign == read.campaign and part.role == read.role:
                row = self._work.by_id.get(part.instance)
                is_closed = row.closed if row is not None else part.closed
                opened, closed = opened + (not is_closed), closed + is_closed
        return r.Parts(opened, closed)

    def _stock(self, tenant: str, plugin: str, read: r.StockOf, now_us: int) -> r.Stock | None:
        row = self._work.resources.get((tenant, f"{plugin}/{read.campaign}/{read.resource}"))
        return None if row is None else r.Stock(row.capacity, row.held, row.used)

    def _balance(self, tenant: str, plugin: str, read: r.BalanceOf, now_us: int) -> int:
        account: AccountRow = self._work.accounts[tenant, f"{plugin}/{read.ledger}", read.owner]
        return account.balance


class View:
    """The ``known`` of one plugin and one touchpoint."""

    __slots__ = ("_declared", "_frame", "_knowing", "_plugin")

    def __init__(self, knowing: Knowing, frame: Frame, plugin: str, declared: Declared) -> None:
        self._knowing = knowing
        self._frame = frame
        self._plugin = plugin
        self._declared = declared

    def __getitem__(self, read: r.Read[Any]) -> Any:
        """The answer to a declared read."""
        try:
            answer = self._declared[read]
        except KeyError:
            raise UndeclaredReadError(
                f"{self._plugin} read {type(read).__name__} without naming it in needs()"
            ) from None
        if answer is None:
            frame = self._frame
            answer = self._knowing.answer(frame.tenant, self._plugin, read, frame.received_us)
            self._declared[read] = answer
        return answer


def _makes_sense(read: Any) -> bool:
    """Whether a read asks for what every database can look for."""
    kind = type(read)
    if kind in _OF_CUSTOMERS:
        who = read.customer
        if who is not None and not (type(who) is int and -_LATEST < who < _LATEST):
            return False
        if kind in _OF_CUSTOMERS_ALONE:
            return True
    for name in kind.__slots__:
        value = getattr(read, name, None)
        if name == "ref" and not isinstance(value, InstanceRef):
            return False
        if name in ("since", "until"):
            if value is not None and not (isinstance(value, datetime) and value.tzinfo is not None):
                return False
        elif name in _TEXTS and not (isinstance(value, str) and is_storable(value)):
            return False
    return True


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
