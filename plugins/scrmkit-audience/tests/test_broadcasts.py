"""Broadcasts: one message for many, each through the contact policy, and nobody gets it twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scrmkit.domain.ids import CustomerId
from scrmkit.domain.kinds import ConsentChanged
from scrmkit.domain.messages import Message, Purpose
from scrmkit.engine import Engine
from scrmkit.errors import UnknownNameError
from scrmkit.testing import FakeChannel, FakeText, Observer, make_identity, make_touchpoint
from scrmkit_audience import Audience, Broadcast

PHONES = [f"+861390000000{number}" for number in range(3)]
NEWS = Message(channel="sms", content=FakeText(text="news"))


@pytest.fixture
def sms() -> FakeChannel:
    return FakeChannel()


@pytest.fixture
def observer() -> Observer:
    return Observer()


@pytest.fixture
def engine(make_engine: Callable[..., Engine], sms: FakeChannel, observer: Observer) -> Engine:
    return make_engine({"channel.sms": sms, "hooks.observer": observer})


@pytest.fixture
def people(engine: Engine) -> list[CustomerId]:
    """Three customers; the first alone said yes to marketing."""
    outcomes = engine.record_many([make_touchpoint(key=phone, identities=[make_identity(phone)]) for phone in PHONES])
    granted = ConsentChanged(channel="sms")
    engine.record(make_touchpoint("consent.granted", granted, identities=[make_identity(PHONES[0])]))
    return [outcome.customer for outcome in outcomes if outcome.customer is not None]


def heard(engine: Engine, sms: FakeChannel) -> list[str]:
    """The phones that a message reached, after delivery."""
    engine.run_once()
    return [item.address.value for item in sms.sent]


def test_everybody_gets_the_message(engine: Engine, sms: FakeChannel, people: list[CustomerId]):
    assert Audience(engine).broadcast(Broadcast(id="b", message=NEWS), people, author="sms") == 3

    assert heard(engine, sms) == PHONES


def test_a_message_may_depend_on_the_customer(engine: Engine, sms: FakeChannel, people: list[CustomerId]):
    def chosen(customer: CustomerId) -> Message | None:
        return None if customer == people[1] else NEWS

    looked_at = Audience(engine).broadcast(Broadcast(id="b", message=chosen), people, author="sms")

    assert looked_at == 3
    assert heard(engine, sms) == [PHONES[0], PHONES[2]]


def test_the_contact_policy_has_its_say(engine: Engine, sms: FakeChannel, people: list[CustomerId]):
    sale = Message(channel="sms", content=FakeText(text="sale"), purpose=Purpose.MARKETING)

    Audience(engine).broadcast(Broadcast(id="b", message=sale), people, author="sms")

    assert heard(engine, sms) == PHONES[:1]


def test_nobody_gets_one_broadcast_twice(engine: Engine, sms: FakeChannel, people: list[CustomerId]):
    audience, one = Audience(engine), Broadcast(id="b", message=NEWS)
    audience.broadcast(one, people[:2], author="sms")

    audience.broadcast(one, people, author="sms")
    audience.broadcast(Broadcast(id="c", message=NEWS), people[:1], author="sms")

    assert heard(engine, sms) == [*PHONES, PHONES[0]]


def test_it_is_planned_chunk_by_chunk_and_progress_is_said(
    engine: Engine, observer: Observer, people: list[CustomerId], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("scrmkit_audience.broadcasts.CHUNK", 2)
    said: list[int] = []

    Audience(engine).broadcast(Broadcast(id="b", message=NEWS), iter(people), author="sms", progress=said.append)

    assert said == [2, 3]
    planned = [one.payload.customers for one, _ in observer.committed[-2:]]
    assert planned == [tuple(people[:2]), tuple(people[2:])]


def test_it_is_known_why_somebody_was_written_to(engine: Engine, observer: Observer, people: list[CustomerId]):
    one = Broadcast(id="b", message=NEWS, reason="the new shop opens")

    Audience(engine).broadcast(one, people, author="sms")

    touchpoint, outcome = observer.committed[-1]
    assert (touchpoint.kind, touchpoint.payload.customers) == ("broadcast.planned", tuple(people))
    assert [(said.plugin, said.reason) for said in outcome.decisions] == [("sms", "the new shop opens")]


def test_an_author_that_is_not_configured_is_refused(engine: Engine, people: list[CustomerId]):
    with pytest.raises(UnknownNameError, match="did you mean 'sms'"):
        Audience(engine).broadcast(Broadcast(id="b", message=NEWS), people, author="sns")
