"""A good plugin of all hooks, and one broken one for each check of their suite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import attrs
import pytest

from scrmkit.domain.decisions import Deny, Now, Outcome
from scrmkit.domain.ids import GuideId
from scrmkit.domain.kinds import Noted
from scrmkit.domain.messages import DeliveryOutcome, Message, Purpose
from scrmkit.domain.policy import Facts
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.hooks import Failure, Finding, Proposal, Route, Sending, hookimpl
from scrmkit.testing.factories import make_touchpoint
from scrmkit.testing.suites.hooks import Examples, HooksSuite, hook_examples


class GoodHooks:
    """Watches everything, refuses marketing, lets the last proposal win."""

    def __init__(self) -> None:
        self.seen: list[object] = []

    @hookimpl
    def scrmkit_committed(self, touchpoint: Touchpoint[Any], outcome: Outcome) -> Any:
        """Remember."""
        self.seen.append(touchpoint)

    @hookimpl
    def scrmkit_delivered(self, sending: Sending, outcome: DeliveryOutcome) -> Any:
        """Remember."""
        self.seen.append(outcome)

    @hookimpl
    def scrmkit_plugin_failed(self, failure: Failure) -> Any:
        """Remember."""
        self.seen.append(failure)

    @hookimpl
    def scrmkit_choose_winner(self, proposals: Sequence[Proposal]) -> Any:
        """The last one."""
        return len(proposals) - 1

    @hookimpl
    def scrmkit_route(self, touchpoint: Touchpoint[Any], now: Now) -> Any:
        """One of two guides, by chance."""
        return Route(guide=GuideId(f"guide-{now.chance.randbelow(2)}"))

    @hookimpl
    def scrmkit_may_send(self, sending: Sending, facts: Facts, now: Now) -> Any:
        """No marketing."""
        if sending.message.purpose is Purpose.MARKETING:
            return Deny(code="no_ads", reason="this shop sends no marketing")
        return None

    @hookimpl
    def scrmkit_prepare_message(self, sending: Sending) -> Any:
        """Say who is writing."""
        content = sending.message.content
        signed = attrs.evolve(content, text=f"{content.text} (your shop)")
        return attrs.evolve(sending.message, content=signed)

    @hookimpl
    def scrmkit_doctor(self) -> Any:
        """All is well."""
        return [Finding(level="ok", subject="good", text="it is")]


class Harness(HooksSuite):
    """The suite with the fixtures that a vendor gives."""

    plugin_class: ClassVar[type[GoodHooks]] = GoodHooks

    @pytest.fixture
    def plugin(self) -> GoodHooks:
        """The plugin under test."""
        return self.plugin_class()

    @pytest.fixture
    def examples(self) -> Examples:
        """Those of the kit, and something that was noted."""
        given = hook_examples()
        noted = make_touchpoint("platform.noted", Noted(what="something"))
        more = {**given["scrmkit_committed"][0], "touchpoint": noted}
        return {**given, "scrmkit_committed": [*given["scrmkit_committed"], more]}


class ImplementsNothing(GoodHooks):
    """Has no hook at all."""

    scrmkit_committed = None  # type: ignore[assignment]
    scrmkit_delivered = None  # type: ignore[assignment]
    scrmkit_plugin_failed = None  # type: ignore[assignment]
    scrmkit_choose_winner = None  # type: ignore[assignment]
    scrmkit_route = None  # type: ignore[assignment]
    scrmkit_may_send = None  # type: ignore[assignment]
    scrmkit_prepare_message = None  # type: ignore[assignment]
    scrmkit_doctor = None  # type: ignore[assignment]


class Stumbles(GoodHooks):
    """Raises at what was accepted without a number."""

    @hookimpl
    def scrmkit_delivered(self, sending: Sending, outcome: DeliveryOutcome) -> Any:
        """Take for granted that there is one."""
        self.seen.append(outcome.provider_id)  # type: ignore[union-attr]


class WritesOnItsInput(GoodHooks):
    """Leaves a mark on the touchpoint."""

    @hookimpl
    def scrmkit_committed(self, touchpoint: Touchpoint[Any], outcome: Outcome) -> Any:
        """Mark what was noted."""
        if isinstance(touchpoint.payload, Noted):
            touchpoint.payload.detail["seen"] = True  # type: ignore[index]


class TakesTurns(GoodHooks):
    """Sends customers to one guide after the other."""

    @hookimpl
    def scrmkit_route(self, touchpoint: Touchpoint[Any], now: Now) -> Any:
        """The next guide."""
        self.seen.append(touchpoint)
        return Route(guide=GuideId(f"guide-{len(self.seen)}"))


class AnswersWhereItOnlyWatches(GoodHooks):
    """Returns True from an observer, as if to let something pass."""

    @hookimpl
    def scrmkit_committed(self, touchpoint: Touchpoint[Any], outcome: Outcome) -> Any:
        """Let it pass."""
        return True


class SaysFalse(GoodHooks):
    """Refuses with False."""

    @hookimpl
    def scrmkit_may_send(self, sending: Sending, facts: Facts, now: Now) -> Any:
        """No."""
        return False


class GivesNoReason(GoodHooks):
    """Refuses, and does not say why."""

    @hookimpl
    def scrmkit_may_send(self, sending: Sending, facts: Facts, now: Now) -> Any:
        """No."""
        return Deny(code="no", reason="")


class ChoosesNobody(GoodHooks):
    """Counts the proposals from one."""

    @hookimpl
    def scrmkit_choose_winner(self, proposals: Sequence[Proposal]) -> Any:
        """The one after the last."""
        return len(proposals)


class SendsElsewhere(GoodHooks):
    """Sends by another channel."""

    @hookimpl
    def scrmkit_prepare_message(self, sending: Sending) -> Message:
        """Prefer another one."""
        return attrs.evolve(sending.message, channel="wecom")


class DiagnosesInAWord(GoodHooks):
    """Says "fine" where findings are wanted."""

    @hookimpl
    def scrmkit_doctor(self) -> Any:
        """Fine."""
        return [Finding(level="fine", subject="good", text="it is")]


class RefusesByName(GoodHooks):
    """Quotes the message that it refuses."""

    @hookimpl
    def scrmkit_may_send(self, sending: Sending, facts: Facts, now: Now) -> Any:
        """Quote it."""
        return Deny(code="words", reason=f"we do not say {sending.message.content.text!r}")
