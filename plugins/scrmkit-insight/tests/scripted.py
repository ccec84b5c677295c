"""
Plugins that do what touchpoints tell them, so that a test writes a history as data.

An act is a list: the effect's short name and its arguments. ``told`` touchpoints
are acted on by a rule, ``played`` ones by an instance of a mechanic.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import attrs

from scrmkit.clock import VirtualClock
from scrmkit.domain import effects as e
from scrmkit.domain.campaign import Campaign, InstanceRef
from scrmkit.domain.decisions import Decision, Step
from scrmkit.domain.identity import Identity, personal
from scrmkit.domain.ids import CampaignId, CustomerId, TenantId
from scrmkit.domain.messages import Accepted, AnswerTo, Message, Operation, Purpose
from scrmkit.domain.profile import Score, TagSource
from scrmkit.domain.reads import Attributes, Participants
from scrmkit.domain.touchpoint import Touchpoint, TouchpointKind
from scrmkit.engine import Engine
from scrmkit.protocols import NewInstance
from scrmkit.settings import settings_from
from scrmkit.testing import FakeScorer

START = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
CAMPAIGN = CampaignId("spring")
Act = Sequence[Any]


@attrs.frozen(kw_only=True)
class Told:
    """What the rule is to do. *words* are personal."""

    acts: tuple[Any, ...] = ()
    words: str = personal(default="")
    amount_fen: int = 0


@attrs.frozen(kw_only=True)
class Played:
    """What an instance is to do."""

    key: str
    acts: tuple[Any, ...] = ()
    closes: bool = False


@attrs.frozen(kw_only=True)
class Text:
    """A message or a refund."""

    text: str


TOLD = TouchpointKind(name="rule-of-toy.told", payload=Told, amount="amount_fen")
PLAYED = TouchpointKind(name="game.played", payload=Played)


def moment(minutes: int) -> datetime:
    """A moment, in minutes after the start."""
    return START + timedelta(minutes=minutes)


def _score(points: int, minutes: int) -> Score:
    band = "high" if points > 50 else "low"
    return Score(scorer="points", hundredths=points, band=band, as_of=moment(minutes))


def _message(tell: bool, purpose: str, minutes: int | None) -> Message:
    until = None if minutes is None else moment(minutes)
    content = Text(text="hello")
    return Message(channel="mail", content=content, purpose=Purpose(purpose), tell=tell, not_after=until)


EFFECTS: dict[str, Callable[..., Any]] = {
    "tag": lambda group, name, source="manual", until=None: e.AddTag(
        group=group, name=name, source=TagSource(source),
        expires_at=None if until is None else moment(until),
    ),
    "untag": lambda group, name: e.RemoveTag(group=group, name=name),
    "set": lambda name, value: e.SetAttribute(name=name, value=value),
    "remember": lambda value: e.Remember(value={"value": value}),
    "score": lambda points, minutes: e.SetScore(score=_score(points, minutes)),
    "consent": lambda channel, granted: e.RecordConsent(
        channel=channel, purpose=Purpose.MARKETING, granted=granted, proof="form"
    ),
    "say": lambda once, purpose="service", slot=None, closes=None, tell=False, until=None: (
        e.Propose(
            message=_message(tell, purpose, until), once=once, slot=slot,
            slot_closes_at=None if closes is None else moment(closes),
        )
    ),
    "refund": lambda once: e.Request(
        connector="bank", operation="refund", once=once, body=Text(text="1")
    ),
    "start": lambda key, minutes: e.StartTimer(key=key, due_at=moment(minutes)),
    "stop": lambda key: e.CancelTimer(key=key),
    "open": lambda key: e.OpenInstance(campaign=CAMPAIGN, key=key, state=Game()),
    "alias": lambda value: e.AddAlias(kind="order", value=value),
    "join": lambda role, data=0: e.Join(role=role, data={"data": data}),
    "change": lambda role, data: e.ChangeParticipant(role=role, data={"data": data}),
    "leave": lambda role: e.Leave(role=role),
    "reserve": lambda resource, name, quantity=1, capacity=5, until=None: e.Reserve(
        resource=resource, reservation=name, quantity=quantity, capacity=capacity,
        expires_at=None if until is None else moment(until),
    ),
    "commit": lambda resource, name: e.CommitReservation(resource=resource, reservation=name),
    "release": lambda resource, name, committed=False: e.ReleaseReservation(
        resource=resource, reservation=name, committed=committed
    ),
    "post": lambda once, amount, floor=None, owner="cash": e.Post(
        ledger="purse", once=once, floor=floor,
        legs=(e.Leg(owner=owner, amount=-amount), e.Leg(owner="shop", amount=amount)),
    ),
    "tell": lambda step, acts: e.Emit(kind=TOLD.name, step=step, payload=Told(acts=tuple(acts))),
}  # fmt: skip


def effects(
    acts: Iterable[Act], customer: int | None, ref: InstanceRef | None = None, last: int = 0
) -> tuple[Any, ...]:
    """
    The effects of acts.

    ``mine`` in an owner or a value stands for the customer's id; an act after
    ``last`` is about the customer who played last.
    """
    made = []
    for name, *given in acts:
        if name == "last":
            if last:
                (effect,) = effects([given], last, ref)
                made.append(attrs.evolve(effect, customer=CustomerId(last)))
            continue
        own = "mine" if customer is None else f"customer:{customer}"
        arguments = [own if argument == "mine" else argument for argument in given]
        effect = EFFECTS[name](*arguments)
        if name == "refund" and ref is not None:
            effect = attrs.evolve(effect, answer_to=AnswerTo(ref=ref, step=arguments[0]))
        made.append(effect)
    return tuple(made)


class Toy:
    """A rule that does what it is told, and remembers how often."""

    touchpoint_kinds = (TOLD,)
    kinds = frozenset({TOLD.name, "timer.due", "customer.merged"})

    def __init__(self, context: Any) -> None:
        pass

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Any]:
        return () if touchpoint.customer is None else (Attributes(touchpoint.customer),)

    def decide(self, touchpoint: Touchpoint[Any], known: Any, now: Any) -> Decision | None:
        if touchpoint.kind != TOLD.name:
            return Decision(reason=f"heard of {touchpoint.kind}")
        acts = touchpoint.payload.acts
        made = effects(acts, touchpoint.customer)
        return Decision(reason="told so", effects=made, answer={"acts": len(acts)})


@attrs.frozen(kw_only=True)
class Nothing:
    """Rules without anything to rule."""


@attrs.frozen(kw_only=True)
class Game:
    """
    How often it was played, and who played last: a customer's id inside a state.

    Attributes:
        heard: What other kinds of touchpoints reached it.
    """

    turns: int = 0
    last: int = 0
    heard: tuple[str, ...] = ()


class GameMechanic:
    """A mechanic that does what it is told."""

    Rules = Nothing
    State = Game
    touchpoint_kinds = (PLAYED,)
    kinds = frozenset({PLAYED.name})

    def __init__(self, context: Any) -> None:
        pass

    def address(self, touchpoint: Touchpoint[Any]) -> Iterable[Any]:
        if touchpoint.kind == PLAYED.name:
            yield NewInstance(campaign=CAMPAIGN, key=touchpoint.payload.key)

    def needs(self, touchpoint: Touchpoint[Any], instance: Any) -> Iterable[Any]:
        return () if instance is None else (Participants(instance.ref, "player"),)

    def open(self, ref: Any, campaign: Any, touchpoint: Any, known: Any, now: Any) -> Step[Game]:
        return self._step(Game(), ref, touchpoint)

    def act(self, instance: Any, touchpoint: Any, known: Any, now: Any) -> Step[Game]:
        return self._step(instance.state, instance.ref, touchpoint)

    def due(self, instance: Any, timer: str, touchpoint: Any, known: Any, now: Any) -> Step[Game]:
        return self._step(instance.state, instance.ref, touchpoint)

    def _step(self, state: Game, ref: InstanceRef, touchpoint: Any) -> Step[Game]:
        if touchpoint.kind != PLAYED.name:
            heard = (*state.heard, touchpoint.kind)
            return Step(reason="heard", state=attrs.evolve(state, heard=heard))
        customer, payload = touchpoint.customer, touchpoint.payload
        after = attrs.evolve(state, turns=state.turns + 1, last=customer or 0)
        made = effects(payload.acts, customer, ref, state.last)
        return Step(reason="played", effects=made, state=after, closed=payload.closes)

    def violations(self, rules: Any, state: Any) -> Iterable[str]:
        return ()


def counting(context: Any) -> FakeScorer:
    """A scorer that counts how often somebody was told something."""
    return FakeScorer(context, kinds=[TOLD.name], band=lambda count, most: "high" if count > 1 else "low")


class Mail:
    """A channel that reaches phones and takes everything."""

    operations: ClassVar = {"send": Operation(body=Text, idempotent=True)}

    def __init__(self, context: Any) -> None:
        self.sent: list[Any] = []

    def reach(self, identities: Sequence[Identity]) -> Identity | None:
        return next((one for one in identities if one.kind == "phone"), None)

    def send(self, operation: str, batch: Sequence[Any]) -> Sequence[Any]:
        self.sent += batch
        return [Accepted() for _ in batch]

    def ask(self, operation: str, batch: Sequence[Any]) -> Sequence[Any]:
        return [Accepted() for _ in batch]

    def receive(self, request: Any) -> Any:
        raise NotImplementedError


class Bank(Mail):
    """A connector that refunds."""

    operations: ClassVar = {"refund": Operation(body=Text, idempotent=True, addressed=False)}


PLUGINS = {
    "rule.rule-of-toy": Toy,
    "mechanic.game": GameMechanic,
    "scorer.counting": counting,
    "channel.mail": Mail,
    "connector.bank": Bank,
}


def engine(url: str, *, tenants: Sequence[str] = ("main",), clock: Any = None) -> Engine:
    """An engine with all of them."""
    settings = settings_from(
        {
            "scrmkit": {
                "secret": {"env": "SECRET"},
                "database": {"env": "DATABASE"},
                "tenants": list(tenants),
                "durability": "normal",
                "calls": {"budget_ms": 60_000},
            },
            "plugins": {use.partition(".")[2]: {"use": use} for use in PLUGINS},
        },
        {"SECRET": "sixteen-characters-and-more", "DATABASE": url},
    )
    made = Engine(settings, plugins=PLUGINS, create=True, clock=clock or VirtualClock(START))
    for tenant in tenants:
        made.publish(
            Campaign(id=CAMPAIGN, mechanic="game", rules=Nothing(), starts_at=START, ends_at=moment(10**6)),
            tenant=tenant,
        )
    return made


_numbers = itertools.count()


def phone(number: int) -> Identity:
    """A phone."""
    return Identity(kind="phone", value=f"+86139{number:08d}")


def member(number: int) -> Identity:
    """A member's number."""
    return Identity(kind="member", value=f"m{number}", scope="shop")


def told(
    *acts: Act,
    who: Sequence[Identity] = (phone(1),),
    key: str = "",
    minutes: int = 0,
    tenant: str = "main",
    **more: Any,
) -> Touchpoint[Any]:
    """A touchpoint that the rule acts on."""
    return Touchpoint(
        kind=TOLD.name,
        key=key or f"t{next(_numbers)}",
        occurred_at=moment(minutes),
        payload=Told(acts=acts, **more),
        identities=tuple(who),
        tenant=TenantId(tenant),
    )


def played(
    key: str,
    *acts: Act,
    who: Sequence[Identity] = (phone(1),),
    number: str = "",
    tenant: str = "main",
    closes: bool = False,
) -> Touchpoint[Any]:
    """A touchpoint that the instance *key* acts on."""
    return Touchpoint(
        kind=PLAYED.name,
        key=number or f"p{next(_numbers)}",
        occurred_at=START,
        payload=Played(key=key, acts=acts, closes=closes),
        identities=tuple(who),
        tenant=TenantId(tenant),
    )
