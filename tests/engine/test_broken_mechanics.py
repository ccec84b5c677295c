"""A mechanic that breaks its contract loses its decision, and its instance stays as it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import pytest
from broken_plugins import VIP, Make, Unlistable, good, raises
from engine_world import Toy, ToyRules, ToyState, health, played, rows, says, spring

from scrmkit.domain import effects as e
from scrmkit.domain.decisions import Step
from scrmkit.domain.ids import CampaignId
from scrmkit.domain.kinds import Noted
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.protocols import Alias, NewInstance, OpenInstances
from scrmkit.testing import NOON, FakeRule

BROKEN_MECHANICS = [
    pytest.param({"address": raises(ValueError("canary"))}, id="address raises"),
    pytest.param({"address": lambda t: 7}, id="address returns a number"),
    pytest.param({"address": lambda t: [7]}, id="addresses are numbers"),
    pytest.param({"address": lambda t: [[]]}, id="addresses are lists"),
    pytest.param({"address": lambda t: Unlistable()}, id="addresses cannot be listed"),
    pytest.param({"address": lambda t: [OpenInstances(customer=None, role="r")]}, id="of nobody"),
    pytest.param({"address": lambda t: [OpenInstances(customer="a", role="r")]}, id="of a word"),
    pytest.param({"address": lambda t: [Alias(kind="order", value=7)]}, id="an alias of a number"),
    pytest.param({"address": lambda t: [Alias(kind="order", value="a\x00")]}, id="an alias of NUL"),
    pytest.param({"address": lambda t: [NewInstance(campaign="spring", key=7)]}, id="a key of 7"),
    pytest.param({"address": lambda t: [NewInstance(campaign="spring", key="k" * 129)]}, id="a long key"),
    pytest.param({"needs": raises(ValueError("canary"))}, id="needs raises"),
    pytest.param({"needs": lambda t, i: ["stock"]}, id="needs returns words"),
    pytest.param({"open": raises(ValueError("canary"))}, id="open raises"),
    pytest.param({"open": lambda *a: says(VIP)}, id="open returns a decision"),
    pytest.param({"open": lambda *a: ToyState()}, id="open returns a state"),
    pytest.param({"open": lambda *a: Step(reason="r", state=ToyRules())}, id="opens another state"),
    pytest.param({"open": lambda *a: Step(reason="r", state={})}, id="opens with a dict"),
    pytest.param({"open": lambda *a: Step(reason="r", state=ToyState(notes=("\ud800",)))}, id="half a state"),
    pytest.param({"open": lambda *a: Step(reason="r", state=ToyState(notes=(object(),)))}, id="an object"),
    pytest.param(
        {"open": lambda *a: Step(reason="r", effects=(e.Join(role="owner"),))}, id="joins what it does not open"
    ),
]


@pytest.mark.parametrize("functions", BROKEN_MECHANICS)
def test_a_broken_mechanic_loses_its_own_decision(engine_of: Make, functions: Any):
    engine = engine_of({"mechanic.toy": Toy(**functions), "rule.good": good()})
    engine.publish(spring())

    outcome = engine.record(played(1))

    assert outcome.parked is None
    assert len(rows(engine, "tag")) == 1
    for name in ("instance", "participant", "alias"):
        assert rows(engine, name) == []
    assert health(engine, "toy").failures == 1
    assert "canary" not in health(engine, "toy").last_error


BROKEN_ACTS = [
    pytest.param(raises(ValueError("canary")), id="raises"),
    pytest.param(lambda *a: Step(reason="r", state=ToyRules()), id="goes on to another state"),
    pytest.param(
        lambda *a: Step(
            reason="r", state=ToyState(count=9), effects=(e.OpenInstance(
                campaign=CampaignId("spring"), key="two", state=ToyRules()),)
        ),
        id="opens another with another state",
    ),
    pytest.param(
        lambda *a: Step(
            reason="r", state=ToyState(count=9), effects=(e.OpenInstance(
                campaign=CampaignId("autumn"), key="two", state=ToyState()),)
        ),
        id="opens one of a campaign that is not there",
    ),
]  # fmt: skip


@pytest.mark.parametrize("act", BROKEN_ACTS)
def test_an_instance_stays_as_it_was_when_its_mechanic_breaks(engine_of: Make, act: Any):
    engine = engine_of({"mechanic.toy": Toy(act=act), "rule.good": good()})
    engine.publish(spring())
    engine.record(played(1))
    before = rows(engine, "instance")

    engine.record(played(2))

    assert rows(engine, "instance") == before
    assert health(engine, "toy").failures == 1


def test_a_state_that_can_be_read_no_more_is_its_mechanic_s_failure(engine_of: Make):
    import sqlalchemy

    engine = engine_of({"mechanic.toy": Toy(), "rule.good": good()})
    engine.publish(spring())
    engine.record(played(1))
    with engine.database.engine.begin() as connection:
        connection.execute(sqlalchemy.text('UPDATE scrmkit_instance SET state = \'{"count": "many"}\''))

    outcome = engine.record(played(2))

    assert outcome.parked is None
    assert health(engine, "toy").failures == 1
    assert len(rows(engine, "touchpoint")) == 3


@attrs.define(kw_only=True)
class OpenState:
    """A state that can be changed in place, as none should."""

    count: int = 0
    listed: list[int] = attrs.Factory(list)


class OpenToy(Toy):
    State: ClassVar[type] = OpenState


def changes_state(instance: Any, *_: Any) -> Any:
    instance.state.listed.append(1)
    return Step(reason="changed in place")


def test_a_frozen_input_cannot_be_changed(engine_of: Make):
    def changes(touchpoint: Any, known: Any, now: Any) -> Any:
        touchpoint.payload.what = "other"

    engine = engine_of({"rule.bad": FakeRule("platform.noted", decide=changes)})
    engine.record(noted({"a": [1]}))

    assert health(engine, "bad").failures == 1


def noted(detail: Mapping[str, Any], number: int = 1) -> Touchpoint[Any]:
    return Touchpoint(
        kind="platform.noted", key=f"n{number}", occurred_at=NOON, payload=Noted(what="new", detail=detail)
    )


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda detail: detail.__setitem__("a", 2), id="a value"),
        pytest.param(lambda detail: detail["a"].append(2), id="a list inside"),
        pytest.param(lambda detail: detail["b"].clear(), id="a mapping inside"),
    ],
)
def test_what_a_caller_handed_over_cannot_be_changed_by_a_plugin(engine_of: Make, change: Any):
    mine = {"a": [1], "b": {"c": 1}}
    seen: list[Any] = []

    def changes(touchpoint: Any, known: Any, now: Any) -> Any:
        change(touchpoint.payload.detail)

    def looks(touchpoint: Any, known: Any, now: Any) -> Any:
        seen.append(json.dumps(touchpoint.payload.detail, default=dict))

    engine = engine_of(
        {"rule.bad": FakeRule("platform.noted", decide=changes), "rule.looks": FakeRule("platform.noted", decide=looks)}
    )
    engine.record(noted(mine))

    assert mine == {"a": [1], "b": {"c": 1}}
    assert [json.loads(one) for one in seen] == [mine]
    assert health(engine, "bad").failures == 1
    (payload,) = rows(engine, "touchpoint", "payload")[0]
    assert json.loads(payload)["detail"] == mine


def test_a_state_changed_in_place_stays_as_it_was(engine_of: Make):
    toy = OpenToy(open=lambda *a: Step(reason="r", state=OpenState()), act=changes_state)
    engine = engine_of({"mechanic.toy": toy})
    engine.publish(spring())

    engine.record_many([played(1), played(2), played(3)])

    states = [json.loads(state) for (state,) in rows(engine, "instance", "state")]
    assert [state.get("listed", []) for state in states] == [[]]
    assert [instance.state.listed for call, instance, _ in toy.calls if call == "act"] == [[1], [1]]
    assert health(engine, "toy").failures == 2


def test_what_a_plugin_keeps_of_its_state_is_not_the_state(engine_of: Make):
    kept: list[Any] = []

    def opens(*_: Any) -> Step[Any]:
        kept.append(OpenState())
        return Step(reason="r", state=kept[0])

    def acts(instance: Any, *_: Any) -> Step[Any]:
        kept[0].count = 99
        return Step(reason="looked", answer={"count": instance.state.count})

    engine = engine_of({"mechanic.toy": OpenToy(open=opens, act=acts)})
    engine.publish(spring())

    outcomes = engine.record_many([played(1), played(2), played(3)])

    assert [outcome.answer for outcome in outcomes[1:]] == [{"count": 0}, {"count": 0}]
