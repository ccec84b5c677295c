"""The suite of rules: small deciders without state of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, ClassVar

import attrs
import pytest

from scrmkit.domain import effects as e
from scrmkit.domain.decisions import Decision
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.reads import Read
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import UndeclaredReadError
from scrmkit.testing.factories import make_now
from scrmkit.testing.known import READS, FakeKnown
from scrmkit.testing.suites.base import check, wanted
from scrmkit.testing.suites.deciding import Call, DecidingSuite
from scrmkit.testing.suites.values import personal_texts, snapshot

_TIMES = 4
_OF_INSTANCES = (e.OpenInstance, e.AddAlias, e.Join, e.ChangeParticipant, e.Leave)


@attrs.frozen(kw_only=True)
class Example:
    """
    A touchpoint that a rule is asked about, and what is known then.

    Attributes:
        touchpoint: Completed as the engine does: a customer where it has identities.
        reads: Answers to what the rule declares; the others count as unknown.
        at: When it is recorded; as it happened where nothing is said.
    """

    touchpoint: Touchpoint[Any]
    reads: Mapping[Read[Any], Any] = MappingProxyType({})
    at: datetime | None = None

    @property
    def completed(self) -> Touchpoint[Any]:
        """The touchpoint as a rule gets it."""
        given = self.touchpoint
        at = self.at or given.occurred_at
        customer = given.customer or (CustomerId(1) if given.identities else None)
        return attrs.evolve(given, customer=customer, received_at=at)


class RuleSuite(DecidingSuite):
    """What every rule keeps; give it the rule, and examples of all its kinds."""

    family: ClassVar[str] = "rule"

    @pytest.fixture
    def rule(self) -> Any:
        """Override: your rule."""
        wanted("rule", "return an object of your plugin, made with make_context(...)")

    @pytest.fixture
    def subject(self, rule: Any) -> Any:
        """The rule, for the checks of all plugins."""
        return rule

    @pytest.fixture
    def examples(self) -> Sequence[Example]:
        """Override: examples of every kind that the rule listens to, refused ones as well."""
        wanted("examples", "return an Example of every kind that the rule listens to")

    @pytest.fixture
    def calls(self, rule: Any, examples: Sequence[Example]) -> Sequence[Call]:
        """The rule asked about each example, several times."""
        return [_call(rule, example) for example in examples]

    @pytest.fixture
    def secrets(self, canaries: Sequence[str], examples: Sequence[Example]) -> frozenset[str]:
        """The canaries, and what the examples mark as personal."""
        return frozenset(canaries) | personal_texts([one.touchpoint for one in examples])

    @check(broken="rules:ListensToMore")
    def test_every_kind_has_an_example(self, rule: Any, examples: Sequence[Example]) -> None:
        """The examples lead to every kind that the rule listens to, and to no other."""
        missing = set(rule.kinds) - {example.touchpoint.kind for example in examples}
        assert missing == set(), "give an example of these kinds in the fixture 'examples'"
        strange = {example.touchpoint.kind for example in examples} - set(rule.kinds)
        assert strange == set(), "the rule does not list these kinds and is not asked about them"

    @check(broken="rules:NeverDecides")
    def test_some_example_leads_to_an_effect(self, decisions: Sequence[tuple[str, Decision]]) -> None:
        """Examples that lead to nothing test nothing."""
        assert any(decision.effects for _, decision in decisions), "no example led to an effect: give one that does"

    @check(broken="rules:JoinsNothing")
    def test_it_leaves_instances_to_mechanics(self, decisions: Sequence[tuple[str, Decision]]) -> None:
        """A rule has no instance that anybody could take part in."""
        for what, decision in decisions:
            wrong = [type(o).__name__ for o in decision.effects if isinstance(o, _OF_INSTANCES)]
            assert wrong == [], f"{what}: these effects are for mechanics"


def _call(rule: Any, example: Example) -> Call:
    touchpoint = example.completed
    what = f"decide({touchpoint.kind} {touchpoint.key})"
    before = snapshot(touchpoint)
    needs: tuple[Any, ...] = ()
    results: list[Any] = []
    error = undeclared = ""
    try:
        needs = tuple(rule.needs(touchpoint))
        declared = [read for read in needs if type(read) in READS]
        for _ in range(_TIMES):
            known = FakeKnown(example.reads, declared=declared)
            now = make_now(example.at or touchpoint.occurred_at, seed=touchpoint.key)
            results.append(rule.decide(touchpoint, known, now))
    except UndeclaredReadError as caught:
        undeclared = str(caught)
    except Exception as caught:  # noqa: BLE001 - whatever it raises is what is reported
        error = f"{type(caught).__name__}: {caught}"
    return Call(
        what=what,
        needs=needs,
        results=tuple(results),
        error=error,
        undeclared=undeclared,
        changed=snapshot(touchpoint) != before,
    )
