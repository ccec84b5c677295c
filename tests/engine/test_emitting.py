"""Emitted touchpoints come depth first, once each, and never for ever."""

from __future__ import annotations

from typing import Any

from broken_plugins import Make
from engine_world import Played, Toy, one_more, played, rows, says, spring

from scrmkit.domain import effects as e
from scrmkit.testing import FakeRule


def tells(**steps: list[str]) -> FakeRule:
    """Emits, of each case told, what is to follow."""

    def decide(touchpoint: Any, known: Any, now: Any) -> Any:
        following = steps.get(touchpoint.payload.key, [])
        return says(*(e.Emit(kind="toy.played", step=step, payload=Played(key=step)) for step in following))

    return FakeRule("toy.played", decide=decide)


def test_what_is_emitted_comes_before_the_next_touchpoint_and_depth_first(engine_of: Make):
    rule = tells(one=["a", "b"], a=["c"], c=["d"])
    engine = engine_of({"rule.tells": rule, "mechanic.toy": Toy(address=lambda t: ())})

    engine.record_many([played(1, "one"), played(2, "two")])

    assert [t.payload.key for t in rule.touchpoints] == ["one", "a", "c", "d", "b", "two"]


def test_the_same_step_twice_is_one_touchpoint(engine_of: Make):
    rule = tells(one=["a", "a"])
    engine = engine_of({"rule.tells": rule, "mechanic.toy": Toy(address=lambda t: ())})

    outcome = engine.record(played(1, "one"))

    assert outcome.parked is None
    assert len(rows(engine, "touchpoint")) == 2


def test_a_loop_is_named_and_parks_its_own_touchpoint_alone(engine_of: Make):
    rule = tells(one=["two"], two=["one"])
    engine = engine_of({"rule.tells": rule, "mechanic.toy": Toy(address=lambda t: ())})

    before, looping, after = engine.record_many([played(1, "x"), played(2, "one"), played(3, "y")])

    assert (before.parked, after.parked) == (None, None)
    assert looping.parked is not None
    assert "toy.played (by tells) → toy.played (by tells)" in looping.parked
    assert rows(engine, "parked", "kind", "key") == [("toy.played", "p2")]
    assert len(rows(engine, "touchpoint")) == 2


def test_an_instance_in_use_is_the_state_of_the_one_before(engine_of: Make):
    toy = Toy(act=one_more)
    engine = engine_of({"mechanic.toy": toy})
    engine.publish(spring())
    engine.record_many([played(n) for n in range(5)])

    assert [i.state.count for call, i, _ in toy.calls if call == "act"] == [0, 1, 2, 3]
