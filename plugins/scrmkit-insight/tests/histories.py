"""Random histories, as data: what touchpoints tell the scripted plugins to do."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from scripted import Text, member, phone, played, told
from sqlalchemy import select

from scrmkit.domain.messages import Message, Purpose
from scrmkit.errors import ConflictError
from scrmkit.persistence import schema
from scrmkit_audience import Audience, Broadcast

_NAMES = st.sampled_from("abc")
_MINUTES = st.integers(0, 30)
_RESOURCE = st.sampled_from(["seat", "mine"])


def _act(name: str, *arguments: Any) -> st.SearchStrategy[list[Any]]:
    return st.tuples(st.just(name), *arguments).map(list)


_COMMUTING = (
    _act("tag", _NAMES, _NAMES, st.sampled_from(["manual", "keyword"])),
    _act("untag", _NAMES, _NAMES),
    _act("set", _NAMES, st.sampled_from([1, "x", None, "mine"])),
    _act("score", st.integers(0, 100), _MINUTES),
    _act("consent", st.sampled_from(["mail", "*"]), st.booleans()),
)
_PROFILE = (*_COMMUTING, _act("remember", st.integers(0, 9) | st.just("mine")))
_SENDING = (
    _act("say", _NAMES, st.sampled_from(["service", "marketing"])),
    _act("say", _NAMES, st.just("service"), st.just("slot"), st.none() | st.just(60)),
    _act("say", _NAMES, st.just("service"), st.none(), st.none(), st.just(True), st.just(0)),
    _act("refund", _NAMES),
)
_HOLDING = (
    _act("reserve", _RESOURCE, _NAMES, st.integers(1, 2), st.just(3), st.none() | st.just(50)),
    _act("commit", _RESOURCE, _NAMES),
    _act("release", _RESOURCE, _NAMES, st.booleans()),
    _act("post", _NAMES, st.integers(-9, 9), st.none() | st.just(-5), st.just("mine")),
    _act("start", _NAMES, _MINUTES),
    _act("stop", _NAMES),
)
_PLAYING = (
    _act("open", _NAMES),
    _act("alias", _NAMES),
    _act("join", st.sampled_from(["player", "guest"]), st.integers(0, 9)),
    _act("change", st.just("player"), st.integers(0, 9)),
    _act("leave", st.sampled_from(["player", "guest"])),
)
_OF_THE_LAST = st.one_of(
    _act("last", st.just("tag"), _NAMES, _NAMES),
    _act("last", st.just("remember"), st.just("mine")),
    _act("last", st.just("join"), st.sampled_from(["player", "guest"])),
    _act("last", st.just("leave"), st.sampled_from(["player", "guest"])),
    _act("last", st.just("say"), _NAMES),
    _act("last", st.just("refund"), _NAMES),
)
_COMMUTING_ACTS = st.lists(st.one_of(*_COMMUTING), max_size=3)
_PROFILE_ACTS = st.lists(st.one_of(*_PROFILE), max_size=3)
_FLAT_ACTS = st.lists(st.one_of(*_PROFILE, *_SENDING, *_HOLDING), max_size=4)
_RULE_ACTS = st.lists(st.one_of(*_PROFILE, *_SENDING, *_HOLDING, _act("tell", _NAMES, _FLAT_ACTS)), max_size=4)
_GAME_ACTS = st.lists(
    st.one_of(*_PROFILE, *_SENDING, *_HOLDING, *_PLAYING, *_PLAYING, _OF_THE_LAST, _act("tell", _NAMES, _FLAT_ACTS)),
    max_size=4,
)
_ONE = st.integers(1, 4).map(lambda number: [phone(number)]) | st.integers(1, 3).map(lambda number: [member(number)])
_TWO = st.tuples(st.integers(1, 4), st.integers(1, 3)).map(lambda pair: [phone(pair[0]), member(pair[1])])
_WHO = st.one_of(_ONE, _ONE, _ONE, _TWO)


@st.composite
def _keyed(draw: st.DrawFn, touchpoints: Any) -> list[Any]:
    """A list with keys that say the place, so that equal draws are distinct touchpoints."""
    return [make(f"k{number}") for number, make in enumerate(draw(touchpoints))]


def _told(acts: Any, who: Any = _WHO) -> Any:
    return st.builds(
        lambda acts, who, minutes: lambda key: told(*acts, who=who, key=key, minutes=minutes), acts, who, _MINUTES
    )


_PLAYED = st.builds(
    lambda game, acts, who, closes: (
        lambda key: played(game, *acts, who=who, number=key, closes=closes)
    ),
    _NAMES, _GAME_ACTS, _WHO, st.sampled_from([False, False, True]),
)  # fmt: skip

words = _keyed(st.lists(_told(_COMMUTING_ACTS, _ONE), max_size=12))
"""Touchpoints that say something of customers whom nothing joins."""

profiles = _keyed(st.lists(_told(_PROFILE_ACTS), max_size=12))
"""Touchpoints that change profiles alone."""

histories = _keyed(st.lists(_told(_RULE_ACTS) | _PLAYED, max_size=14))
"""Touchpoints of all sorts."""

courses = st.lists(
    st.one_of(
        *[st.lists(_told(_RULE_ACTS) | _PLAYED, min_size=1, max_size=4)] * 3,
        st.integers(1, 40),
        st.sampled_from(["undo", "deliver", "score", "broadcast"]),
    ),
    max_size=8,
)
"""What happens in a world: batches of touchpoints, minutes that pass, merges undone, delivery."""


def live(world: Any, course: list[Any]) -> None:
    """Let a course happen in an engine with a virtual clock of its own."""
    number = 0
    for what in course:
        if isinstance(what, int):
            world.clock.advance(timedelta(minutes=what))
        elif what == "undo":
            undo_last(world)
        elif what == "deliver":
            world.run_once()
        elif what == "score":
            Audience(world).score("counting")
        elif what == "broadcast":
            broadcast(world, f"b{number}")
        else:
            made = [make(f"k{number + place}") for place, make in enumerate(what)]
            assert not any(outcome.parked for outcome in world.record_many(made))
            number += len(what)


def broadcast(world: Any, name: str, tenant: str | None = None) -> None:
    """Say something to everybody there is."""
    table = schema.customer
    wanted = select(table.c.id).where(table.c.id == table.c.person).order_by(table.c.id)
    if tenant is not None:
        wanted = wanted.where(table.c.tenant == tenant)
    with world.database.engine.connect() as connection:
        people = connection.execute(wanted).scalars().all()
    message = Message(channel="mail", content=Text(text="news"), purpose=Purpose.MARKETING)
    one = Broadcast(id=name, message=message)
    Audience(world).broadcast(one, people, author="rule-of-toy", tenant=tenant)


def undo_last(world: Any) -> None:
    """Undo the newest merge that can be undone, if there is one."""
    table = schema.merge
    wanted = select(table).where(table.c.undone_at.is_(None)).order_by(table.c.id.desc())
    with world.database.engine.connect() as connection:
        rows = connection.execute(wanted).mappings().all()
    for row in rows[:1]:
        with suppress(ConflictError):
            world.undo_merge(row["kept"], row["moved"], tenant=row["tenant"])
