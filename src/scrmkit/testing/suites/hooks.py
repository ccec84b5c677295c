"""The suite of hooks: for a plugin that implements some, whatever else it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import attrs
import pytest

from scrmkit import hooks
from scrmkit.domain.decisions import Deny, Outcome
from scrmkit.domain.ids import CustomerId, TenantId, TouchpointId
from scrmkit.domain.messages import Accepted, Delivered, Message, Purpose, Refused, TryLater, Undelivered, Unknown
from scrmkit.domain.policy import Facts
from scrmkit.hooks import Failure, Finding, HookKind, Proposal, Route, Sending
from scrmkit.plugins.checks import implementations_of
from scrmkit.testing.factories import make_identity, make_now, make_order_paid, make_touchpoint
from scrmkit.testing.fakes import FakeText
from scrmkit.testing.suites.base import Suite, check, wanted
from scrmkit.testing.suites.values import personal_texts, shown, snapshot

Examples = Mapping[str, Sequence[Mapping[str, Any]]]

LEVELS = ("ok", "warning", "error")
PURE = ("scrmkit_choose_winner", "scrmkit_may_send", "scrmkit_prepare_message", "scrmkit_route")
"""Hooks that must give equal answers to equal arguments."""
_TIMES = 3


def hook_examples() -> Examples:
    """
    Arguments for every hook, by the hook's name, each call a mapping of its arguments.

    A plugin that looks at its own kinds, channels or contents gives more of
    them: ``{**hook_examples(), "scrmkit_may_send": [...]}``.
    """
    wrote = make_touchpoint(identities=[make_identity()], customer=CustomerId(1))
    paid = make_order_paid(customer=CustomerId(1))
    recorded = Outcome(touchpoint=TouchpointId(1), customer=CustomerId(1))
    sendings = [_sending(purpose) for purpose in Purpose]
    outcomes = (
        Accepted(provider_id="1"),
        Delivered(),
        Undelivered(code="UNDELIV", reason="the phone is off"),
        Refused(code="42", reason="the template is unknown"),
        TryLater(reason="busy"),
        Unknown(reason="the answer was lost"),
    )
    proposals = tuple(
        Proposal(plugin=name, once=f"step-{rank}", message=sendings[0].message, rank=rank)
        for rank, name in enumerate(("greeter", "seller", "reminder"))
    )
    return {
        "scrmkit_committed": [{"touchpoint": one, "outcome": recorded} for one in (wrote, paid)],
        "scrmkit_delivered": [{"sending": sendings[0], "outcome": one} for one in outcomes],
        "scrmkit_plugin_failed": [
            {"failure": Failure(plugin="seller", hook="decide", error="KeyError", quarantined=on)}
            for on in (False, True)
        ],
        "scrmkit_choose_winner": [
            {"slot": "welcome", "proposals": proposals[:count], "now": make_now(seed="slot")} for count in (2, 3)
        ],
        "scrmkit_route": [{"touchpoint": one, "now": make_now(seed="route")} for one in (wrote, paid)],
        "scrmkit_may_send": [
            {"sending": one, "facts": facts, "now": make_now(seed="gate")}
            for one in sendings
            for facts in (Facts(), Facts(reachable=False, suppressed="complained"))
        ],
        "scrmkit_prepare_message": [{"sending": one, "now": make_now(seed="prepare")} for one in sendings],
        "scrmkit_doctor": [{}],
    }


def _sending(purpose: Purpose) -> Sending:
    message = Message(channel="sms", content=FakeText(text="hello, dear"), purpose=purpose)
    return Sending(tenant=TenantId("main"), customer=CustomerId(1), plugin="greeter", message=message)


@attrs.frozen(kw_only=True)
class HookCall:
    """One hook called several times with one example."""

    hook: str
    arguments: Mapping[str, Any]
    results: tuple[Any, ...]
    error: str = ""
    changed: bool = False

    @property
    def result(self) -> Any:
        """The first result."""
        return self.results[0] if self.results else None

    @property
    def kind(self) -> HookKind:
        """What the hook's results are for."""
        kind: HookKind = getattr(hooks, self.hook).scrmkit_kind
        return kind


class HooksSuite(Suite):
    """What every implementation of a hook keeps; give it the plugin."""

    family: ClassVar[str] = "hooks"

    @pytest.fixture
    def plugin(self) -> Any:
        """Override: your plugin."""
        wanted("plugin", "return an object of your plugin, made with make_context(...)")

    @pytest.fixture
    def subject(self, plugin: Any) -> Any:
        """The plugin, for the checks of all plugins."""
        return plugin

    @pytest.fixture
    def examples(self) -> Examples:
        """Override to add examples that your plugin acts on; see ``hook_examples``."""
        return hook_examples()

    @pytest.fixture
    def calls(self, plugin: Any, examples: Examples) -> Sequence[HookCall]:
        """Every hook of the plugin, called with every example."""
        return list(_calls(plugin, examples))

    @pytest.fixture
    def secrets(self, canaries: Sequence[str], examples: Examples) -> frozenset[str]:
        """The canaries, and what the examples mark as personal."""
        return frozenset(canaries) | personal_texts(examples)

    @check(broken="hooks:ImplementsNothing")
    def test_it_implements_a_hook(self, calls: Sequence[HookCall]) -> None:
        """A plugin of hooks has one, marked with ``@hookimpl``, and an example calls it."""
        assert calls, "mark at least one method scrmkit_... with @hookimpl"

    @check(broken="hooks:Stumbles")
    def test_it_never_raises(self, calls: Sequence[HookCall]) -> None:
        """An exception is a failure: of a gate it refuses every message."""
        for call in calls:
            assert call.error == "", f"{call.hook}: return None where there is nothing to say"

    @check(broken="hooks:WritesOnItsInput")
    def test_it_changes_nothing_that_it_is_given(self, calls: Sequence[HookCall]) -> None:
        """Arguments are everybody's."""
        changed = sorted({call.hook for call in calls if call.changed})
        assert changed == [], "these changed an argument: make new values, never write into old"

    @check(broken="hooks:TakesTurns")
    def test_equal_arguments_give_equal_answers(self, calls: Sequence[HookCall]) -> None:
        """Of hooks that must be pure: they are asked again after a conflict, and at sending."""
        for call in calls:
            if call.hook in PURE:
                assert list(call.results) == [call.result] * len(call.results), (
                    f"{call.hook} answers otherwise when it is asked again: take time and chance "
                    "from 'now' alone, and keep nothing in the plugin"
                )

    @check(broken="hooks:AnswersWhereItOnlyWatches")
    def test_observers_return_nothing(self, calls: Sequence[HookCall]) -> None:
        """An observer cannot object, and nobody reads what it returns."""
        for call in calls:
            if call.kind is HookKind.OBSERVE:
                assert call.result is None, f"{call.hook} observes: return nothing"

    @check(broken="hooks:SaysFalse")
    def test_gates_refuse_with_a_denial(self, calls: Sequence[HookCall]) -> None:
        """A gate returns a Deny with a code and a reason, or None."""
        for call in calls:
            if call.kind is HookKind.GATE and call.result is not None:
                assert isinstance(call.result, Deny), (
                    f"{call.hook} returned a {type(call.result).__name__}: return "
                    "Deny(code=..., reason=...), or None to raise no objection"
                )

    @check(broken="hooks:GivesNoReason")
    def test_denials_say_why(self, calls: Sequence[HookCall]) -> None:
        """An operator reads the reason, a program the code."""
        for call in calls:
            if isinstance(call.result, Deny):
                code, reason = call.result.code.strip(), call.result.reason.strip()
                assert code, f"{call.hook}: give the denial a code"
                assert reason, f"{call.hook}: say in words why it refuses"

    @check(broken="hooks:ChoosesNobody")
    def test_choices_are_among_those_given(self, calls: Sequence[HookCall]) -> None:
        """The winner's index is one of the proposals', a route is a Route."""
        for call in calls:
            if call.result is None:
                continue
            if call.hook == "scrmkit_choose_winner":
                count = len(call.arguments["proposals"])
                assert type(call.result) is int, "scrmkit_choose_winner returns an index"
                assert 0 <= call.result < count, f"the index is one of 0 to {count - 1}"
            elif call.hook == "scrmkit_route":
                assert isinstance(call.result, Route), "scrmkit_route returns a Route, or None"

    @check(broken="hooks:SendsElsewhere")
    def test_a_prepared_message_stays_on_its_way(self, calls: Sequence[HookCall]) -> None:
        """Its words may change; channel, purpose and the kind of content stay."""
        for call in calls:
            if call.kind is not HookKind.TRANSFORM or call.result is None:
                continue
            before = call.arguments["sending"].message
            assert isinstance(call.result, Message), f"{call.hook} returns a Message, or None"
            assert (call.result.channel, call.result.purpose, type(call.result.content)) == (
                before.channel,
                before.purpose,
                type(before.content),
            ), f"{call.hook} may not change the channel, the purpose or the kind of content"

    @check(broken="hooks:DiagnosesInAWord")
    def test_findings_are_findings(self, calls: Sequence[HookCall]) -> None:
        """``scrmkit doctor`` prints a list of findings, each with a level that it knows."""
        for call in calls:
            if call.hook == "scrmkit_doctor" and call.result is not None:
                assert isinstance(call.result, list | tuple), "return a list of Findings"
                for finding in call.result:
                    assert isinstance(finding, Finding), "return a list of Findings"
                    assert finding.level in LEVELS, f"a level is one of {', '.join(LEVELS)}"

    @check(broken="hooks:RefusesByName")
    def test_what_is_said_shows_nothing_personal(self, calls: Sequence[HookCall], secrets: frozenset[str]) -> None:
        """Denials are kept, and findings are printed."""
        for call in calls:
            if isinstance(call.result, Deny) or call.hook == "scrmkit_doctor":
                assert shown(repr(call.result), secrets) == [], (
                    f"{call.hook} says a personal value or a secret: leave it out"
                )


def _calls(plugin: Any, examples: Examples) -> Iterator[HookCall]:
    for hook, implementation in implementations_of(plugin):
        for arguments in examples.get(hook, ()):
            yield _call(hook, implementation, arguments)


def _call(hook: str, implementation: Any, arguments: Mapping[str, Any]) -> HookCall:
    before = snapshot(arguments)
    results: list[Any] = []
    error = ""
    try:
        for _ in range(_TIMES):
            fresh = {
                name: make_now(value.at, seed=hook) if name == "now" else value for name, value in arguments.items()
            }
            results.append(implementation.function(*(fresh[name] for name in implementation.argnames)))
    except Exception as caught:  # noqa: BLE001 - whatever it raises is what is reported
        error = f"{type(caught).__name__}: {caught}"
    changed = snapshot(arguments) != before
    return HookCall(hook=hook, arguments=arguments, results=tuple(results), error=error, changed=changed)
