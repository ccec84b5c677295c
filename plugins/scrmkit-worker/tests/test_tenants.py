"""Two tenants with the same ids, campaigns and phones side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from scrmkit import (
    Brand,
    BrandId,
    Decision,
    Engine,
    Identity,
    Message,
    Nothing,
    Propose,
    Purpose,
    Shop,
    ShopId,
    TagGroup,
    TenantRequiredError,
    VirtualClock,
    settings_from,
)
from scrmkit.testing.factories import NOON, make_touchpoint
from scrmkit.testing.fakes import FakeChannel, FakeText
from scrmkit_audience import ActivityIs, Audience, Comparison
from scrmkit_insight import Insight

TENANTS = ("north", "south")
ANN = Identity(kind="phone", value="+8613900000001")
CAP = {"purpose": "service", "limit": 1, "days": 1}


class Hello:
    kinds = frozenset({"entrance.scanned"})

    def needs(self, touchpoint: Any) -> Sequence[Any]:
        return ()

    def decide(self, touchpoint: Any, known: Any, now: Any) -> Decision:
        message = Message(channel="sms", content=FakeText(text="hi"), purpose=Purpose.SERVICE)
        return Decision(reason="came by", effects=(Propose(message=message, once=touchpoint.key),))


@pytest.fixture
def engine(new_database):
    settings = settings_from(
        {
            "scrmkit": {
                "database": {"env": "D"},
                "secret": {"env": "S"},
                "tenants": list(TENANTS),
                "policy": {"caps": [CAP]},
            },
            "plugins": {"hello": {"use": "rule.hello"}, "sms": {"use": "channel.sms"}},
        },
        {"D": new_database(), "S": "a secret of tests and of nothing else"},
    )
    plugins = {"rule.hello": lambda context: Hello(), "channel.sms": FakeChannel}
    with Engine(settings, clock=VirtualClock(NOON), plugins=plugins) as engine:
        for tenant in TENANTS:
            engine.organisation.put(tenant, Shop(id=ShopId("1"), brand=BrandId("b"), name=tenant))
        yield engine


def scan(engine: Engine, tenant: str, key: str = "1") -> Any:
    return engine.record(
        make_touchpoint("entrance.scanned", Nothing(), key=key, tenant=tenant, identities=[ANN], shop=ShopId("1"))
    )


def statuses(engine: Engine, tenant: str) -> dict[str, int]:
    return {one.status: one.count for one in Insight(engine).counts(tenant=tenant).outgoing}


def test_a_key_of_one_tenant_repeats_nothing_of_the_other(engine: Engine):
    assert [scan(engine, tenant).duplicate for tenant in (*TENANTS, *TENANTS)] == [False, False, True, True]


def test_a_phone_is_a_customer_of_each(engine: Engine):
    north, south = (scan(engine, tenant).customer for tenant in TENANTS)

    assert north != south
    assert [engine.customer(ANN, tenant=tenant).id for tenant in TENANTS] == [north, south]


def test_a_cap_counts_what_its_own_tenant_sent(engine: Engine):
    scan(engine, "north")
    scan(engine, "north", key="2")
    scan(engine, "south")
    engine.run_once()

    assert statuses(engine, "north") == {"accepted": 1, "suppressed": 1}
    assert statuses(engine, "south") == {"accepted": 1}


def test_a_segment_a_journey_and_a_digest_are_of_one_tenant(engine: Engine):
    scan(engine, "north")
    before = Insight(engine).digest("north").value
    scan(engine, "south")
    scan(engine, "south", key="2")

    twice = ActivityIs(kind="entrance.scanned", comparison=Comparison.AT_LEAST, value=2)
    assert [Audience(engine).count(twice, tenant=tenant) for tenant in TENANTS] == [0, 1]
    assert [len(_scans(engine, tenant)) for tenant in TENANTS] == [1, 2]
    assert Insight(engine).digest("north").value == before


def _scans(engine: Engine, tenant: str) -> list[Any]:
    return [one for one in Insight(engine).journey(ANN, tenant=tenant) if one.what == "touchpoint"]


def test_shops_of_the_same_id_are_each_tenants_own(engine: Engine):
    assert [engine.organisation.all(tenant, Shop)[0].name for tenant in TENANTS] == list(TENANTS)
    assert engine.organisation.all("north", Brand) == []


def test_groups_of_tags_of_the_same_name_are_each_tenants_own(engine: Engine):
    groups = {tenant: TagGroup(name="source", tags=(tenant,)) for tenant in TENANTS}
    for tenant, group in groups.items():
        engine.organisation.put(tenant, group)
    assert {tenant: engine.organisation.all(tenant, TagGroup) for tenant in TENANTS} == {
        tenant: [group] for tenant, group in groups.items()
    }


def test_nothing_is_kept_for_a_tenant_that_there_is_not(engine: Engine):
    with pytest.raises(TenantRequiredError, match="north"):
        engine.organisation.put("nowhere", Shop(id=ShopId("1"), brand=BrandId("b"), name="x"))
    assert engine.organisation.all("nowhere", Shop) == []


def test_a_call_without_a_tenant_is_refused_where_there_are_two(engine: Engine):
    with pytest.raises(TenantRequiredError):
        engine.record(make_touchpoint(identities=[ANN]))
