"""Segments over everybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scrmkit.clock import from_micros
from scrmkit.domain.ids import CustomerId
from scrmkit.engine import Engine
from scrmkit.engine.customers import customer_of
from scrmkit.errors import InvalidValueError, TenantRequiredError, UnknownKindError, UnknownNameError
from scrmkit.persistence import schema
from scrmkit.persistence.database import Database, Wire
from scrmkit.plugins import PluginSet
from scrmkit.settings import Settings
from scrmkit.settings.structure import did_you_mean
from scrmkit_audience import expressions as s
from scrmkit_audience.conditions import Conditions
from scrmkit_audience.facts import Calendar, CustomerFacts, Happened
from scrmkit_audience.written import segments_of

PAGE = 10_000
_WHO = schema.customer

Named = str | s.Segment | s.Expression
"""A segment of the settings by its name, one that the caller made, or a bare expression."""


class Segments:
    """
    Counts and lists the customers of segments.

    Raises:
        SettingsError: With every problem of the settings' segments.
    """

    def __init__(self, database: Database, plugins: PluginSet, settings: Settings) -> None:
        self._database = database
        self._kinds = plugins.kinds
        self._zone = settings.zone
        self._stage_from = settings.stage_from
        self._named = {segment.name: segment for segment in segments_of(settings)}

    def meant(self, segment: Named, tenant: str | None) -> tuple[s.Expression, str | None]:
        """
        The expression, and whose customers: *tenant* unless the segment says it.

        Raises:
            UnknownNameError: No segment of the settings is called so.
            TenantRequiredError: The segment is another tenant's.
        """
        if isinstance(segment, s.Expression):
            return segment, tenant
        if isinstance(segment, str):
            if segment not in self._named:
                hint = did_you_mean(segment, self._named)
                raise UnknownNameError(f"no segment is called {segment!r}{hint}")
            segment = self._named[segment]
        if tenant is not None and segment.tenant not in (None, tenant):
            raise TenantRequiredError(f"segment {segment.name!r} is of tenant {segment.tenant!r}, not of {tenant!r}")
        return segment.expression, tenant or segment.tenant

    def people(self, expression: s.Expression, tenant: str, as_of: datetime) -> sa.Select[Any]:
        """
        ``SELECT person``, each once and in no order, with its own values in it.

        It may stand in a further statement, such as ``INSERT … FROM SELECT``. Raises as
        ``check`` does.
        """
        self.check(expression)
        collation = "C" if self._database.dialect_name == "postgresql" else "BINARY"
        conditions = Conditions(Calendar(as_of, self._zone), self._stage_from or "", collation)
        return sa.select(_WHO.c.person).where(
            _WHO.c.tenant == tenant, _WHO.c.id == _WHO.c.person, conditions.of(expression)
        )

    def count(self, expression: s.Expression, tenant: str, as_of: datetime) -> int:
        """How many customers it is true of; raises as ``people`` does."""
        people = self.people(expression, tenant, as_of).subquery()
        (number,) = self._column(sa.select(sa.func.count()).select_from(people))
        return number

    def members(self, expression: s.Expression, tenant: str, as_of: datetime) -> Iterator[CustomerId]:
        """The customers it is true of, by id, in pages; raises as ``people`` does, and at once."""
        return self._pages(self.people(expression, tenant, as_of))

    def _pages(self, people: sa.Select[Any]) -> Iterator[CustomerId]:
        after, more = 0, True
        while more:
            wanted = people.where(_WHO.c.person > after).order_by(_WHO.c.person).limit(PAGE)
            page = self._column(wanted)
            yield from map(CustomerId, page)
            more = len(page) == PAGE
            after = page[-1] if more else after

    def _column(self, clause: sa.Select[Any]) -> list[int]:
        with self._database.reading() as wire:
            return [row[0] for row in wire.rows(*self._database.statements.bound(clause))]

    def check(self, expression: s.Expression) -> None:
        """
        Make sure that it can be answered.

        Raises:
            UnknownKindError: It asks for a kind of touchpoint that nobody registers.
            InvalidValueError: It asks for the sum of a kind without amounts.
            UnknownNameError: It asks for a stage, and the settings name no scorer for it.
        """
        for leaf in s.leaves(expression):
            if isinstance(leaf, s.StageIs) and self._stage_from is None:
                raise UnknownNameError("nobody says what the stage is; name a scorer as scrmkit.stage_from")
            if isinstance(leaf, s.ActivityIs | s.DaysSince):
                self._check_kind(leaf)

    def _check_kind(self, leaf: s.ActivityIs | s.DaysSince) -> None:
        kind = self._kinds.get(leaf.kind)
        if kind is None:
            hint = did_you_mean(leaf.kind, self._kinds)
            raise UnknownKindError(f"no kind of touchpoint is called {leaf.kind!r}{hint}")
        summed = isinstance(leaf, s.ActivityIs) and leaf.measure is s.Measure.SUM
        if summed and kind.amount is None:
            raise InvalidValueError(f"{leaf.kind} has no amount that could be summed")


def facts_of(engine: Engine, wire: Wire, tenant: str, person: int) -> CustomerFacts:
    """What segments are evaluated over, of one customer by canonical id."""
    names = ("kind", "key", "occurred_at", "amount_fen", "shop", "brand")
    rows = wire.find(schema.touchpoint, ("tenant", "person"), [(tenant, person)], names)
    return CustomerFacts(
        customer=customer_of(wire, engine.codec, engine.settings.stage_from, tenant, person, None),
        happened=tuple(
            Happened(kind=kind, key=key, occurred_at=from_micros(at), amount_fen=fen, shop=shop, brand=brand)
            for kind, key, at, fen, shop, brand in rows
        ),
    )
