"""Expressions in SQL, with the same results as ``matches`` in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from scrmkit.clock import to_micros
from scrmkit.persistence import schema
from scrmkit.persistence.codec import to_json
from scrmkit_audience import expressions as s
from scrmkit_audience.facts import Calendar, Comparison

Condition = sa.ColumnElement[bool]
_WHO = schema.customer
_HAPPENED = schema.touchpoint


class Conditions:
    """
    Expressions as conditions on a row of ``customer``.

    None of them is ever NULL, so that ``NOT`` turns each into its opposite.

    Args:
        stage_from: The scorer that says the stage.
        collation: The database's own that compares texts by their bytes.
    """

    def __init__(self, calendar: Calendar, stage_from: str, collation: str) -> None:
        self._calendar = calendar
        self._stage_from = stage_from
        self._collation = collation
        self._make: dict[type, Callable[[Any], Condition]] = {
            s.And: lambda x: sa.and_(sa.true(), *map(self.of, x.of)),
            s.Or: lambda x: sa.or_(sa.false(), *map(self.of, x.of)),
            s.Not: lambda x: sa.not_(self.of(x.of)),
            s.HasTag: self._tag,
            s.HasAttribute: self._attribute,
            s.HasConsent: self._consent,
            s.ScoreIs: self._score,
            s.StageIs: self._stage,
            s.ShopIs: lambda x: self._place(x, _HAPPENED.c.shop),
            s.BrandIs: lambda x: self._place(x, _HAPPENED.c.brand),
            s.ActivityIs: self._activity,
            s.DaysSince: self._days_since,
        }

    def of(self, expression: s.Expression) -> Condition:
        """The condition of any expression."""
        return self._make[type(expression)](expression)

    # --- the newest words ----------------------------------------------------------------

    def _word(self, table: sa.Table, *matches: Condition) -> Condition:
        """Whether the newest word on one of the matching keys matches."""
        newer = table.alias()
        keys = [c.name for c in table.primary_key.columns if c.name != "customer"]
        hidden = sa.exists().where(
            *(newer.c[name] == table.c[name] for name in (*keys, "person")), self._order(newer) > self._order(table)
        )
        own = (table.c.tenant == _WHO.c.tenant, table.c.person == _WHO.c.person)
        return sa.exists().where(*own, *matches, sa.not_(hidden))

    def _order(self, table: sa.FromClause) -> Any:
        # Texts sort by their code points, as they do in memory.
        return sa.tuple_(table.c.at, table.c.by_key.collate(self._collation), table.c.customer)

    def _tag(self, x: s.HasTag) -> Condition:
        t = schema.tag.c
        named = sa.true() if x.name is None else t.name == x.name
        lasts = sa.or_(t.expires_at.is_(None), t.expires_at > to_micros(self._calendar.as_of))
        return self._word(schema.tag, t.grp == x.group, named, t.present == 1, lasts)

    def _attribute(self, x: s.HasAttribute) -> Condition:
        stored = schema.attribute.c.value
        first = sa.func.substr(stored, 1, 1)
        asked = to_json(x.value)
        compared: Condition
        if x.comparison is None:
            compared = stored != "null"
        elif s.is_number(x.value):
            number = first.in_(list("-0123456789"))
            value = sa.case((number, sa.cast(stored, sa.Numeric)))
            wanted = sa.cast(sa.literal(asked, sa.String), sa.Numeric)
            compared = sa.and_(number, x.comparison(value, wanted))
        else:
            alike = first == '"' if isinstance(x.value, str) else stored.in_(["true", "false"])
            compared = sa.and_(alike, x.comparison(stored, asked))
        return self._word(schema.attribute, schema.attribute.c.name == x.name, compared)

    def _consent(self, x: s.HasConsent) -> Condition:
        c = schema.consent.c
        asked = (c.channel.in_([x.channel, "*"]), c.purpose == str(x.purpose))
        refused = self._word(schema.consent, *asked, c.granted == 0)
        if not x.granted:
            return refused
        return sa.and_(self._word(schema.consent, *asked, c.granted == 1), sa.not_(refused))

    def _score(self, x: s.ScoreIs) -> Condition:
        c = schema.score.c
        asked = [c.scorer == x.scorer]
        if x.comparison is not None:
            asked.append(x.comparison(c.hundredths, x.hundredths))
        if x.bands:
            asked.append(c.band.in_(x.bands))
        if x.segments:
            asked.append(c.segment.in_(x.segments))
        return self._word(schema.score, *asked)

    def _stage(self, x: s.StageIs) -> Condition:
        c = schema.score.c
        return self._word(schema.score, c.scorer == self._stage_from, c.stage.in_(x.stages))

    # --- what happened -------------------------------------------------------------------

    def _happened(self, since: datetime | None, until: datetime, *kinds: str) -> list[Condition]:
        t = _HAPPENED.c
        found = [t.tenant == _WHO.c.tenant, t.person == _WHO.c.person]
        if kinds:
            found.append(t.kind.in_(kinds))
        if since is not None:
            found.append(t.occurred_at >= to_micros(since))
        return [*found, t.occurred_at < to_micros(until)]

    def _place(self, x: s.ShopIs | s.BrandIs, place: sa.ColumnElement[Any]) -> Condition:
        named = [*self._happened(None, self._calendar.end), place.is_not(None)]
        if x.seen is s.Seen.ANY:
            return sa.exists().where(*named, place.in_(x.ids))
        t = _HAPPENED.c
        texts = (text.collate(self._collation).desc() for text in (t.kind, t.key))
        last = sa.select(place).where(*named).order_by(t.occurred_at.desc(), *texts).limit(1)
        return sa.func.coalesce(last.scalar_subquery(), "").in_(x.ids)

    def _activity(self, x: s.ActivityIs) -> Condition:
        t = _HAPPENED.c
        kinds = (s.PAID, s.REFUNDED) if x.net else (x.kind,)
        found = self._happened(*x.window(self._calendar), *kinds)
        measured: Any = sa.func.count()
        if x.measure is s.Measure.SUM:
            back = (t.kind == s.REFUNDED, -t.amount_fen)
            fen = sa.case(back, else_=t.amount_fen) if x.net else t.amount_fen
            measured = sa.func.coalesce(sa.func.sum(fen), 0)
        number = sa.select(measured).select_from(_HAPPENED).where(*found).scalar_subquery()
        compared: Condition = x.comparison(number, x.value)
        return compared

    def _days_since(self, x: s.DaysSince) -> Condition:
        since, until = x.span(self._calendar)
        end = self._calendar.end
        inside = sa.and_(
            sa.exists().where(*self._happened(since, until, x.kind)),
            sa.not_(sa.exists().where(*self._happened(until, end, x.kind))),
        )
        if x.comparison is Comparison.DIFFERENT:
            return sa.and_(sa.exists().where(*self._happened(None, end, x.kind)), sa.not_(inside))
        return inside
