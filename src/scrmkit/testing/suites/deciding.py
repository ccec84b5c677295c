"""What rules and mechanics share: the checks of calls and of the decisions they return."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import attrs
import pytest

from scrmkit.domain import effects as e
from scrmkit.domain.decisions import Decision
from scrmkit.testing.known import READS
from scrmkit.testing.suites.base import Suite, check
from scrmkit.testing.suites.values import json_problem, naive_moments, shown, storing_problem

LONGEST_REASON = 300
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")


@attrs.frozen(kw_only=True)
class Call:
    """
    One call of a deciding method, made several times with equal arguments.

    Attributes:
        what: The method, and what it was asked about.
        needs: What was declared before.
        results: What each of the calls returned; empty where the first raised.
        error: What was raised, None if nothing.
        undeclared: What was read without being declared.
        changed: Whether an argument was different afterwards.
    """

    what: str
    needs: tuple[Any, ...] = ()
    results: tuple[Any, ...] = ()
    error: str = ""
    undeclared: str = ""
    changed: bool = False

    @property
    def decision(self) -> Decision | None:
        """The first result, if it is a decision."""
        first = self.results[0] if self.results else None
        return first if isinstance(first, Decision) else None


class DecidingSuite(Suite):
    """
    What everything keeps that decides.

    Attributes:
        returns: The type of its decisions.
    """

    returns: ClassVar[type] = Decision

    @pytest.fixture
    def calls(self) -> Sequence[Call]:
        """The calls that the examples lead to."""
        raise NotImplementedError

    @pytest.fixture
    def decisions(self, calls: Sequence[Call]) -> Sequence[tuple[str, Decision]]:
        """Every decision that was returned, and where."""
        return [(call.what, call.decision) for call in calls if call.decision is not None]

    @pytest.fixture
    def secrets(self, canaries: Sequence[str]) -> frozenset[str]:
        """Everything that must never show."""
        return frozenset(canaries)

    # --- calls ---------------------------------------------------------------------------

    @check(broken="rules:NeedsWords")
    def test_it_declares_reads(self, calls: Sequence[Call]) -> None:
        """What ``needs`` names are reads of scrmkit.domain.reads."""
        for call in calls:
            wrong = [type(read).__name__ for read in call.needs if type(read) not in READS]
            assert wrong == [], f"needs() of {call.what}: name reads, such as Tags(customer)"

    @check(broken="rules:ReadsWhatItLikes")
    def test_it_reads_only_what_it_declared(self, calls: Sequence[Call]) -> None:
        """What is not declared is not loaded."""
        for call in calls:
            assert call.undeclared == "", f"{call.what}: name this read in needs()"

    @check(broken="rules:Stumbles")
    def test_it_never_raises(self, calls: Sequence[Call]) -> None:
        """A refusal is a decision with a reason; an exception loses the decision."""
        for call in calls:
            assert call.error == "", f"{call.what}: return a decision that says why, or None"

    @check(broken="rules:ReturnsALump")
    def test_it_returns_decisions(self, calls: Sequence[Call]) -> None:
        """A decision of the family's type, or None where there is nothing to say."""
        for call in calls:
            for result in call.results:
                assert result is None or isinstance(result, self.returns), (
                    f"{call.what} returned a {type(result).__name__}: return a "
                    f"{self.returns.__name__}, or None where there is nothing to say"
                )

    @check(broken="rules:ChangesItsMind")
    def test_equal_arguments_give_equal_answers(self, calls: Sequence[Call]) -> None:
        """The engine may ask again when a concurrent writer wins; replay relies on it as well."""
        for call in calls:
            assert list(call.results) == list(call.results[:1]) * len(call.results), (
                f"{call.what} answers otherwise when it is asked again: take time and chance "
                "from 'now' alone, and keep nothing in the plugin"
            )

    @check(broken="rules:WritesOnItsInput")
    def test_it_changes_nothing_that_it_is_given(self, calls: Sequence[Call]) -> None:
        """Arguments are everybody's: a new value goes into the decision."""
        changed = [call.what for call in calls if call.changed]
        assert changed == [], "these changed an argument: make new values, never write into old"

    # --- decisions -----------------------------------------------------------------------

    @check(broken="rules:InventsAnEffect")
    def test_effects_are_of_the_closed_list(self, decisions: Sequence[tuple[str, Decision]]) -> None:
        """All that a plugin can make happen is in scrmkit.domain.effects."""
        for what, decision in decisions:
            assert isinstance(decision.effects, tuple), f"{what}: effects are a tuple"
            unknown = [type(one).__name__ for one in decision.effects if type(one) not in e.EFFECTS]
            assert unknown == [], f"{what}: these are no effects; see scrmkit.domain.effects"

    @check(broken="rules:RemembersALock")
    def test_effects_can_be_stored(self, decisions: Sequence[tuple[str, Decision]]) -> None:
        """A decision is kept as JSON, with everything that it asks for."""
        for what, decision in decisions:
            for effect in decision.effects:
                for name, problem in _effect_problems(effect):
                    assert problem is None, f"{what}: {type(effect).__name__}.{name} is not kept: {problem}"

    @check(broken="rules:AnswersWithASet")
    def test_answers_are_json(self, decisions: Sequence[tuple[str, Decision]]) -> None:
        """The answer is an attrs value or a mapping; every repetition gets the stored one."""
        for what, decision in decisions:
            problem = None if decision.answer is None else json_problem(decision.answer)
            assert problem is None, f"{what}: the answer is no object of JSON values: {problem}"

    @check(broken="rules:GivesNoReason")
    def test_reasons_say_something(self, decisions: Sequence[tuple[str, Decision]]) -> None:
        """An operator reads it when a customer asks why."""
        for what, decision in decisions:
            assert str(decision.reason or "").strip(), f"{what}: say in words why it decided so"
            assert len(decision.reason) <= LONGEST_REASON, (
                f"{what}: the reason is cut after {LONGEST_REASON} characters; say it shorter"
            )

    @check(broken="rules:ShoutsItsCode")
    def test_codes_are_short_words(self, decisions: Sequence[tuple[str, Decision]]) -> None:
        """Programs compare codes: ``ok``, or the short name of a refusal."""
        for what, decision in decisions:
            assert _CODE.fullmatch(str(decision.code)), (
                f"{what}: the code {decision.code!r} is not of a-z, 0-9 and _, at most 64 of them"
            )

    @check(broken="rules:TellsPhones")
    def test_decisions_show_nothing_personal(
        self, decisions: Sequence[tuple[str, Decision]], secrets: frozenset[str]
    ) -> None:
        """Decisions outlive an erasure: personal are only a message's content, a request's body."""
        for what, decision in decisions:
            found = sorted(
                name for name, part in _open_parts(decision) if shown(repr(part), secrets) or shown(str(part), secrets)
            )
            assert found == [], f"{what} shows a personal value: leave it out, or keep it in a field that is personal()"

    @check(broken="rules:ForgetsTheZone")
    def test_moments_have_a_time_zone(self, decisions: Sequence[tuple[str, Decision]]) -> None:
        """A moment without a zone is nine hours off somewhere."""
        for what, decision in decisions:
            assert naive_moments(decision) == [], f"{what}: derive moments from 'now', which has a zone"


def _effect_problems(effect: Any) -> Iterator[tuple[str, str | None]]:
    """What of an effect the database would not keep, by the name of the field."""
    if isinstance(effect, e.Propose):
        content = effect.message.content
        yield "message.content", storing_problem(content, type(content))
    elif isinstance(effect, e.Request):
        yield "body", storing_problem(effect.body, type(effect.body))
    elif isinstance(effect, e.Emit):
        yield "payload", storing_problem(effect.payload, type(effect.payload))
    elif isinstance(effect, e.SetScore):
        yield "score", storing_problem(effect.score, type(effect.score))
    elif isinstance(effect, e.Remember):
        yield "value", json_problem(effect.value)
    elif isinstance(effect, e.Join | e.ChangeParticipant):
        yield "data", json_problem(effect.data)
    elif isinstance(effect, e.SetAttribute):
        fits = effect.value is None or isinstance(effect.value, str | int | float | bool)
        yield "value", None if fits else f"a {type(effect.value).__name__} is no plain value"


def _open_parts(decision: Decision) -> Iterator[tuple[str, Any]]:
    """The parts of a decision that operators see; their reprs leave out what is personal."""
    yield "reason", decision.reason
    yield "code", decision.code
    yield "answer", decision.answer
    for effect in decision.effects:
        yield type(effect).__name__, effect
