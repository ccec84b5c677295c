"""One customer as they stand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from engine_people import ANN, BOB, Make, joins
from engine_world import NOON, at, says, scanned

from scrmkit.clock import VirtualClock
from scrmkit.domain import effects as e
from scrmkit.domain.identity import Identity
from scrmkit.domain.kinds import ConsentChanged, ContactRemoved
from scrmkit.domain.profile import Score, TagSource
from scrmkit.errors import UnknownNameError
from scrmkit.testing import FakeRule

CARD = {"group": "source", "name": "table card"}
TAG = e.AddTag(**CARD, source=TagSource.SOURCE, expires_at=NOON + timedelta(days=30))
SCORE = Score(scorer="value", hundredths=100, band="B", as_of=NOON)
RULES = {
    "rule.tagger": FakeRule("entrance.scanned", decide=says(TAG, e.SetAttribute(name="n", value=1))),
    "rule.value": FakeRule("entrance.scanned", decide=says(e.SetScore(score=SCORE))),
    "rule.taker": FakeRule("contact.removed", decide=says(e.RemoveTag(**CARD))),
}


def consent(kind: str, minutes: int) -> Any:
    """She says whether she wants to be written to."""
    payload = ConsentChanged(channel="sms")
    return scanned(minutes, ANN, kind=kind, payload=payload, minutes=minutes)


def test_a_customer_is_found_by_id_and_by_what_a_platform_says(engine_of: Make):
    engine = engine_of()
    ann = engine.record(scanned(1, ANN)).customer

    by_id = engine.customer(ann)

    assert by_id == engine.customer(ANN)
    assert by_id.id == ann
    assert by_id.identities == (ANN,)


def test_a_customer_has_the_newest_words(engine_of: Make):
    engine = engine_of(RULES)
    engine.record_many([scanned(1, ANN), consent("consent.granted", 2), consent("consent.withdrawn", 3)])

    customer = engine.customer(ANN)

    assert [(tag.group, tag.name, tag.plugin) for tag in customer.tags] == [("source", "table card", "tagger")]
    assert customer.attributes == {"tagger.n": 1}
    assert [(one.channel, one.granted) for one in customer.consents] == [("sms", False)]
    assert customer.scores == (SCORE,)


def test_a_tag_that_has_expired_is_not_shown(engine_of: Make, virtual_clock: VirtualClock):
    engine = engine_of(RULES)
    engine.record(scanned(1, ANN))
    virtual_clock.advance(timedelta(days=30))

    assert engine.customer(ANN).tags == ()


def test_a_tag_that_was_taken_away_is_not_shown(engine_of: Make, virtual_clock: VirtualClock):
    engine = engine_of(RULES)
    engine.record(scanned(1, ANN))
    virtual_clock.move_to(at(60))
    engine.record(scanned(2, ANN, kind="contact.removed", payload=ContactRemoved(), minutes=60))

    assert engine.customer(ANN).tags == ()


def test_a_merged_customer_is_found_by_either_id(engine_of: Make):
    engine = engine_of()
    ann, bob = engine.record_many([scanned(1, ANN), scanned(2, BOB)])
    engine.record(joins(3, ANN, BOB))

    customer = engine.customer(bob.customer)

    assert customer == engine.customer(ann.customer)
    assert customer.id == ann.customer
    assert set(customer.identities) == {ANN, BOB}


def test_nothing_personal_is_in_a_repr(engine_of: Make):
    engine = engine_of()
    engine.record(scanned(1, ANN))

    assert ANN.value not in repr(engine.customer(ANN))


@pytest.mark.parametrize("who", [ANN, 1], ids=["a phone", "an id"])
def test_a_customer_of_another_tenant_is_unknown(engine_of: Make, who: int | Identity):
    engine = engine_of(tenants=["north", "south"])
    engine.record(scanned(1, ANN, tenant="south"))

    with pytest.raises(UnknownNameError, match="tenant 'north' has no customer") as caught:
        engine.customer(who, tenant="north")

    assert ANN.value not in str(caught.value)
