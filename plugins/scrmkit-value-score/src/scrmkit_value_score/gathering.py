"""From what is remembered of a customer to the inputs of the score."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import attrs

from scrmkit_value_score.features import ACTS_KEPT_DAYS, Features, Switch, SwitchKind
from scrmkit_value_score.formula import Input, Inputs
from scrmkit_value_score.settings import ValueScoreSettings

TENURE_GROWS_DAYS = 90
"""Tenure stops growing this many days after the customer last did something."""

ORDER_PAID = "order.paid"
EVERY_CHANNEL = "*"
_FROM_ORDERS = frozenset({Input.RECENCY, Input.FREQUENCY, Input.SPEND, Input.REFUNDS})
_OF_EACH_CUSTOMER = frozenset({Input.MARGIN, Input.PREDICTED_MARGIN, Input.FREEBIES})


@attrs.frozen(kw_only=True)
class Calibration:
    """
    Which inputs anybody in the population has; the others count as neutral.

    Attributes:
        as_of_day: As ``date.toordinal`` counts.
        customers: How many there were.
        supplied: The names of the inputs, sorted.
    """

    as_of_day: int
    customers: int = 0
    supplied: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The day and the size of the population."""
        return f"{date.fromordinal(self.as_of_day)}/{self.customers}"


def has(features: Features, settings: ValueScoreSettings) -> frozenset[Input]:
    """The inputs that this customer's touchpoints supply; the tenure is always known."""
    kinds = {switch.kind for switch in features.switches}
    supplied = {Input(one.input) for one in features.supplied}
    counted = {
        Input.POSITIVES: settings.positives,
        Input.NEGATIVES: settings.negatives,
        Input.INVITES: settings.invites,
        Input.COMPLAINTS: settings.complaints,
    }
    found = {Input.TENURE, *supplied}
    if features.counts:
        seen = {count.kind for count in features.counts}
        found.update(name for name, wanted in counted.items() if not seen.isdisjoint(wanted))
    if features.orders:
        found |= _FROM_ORDERS
        if settings.gross_margin_pct:
            found.add(Input.MARGIN)
    if features.acts or (features.orders and ORDER_PAID in settings.acts):
        found.add(Input.ENGAGEMENT)
    if SwitchKind.CONTACT in kinds:
        found.update((Input.CHANNELS, Input.NEGATIVES))
    if SwitchKind.CONSENT in kinds:
        found.add(Input.CHANNELS)
    if SwitchKind.CHAT in kinds:
        found.add(Input.GROUP_CHATS)
    return frozenset(found)


def calibrate(population: Iterable[Features], as_of_day: int, settings: ValueScoreSettings) -> Calibration:
    """Find out which inputs anybody has."""
    found: set[Input] = set()
    customers = 0
    for features in population:
        customers += 1
        if len(found) < len(Input):
            found |= has(features, settings)
    return Calibration(as_of_day=as_of_day, customers=customers, supplied=tuple(sorted(found)))


def order_days(features: Features, as_of_day: int) -> list[int]:
    """The days of the orders that stand by a day, rising, each once."""
    return sorted({one.day for one in features.orders if one.day <= as_of_day and one.stands})


def gather(features: Features, calibration: Calibration, as_of_day: int, settings: ValueScoreSettings) -> Inputs:
    """
    The inputs as of a day, which itself counts; later orders and acts are left out.

    Refunds, paid amounts and the margin look at the whole history, so that none
    of them improves by time passing alone.
    """
    window = settings.window_days
    first_day = as_of_day - window + 1 if window else 1
    paid_fen = refunded_fen = net_fen = spend_fen = 0
    of_day: dict[int, int] = {}
    for order in features.orders:
        if not 0 < order.day <= as_of_day:
            continue
        paid_fen += order.paid_fen
        refunded_fen += min(order.refunded_fen, order.paid_fen)
        if order.stands:
            own_fen = order.paid_fen - order.refunded_fen
            net_fen += own_fen
            of_day[order.day] = of_day.get(order.day, 0) + 1
            if order.day >= first_day:
                spend_fen += own_fen

    supplied = {one.input: one.value for one in features.supplied}
    own = has(features, settings)
    missing = frozenset(
        name for name in Input if name not in own and (name in _OF_EACH_CUSTOMER or name not in calibration.supplied)
    )
    return Inputs(
        days_since_order=as_of_day - max(of_day) if of_day else None,
        order_days=sum(day >= first_day for day in of_day),
        spend_fen=spend_fen,
        acts=_acts(features, of_day, as_of_day, settings),
        margin_fen=supplied.get(Input.MARGIN, net_fen * settings.gross_margin_pct // 100),
        predicted_margin_fen=supplied.get(Input.PREDICTED_MARGIN, 0),
        channels=_channels(features.switches),
        group_chats=sum(one.on for one in features.switches if one.kind is SwitchKind.CHAT),
        invites=features.count(settings.invites) + supplied.get(Input.INVITES, 0),
        tenure_days=_tenure(features, as_of_day),
        positives=features.count(settings.positives),
        negatives=features.count(settings.negatives),
        paid_fen=paid_fen,
        refunded_fen=refunded_fen,
        complaints=features.count(settings.complaints) + supplied.get(Input.COMPLAINTS, 0),
        freebies_pct=supplied.get(Input.FREEBIES, 0),
        missing=missing,
    )


def _acts(
    features: Features, orders_of_day: dict[int, int], as_of_day: int, settings: ValueScoreSettings
) -> tuple[tuple[int, int], ...]:
    """Weight and age of each day's acts, no more of a kind than count on one day."""
    acts: list[tuple[int, int]] = []
    oldest = as_of_day - ACTS_KEPT_DAYS
    bought = settings.acts.get(ORDER_PAID)
    if bought is not None:
        acts.extend(
            (bought.weight * min(count, bought.per_day), as_of_day - day)
            for day, count in orders_of_day.items()
            if day >= oldest
        )
    for one in features.acts:
        act = settings.acts.get(one.kind)
        if act is not None and oldest <= one.day <= as_of_day:
            acts.append((act.weight * min(one.count, act.per_day), as_of_day - one.day))
    return tuple(acts)


def _channels(switches: Iterable[Switch]) -> int:
    """By how many channels the customer can be reached: contacts, and consents to marketing."""
    reachable: set[str] = set()
    consents: list[Switch] = []
    everywhere: Switch | None = None
    for switch in switches:
        if switch.kind is SwitchKind.CONTACT and switch.on:
            reachable.add(switch.channel)
        elif switch.kind is SwitchKind.CONSENT and switch.channel == EVERY_CHANNEL:
            everywhere = switch
        elif switch.kind is SwitchKind.CONSENT:
            consents.append(switch)
    for consent in consents:
        # Only a grant names a channel: a word for all of them after a refusal names none.
        if consent.on and (everywhere is None or consent.plus(everywhere).on):
            reachable.add(consent.channel)
    if everywhere is not None and everywhere.on:
        # It names no channel, so it counts only where no other is known.
        return max(len(reachable), 1)
    return len(reachable)


def _tenure(features: Features, as_of_day: int) -> int:
    if not features.first_day:
        return 0
    until = max(features.first_day, features.last_day) + TENURE_GROWS_DAYS
    return max(min(as_of_day, until) - features.first_day, 0)
