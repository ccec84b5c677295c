"""Personal values that are recorded on purpose: they leave by the channel, and by nothing else."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
import structlog

from scrmkit import (
    CallbackRequest,
    ContactAdded,
    Decision,
    DeliveryOutcome,
    Identity,
    Message,
    MessageReceived,
    Outgoing,
    Propose,
    Purpose,
    ScrmkitError,
)
from scrmkit.testing.factories import make_touchpoint
from scrmkit.testing.fakes import FakeChannel, FakeText
from scrmkit_insight import Insight

PHONE, NAME, TEXT, CODE = "+8613987654321", "Canary Name", "canary words", "canary-code"
CANARIES = (PHONE, PHONE[3:], NAME, TEXT, CODE, "a secret of tests and of nothing else")
ANN = Identity(kind="phone", value=PHONE)


class Careless:
    """Says everything that it knows in its exceptions, and answers the customer."""

    kinds = frozenset({"contact.added", "message.received"})

    def needs(self, touchpoint: Any) -> Sequence[Any]:
        return ()

    def decide(self, touchpoint: Any, known: Any, now: Any) -> Decision:
        if touchpoint.kind == "message.received":
            raise ValueError(f"{touchpoint.payload.text} of {touchpoint.identities[0].value}")
        message = Message(channel="sms", content=FakeText(text=TEXT), purpose=Purpose.SERVICE)
        return Decision(reason="says hello", effects=(Propose(message=message, once=touchpoint.key),))


class CarelessChannel(FakeChannel):
    """Raises with the address and the words in it, the first time."""

    def send(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        if not self.sent:
            super().send(operation, batch)
            raise OSError(f"cannot send {batch[0].body.text} to {batch[0].address}")
        return super().send(operation, batch)


@pytest.fixture
def told(make_engine, virtual_clock, caplog, capfd) -> str:
    """All that was logged, raised, printed or shown while a customer with canaries came by."""
    caplog.set_level(logging.DEBUG)
    said: list[Any] = []
    with structlog.testing.capture_logs() as events:
        engine = make_engine({"rule.careless": Careless(), "channel.sms": CarelessChannel()})
        added = ContactAdded(account="guide", name=NAME, welcome_code=CODE)
        came = make_touchpoint("contact.added", added, key="1", identities=[ANN])
        wrote = make_touchpoint("message.received", MessageReceived(text=TEXT), key="2", identities=[ANN])
        said += [came, wrote, *engine.record_many([came, wrote]), engine.ask(came)]
        for _ in range(3):
            said.append(engine.run_once())
            virtual_clock.advance(timedelta(minutes=2))
        for wrong in (
            lambda: engine.record(make_touchpoint(key="3", identities=[Identity(kind="nobody", value=PHONE)])),
            lambda: engine.customer(Identity(kind="phone", value=PHONE + "9")),
            lambda: make_touchpoint(key=PHONE * 20),
        ):
            with pytest.raises(ScrmkitError) as raised:
                wrong()
            said.append(raised.value)
        body = json.dumps({"phone": PHONE, "text": TEXT}).encode()
        said.append(engine.receive("sms", CallbackRequest(method="POST", query={"token": CODE}, body=body)))
        insight = Insight(engine)
        said += [engine, engine.settings, engine.plugins, engine.customer(ANN), insight.counts(), insight.digest()]
        said += [*insight.journey(ANN), *(entry.words for entry in insight.journey(ANN))]
        assert [item.body.text for item in engine.plugins.named("sms").plugin.sent][:1] == [TEXT]
    assert {event["event"] for event in events} >= {"plugin_failed", "callback_rejected"}
    return "\n".join(map(str, [*events, *map(repr, said), *said, caplog.text, *capfd.readouterr()]))


def test_no_canary_is_logged_raised_or_shown(told: str):
    assert [canary for canary in CANARIES if canary in told] == []


def test_what_happened_is_told_all_the_same(told: str):
    assert "ValueError" in told
    assert "says hello" in told
