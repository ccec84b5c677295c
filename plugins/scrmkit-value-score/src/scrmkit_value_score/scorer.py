"""The scorer: touchpoints in, an explained score out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from scrmkit.clock import aware, to_micros
from scrmkit.domain.messages import Purpose
from scrmkit.domain.profile import Part, Score
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.protocols import PluginContext
from scrmkit_value_score import gathering
from scrmkit_value_score.features import Acts, Count, Features, Order, Supplied, Switch, SwitchKind
from scrmkit_value_score.formula import Explanation, Input, Inputs, explain
from scrmkit_value_score.gathering import ORDER_PAID, Calibration
from scrmkit_value_score.kinds import SUPPLIED, SUPPLIED_KIND
from scrmkit_value_score.settings import ValueScoreSettings
from scrmkit_value_score.stages import band_of, stage_of
from scrmkit_value_score.words import numbers, values, words

_SWITCHES = {
    "contact.added": (SwitchKind.CONTACT, True),
    "contact.removed": (SwitchKind.CONTACT, False),
    "group_chat.joined": (SwitchKind.CHAT, True),
    "group_chat.left": (SwitchKind.CHAT, False),
    "consent.granted": (SwitchKind.CONSENT, True),
    "consent.withdrawn": (SwitchKind.CONSENT, False),
}
_MEETS = frozenset(kind for kind, (_, on) in _SWITCHES.items() if on)
"""Besides acts, what tenure can start with; a refund or a withdrawal never lengthens it."""
_NAMES = tuple(name.value for name in Input)


class ValueScorer:
    """
    What a customer is worth to the shops (价值分): 0 to 100 points, with the reasons.

    Five dimensions add and a penalty takes away; they add up exactly, in
    hundredths of a point. Scores are by calendar day: every moment of a day
    gives the same one, and what happened on that day counts.
    """

    Settings = ValueScoreSettings
    touchpoint_kinds = (SUPPLIED_KIND,)
    kinds: frozenset[str]

    def __init__(self, context: PluginContext[ValueScoreSettings]) -> None:
        self._name = context.name
        self._settings = settings = context.settings
        self._zone = settings.zone
        self._counted = settings.positives | settings.negatives | settings.invites | settings.complaints
        self._acts = frozenset(settings.acts) - {ORDER_PAID}
        self._active = self._acts | settings.positives | {ORDER_PAID}
        self.kinds = frozenset(_SWITCHES) | {ORDER_PAID, "order.refunded", SUPPLIED} | self._acts | self._counted

    def empty(self) -> Features:
        """A customer who did nothing."""
        return Features()

    def fold(self, features: Features, touchpoint: Touchpoint[Any]) -> Features:
        """Take one touchpoint in; kinds other than ``kinds`` change nothing."""
        kind = touchpoint.kind
        if kind not in self.kinds:
            return features
        return features.plus(self._features_of(kind, touchpoint))

    def _features_of(self, kind: str, touchpoint: Touchpoint[Any]) -> Features:
        payload = touchpoint.payload
        if kind == SUPPLIED:
            at = to_micros(touchpoint.occurred_at)
            return Features(supplied=(Supplied(input=payload.input, at=at, value=payload.value),))
        day = touchpoint.occurred_at.astimezone(self._zone).toordinal()
        orders: tuple[Order, ...] = ()
        if kind == ORDER_PAID:
            orders = (Order(order_no=payload.order_no, day=day, paid_fen=payload.amount_fen),)
        elif kind == "order.refunded":
            orders = (Order(order_no=payload.order_no, refunded_fen=payload.amount_fen),)
        counts = kind in self._counted and getattr(payload, "by", "customer") == "customer"
        return Features(
            orders=orders,
            acts=(Acts(day=day, kind=kind),) if kind in self._acts else (),
            counts=(Count(kind=kind),) if counts else (),
            switches=_switch(kind, touchpoint),
            first_day=day if kind in self._active or kind in _MEETS else 0,
            last_day=day if kind in self._active else 0,
        )

    def combine(self, one: Features, other: Features) -> Features:
        """Everything of two identities of one customer."""
        return one.plus(other)

    def calibrate(self, population: Iterable[Features], as_of: datetime) -> Calibration:
        """Find out which inputs anybody has."""
        return gathering.calibrate(population, self._day(as_of), self._settings)

    def inputs(self, features: Features, calibration: Calibration, as_of: datetime) -> Inputs:
        """What the score of a customer is computed from."""
        return gathering.gather(features, calibration, self._day(as_of), self._settings)

    def explain(self, features: Features, calibration: Calibration, as_of: datetime) -> Explanation:
        """What each input adds to the score of a customer, and what one notch more would."""
        return explain(self.inputs(features, calibration, as_of), self._settings)

    def score(self, features: Features, calibration: Calibration, as_of: datetime, previous: Score | None) -> Score:
        """Score one customer; the band of *previous* is kept until clearly left below."""
        settings = self._settings
        inputs = gathering.gather(features, calibration, self._day(as_of), settings)
        explanation = explain(inputs, settings)
        shown = numbers(inputs, explanation)
        day = self._day(as_of)
        return Score(
            scorer=self._name,
            hundredths=explanation.hundredths,
            band=band_of(explanation.hundredths, None if previous is None else previous.band, settings.bands),
            as_of=as_of,
            stage=stage_of(gathering.order_days(features, day), day, settings.stages).value,
            parts=_parts(inputs, explanation, shown),
            words=words(inputs, explanation, shown, settings.language),
            calibration=calibration.name,
        )

    def _day(self, as_of: datetime) -> int:
        return aware(as_of).astimezone(self._zone).toordinal()


def _switch(kind: str, touchpoint: Touchpoint[Any]) -> tuple[Switch, ...]:
    if kind not in _SWITCHES:
        return ()
    what, on = _SWITCHES[kind]
    payload = touchpoint.payload
    channel, name = touchpoint.source, ""
    if what is SwitchKind.CONSENT:
        if payload.purpose is not Purpose.MARKETING:
            return ()
        channel = payload.channel
    else:
        name = payload.account if what is SwitchKind.CONTACT else payload.chat
    at = to_micros(touchpoint.occurred_at)
    return (Switch(kind=what, channel=channel, name=name, at=at, on=on),)


def _parts(inputs: Inputs, explanation: Explanation, shown: Sequence[str]) -> tuple[Part, ...]:
    parts: list[Part] = []
    rows = iter(zip(_NAMES, values(inputs, shown), strict=True))
    for part in explanation.parts:
        own = tuple(islice(rows, len(part.lines)))
        parts.append(
            Part(
                name=part.dimension.value,
                hundredths=part.hundredths,
                inputs=own,
                gain_hundredths=max([line.gain_hundredths for line in part.lines]),
                missing=tuple([name for name, _ in own if name in inputs.missing]),
            )
        )
    return tuple(parts)
