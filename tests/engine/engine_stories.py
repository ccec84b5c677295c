"""
Random stories: touchpoints whose plugins do random things and say what they know.

A story is a list of scenes, each somebody's move in an instance with the number
of a case; a case is what the rule and the instance are then to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
from engine_world import NOON, PLAYED, SPRING, Played, Toy, ToyState, at, marketing, phone_of, ref, says, text, union_of
from hypothesis import strategies as st

from scrmkit.domain import effects as e
from scrmkit.domain.decisions import Step
from scrmkit.domain.messages import AnswerTo, Operation, Purpose
from scrmkit.domain.policy import Cap, Policy
from scrmkit.domain.profile import Score, TagSource
from scrmkit.domain.reads import (
    ActivityOf,
    Attributes,
    BalanceOf,
    Consents,
    Memo,
    ParticipantOf,
    Participants,
    PartsOf,
    ScoreOf,
    StockOf,
    Tags,
)
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.testing import FakeChannel, FakeRule, FakeText
from scrmkit.testing.fakes import FakePlatform

TWO_A_DAY = Policy(quiet=None, caps=(Cap(purpose=Purpose.MARKETING, limit=2, days=1),), consent=frozenset())
KEYS = ("one", "two")
NAMES = (phone_of(1), phone_of(2), union_of(1), union_of(2))


@attrs.frozen
class Case:
    """What is to be done: by the rule, by the instance, and whether it is over then."""

    profile: tuple[Any, ...] = ()
    moves: tuple[Any, ...] = ()
    closes: bool = False
    counts: bool = True


@attrs.frozen
class Scene:
    """One move: by whom, where, when, and which case it is."""

    names: tuple[int, ...]
    key: str
    minutes: int
    case: int


class Bank(FakePlatform):
    """A connector with refunds."""

    operations: ClassVar[dict[str, Operation]] = {"refund": Operation(body=FakeText, addressed=False, idempotent=True)}

    def __init__(self) -> None:
        super().__init__(honours_keys=True)


def plugins_of(cases: Sequence[Case]) -> dict[str, Any]:
    """The plugins that play cases; new ones, since an engine closes its own."""

    def needs(touchpoint: Touchpoint[Any]) -> Any:
        who = touchpoint.customer
        return [
            *(one(who) for one in (Tags, Attributes, Consents, Memo)),
            *(ScoreOf(who, "s"), ActivityOf(who, PLAYED.name)),
        ]

    def decide(touchpoint: Touchpoint[Any], known: Any, now: Any) -> Any:
        who = touchpoint.customer
        score, happened = known[ScoreOf(who, "s")], known[ActivityOf(who, PLAYED.name)]
        answer = {
            "tags": sorted("/".join(tag) for tag in known[Tags(who)]),
            "attributes": dict(known[Attributes(who)]),
            "consents": [[c.channel, c.granted] for c in known[Consents(who)]],
            "memo": known[Memo(who)],
            "score": score and score.hundredths,
            "happened": [happened.count, str(happened.first_at), str(happened.last_at)],
            "drawn": now.chance.randbelow(1_000),
        }
        return says(*cases[touchpoint.payload.case].profile, answer=answer)

    def knows(touchpoint: Touchpoint[Any], instance: Any) -> Any:
        at_ = instance.ref if instance is not None else ref(touchpoint.payload.key)
        who = touchpoint.customer
        return [
            *(ParticipantOf(at_, "guest", who), Participants(at_, "guest", 5)),
            *(PartsOf(who, SPRING, "guest"), StockOf(SPRING, "stock"), BalanceOf("purse", "cash")),
        ]

    def plays(state: Any, touchpoint: Touchpoint[Any], known: Any, at_: Any) -> Any:
        case, who = cases[touchpoint.payload.case], touchpoint.customer
        stock, part = known[StockOf(SPRING, "stock")], known[ParticipantOf(at_, "guest", who)]
        answer = {
            "stock": stock and [stock.capacity, stock.held, stock.used],
            "part": part and dict(part.data),
            "guests": [dict(one.data) for one in known[Participants(at_, "guest", 5)]],
            "parts": list(attrs.astuple(known[PartsOf(who, SPRING, "guest")])),
            "cash": known[BalanceOf("purse", "cash")],
        }
        more = attrs.evolve(state, count=state.count + 1) if case.counts else None
        return Step(reason="played", state=more, effects=case.moves, closed=case.closes, answer=answer)

    def opens(at_: Any, campaign: Any, touchpoint: Any, known: Any, now: Any) -> Any:
        case = attrs.evolve(cases[touchpoint.payload.case], counts=True)
        step = plays(ToyState(), touchpoint, known, at_)
        return attrs.evolve(step, state=ToyState(count=1), closed=case.closes)

    def acts(instance: Any, touchpoint: Any, known: Any, now: Any) -> Any:
        if touchpoint.kind != PLAYED.name:
            settled = (*instance.state.notes, touchpoint.kind)
            return Step(reason="told", state=attrs.evolve(instance.state, notes=settled))
        return plays(instance.state, touchpoint, known, instance.ref)

    rule = FakeRule(PLAYED.name, decide=decide, needs=needs)
    toy = Toy("customer.merged", needs=lambda t, i: knows(t, i) if t.kind == PLAYED.name else (),
              open=opens, act=acts)  # fmt: skip
    return {"rule.tells": rule, "mechanic.toy": toy, "channel.sms": FakeChannel(), "connector.bank": Bank()}


def touchpoints_of(scenes: Sequence[Scene]) -> list[Touchpoint[Any]]:
    """The story as it is recorded."""
    return [
        Touchpoint(
            kind=PLAYED.name,
            key=f"p{number}",
            occurred_at=at(scene.minutes),
            payload=Played(key=scene.key, case=scene.case, words=f"word {number}"),
            identities=tuple(NAMES[name] for name in scene.names),
        )
        for number, scene in enumerate(scenes)
    ]


# --- what can be done --------------------------------------------------------------------

_few = st.integers(0, 2)
_word = st.sampled_from(["x", "y"])
_whole = st.integers(-3, 9)


def _proposed(once: str, slot: str | None, hard: bool, tell: bool) -> e.Propose:
    message = marketing(tell=tell) if hard else text(tell=tell)
    return e.Propose(message=message, once=once, slot=slot)


def _score(points: int, minutes: int) -> e.SetScore:
    return e.SetScore(score=Score(scorer="s", hundredths=points, band="b", as_of=at(minutes)))


def _posted(once: str, amount: int, floor: int | None) -> e.Post:
    legs = (e.Leg(owner="cash", amount=-amount), e.Leg(owner="shop", amount=amount))
    return e.Post(ledger="purse", once=once, legs=legs, floor=floor)


def _refund(once: str) -> e.Request:
    return e.Request(
        connector="bank", operation="refund", body=FakeText(text="1"), once=once,
        answer_to=AnswerTo(ref=ref(), step=once),
    )  # fmt: skip


PROFILE = st.one_of(
    st.builds(e.AddTag, group=st.just("g"), name=_word, source=st.sampled_from(TagSource)),
    st.builds(e.RemoveTag, group=st.just("g"), name=_word),
    st.builds(e.SetAttribute, name=_word, value=_whole),
    st.builds(e.Remember, value=st.fixed_dictionaries({"n": _whole})),
    st.builds(_score, _whole, st.integers(0, 9)),
    st.builds(
        e.RecordConsent,
        channel=st.sampled_from(["sms", "*"]),
        purpose=st.just(Purpose.MARKETING),
        granted=st.booleans(),
    ),
    st.builds(_proposed, _word, st.sampled_from([None, "welcome"]), st.booleans(), st.just(False)),
    st.builds(e.StartTimer, key=_word, due_at=st.integers(10, 20).map(at)),
    st.builds(e.CancelTimer, key=_word),
)

MOVES = st.one_of(
    st.builds(e.Join, role=st.just("guest"), data=st.fixed_dictionaries({"n": _whole})),
    st.builds(e.ChangeParticipant, role=st.just("guest"), data=st.fixed_dictionaries({"n": _few})),
    st.builds(e.Leave, role=st.just("guest")),
    st.builds(e.AddAlias, kind=st.just("order"), value=_word),
    st.builds(e.OpenInstance, campaign=st.just(SPRING), key=_word, state=st.just(ToyState())),
    st.builds(
        e.Reserve,
        resource=st.just("stock"),
        reservation=_word,
        quantity=st.integers(1, 3),
        capacity=st.just(4),
        expires_at=st.none() | st.integers(10, 20).map(at),
    ),
    st.builds(e.CommitReservation, resource=st.just("stock"), reservation=_word),
    st.builds(e.ReleaseReservation, resource=st.just("stock"), reservation=_word, committed=st.booleans()),
    st.builds(_posted, _word, st.integers(-5, 5), st.none() | st.integers(-6, 0)),
    st.builds(_refund, _word),
    st.builds(_proposed, _word, st.none(), st.booleans(), st.just(True)),
    st.builds(e.StartTimer, key=_word, due_at=st.integers(10, 20).map(at)),
    PROFILE,
)


def _told(number: int) -> st.SearchStrategy[Any]:
    """Emits a move of an earlier case, so that there is no loop."""
    if not number:
        return st.nothing()
    payload = st.builds(Played, key=st.sampled_from(KEYS), case=st.integers(0, number - 1))
    return st.builds(e.Emit, kind=st.just(PLAYED.name), step=_word, payload=payload)


@st.composite
def cases(draw: st.DrawFn, many: int = 5) -> list[Case]:
    """What may happen; a case may lead to those before it."""
    made = []
    for number in range(draw(st.integers(1, many))):
        told = st.lists(_told(number), max_size=1) if number else st.just([])
        profile = [*draw(st.lists(PROFILE, max_size=3)), *draw(told)]
        moves = [*draw(st.lists(MOVES, max_size=4)), *draw(told)]
        made.append(Case(tuple(profile), tuple(moves), draw(st.integers(0, 9)) == 0, draw(st.booleans())))
    return made


def scenes(number_of_cases: int, *, joining: bool = True) -> st.SearchStrategy[list[Scene]]:
    """A story of those cases; some of its people turn out to be one."""
    whose = st.integers(0, len(NAMES) - 1)
    one = whose.map(lambda name: (name,))
    both = st.tuples(whose, whose).filter(lambda pair: pair[0] != pair[1])
    names = st.one_of(one, one, one, both) if joining else one
    scene = st.builds(
        Scene,
        names=names,
        key=st.sampled_from(KEYS),
        minutes=st.integers(0, 5),
        case=st.integers(0, number_of_cases - 1),
    )
    return st.lists(scene, min_size=2, max_size=10)


@st.composite
def stories(draw: st.DrawFn, *, joining: bool = True) -> tuple[list[Case], list[Scene]]:
    """Cases, and a story of them."""
    made = draw(cases())
    return made, draw(scenes(len(made), joining=joining))


assert NOON
