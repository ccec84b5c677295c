"""A good rule, and one broken one for each check of rules, and of all that decides."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import attrs
import pytest

from scrmkit.domain.decisions import Decision, Now
from scrmkit.domain.effects import AddTag, Join, Propose, Remember, StartTimer
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.kinds import Noted
from scrmkit.domain.messages import Message
from scrmkit.domain.profile import TagSource
from scrmkit.domain.reads import Attributes, Known, Memo, Read, Tags
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.testing.factories import make_identity, make_order_paid, make_touchpoint
from scrmkit.testing.fakes import FakeText
from scrmkit.testing.suites.rules import Example, RuleSuite

ANN = "+8613900000001"


class GoodRule:
    """Counts a customer's orders, thanks for each, and draws a prize."""

    kinds = frozenset({"order.paid", "platform.noted"})

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        """What it remembers, and the tags."""
        if touchpoint.customer is None:
            return ()
        return (Memo(touchpoint.customer), Tags(touchpoint.customer))

    def decide(self, touchpoint: Touchpoint[Any], known: Known, now: Now) -> Any:
        """Count, and thank."""
        if touchpoint.customer is None:
            return Decision(reason="nobody knows who this is", code="no_customer")
        before = (known[Memo(touchpoint.customer)] or {}).get("orders", 0)
        message = Message(channel="sms", content=FakeText(text=f"thank you, {ANN}"))
        return Decision(
            reason=f"order {before + 1} of this customer",
            effects=(
                Remember(value={"orders": before + 1}),
                AddTag(
                    group="orders",
                    name="buyer",
                    source=TagSource.INTERACTION,
                    expires_at=now.at.replace(year=now.at.year + 1),
                ),
                Propose(message=message, once=touchpoint.key),
            ),
            answer={"prize": now.chance.randbelow(10)},
        )


class Harness(RuleSuite):
    """The suite with the fixtures that a vendor gives."""

    plugin_class: ClassVar[type[GoodRule]] = GoodRule

    @pytest.fixture
    def rule(self) -> GoodRule:
        """The rule under test."""
        return self.plugin_class()

    @pytest.fixture
    def examples(self) -> Sequence[Example]:
        """A first order, a third one, and something of nobody."""
        ann = make_identity(ANN)
        bob = CustomerId(7)
        third = make_order_paid("o3", identities=(ann,), customer=bob)
        return [
            Example(touchpoint=make_order_paid("o1", identities=(ann,))),
            Example(touchpoint=third, reads={Memo(bob): {"orders": 2}}),
            Example(touchpoint=make_touchpoint("platform.noted", Noted(what="something"))),
        ]


class _Changes(GoodRule):
    """What the next ones change of each decision about a customer."""

    def changed(self, decision: Decision, touchpoint: Touchpoint[Any], now: Now) -> Any:
        """The decision as it should not be."""
        return decision

    def decide(self, touchpoint: Touchpoint[Any], known: Known, now: Now) -> Any:
        """Decide well, and change it."""
        decision = super().decide(touchpoint, known, now)
        return self.changed(decision, touchpoint, now) if decision.effects else decision


class _Adds(_Changes):
    """What the next ones add to the effects."""

    def added(self, now: Now) -> Any:
        """The effect that should not be."""

    def changed(self, decision: Decision, touchpoint: Touchpoint[Any], now: Now) -> Any:
        """Add it."""
        return attrs.evolve(decision, effects=(*decision.effects, self.added(now)))


class NeedsWords(GoodRule):
    """Declares what it needs in words."""

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Any]:
        """Say "tags"."""
        return (*super().needs(touchpoint), "tags")


class ReadsWhatItLikes(GoodRule):
    """Reads attributes that it never declared, of who has ordered before."""

    def decide(self, touchpoint: Touchpoint[Any], known: Known, now: Now) -> Any:
        """Look at the attributes as well."""
        if touchpoint.customer is not None and known[Memo(touchpoint.customer)]:
            known[Attributes(touchpoint.customer)]
        return super().decide(touchpoint, known, now)


class Stumbles(GoodRule):
    """Raises at a touchpoint of nobody."""

    def decide(self, touchpoint: Touchpoint[Any], known: Known, now: Now) -> Any:
        """Take for granted that there is a customer."""
        if touchpoint.customer is None:
            raise KeyError("customer")
        return super().decide(touchpoint, known, now)


class ReturnsALump(GoodRule):
    """Returns its effects bare where there is nobody."""

    def decide(self, touchpoint: Touchpoint[Any], known: Known, now: Now) -> Any:
        """Return a list."""
        return [] if touchpoint.customer is None else super().decide(touchpoint, known, now)


class ChangesItsMind(_Changes):
    """Counts in itself what it was asked."""

    def __init__(self) -> None:
        self.count = 0

    def changed(self, decision: Decision, touchpoint: Touchpoint[Any], now: Now) -> Any:
        """Count on."""
        self.count += 1
        return attrs.evolve(decision, reason=f"decision {self.count}")


class WritesOnItsInput(GoodRule):
    """Leaves a mark on the touchpoint."""

    def decide(self, touchpoint: Touchpoint[Any], known: Known, now: Now) -> Any:
        """Mark what was noted."""
        if isinstance(touchpoint.payload, Noted):
            touchpoint.payload.detail["seen"] = True  # type: ignore[index]
        return super().decide(touchpoint, known, now)


@attrs.frozen(kw_only=True)
class SendFlowers:
    """Something that would be nice to have happen."""


class InventsAnEffect(_Adds):
    """Asks for something that no engine can do."""

    def added(self, now: Now) -> Any:
        """Flowers."""
        return SendFlowers()


class RemembersALock(_Adds):
    """Remembers what is no JSON."""

    def added(self, now: Now) -> Any:
        """A lock, equal to every other."""
        return Remember(value={"lock": type(threading.Lock())})


class AnswersWithASet(_Changes):
    """Answers with what is no JSON."""

    def changed(self, decision: Decision, touchpoint: Touchpoint[Any], now: Now) -> Any:
        """A set of bytes."""
        return attrs.evolve(decision, answer={"drawn": b"\x00"})


class GivesNoReason(_Changes):
    """Decides, and does not say why."""

    def changed(self, decision: Decision, touchpoint: Touchpoint[Any], now: Now) -> Any:
        """Say nothing."""
        return attrs.evolve(decision, reason=" ")


class ShoutsItsCode(_Changes):
    """Says in its code what belongs into the reason."""

    def changed(self, decision: Decision, touchpoint: Touchpoint[Any], now: Now) -> Any:
        """Say it loud."""
        return attrs.evolve(decision, code="Thanked The Customer!")


class TellsPhones(_Changes):
    """Writes a phone number into its reason."""

    def changed(self, decision: Decision, touchpoint: Touchpoint[Any], now: Now) -> Any:
        """Say whom it thanks."""
        phone = touchpoint.identities[0].value
        return attrs.evolve(decision, reason=f"{phone} is thanked")


class ForgetsTheZone(_Adds):
    """Starts a timer at a moment without a zone."""

    def added(self, now: Now) -> Any:
        """Midnight somewhere."""
        midnight = now.at.replace(hour=0, tzinfo=None)
        return StartTimer(key="midnight", due_at=midnight)


class ListensToMore(GoodRule):
    """Listens to a kind that no example is of."""

    kinds = GoodRule.kinds | {"contact.added"}


class NeverDecides(GoodRule):
    """Has nothing to say about anything."""

    def decide(self, touchpoint: Touchpoint[Any], known: Known, now: Now) -> Any:
        """Say nothing."""
        return


class JoinsNothing(_Adds):
    """Joins an instance, and has none."""

    def added(self, now: Now) -> Any:
        """Take part."""
        return Join(role="helper")
