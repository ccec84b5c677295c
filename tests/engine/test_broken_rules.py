"""A rule that breaks its contract loses its own decision, and nothing else is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from broken_plugins import NAIVE, VIP, Alien, Make, Unlistable, awaits, decides, good, needs, raises, yields
from engine_world import health, rows, says, scanned

from scrmkit.domain import effects as e
from scrmkit.domain.decisions import Decision
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.reads import ActivityOf, Attributes, Memo, ParticipantOf, Tags
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.testing import NOON, FakeRule

BROKEN_RULES = [
    pytest.param(decides(raises(ValueError("canary"))), id="raises"),
    pytest.param(decides(raises(SystemExit(3))), id="calls sys.exit"),
    pytest.param(decides(raises(Alien("canary"))), id="raises what is no Exception"),
    pytest.param(decides(raises(asyncio.CancelledError())), id="is cancelled"),
    pytest.param(decides(raises(RecursionError())), id="recurses for ever"),
    pytest.param(decides(lambda *a: "vip"), id="returns a word"),
    pytest.param(decides(lambda *a: VIP), id="returns an effect"),
    pytest.param(decides(lambda *a: [says(VIP)]), id="returns a list"),
    pytest.param(decides(lambda *a: Decision), id="returns a class"),
    pytest.param(decides(yields), id="yields"),
    pytest.param(decides(awaits), id="is a coroutine"),
    pytest.param(decides(says(VIP, reason=None)), id="gives no reason"),
    pytest.param(decides(says(VIP, reason=b"x")), id="gives bytes for a reason"),
    pytest.param(decides(says(VIP, code=7)), id="gives a number for a code"),
    pytest.param(decides(Decision(reason="r", effects=VIP)), id="one effect without a list"),
    pytest.param(decides(Decision(reason="r", effects=None)), id="None for the effects"),
    pytest.param(decides(Decision(reason="r", effects=(x for x in ()))), id="effects that run out"),
    pytest.param(decides(says(VIP, "vip")), id="a word for an effect"),
    pytest.param(decides(says(VIP, e.AddTag)), id="a class for an effect"),
    pytest.param(decides(says(answer="words")), id="answers with words"),
    pytest.param(decides(says(answer={"x": object()})), id="answers with an object"),
    pytest.param(decides(says(answer={"x": float("nan")})), id="answers with no number"),
    pytest.param(decides(says(answer={"x": "\ud800"})), id="answers with half a character"),
    pytest.param(needs(raises(ValueError("canary"))), id="needs raises"),
    pytest.param(needs(7), id="needs returns a number"),
    pytest.param(needs(["tags"]), id="needs returns words"),
    pytest.param(needs([[]]), id="needs returns lists"),
    pytest.param(needs(Unlistable()), id="needs returns what cannot be listed"),
    pytest.param(needs([Tags]), id="needs returns a class"),
    pytest.param(needs([Tags("one")]), id="needs the tags of a word"),
    pytest.param(needs([Tags(True)]), id="needs the tags of a yes"),
    pytest.param(needs([ActivityOf(CustomerId(1), "order.paid", NAIVE)]), id="a naive window"),
    pytest.param(needs([ParticipantOf("one", "helper", CustomerId(1))]), id="a word for a ref"),
]


@pytest.mark.parametrize("rule", BROKEN_RULES)
def test_a_broken_rule_loses_its_own_decision(engine_of: Make, rule: FakeRule):
    engine = engine_of({"rule.bad": rule, "rule.good": good()})

    outcome = engine.record(scanned(1))

    assert outcome.parked is None
    assert [row[2:4] for row in rows(engine, "tag")] == [("level", "vip")]
    assert rows(engine, "attribute") == []
    assert (health(engine, "bad").failures, health(engine, "good").failures) == (1, 0)
    assert "canary" not in health(engine, "bad").last_error


def test_a_read_that_was_not_declared_is_that_plugin_s_failure(engine_of: Make):
    seen: list[str] = []

    def looks(touchpoint: Any, known: Any, now: Any) -> Decision:
        known[Attributes(touchpoint.customer)]
        seen.append("attributes")
        known[Tags(touchpoint.customer)]
        return says(e.SetAttribute(name="bad", value=1))

    rule = FakeRule("entrance.scanned", decide=looks, needs=lambda t: [Attributes(t.customer)])
    engine = engine_of({"rule.bad": rule, "rule.good": good()})
    engine.record(scanned(1))

    assert seen == ["attributes"]
    assert rows(engine, "attribute") == []
    assert len(rows(engine, "tag")) == 1
    assert "Tags without naming it in needs()" in health(engine, "bad").last_error


def test_a_read_of_somebody_else_is_not_declared_either(engine_of: Make):
    engine = engine_of(
        {
            "rule.bad": FakeRule(
                "entrance.scanned",
                needs=lambda t: [Tags(t.customer)],
                decide=lambda t, known, now: known[Tags(CustomerId(1))] and None,
            )
        }
    )
    engine.record(scanned(1))

    assert health(engine, "bad").failures == 1


def test_a_memo_is_its_own_plugin_s(engine_of: Make):
    def remembers(word: str) -> FakeRule:
        def decide(touchpoint: Any, known: Any, now: Any) -> Decision:
            memo = known[Memo(touchpoint.customer)]
            return says(e.Remember(value={"word": word}), answer={"memo": memo and memo["word"]})

        return FakeRule("entrance.scanned", needs=lambda t: [Memo(t.customer)], decide=decide)

    engine = engine_of({"rule.one": remembers("one"), "rule.two": remembers("two")})
    engine.record(scanned(1))
    outcome = engine.record(scanned(2, *scanned(1).identities))

    assert {name: answer["memo"] for name, answer in outcome.answers.items()} == {"one": "one", "two": "two"}


def test_a_rule_that_reads_of_nobody_reads_nothing(engine_of: Make):
    """A touchpoint without a customer is no reason to fail."""
    rule = FakeRule(
        "message.received",
        needs=lambda t: [Tags(t.customer), Attributes(t.customer)],
        decide=lambda t, known, now: says(answer={"tags": len(known[Tags(t.customer)])}),
    )
    engine = engine_of({"rule.reads": rule})
    from scrmkit.domain.kinds import MessageReceived

    outcome = engine.record(Touchpoint(kind="message.received", key="1", occurred_at=NOON, payload=MessageReceived()))

    assert outcome.answer == {"tags": 0}
