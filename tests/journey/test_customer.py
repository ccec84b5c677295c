"""One customer as they stand."""

from __future__ import annotations

from datetime import timedelta

import pytest
from journey_world import ANN, BEA, JourneyWorld

from scrmkit.domain.kinds import ConsentChanged, ContactAdded, ContactRemoved
from scrmkit.errors import UnknownNameError
from scrmkit.testing import make_identity
from scrmkit_audience import Audience


def test_a_customer_is_found_by_id_and_by_what_a_platform_says(shop: JourneyWorld):
    ann = shop.happen("contact.added", ContactAdded(), ANN)

    by_id = shop.engine.customer(ann, tenant="north")

    assert by_id == shop.engine.customer(make_identity(ANN), tenant="north")
    assert by_id.id == ann
    assert by_id.identities == (make_identity(ANN),)


def test_a_customer_has_the_newest_words(shop: JourneyWorld):
    shop.happen("contact.added", ContactAdded(), ANN)
    shop.happen("consent.granted", ConsentChanged(channel="sms"), ANN)
    ann = shop.happen("consent.withdrawn", ConsentChanged(channel="sms"), ANN)
    shop.clock.advance(timedelta(hours=1))
    Audience(shop.engine).score("value", tenant="north")

    customer = shop.engine.customer(ann, tenant="north")

    assert [(tag.group, tag.name, tag.plugin) for tag in customer.tags] == [
        ("source", "table card", "tagger")
    ]
    assert customer.attributes == {"tagger.n": 1}
    assert [(one.channel, one.granted) for one in customer.consents] == [("sms", False)]
    assert [(score.scorer, score.band) for score in customer.scores] == [("value", "B")]


def test_a_tag_that_has_expired_is_not_shown(shop: JourneyWorld):
    ann = shop.happen("contact.added", ContactAdded(), ANN)
    shop.clock.advance(timedelta(days=30))

    assert shop.engine.customer(ann, tenant="north").tags == ()


def test_a_tag_that_was_taken_away_is_not_shown(shop: JourneyWorld):
    shop.happen("contact.added", ContactAdded(), ANN)
    shop.clock.advance(timedelta(hours=1))
    ann = shop.happen("contact.removed", ContactRemoved(), ANN)

    assert shop.engine.customer(ann, tenant="north").tags == ()


def test_a_merged_customer_is_found_by_either_id(shop: JourneyWorld):
    ann = shop.happen("contact.added", ContactAdded(), ANN)
    bea = shop.buy("o1", BEA)
    shop.happen("contact.added", ContactAdded(), ANN, BEA, key="2")

    customer = shop.engine.customer(bea, tenant="north")

    assert customer.id == min(ann, bea)
    assert set(customer.identities) == {make_identity(ANN), make_identity(BEA)}


def test_nothing_personal_is_in_a_repr(shop: JourneyWorld):
    ann = shop.happen("contact.added", ContactAdded(name="Ann Blue"), ANN)

    assert ANN not in repr(shop.engine.customer(ann, tenant="north"))


@pytest.mark.parametrize("who", [make_identity(ANN), 1], ids=["a phone", "an id"])
def test_a_customer_of_another_tenant_is_unknown(shop: JourneyWorld, who: object):
    shop.happen("contact.added", ContactAdded(), ANN, tenant="south")

    with pytest.raises(UnknownNameError, match="tenant 'north' has no customer") as caught:
        shop.engine.customer(who, tenant="north")

    assert ANN not in str(caught.value)
