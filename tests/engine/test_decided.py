"""Decisions that a program has already taken over many customers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scrmkit.domain.decisions import Decision
from scrmkit.domain.effects import AddTag
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.kinds import BroadcastPlanned
from scrmkit.domain.profile import TagSource
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit.errors import UnknownNameError
from scrmkit.testing import NOON, FakeRule, make_identity, make_touchpoint

PHONES = [f"+861390000000{number}" for number in range(3)]


@pytest.fixture
def rule() -> FakeRule:
    return FakeRule("broadcast.planned", decide=Decision(reason="heard of it"))


@pytest.fixture
def engine(make_engine: Callable[..., Engine], rule: FakeRule) -> Engine:
    return make_engine({"rule.mine": rule})


@pytest.fixture
def people(engine: Engine) -> tuple[CustomerId, ...]:
    outcomes = engine.record_many([make_touchpoint(key=phone, identities=[make_identity(phone)]) for phone in PHONES])
    return tuple(outcome.customer for outcome in outcomes if outcome.customer is not None)


def planned(people: tuple[CustomerId, ...]) -> Touchpoint[BroadcastPlanned]:
    payload = BroadcastPlanned(broadcast="b", customers=people)
    return Touchpoint(kind="broadcast.planned", key="1", occurred_at=NOON, payload=payload)


def tags(people: tuple[CustomerId, ...]) -> Decision:
    effects = (AddTag(group="heard", name="of it", source=TagSource.INTERACTION, customer=one) for one in people)
    return Decision(reason="all of them", effects=tuple(effects))


def test_it_is_applied_to_each_customer_and_kept_before_what_rules_decide(
    engine: Engine, people: tuple[CustomerId, ...]
):
    outcome = engine.record_decided(planned(people), "mine", tags(people))

    assert [said.reason for said in outcome.decisions] == ["all of them", "heard of it"]
    assert [engine.customer(one).tags[0].plugin for one in people] == ["mine"] * 3


def test_it_is_applied_once(engine: Engine, rule: FakeRule, people: tuple[CustomerId, ...]):
    engine.record_decided(planned(people[:1]), "mine", tags(people[:1]))

    again = engine.record_decided(planned(people), "mine", tags(people))

    assert again.duplicate
    assert len(rule.touchpoints) == 1
    assert engine.customer(people[2]).tags == ()


def test_somebody_who_is_not_configured_decides_nothing(engine: Engine, people: tuple[CustomerId, ...]):
    with pytest.raises(UnknownNameError, match="did you mean 'mine'"):
        engine.record_decided(planned(people), "mien", tags(people))
