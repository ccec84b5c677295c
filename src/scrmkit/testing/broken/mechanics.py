"""A good mechanic, and one broken one for each check that only mechanics have."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import attrs
import pytest

from scrmkit.domain.campaign import Campaign, Instance, InstanceRef
from scrmkit.domain.decisions import Now, Step
from scrmkit.domain.effects import CancelTimer, Emit, Join, StartTimer
from scrmkit.domain.ids import CampaignId
from scrmkit.domain.kinds import Noted
from scrmkit.domain.reads import Known, ParticipantOf, Read
from scrmkit.domain.touchpoint import Touchpoint, TouchpointKind
from scrmkit.protocols import NewInstance
from scrmkit.testing.factories import NOON, make_identity, make_touchpoint
from scrmkit.testing.suites.mechanics import MechanicSuite
from scrmkit.testing.suites.stories import Story

END = "end"
MEMBER = "member"


@attrs.frozen(kw_only=True)
class ClubRules:
    """
    How large a club is, and how long it waits.

    Attributes:
        seats: Members, the founder included.
    """

    seats: int = 3
    waits: timedelta = timedelta(hours=2)


@attrs.frozen(kw_only=True)
class Club:
    """A club that fills up, or gives up."""

    ends_at: datetime
    members: int = 1
    is_over: bool = False
    lucky: int = 0


@attrs.frozen(kw_only=True)
class AtClub:
    """Which club is meant."""

    campaign: CampaignId
    club: str


class GoodMechanic:
    """Founds clubs, lets people join while there are seats, and closes at the end."""

    Rules: ClassVar[type] = ClubRules
    State: ClassVar[type] = Club
    kinds = frozenset({"club.founded", "club.joined"})
    touchpoint_kinds = (
        TouchpointKind(name="club.founded", payload=AtClub),
        TouchpointKind(name="club.joined", payload=AtClub),
    )

    def address(self, touchpoint: Touchpoint[Any]) -> Iterable[Any]:
        """The club that is named."""
        payload = touchpoint.payload
        if touchpoint.kind == "club.founded":
            return [NewInstance(campaign=payload.campaign, key=payload.club)]
        return [InstanceRef(plugin="club", campaign=payload.campaign, key=payload.club)]

    def needs(self, touchpoint: Touchpoint[Any], instance: Any) -> Iterable[Read[Any]]:
        """Whether the customer is a member."""
        if instance is None or touchpoint.customer is None:
            return ()
        return (ParticipantOf(instance.ref, MEMBER, touchpoint.customer),)

    def open(
        self, ref: InstanceRef, campaign: Campaign[Any], touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> Any:
        """Found a club."""
        if not campaign.is_open(now.at):
            return Step(reason="the campaign is not open", code="campaign_closed")
        ends_at = now.at + campaign.rules.waits
        return Step(
            reason="a club is founded",
            state=campaign_state(self, ends_at=ends_at, lucky=now.chance.randbelow(100)),
            effects=(Join(role=MEMBER), StartTimer(key=END, due_at=ends_at)),
            answer={"members": 1},
        )

    def act(self, instance: Instance[Any, Any], touchpoint: Touchpoint[Any], known: Known, now: Now) -> Any:
        """Let somebody join."""
        state = instance.state
        if touchpoint.kind != "club.joined" or touchpoint.customer is None:
            return Step(reason="the club exists already", code="founded")
        if instance.closed or now.at >= state.ends_at:
            return Step(reason="the club takes nobody any more", code="over")
        if self.is_member(instance, touchpoint, known):
            return Step(reason="this customer is a member", code=MEMBER)
        return self.joined(instance, Join(role=MEMBER))

    def is_member(self, instance: Any, touchpoint: Touchpoint[Any], known: Known) -> bool:
        """Whether the customer takes part."""
        assert touchpoint.customer is not None
        return known[ParticipantOf(instance.ref, MEMBER, touchpoint.customer)] is not None

    def joined(self, instance: Instance[Any, Any], *effects: Any) -> Any:
        """Count one more, and close at the last seat."""
        state = attrs.evolve(instance.state, members=instance.state.members + 1)
        is_full = state.members >= instance.rules.seats
        return Step(
            reason=f"member {state.members} of {instance.rules.seats}",
            state=attrs.evolve(state, is_over=is_full),
            closed=is_full,
            effects=(*effects, *([CancelTimer(key=END)] if is_full else [])),
            answer={"members": state.members},
        )

    def due(self, instance: Instance[Any, Any], timer: str, touchpoint: Touchpoint[Any], known: Known, now: Now) -> Any:
        """Give up."""
        if instance.closed or now.at < instance.state.ends_at:
            return None
        state = attrs.evolve(instance.state, is_over=True)
        return Step(reason="time is up", state=state, closed=True)

    def violations(self, rules: Any, state: Any) -> Iterable[str]:
        """More members than seats, or seats left in a club that should be open."""
        if not 1 <= state.members <= rules.seats:
            yield f"{state.members} members of {rules.seats}"
        if state.members == rules.seats and not state.is_over:
            yield "a full club is still open"


def campaign_state(mechanic: GoodMechanic, **values: Any) -> Any:
    """A first state, of the mechanic's own type."""
    return mechanic.State(**values)


class Harness(MechanicSuite):
    """The suite with the fixtures that a vendor gives."""

    plugin_class: ClassVar[type[GoodMechanic]] = GoodMechanic

    @pytest.fixture
    def mechanic(self) -> GoodMechanic:
        """The mechanic under test."""
        return self.plugin_class()

    @pytest.fixture
    def stories(self, mechanic: GoodMechanic) -> Sequence[Story]:
        """One club that fills, and one that gives up."""
        campaign: Campaign[Any] = Campaign(
            id=CampaignId("clubs"),
            mechanic="club",
            rules=mechanic.Rules(),
            starts_at=NOON,
            ends_at=NOON + timedelta(days=2),
        )
        full = [at("founded", 1, 0), at("joined", 2, 5), at("joined", 3, 9), at("joined", 4, 11)]
        small = [at("founded", 1, 0), at("joined", 2, 30), at("joined", 3, 150)]
        return [
            Story(name="fills", campaign=campaign, touchpoints=full),
            Story(name="gives up", campaign=campaign, touchpoints=small),
        ]

    @pytest.fixture
    def impossible(self, mechanic: GoodMechanic) -> Sequence[tuple[Any, Any]]:
        """A crowd, and a full club that is open."""
        rules = mechanic.Rules()
        return [
            (rules, mechanic.State(ends_at=NOON, members=9, is_over=True)),
            (rules, mechanic.State(ends_at=NOON, members=3)),
        ]


def at(what: str, person: int, minutes: int) -> Touchpoint[Any]:
    """Somebody founds or joins the club, so many minutes after noon."""
    return make_touchpoint(
        f"club.{what}",
        AtClub(campaign=CampaignId("clubs"), club="c1"),
        key=f"{what}-{person}",
        at=NOON + timedelta(minutes=minutes),
        identities=[make_identity(f"+861390000000{person}")],
    )


class ListensToMore(GoodMechanic):
    """Listens to a kind that is in no story."""

    kinds = GoodMechanic.kinds | {"contact.added"}


class OpensNothing(GoodMechanic):
    """Refuses to found a club, always."""

    def open(self, *arguments: Any) -> Any:
        """Not today."""
        return Step(reason="not today", code="not_today")


class AddressesByWord(GoodMechanic):
    """Addresses a club by its name, as a text."""

    def address(self, touchpoint: Touchpoint[Any]) -> Iterable[Any]:
        """Say which club, in words as well."""
        return (*super().address(touchpoint), touchpoint.payload.club)


class EmitsTheUnheard(GoodMechanic):
    """Emits a kind that it never registered."""

    def due(self, instance: Any, timer: str, touchpoint: Any, known: Any, now: Any) -> Any:
        """Tell everybody."""
        step = super().due(instance, timer, touchpoint, known, now)
        emit = Emit(kind="club.dissolved", payload=Noted(what="dissolved"), step="end")
        return step and attrs.evolve(step, effects=(emit,))


@attrs.frozen(kw_only=True)
class LooseRules(ClubRules):
    """Rules with a moment that is not said to be one."""

    since: Any = None

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "since", self.since or NOON)


class HasRulesOfNoType(GoodMechanic):
    """Has rules that come back from the database as texts."""

    Rules: ClassVar[type] = LooseRules


@attrs.frozen(kw_only=True)
class LooseClub(Club):
    """A club with a moment that is not said to be one."""

    founded_at: Any = None


class KeepsAnything(GoodMechanic):
    """Has a state that comes back from the database as texts."""

    State: ClassVar[type] = LooseClub

    def open(self, *arguments: Any) -> Any:
        """Note when it was."""
        step = super().open(*arguments)
        now: Now = arguments[4]
        noted = step.state and attrs.evolve(step.state, founded_at=now.at)
        return attrs.evolve(step, state=noted)


@attrs.frozen(kw_only=True)
class LongClub(Club):
    """A club with a long history."""

    history: str = ""


class KeepsEverything(GoodMechanic):
    """Keeps a state that never stops growing."""

    State: ClassVar[type] = LongClub

    def joined(self, instance: Instance[Any, Any], *effects: Any) -> Any:
        """Write a chapter."""
        step = super().joined(instance, *effects)
        chapter = "and then " * 2_000
        return attrs.evolve(step, state=attrs.evolve(step.state, history=chapter))


class CountsTwice(GoodMechanic):
    """Counts a member who joins again."""

    def act(self, instance: Any, touchpoint: Any, known: Any, now: Any) -> Any:
        """Count whoever comes."""
        step = super().act(instance, touchpoint, known, now)
        if step.code != MEMBER:
            return step
        more = attrs.evolve(instance.state, members=instance.state.members + 1)
        return attrs.evolve(step, code="ok", state=more)


class SeesNothingWrong(GoodMechanic):
    """Finds fault with nothing."""

    def violations(self, rules: Any, state: Any) -> Iterable[str]:
        """All is well."""
        return ()


class LeavesItToTheKey(GoodMechanic):
    """Never looks whether somebody is a member already."""

    def is_member(self, instance: Any, touchpoint: Touchpoint[Any], known: Known) -> bool:
        """Hope for the best."""
        return False


class OpensAnyTime(GoodMechanic):
    """Founds clubs after the campaign, too."""

    def open(self, ref: Any, campaign: Campaign[Any], touchpoint: Any, known: Any, now: Now) -> Any:
        """Take no notice of the end."""
        longer = attrs.evolve(campaign, ends_at=max(campaign.ends_at, now.at + timedelta(1)))
        return super().open(ref, longer, touchpoint, known, now)


class RisesFromTheDead(GoodMechanic):
    """Goes on with a club that is over when its timer comes."""

    def joined(self, instance: Instance[Any, Any], *effects: Any) -> Any:
        """Forget to cancel the timer."""
        step = super().joined(instance, *effects)
        return attrs.evolve(step, effects=effects)

    def due(self, instance: Any, timer: str, touchpoint: Any, known: Any, now: Any) -> Any:
        """Draw another number."""
        if not instance.closed:
            return super().due(instance, timer, touchpoint, known, now)
        state = attrs.evolve(instance.state, lucky=instance.state.lucky + 1)
        return Step(reason="another number is drawn", state=state, closed=True)


class LetsPeopleInLate(GoodMechanic):
    """Takes people in as guests when the club is over."""

    def act(self, instance: Any, touchpoint: Any, known: Any, now: Any) -> Any:
        """Call them guests."""
        step = super().act(instance, touchpoint, known, now)
        is_guest = step.code == "over" and not self.is_member(instance, touchpoint, known)
        return attrs.evolve(step, effects=(Join(role=MEMBER),)) if is_guest else step


class StartsTimersForPeople(GoodMechanic):
    """Starts a timer for the founder instead of the club."""

    def open(self, *arguments: Any) -> Any:
        """Name the founder."""
        step = super().open(*arguments)
        founder = arguments[2].customer
        effects = tuple(
            attrs.evolve(one, customer=founder) if isinstance(one, StartTimer) else one for one in step.effects
        )
        return attrs.evolve(step, effects=effects)
