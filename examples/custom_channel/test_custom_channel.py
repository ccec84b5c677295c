"""The channel of one's own, held to what channels promise, and at work in an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import attrs
import pytest
from custom_channel.push import DEVICE, Note, PushChannel, PushSettings
from custom_channel.push_service import KEY, PushService, push_service

from scrmkit import (
    CallbackRequest,
    Decision,
    Engine,
    Identity,
    Known,
    Message,
    Now,
    Propose,
    Secret,
    Touchpoint,
    VirtualClock,
)
from scrmkit.testing import NOON, ChannelSuite, FakeRule, make_context, make_touchpoint
from scrmkit_insight import Insight

ANN = Identity(kind=DEVICE, value="device-of-ann")


@pytest.fixture
def service() -> Iterator[PushService]:
    with push_service() as running:
        yield running


class TestPush(ChannelSuite):
    @pytest.fixture
    def channel(self, service: PushService, virtual_clock: VirtualClock) -> Iterator[Any]:
        settings = PushSettings(url=service.url, key=Secret(KEY))
        channel = PushChannel(make_context("push", settings, clock=virtual_clock))
        yield channel
        channel.close()

    @pytest.fixture
    def customers(self) -> Sequence[Sequence[Identity]]:
        return [(ANN,)]

    @pytest.fixture
    def bodies(self) -> Mapping[str, Sequence[Any]]:
        return {"send": [Note(title="Dear Ann", text="your tea is here")]}

    @pytest.fixture
    def callbacks(self, service: PushService) -> Sequence[CallbackRequest]:
        happened = {"device": ANN.value, "at": NOON.isoformat()}
        return [
            service.callback(id="e1", type="delivered", note="key-1"),
            service.callback(id="e2", type="opened", note="key-1", **happened),
            service.callback(id="e3", type="muted", **happened),
            service.callback(id="e4", type="something new"),
        ]

    @pytest.fixture
    def platform_state(self, service: PushService) -> Callable[[], Any]:
        return lambda: dict(service.notes)

    @pytest.fixture
    def lose_answer(self, service: PushService) -> Callable[[str], None]:
        return lambda operation: setattr(service, "loses", True)

    @pytest.fixture
    def canaries(self) -> tuple[str, ...]:
        return (KEY,)


@pytest.fixture
def engine(make_engine: Callable[..., Engine], service: PushService) -> Engine:
    message = Message(channel="push", content=Note(text="your tea is here"))

    def greet(touchpoint: Touchpoint[Any], known: Known, now: Now) -> Decision:
        return Decision(reason="greets", effects=(Propose(message=message, once=touchpoint.key),))

    return make_engine(
        {"channel.push": PushChannel, "rule.greets": FakeRule("message.received", decide=greet)},
        options={"push": {"url": service.url, "key": Secret(KEY)}},
    )


def ends(engine: Engine) -> dict[str, int]:
    """How many messages ended how."""
    return {one.status: one.count for one in Insight(engine).counts().outgoing}


def test_a_message_arrives_and_is_reported(engine: Engine, service: PushService):
    engine.record(make_touchpoint(identities=[ANN]))
    engine.run_once()

    ((key, note),) = service.notes.items()
    assert note == {"device": ANN.value, "title": "", "text": "your tea is here"}
    reply = engine.receive("push", service.callback(id="e1", type="delivered", note=key))
    assert reply.status == 200
    assert ends(engine) == {"delivered": 1}


def test_a_lost_answer_is_no_second_note(engine: Engine, service: PushService, virtual_clock: VirtualClock):
    service.loses = True

    engine.record(make_touchpoint(identities=[ANN]))
    engine.run_once()
    virtual_clock.advance(timedelta(hours=1))
    engine.run_once()

    assert len(service.notes) == 1
    assert ends(engine) == {"accepted": 1}


def test_a_phone_without_the_app_is_not_written_to_again(engine: Engine, service: PushService):
    removed = attrs.evolve(ANN, value="removed")

    engine.record(make_touchpoint(identities=[removed]))
    engine.run_once()
    engine.record(make_touchpoint(key="t2", identities=[removed]))
    engine.run_once()

    assert service.notes == {}
    assert ends(engine) == {"refused": 1, "suppressed": 1}


def test_an_opened_note_is_a_touchpoint_of_the_customer(engine: Engine, service: PushService):
    opened = service.callback(id="e1", type="opened", note="k1", device=ANN.value, at=NOON.isoformat())

    assert engine.receive("push", opened).status == 200
    assert engine.receive("push", opened).status == 200

    outcome = engine.find("push.opened", "e1")
    assert outcome is not None
    assert outcome.customer is not None


def test_a_forged_callback_is_refused(engine: Engine):
    assert engine.receive("push", CallbackRequest(method="POST", body=b"{}")).status == 403
