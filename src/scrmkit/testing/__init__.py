"""
What tests of scrmkit and of its plugins are made with; needs ``scrmkit[testing]``.

* **Fakes that remember**: ``FakeChannel``, ``FakePayments``, ``FakeRule``,
  ``FakeScorer``, ``FakeKnown``, ``Observer``.
* **Factories**: ``make_touchpoint`` and its kin, ``make_now`` with scripted or
  seeded chance, ``temporary_engine`` and the fixtures ``make_engine``,
  ``virtual_clock``, ``new_database`` and ``run_scrmkit``.
* **Hostile input** for property tests: ``hostile_text``, ``hostile_json``,
  ``hostile_bytes``.
* **Conformance suites**: subclass the one of your plugin's family, and give it
  your plugin and some examples as fixtures::

      class TestSms(ChannelSuite):
          @pytest.fixture
          def channel(self): ...

Names load on first use; importing this package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scrmkit.testing.chances import ScriptedChance, seeded_chance
    from scrmkit.testing.engines import engine_in, temporary_engine
    from scrmkit.testing.factories import (
        NOON,
        make_contact_added,
        make_context,
        make_identity,
        make_now,
        make_order_paid,
        make_outgoing,
        make_touchpoint,
    )
    from scrmkit.testing.fakes import FakeChannel, FakePayments, FakeRule, FakeScorer, FakeText, Hang, Lose, Observer
    from scrmkit.testing.hostile import HOSTILE_TEXTS, hostile_bytes, hostile_json, hostile_text, is_storable
    from scrmkit.testing.known import FakeKnown, nothing_known
    from scrmkit.testing.suites.channels import ChannelSuite
    from scrmkit.testing.suites.connectors import ConnectorSuite
    from scrmkit.testing.suites.hooks import HooksSuite, hook_examples
    from scrmkit.testing.suites.mechanics import MechanicSuite
    from scrmkit.testing.suites.rules import Example, RuleSuite
    from scrmkit.testing.suites.scorers import ScorerSuite
    from scrmkit.testing.suites.stories import Story

_MODULES = {
    "chances": ("ScriptedChance", "seeded_chance"),
    "engines": ("engine_in", "temporary_engine"),
    "factories": (
        "NOON",
        "make_contact_added",
        "make_context",
        "make_identity",
        "make_now",
        "make_order_paid",
        "make_outgoing",
        "make_touchpoint",
    ),
    "fakes": ("FakeChannel", "FakePayments", "FakeRule", "FakeScorer", "FakeText", "Hang", "Lose", "Observer"),
    "hostile": ("HOSTILE_TEXTS", "hostile_bytes", "hostile_json", "hostile_text", "is_storable"),
    "known": ("FakeKnown", "nothing_known"),
    "suites.channels": ("ChannelSuite",),
    "suites.connectors": ("ConnectorSuite",),
    "suites.hooks": ("HooksSuite", "hook_examples"),
    "suites.mechanics": ("MechanicSuite",),
    "suites.rules": ("Example", "RuleSuite"),
    "suites.scorers": ("ScorerSuite",),
    "suites.stories": ("Story",),
}
_OWNERS = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "HOSTILE_TEXTS",
    "NOON",
    "ChannelSuite",
    "ConnectorSuite",
    "Example",
    "FakeChannel",
    "FakeKnown",
    "FakePayments",
    "FakeRule",
    "FakeScorer",
    "FakeText",
    "Hang",
    "HooksSuite",
    "Lose",
    "MechanicSuite",
    "Observer",
    "RuleSuite",
    "ScorerSuite",
    "ScriptedChance",
    "Story",
    "engine_in",
    "hook_examples",
    "hostile_bytes",
    "hostile_json",
    "hostile_text",
    "is_storable",
    "make_contact_added",
    "make_context",
    "make_identity",
    "make_now",
    "make_order_paid",
    "make_outgoing",
    "make_touchpoint",
    "nothing_known",
    "seeded_chance",
    "temporary_engine",
]


def __getattr__(name: str) -> Any:
    if name not in _OWNERS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_OWNERS[name]}"), name)
    globals()[name] = value
    return value
