"""Rows that a batch works on in memory before they are written once."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from typing import Any, Self

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
        self.table = table
        self.columns = names = tuple(column.name for column in table.columns)
        self._person, self._at = names.index("person"), names.index("at")
        self._width = len(table.primary_key.columns)
        self._rows: dict[Person, dict[Any, tuple[Any, ...]]] = {}
        self.loaded: set[Person] = set()
        self.dirty: dict[Any, tuple[Any, ...]] = {}

    def load(self, people: Iterable[Person], rows: Iterable[tuple[Any, ...]]) -> None:
        """Take in what the database has of *people*; words of this batch stay where newer."""
        self.loaded.update(people)
        for row in rows:
            self._keep((row[0], row[self._person]), row)

    def put(self, row: tuple[Any, ...]) -> None:
        """Take in a word of this batch; a newer one for the same key stays."""
        if self._keep((row[0], row[self._person]), row):
            self.dirty[row[: self._width]] = row

    def of(self, person: Person) -> dict[Any, tuple[Any, ...]]:
        """By key, in order, the newest rows over all customers that a person, once loaded, has been."""
        rows = self._rows.get(person, _NO_ROWS)
        found: dict[Any, tuple[Any, ...]] = {}
        if not rows:
            return found
        at, width = self._at, self._width
        for row in rows.values():
            there = found.get(row[2:width])
            # By customer at last: one touchpoint may have a word for each that a person has been.
            word = (row[at], row[at + 1], row[1])
            if there is None or (there[at], there[at + 1], there[1]) <= word:
                found[row[2:width]] = row
        return dict(sorted(found.items()))

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
class Row:
    """
    A row as it stands in this batch; its first attributes are the table's columns.

    Attributes:
        base: As the database has it, None if it is new.
    """

    base: tuple[Any, ...] | None = attrs.field(default=None, kw_only=True)

    @classmethod
    def there(cls, row: tuple[Any, ...]) -> Self:
        """A row that the database has."""
        return cls(*row, base=row)


@attrs.define(slots=True, eq=False)
class InstanceRow(Row):
    """An instance; *closed* is 0 or 1."""

    id: int
    tenant: str
    plugin: str
    campaign: str
    key: str
    campaign_version: int
    state: str
    version: int
    closed: int
    opened_at: int
    typed: Any = None

    @property
    def ref(self) -> InstanceRef:
        """Its reference."""
        return InstanceRef(plugin=self.plugin, campaign=CampaignId(self.campaign), key=self.key)


@attrs.define(slots=True, eq=False)
class PartRow(Row):
    """
    A participant.

    Attributes:
        data: JSON text.
        ref: The instance; *closed* is whether it was when it was last loaded.
    """

    instance: int
    role: str
    customer: int
    tenant: str
    plugin: str
    person: int
    data: str
    joined_at: int
    position: int
    ref: InstanceRef
    closed: bool
    gone: bool = False

    @property
    def id(self) -> tuple[int, str, int]:
        """Its primary key."""
        return (self.instance, self.role, self.customer)

    @property
    def lists(self) -> tuple[tuple[Any, ...], ...]:
        """The lists that it stands in: its person's and its role's."""
        return ((self.tenant, self.plugin, self.person), (self.instance, self.role))


@attrs.define(slots=True, eq=False)
class ResourceRow(Row):
    """A resource."""

    tenant: str
    name: str
    capacity: int
    held: int
    used: int


@attrs.define(slots=True, eq=False)
class ReservationRow(Row):
    """A reservation, ``held``, ``used`` or ``released``."""

    tenant: str
    resource: str
    name: str
    quantity: int
    status: str
    expires_at: int | None
    instance: int | None


@attrs.define(slots=True, eq=False)
class AccountRow(Row):
    """
    An account of a ledger.

    Attributes:
        needs: What it must hold before this batch for every posting to stay
            above its floor, None where none has one.
    """

    tenant: str
    ledger: str
    owner: str
    balance: int = 0
    needs: int | None = None

    @property
    def added(self) -> int:
        """What this batch added to it."""
        return self.balance - (self.base[3] if self.base is not None else 0)


class Loaded(dict[Any, Any]):
    """
    Rows of one table by key, loaded when they are first asked for; None where there is none.

    Args:
        select: The database's rows of given keys; the columns of the key come first.
        keys: Of how many columns a key is.
        row: Makes of a row what stands here.
        blank: Makes what stands for a key without a row.
    """

    def __init__(
        self, select: Callable[[list[Any]], Iterable[Any]], keys: int,
        row: Callable[[Any], Any], blank: Callable[..., Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._select, self._keys, self._row, self._blank = select, keys, row, blank

    def load(self, wanted: Iterable[Any]) -> None:
        """Load the rows of *wanted* that are not there yet, in one query."""
        if missing := unknown(wanted, self):
            self.update((key, None if self._blank is None else self._blank(*key)) for key in missing)
            for found in self._select(missing):
                self[found[: self._keys]] = self._row(found)

    def of(self, key: Any) -> Any:
        """One row, loaded now if need be."""
        if key not in self:
            self.load([key])
        return self[key]


def unknown(wanted: Iterable[Any], there: Container[Any]) -> list[Any]:
    """Those of *wanted* that are not there, each once."""
    return [one for one in dict.fromkeys(wanted) if one not in there]
