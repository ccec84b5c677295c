"""Why something is so of a customer."""

from __future__ import annotations

from typing import Any

import pytest
from journey_world import ANN, BEA, HOUR, SECRET_WORDS, JourneyWorld

from scrmkit.domain.kinds import ConsentChanged, ContactAdded, ContactRemoved, MessageReceived, OrderRefunded
from scrmkit.errors import InvalidValueError, UnknownNameError
from scrmkit_audience import Audience
from scrmkit_insight import EffectRef


def test_a_tag_is_there_because_of_a_decision_at_a_touchpoint(shop: JourneyWorld):
    ann = shop.happen("contact.added", ContactAdded(account="zoe", name="Ann Blue"), ANN)

    why = shop.insight.why(ann, "tag:source/table card", tenant="north")

    assert why.words == ("tag:source/table card holds; tagger: the entrance names it, at contact.added")
    assert why.decision is not None
    assert [effect["type"] for effect in why.decision.effects] == ["add_tag"]
    assert why.touchpoint is not None
    assert dict(why.touchpoint.payload) == {"account": "zoe"}
    assert "Ann Blue" not in repr(why)


@pytest.mark.parametrize(
    ("days", "removed", "state", "reason"),
    [
        pytest.param(1, False, "holds", "the entrance names it", id="it holds"),
        pytest.param(31, False, "has expired", "the entrance names it", id="it has expired"),
        pytest.param(1, True, "was taken away", "the contact is gone", id="it was taken away"),
    ],
)
def test_a_tag_says_where_it_stands(shop: JourneyWorld, days: int, removed: bool, state: str, reason: str):
    ann = shop.happen("contact.added", ContactAdded(), ANN)
    shop.clock.advance(24 * days * HOUR)
    if removed:
        shop.happen("contact.removed", ContactRemoved(), ANN)

    why = shop.insight.why(ann, EffectRef("tag", ("source", "table card")), tenant="north")

    assert why.state == state
    assert why.decision is not None
    assert why.decision.reason == reason


def test_an_attribute_says_its_value(shop: JourneyWorld):
    ann = shop.happen("contact.added", ContactAdded(), ANN)

    why = shop.insight.why(ann, "attribute:tagger.n", tenant="north")

    assert (dict(why.value), why.state) == ({"value": 1}, "is set")


def test_a_score_says_its_parts_and_the_run_that_set_it(shop: JourneyWorld):
    shop.buy("o1", BEA)
    ann = shop.buy("o2")
    shop.clock.advance(HOUR)
    Audience(shop.engine).score("value", tenant="north")

    why = shop.insight.why(ann, "score:value", tenant="north")

    assert why.state == "is 1.00"
    assert why.value["band"] == "B"
    assert why.touchpoint is not None
    assert why.touchpoint.kind == "score.computed"
    assert why.decision is not None
    assert [effect["customer"] for effect in why.decision.effects] == [ann]


def test_a_consent_that_the_core_wrote_down(shop: JourneyWorld):
    ann = shop.happen("consent.withdrawn", ConsentChanged(channel="sms"), ANN)

    why = shop.insight.why(ann, "consent:sms/marketing", tenant="north")

    assert why.words == ("consent:sms/marketing was withdrawn; core: the customer withdrew it, at consent.withdrawn")


def test_what_was_emitted_says_what_led_to_it(shop: JourneyWorld):
    ann = shop.buy("o1")

    why = shop.insight.why(ann, "consent:mail/marketing", tenant="north")

    assert [one.kind for one in why.led_to] == ["order.paid"]


def test_what_somebody_elses_touchpoint_did(shop: JourneyWorld):
    ann = shop.buy("o1")
    shop.befriended = ann
    shop.happen("message.received", MessageReceived(text=SECRET_WORDS), BEA)

    why = shop.insight.why(ann, "tag:friend/of many", tenant="north")

    assert why.decision is not None
    assert why.decision.reason == "a friend wrote for her"
    assert SECRET_WORDS not in repr(why)


def messages(shop: JourneyWorld, customer: int) -> dict[str, Any]:
    """The messages of a customer, by the plugin that asked for them."""
    return {entry.plugin: entry for entry in shop.insight.journey(customer, tenant="north") if entry.what == "message"}


@pytest.mark.parametrize("by", ["id", "key"])
def test_a_message_says_who_else_wanted_its_slot(shop: JourneyWorld, by: str):
    ann = shop.happen("contact.added", ContactAdded(), ANN)
    sent = messages(shop, ann)["greeter"]

    why = shop.insight.why(ann, f"message:{getattr(sent, by)}", tenant="north")

    assert why.outgoing == sent
    assert why.decision is not None
    assert why.decision.plugin == "greeter"
    assert [(rival.plugin, rival.because, rival.code) for rival in why.rivals] == [
        ("club", "the club says hello", "slot_lost")
    ]


def test_a_message_that_the_policy_held_back(shop: JourneyWorld):
    ann = shop.buy("o1")

    why = shop.insight.why(ann, f"message:{messages(shop, ann)['news'].key}", tenant="north")

    assert why.state == "is suppressed"
    assert why.outgoing is not None
    assert why.outgoing.verdict is not None
    assert why.outgoing.verdict.code == "no_consent"
    assert SECRET_WORDS not in repr(why)


def test_a_request(shop: JourneyWorld):
    payload = OrderRefunded(order_no="o1", refund_no="r1", amount_fen=100)
    ann = shop.happen("order.refunded", payload, ANN)
    (request,) = (e for e in shop.insight.journey(ann, tenant="north") if e.what == "request")

    why = shop.insight.why(ann, f"request:{request.key}", tenant="north")

    assert why.words.startswith(f"request:{request.key} is planned; care: the customer asked")


def test_of_merged_customers_the_newest_word_has_the_reason(shop: JourneyWorld):
    shop.happen("contact.added", ContactAdded(), ANN)
    shop.clock.advance(HOUR)
    shop.happen("contact.removed", ContactRemoved(), BEA)
    ann = shop.happen("message.received", MessageReceived(), ANN, BEA)

    why = shop.insight.why(ann, "tag:source/table card", tenant="north")

    assert why.decision is not None
    assert why.decision.reason == "the contact is gone"


@pytest.mark.parametrize(
    ("effect", "words"),
    [
        pytest.param("tag:source/table crd", "did you mean 'tag:source/table card'", id="a tag"),
        pytest.param("message:0123456789abcdef0123456789abcdef", "no message:", id="a message"),
        pytest.param("request:12", "no request:12", id="a request"),
    ],
)
def test_what_is_not_there_has_no_reason(shop: JourneyWorld, effect: str, words: str):
    ann = shop.happen("contact.added", ContactAdded(), ANN)

    with pytest.raises(UnknownNameError, match=words):
        shop.insight.why(ann, effect, tenant="north")


def test_a_message_of_another_customer_or_tenant_has_no_reason(shop: JourneyWorld):
    ann = shop.happen("contact.added", ContactAdded(), ANN)
    bea = shop.happen("contact.added", ContactAdded(), BEA, key="2")
    other = shop.happen("contact.added", ContactAdded(), ANN, tenant="south")
    effect = f"message:{messages(shop, ann)['greeter'].id}"

    for who, tenant in ((bea, "north"), (other, "south")):
        with pytest.raises(UnknownNameError):
            shop.insight.why(who, effect, tenant=tenant)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("tag:source", id="a tag without its group"),
        pytest.param("tag:/name", id="an empty group"),
        pytest.param("badge:gold", id="no such effect"),
        pytest.param("score:", id="no name"),
        pytest.param("score", id="no colon"),
    ],
)
def test_an_effect_that_is_written_otherwise_is_refused(text: str):
    with pytest.raises(InvalidValueError, match="write one of tag:GROUP/NAME"):
        EffectRef.of(text)


def test_an_effect_is_written_as_it_was_read():
    assert str(EffectRef.of("tag:source/a/b")) == "tag:source/a/b"
