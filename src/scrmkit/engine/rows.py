"""Rows that a batch works on in memory before they are written once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs
from sqlalchemy import Table

from scrmkit.domain.campaign import InstanceRef
from scrmkit.domain.ids import CampaignId

Person = tuple[str, int]
"""A tenant and a canonical customer."""


_NO_ROWS: dict[Any, tuple[Any, ...]] = {}


class NewestRows:
    """
    Profile state of one table: of each key the newest word, by ``(at, by_key)``.

    Rows come from the database and from this batch in any order, and the
    result is the same.
    """

    def __init__(self, table: Table) -> None:
        names = [column.name for column in table.columns]
        self.table = table
        self._person, self._at = names.index("person"), names.index("at")
        self._width = len(table.primary_key.columns)
        self._rows: dict[Person, dict[Any, tuple[Any, ...]]] = {}
        self._loaded: set[Person] = set()
        self.dirty: dict[Any, tuple[Any, ...]] = {}

    def missing(self, people: Iterable[Person]) -> list[Person]:
        """Those of *people* whose rows are not loaded yet, each once."""
        return [person for person in dict.fromkeys(people) if person not in self._loaded]

    def load(self, people: Iterable[Person], rows: Iterable[tuple[Any, ...]]) -> None:
        """Take in what the database has of *people*; words of this batch stay where newer."""
        self._loaded.update(people)
        for row in rows:
            self._keep((row[0], row[self._person]), row)

    def put(self, row: tuple[Any, ...]) -> None:
        """Take in a word of this batch; a newer one for the same key stays."""
        if self._keep((row[0], row[self._person]), row):
            self.dirty[row[: self._width]] = row

    def of(self, person: Person) -> dict[Any, tuple[Any, ...]]:
        """Of each key the newest row over all customers that a person, once loaded, has been."""
        found: dict[Any, tuple[Any, ...]] = {}
        at, width = self._at, self._width
        for row in self._rows.get(person, _NO_ROWS).values():
            there = found.get(row[2:width])
            # By customer at last: one touchpoint may have a word for each that a person has been.
            word = (row[at], row[at + 1], row[1])
            if there is None or (there[at], there[at + 1], there[1]) <= word:
                found[row[2:width]] = row
        return found

    def _keep(self, person: Person, row: tuple[Any, ...]) -> bool:
        rows = self._rows.setdefault(person, {})
        key = row[: self._width]
        there = rows.get(key)
        at = self._at
        if there is not None and (there[at], there[at + 1]) > (row[at], row[at + 1]):
            return False
        rows[key] = row
        return True


@attrs.define(slots=True, eq=False)
class InstanceRow:
    """An instance as it stands in this batch; *base* is the version in the database, 0 if new."""

    id: int
    tenant: str
    plugin: str
    campaign: str
    key: str
    campaign_version: int
    state: str
    version: int
    closed: bool
    opened_at: int
    base: int = 0
    typed: Any = None

    @property
    def ref(self) -> InstanceRef:
        """Its reference."""
        return InstanceRef(plugin=self.plugin, campaign=CampaignId(self.campaign), key=self.key)


@attrs.define(slots=True, eq=False)
class PartRow:
    """A participant; *closed* is the instance's, as last loaded."""

    instance: int
    role: str
    customer: int
    tenant: str
    plugin: str
    person: int
    data: dict[str, Any]
    joined_at: int
    position: int
    ref: InstanceRef
    closed: bool
    new: bool = False
    changed: bool = False
    gone: bool = False


@attrs.define(slots=True, eq=False)
class ResourceRow:
    """A resource, and what this batch adds to it; *base* is the capacity in the database."""

    tenant: str
    name: str
    capacity: int
    held: int
    used: int
    new: bool = False
    base: int = 0
    d_held: int = 0
    d_used: int = 0

    def move(self, held: int, used: int) -> None:
        """Add to held and used, in memory and to what will be written."""
        self.held += held
        self.used += used
        self.d_held += held
        self.d_used += used


@attrs.define(slots=True, eq=False)
class ReservationRow:
    """
    A reservation.

    Attributes:
        base: Its status in the database, None if new.
        changed: Whether it was released and made anew.
    """

    tenant: str
    resource: str
    name: str
    quantity: int
    status: str
    expires_at: int | None
    instance: int | None
    base: str | None = None
    changed: bool = False


@attrs.define(slots=True, eq=False)
class AccountRow:
    """
    An account of a ledger, and what this batch adds to it.

    Attributes:
        needs: What it must hold before this batch for every posting to stay
            above its floor, None where none has one.
    """

    tenant: str
    ledger: str
    owner: str
    balance: int
    added: int = 0
    needs: int | None = None
