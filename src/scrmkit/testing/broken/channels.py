"""A good channel, and one broken one for each check that only channels have."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import attrs
import pytest

from scrmkit.domain.identity import Identity, personal
from scrmkit.domain.kinds import MessageReceived
from scrmkit.domain.messages import Accepted, Refused, Report
from scrmkit.domain.touchpoint import Touchpoint, TouchpointKind
from scrmkit.errors import CallbackRejectedError
from scrmkit.protocols import CallbackRequest, Inbound
from scrmkit.testing.factories import make_context, make_identity, make_outgoing
from scrmkit.testing.fakes import FakeChannel, FakeText, Lose
from scrmkit.testing.suites.channels import ChannelSuite

ANN, BOB = "+8613900000001", "+8613900000002"
WORDS = "please call me back"


@attrs.frozen(kw_only=True)
class Rang:
    """Somebody rang. *who* is personal."""

    who: str = personal(default="")


class GoodChannel(FakeChannel):
    """The fake channel, refusing texts without words."""

    touchpoint_kinds: ClassVar[tuple[TouchpointKind[Any], ...]] = (TouchpointKind(name="good.rang", payload=Rang),)

    def __init__(self) -> None:
        super().__init__(make_context("good"), max_batch=3)

    def answer(self, item: Any, earlier: Any) -> Any:
        """Refuse silence."""
        if not item.body.text:
            return Refused(code="empty", reason="there are no words")
        return super().answer(item, earlier)


class Harness(ChannelSuite):
    """The suite with the fixtures that a vendor gives."""

    plugin_class: ClassVar[type[GoodChannel]] = GoodChannel

    @pytest.fixture
    def channel(self) -> GoodChannel:
        """The channel under test."""
        return self.plugin_class()

    @pytest.fixture
    def bodies(self) -> Mapping[str, Sequence[Any]]:
        """One text."""
        return {"send": [FakeText(text=WORDS)]}

    @pytest.fixture
    def refused(self) -> Mapping[str, Any]:
        """Silence."""
        return {"send": FakeText(text="")}

    @pytest.fixture
    def customers(self) -> Sequence[Sequence[Identity]]:
        """One with a phone and more, one with a phone."""
        unionid = make_identity("union-of-ann", kind="unionid")
        return [(unionid, make_identity(ANN)), (make_identity(BOB),)]

    @pytest.fixture
    def callbacks(self) -> Sequence[CallbackRequest]:
        """Two texts and a report."""
        return [
            FakeChannel.callback(id="1", phone=ANN, text=WORDS),
            FakeChannel.callback(id="2", phone=BOB, text=WORDS),
            FakeChannel.callback(key="key-1", delivered=True),
        ]

    @pytest.fixture
    def platform_state(self, channel: GoodChannel) -> Callable[[], Any]:
        """What was sent."""
        return lambda: list(channel.sent)

    @pytest.fixture
    def lose_answer(self, channel: GoodChannel) -> Callable[[str], None]:
        """Drop the next answer."""
        return lambda operation: channel.will(Lose(done=True))


@attrs.frozen(kw_only=True)
class Unforgettable:
    """A payload that cannot be read without its personal field."""

    who: str = personal()


class CannotForget(GoodChannel):
    """Registers a kind whose personal field has no default."""

    touchpoint_kinds: ClassVar[tuple[TouchpointKind[Any], ...]] = (
        TouchpointKind(name="good.rang", payload=Unforgettable),
    )


class ReachesNobodyNew(GoodChannel):
    """Reaches a customer only where the phone is the first identity."""

    def reach(self, identities: Sequence[Identity]) -> Identity | None:
        """Look at the first."""
        return super().reach(identities[:1])


class MakesAddressesUp(GoodChannel):
    """Writes to a phone that it has rewritten."""

    def reach(self, identities: Sequence[Identity]) -> Identity | None:
        """Drop the country."""
        found = super().reach(identities)
        return found and attrs.evolve(found, value=found.value.removeprefix("+86"))


class TakesTurns(GoodChannel):
    """Writes to the first phone, then to the unionid, and so on."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = 0

    def reach(self, identities: Sequence[Identity]) -> Identity | None:
        """Take the next one of those that it knows."""
        known = [each for each in identities if each.kind in ("phone", "unionid")]
        self.turn += 1
        return known[self.turn % len(known)] if known else None


class BelievesAnybody(GoodChannel):
    """Reads a callback whoever sent it."""

    def receive(self, request: CallbackRequest) -> Inbound:
        """Take what cannot be read for nothing."""
        try:
            return super().receive(request)
        except CallbackRejectedError:
            return Inbound()


class StumblesOverHalfACallback(GoodChannel):
    """Raises what its JSON library raises."""

    def receive(self, request: CallbackRequest) -> Inbound:
        """Let a broken body through to the library."""
        if request.query.get("token") == "fake" and request.body.count(b"}") < 1:
            raise ValueError("Expecting ',' delimiter")
        return super().receive(request)


class RejectsInDetail(GoodChannel):
    """Puts what it rejects into the error."""

    def receive(self, request: CallbackRequest) -> Inbound:
        """Quote the body."""
        try:
            return super().receive(request)
        except CallbackRejectedError as error:
            raise CallbackRejectedError(f"cannot read {request.body!r}", code=error.code) from None


class _Rewrites(GoodChannel):
    """What the next ones change of each touchpoint."""

    def rewritten(self, touchpoint: Touchpoint[Any]) -> Touchpoint[Any]:
        """The touchpoint as it should not be."""
        return touchpoint

    def receive(self, request: CallbackRequest) -> Inbound:
        """Receive, and change."""
        inbound = super().receive(request)
        return attrs.evolve(inbound, touchpoints=tuple(self.rewritten(each) for each in inbound.touchpoints))


class CountsCallbacks(_Rewrites):
    """Makes a key of a counter."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def rewritten(self, touchpoint: Touchpoint[Any]) -> Touchpoint[Any]:
        """Count on."""
        self.count += 1
        return attrs.evolve(touchpoint, key=f"callback-{self.count}")


class HasOneKey(_Rewrites):
    """Makes a key of the moment alone."""

    def rewritten(self, touchpoint: Touchpoint[Any]) -> Touchpoint[Any]:
        """Use the moment."""
        return attrs.evolve(touchpoint, key=touchpoint.occurred_at.isoformat())


class MakesKindsUp(_Rewrites):
    """Records a kind that nobody registers."""

    def rewritten(self, touchpoint: Touchpoint[Any]) -> Touchpoint[Any]:
        """Call it otherwise."""
        return attrs.evolve(touchpoint, kind="good.wrote")


class WritesPhonesIntoKeys(_Rewrites):
    """Makes a key of the phone."""

    def rewritten(self, touchpoint: Touchpoint[Any]) -> Touchpoint[Any]:
        """Put the phone before the key."""
        return attrs.evolve(touchpoint, key=f"{touchpoint.identities[0].value}/{touchpoint.key}", identities=())


@attrs.frozen(kw_only=True)
class ShownWords(MessageReceived):
    """A payload that says the words again, in a field like any other."""

    subject: str = ""


class ShowsNames(_Rewrites):
    """Keeps words in a field that the repr shows."""

    def rewritten(self, touchpoint: Touchpoint[Any]) -> Touchpoint[Any]:
        """Show the words."""
        words = touchpoint.payload.text
        return attrs.evolve(touchpoint, payload=ShownWords(text=words, subject=words))


@attrs.frozen(kw_only=True)
class LockedWords(MessageReceived):
    """A payload with a lock in it, which is no JSON."""

    lock: Any = attrs.field(factory=threading.Lock, eq=False)


class BringsALock(_Rewrites):
    """Records a payload that no database can keep."""

    def rewritten(self, touchpoint: Touchpoint[Any]) -> Touchpoint[Any]:
        """Add the lock."""
        return attrs.evolve(touchpoint, payload=LockedWords(text=touchpoint.payload.text))


class ReportsOnNothing(GoodChannel):
    """Reports an outcome without saying whose."""

    def receive(self, request: CallbackRequest) -> Inbound:
        """Forget the key."""
        inbound = super().receive(request)
        return attrs.evolve(inbound, reports=tuple(Report(outcome=Accepted()) for _ in inbound.reports))


class AnswersByItself(GoodChannel):
    """Answers a text as soon as it arrives."""

    def receive(self, request: CallbackRequest) -> Inbound:
        """Say thank you."""
        inbound = super().receive(request)
        for touchpoint in inbound.touchpoints:
            self.send("send", [make_outgoing(FakeText(text="thank you"), key=touchpoint.key)])
        return inbound
