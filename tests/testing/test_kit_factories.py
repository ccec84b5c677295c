"""Factories, scripted chance, engines for tests, hostile input."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from importlib import import_module

import pytest
from hypothesis import given

import scrmkit.testing
from scrmkit.domain.decisions import Decision
from scrmkit.errors import InvalidValueError, PluginError
from scrmkit.testing import (
    HOSTILE_TEXTS,
    NOON,
    FakeRule,
    ScriptedChance,
    hostile_bytes,
    hostile_json,
    hostile_text,
    is_storable,
    make_contact_added,
    make_now,
    make_order_paid,
    make_touchpoint,
    seeded_chance,
    temporary_engine,
)


def test_equal_calls_make_equal_values():
    assert make_order_paid() == make_order_paid()
    assert make_contact_added("wm1", name="Ann") == make_contact_added("wm1", name="Ann")
    assert make_touchpoint(key="k").key == "k"


def test_a_scripted_chance_draws_the_script():
    chance = ScriptedChance([3, 0])

    assert [chance.randbelow(4), chance.randbelow(9)] == [3, 0]
    assert (chance.limits, chance.left) == ((4, 9), ())


@pytest.mark.parametrize(
    ("draws", "limit", "problem"),
    [
        pytest.param([], 3, "draw 1 .* is not in the script", id="the script is over"),
        pytest.param([3], 3, "must be 0 to 2", id="a draw that cannot be"),
        pytest.param([0], 0, "at least 1", id="a limit that cannot be"),
    ],
)
def test_a_scripted_chance_refuses(draws, limit, problem):
    with pytest.raises(ValueError, match=problem):
        ScriptedChance(draws).randbelow(limit)


def test_a_seeded_chance_draws_the_same_again():
    def draws(seed):
        chance = seeded_chance(seed)
        return [chance.randbelow(1_000) for _ in range(5)]

    assert draws("a") == draws(b"a")
    assert draws("a") != draws("b")


def test_now_takes_its_draws_from_the_test():
    now = make_now(NOON + timedelta(hours=1), counts_at=NOON, draws=[5])

    assert now.chance.randbelow(6) == 5
    assert (now.at - now.counts_at, now.local.hour) == (timedelta(hours=1), 13)


def test_an_engine_takes_classes_with_options_and_objects(make_engine, virtual_clock):
    rule = FakeRule("message.received", decide=lambda t, k, now: Decision(reason=str(now.at)))
    engine = make_engine({"rule.mine": rule}, tenants=["main", "other"])
    virtual_clock.advance(timedelta(days=1))

    engine.record(make_touchpoint(tenant="other"))

    assert rule.nows[0].at == NOON + timedelta(days=1)


def test_a_temporary_engine_is_gone_afterwards():
    with temporary_engine({"rule.mine": FakeRule("order.paid")}) as engine:
        folder = engine.settings.database.reveal()
        assert engine.record(make_order_paid()).parked is None

    assert folder.startswith("sqlite:///")
    with temporary_engine() as other:
        assert other.settings.database.reveal() != folder


@pytest.mark.parametrize(
    ("plugins", "options", "error"),
    [
        pytest.param({}, {"mine": {}}, InvalidValueError, id="options of no plugin"),
        pytest.param({"rule.mine": FakeRule(), "channel.mine": FakeRule()}, {}, InvalidValueError, id="twice"),
        pytest.param({"channel.mine": FakeRule()}, {}, PluginError, id="another family"),
    ],
)
def test_no_engine_is_made_of(make_engine, plugins, options, error):
    with pytest.raises(error):
        make_engine(plugins, options=options)


@given(text=hostile_text(max_size=40))
def test_hostile_text_keeps_its_bound(text):
    assert len(text) <= 40
    assert isinstance(is_storable(text), bool)


@given(body=hostile_bytes(), value=hostile_json())
def test_hostile_bodies_are_bytes(body, value):
    assert isinstance(body, bytes)


def test_what_cannot_be_stored_is_known():
    assert [text for text in HOSTILE_TEXTS if not is_storable(text)] == [
        "a\x00b", "\ud800", "ok \udfff ok",
    ]  # fmt: skip


def test_every_name_of_the_kit_loads():
    assert sorted(scrmkit.testing.__all__) == sorted(scrmkit.testing._OWNERS)
    for name, module in scrmkit.testing._OWNERS.items():
        loaded = import_module(f"scrmkit.testing.{module}")
        assert getattr(scrmkit.testing, name) is getattr(loaded, name)
    with pytest.raises(AttributeError, match="no attribute 'FakeChanel'"):
        _ = scrmkit.testing.FakeChanel


def test_the_pytest_plugin_loads_nothing_before_it_is_used():
    program = (
        "import sys, pytest, scrmkit.testing.pytest_plugin\n"
        "heavy = {'attrs', 'cattrs', 'hypothesis', 'sqlalchemy', 'starlette', 'structlog'}\n"
        "print(sorted(heavy & set(sys.modules)),\n"
        "      sorted(name for name in sys.modules if name.startswith('scrmkit.')))\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout.split() == ["[]", "['scrmkit.testing',", "'scrmkit.testing.pytest_plugin']"]
