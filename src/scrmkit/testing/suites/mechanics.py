"""The suite of mechanics: reducers over their own rules and state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytest

from scrmkit.domain.decisions import Step
from scrmkit.domain.effects import AddAlias, Join, Reserve, StartTimer
from scrmkit.testing.suites.base import check, wanted
from scrmkit.testing.suites.deciding import Call, DecidingSuite
from scrmkit.testing.suites.stories import Story, Watch, watch
from scrmkit.testing.suites.values import personal_texts, stored_size, storing_problem

_FROM_THE_CORE = frozenset(
    {
        "campaign.activated",
        "campaign.ended",
        "customer.merged",
        "customer.split",
        "message.settled",
        "request.answered",
        "reservation.expired",
        "timer.due",
    }
)


class MechanicSuite(DecidingSuite):
    """
    What every mechanic keeps; give it the mechanic, and stories of its campaigns.

    The stories are told to a real engine: as they are, each touchpoint twice
    under another key, in shuffled orders, and with every timer late.

    Attributes:
        max_state_bytes: How large the state of one instance may become as JSON.
        max_examples: How many stories are drawn where ``stories`` is a strategy.
    """

    family: ClassVar[str] = "mechanic"
    returns: ClassVar[type] = Step
    max_state_bytes: ClassVar[int] = 16_384
    max_examples: ClassVar[int] = 10

    @pytest.fixture
    def mechanic(self) -> Any:
        """Override: your mechanic."""
        wanted("mechanic", "return an object of your plugin, made with make_context('its-type')")

    @pytest.fixture
    def subject(self, mechanic: Any) -> Any:
        """The mechanic, for the checks of all plugins."""
        return mechanic

    @pytest.fixture
    def stories(self) -> Sequence[Story]:
        """Override: stories with all kinds, or a Hypothesis strategy of stories."""
        wanted("stories", "return a Story of each way in which a campaign can go")

    @pytest.fixture
    def beside(self) -> Mapping[str, Any]:
        """Override where the mechanic asks for something: other classes, by ``family.type``."""
        return {}

    @pytest.fixture
    def impossible(self) -> Sequence[tuple[Any, Any]]:
        """Override: rules with a state that breaks an invariant, one pair for each invariant."""
        wanted("impossible", "return (rules, state) pairs that violations() must find fault with")

    @pytest.fixture
    def told(self, stories: Any) -> Sequence[Story]:
        """The stories, drawn where they are a strategy."""
        return _drawn(stories, self.max_examples)

    @pytest.fixture
    def seen(
        self, request: pytest.FixtureRequest, mechanic: Any, told: Sequence[Story], beside: Mapping[str, Any]
    ) -> Watch:
        """What was seen while the stories were told; once for the whole class."""
        case = getattr(request.node, "callspec", None)
        key = f"_seen_{case.id if case is not None else ''}"
        if key not in vars(request.cls):
            setattr(request.cls, key, watch(mechanic, told, beside))
        found: Watch = vars(request.cls)[key]
        return found

    @pytest.fixture
    def calls(self, seen: Watch) -> Sequence[Call]:
        """Every call of ``open``, ``act`` and ``due``."""
        return seen.calls

    @pytest.fixture
    def secrets(self, canaries: Sequence[str], told: Sequence[Story]) -> frozenset[str]:
        """The canaries, and what the stories mark as personal."""
        return frozenset(canaries) | personal_texts([story.touchpoints for story in told])

    # --- the stories ---------------------------------------------------------------------

    @check(broken="mechanics:ListensToMore")
    def test_every_kind_is_in_a_story(self, mechanic: Any, seen: Watch) -> None:
        """The stories lead to every kind that it listens to, but for the core's own."""
        there = {touchpoint.kind for _, touchpoint, _ in seen.outcomes}
        missing = set(mechanic.kinds) - there - _FROM_THE_CORE
        assert missing == set(), "put touchpoints of these kinds into the fixture 'stories'"

    @check(broken="mechanics:OpensNothing")
    def test_every_story_opens_an_instance(self, seen: Watch, told: Sequence[Story]) -> None:
        """A story in which nothing is opened tests nothing."""
        idle = sorted({story.name for story in told} - seen.opened)
        assert idle == [], "no instance was opened in these stories as they are told"

    @check(broken="mechanics:AddressesByWord")
    def test_addresses_are_addresses(self, seen: Watch) -> None:
        """An InstanceRef of this plugin, an Alias, OpenInstances, or a NewInstance."""
        assert seen.wrong_addresses == [], (
            "address() yields InstanceRef(plugin=context.name, ...), Alias, OpenInstances or NewInstance"
        )

    @check(broken="mechanics:EmitsTheUnheard")
    def test_the_engine_takes_every_decision(self, seen: Watch) -> None:
        """Every effect names what there is: kinds, connectors, operations, customers."""
        assert seen.failures == [], (
            "the engine refused these decisions; give connectors that they name in the fixture 'beside'"
        )

    # --- rules and state -----------------------------------------------------------------

    @check(broken="mechanics:HasRulesOfNoType")
    def test_rules_can_be_stored(self, mechanic: Any, told: Sequence[Story]) -> None:
        """Rules are kept as JSON with each version of a campaign, and come back equal."""
        for story in told:
            rules = story.campaign.rules
            assert isinstance(rules, mechanic.Rules), "a campaign's rules are of the type Rules"
            problem = storing_problem(rules, mechanic.Rules)
            assert problem is None, f"the rules of {story.name!r} are not kept: {problem}"

    @check(broken="mechanics:KeepsAnything")
    def test_states_can_be_stored(self, mechanic: Any, seen: Watch) -> None:
        """The state is kept as JSON after each step, and comes back equal."""
        for taken in seen.taken:
            if taken.step.state is not None:
                problem = storing_problem(taken.step.state, mechanic.State)
                assert problem is None, f"{taken.what}: the state is not kept: {problem}"

    @check(broken="mechanics:KeepsEverything")
    def test_states_stay_small(self, seen: Watch) -> None:
        """The state is written at every step: keep counters, and people as participants."""
        for taken in seen.taken:
            if taken.step.state is not None:
                size = stored_size(taken.step.state)
                assert size <= self.max_state_bytes, (
                    f"{taken.what}: the state takes {size} bytes; keep lists of people as "
                    "participants (Join), or set 'max_state_bytes'"
                )

    @check(broken="mechanics:CountsTwice")
    def test_no_invariant_is_broken_in_any_order(self, seen: Watch) -> None:
        """Whatever comes twice, late or in another order, ``violations`` stays empty."""
        assert seen.violations[:3] == [], "violations() named a broken invariant"

    @check(broken="mechanics:SeesNothingWrong")
    def test_violations_names_what_is_broken(self, mechanic: Any, impossible: Sequence[tuple[Any, Any]]) -> None:
        """A state that cannot be is found, and said in words."""
        assert impossible, "give at least one (rules, state) in the fixture 'impossible'"
        for rules, state in impossible:
            found = list(mechanic.violations(rules, state))
            assert found, f"violations() finds nothing wrong with {state!r}"
            assert all(isinstance(text, str) and text.strip() for text in found), (
                "violations() yields texts that say what is broken"
            )

    # --- limits and ends -----------------------------------------------------------------

    @check(broken="mechanics:LeavesItToTheKey")
    def test_limits_are_refused_with_a_reason(self, mechanic: Any, seen: Watch) -> None:
        """What a key of the database would refuse is refused before, in the mechanic's words."""
        dropped = [
            f"{touchpoint.kind} in {name!r}: {said.reason}"
            for name, touchpoint, outcome in seen.outcomes
            for said in outcome.decisions
            if said.code == "guard"
        ]
        assert dropped[:3] == [], (
            "the engine had to drop these decisions at a limit though nobody else was writing: "
            "declare the read (ParticipantOf, StockOf) and refuse with a code of your own"
        )

    @check(broken="mechanics:OpensAnyTime")
    def test_it_opens_only_while_the_campaign_is_open(self, seen: Watch) -> None:
        """
        From its start to before its end, and not while it is paused.

        What is closed from the first may be opened then, with a code: a payment
        that came too late and is given back.
        """
        for what, why, said in seen.late_opens:
            assert isinstance(said, Step), (
                f"{what} while the campaign {why}: return a Step that says why nothing is opened"
            )
            assert said.state is None or said.closed, (
                f"{what} opened an instance though the campaign {why}: ask campaign.is_open(now.at) first"
            )
            assert said.code != "ok", f"{what} while the campaign {why}: give the refusal a code"

    @check(broken="mechanics:RisesFromTheDead")
    def test_a_closed_instance_ignores_its_timers(self, seen: Watch) -> None:
        """A timer may come after all is over; it changes nothing then."""
        for taken in seen.taken:
            if taken.method == "due" and taken.instance is not None and taken.instance.closed:
                assert taken.step.state in (None, taken.instance.state), (
                    f"{taken.what}: a late timer changed a closed instance; return None there"
                )

    @check(broken="mechanics:LetsPeopleInLate")
    def test_nobody_joins_a_closed_instance(self, seen: Watch) -> None:
        """After the end nobody takes part, and nothing is held for anybody."""
        for taken in seen.taken:
            if taken.instance is not None and taken.instance.closed:
                kinds = (Join, Reserve, AddAlias)
                wrong = [type(o).__name__ for o in taken.step.effects if isinstance(o, kinds)]
                assert wrong == [], f"{taken.what}: the instance is closed; refuse with a reason"

    @check(broken="mechanics:StartsTimersForPeople")
    def test_timers_belong_to_the_instance(self, seen: Watch) -> None:
        """A mechanic's timer wakes its instance: it has a key, and is nobody's own."""
        for taken in seen.taken:
            for effect in taken.step.effects:
                if isinstance(effect, StartTimer):
                    assert effect.key, f"{taken.what}: give the timer a key"
                    assert effect.customer is None, (
                        f"{taken.what}: a mechanic's timer belongs to its instance, and 'customer' means nothing there"
                    )


def _drawn(stories: Any, count: int) -> Sequence[Story]:
    """The stories themselves, or *count* of a strategy, the same at every run."""
    if isinstance(stories, Sequence):
        return stories
    from hypothesis import HealthCheck, Phase, given, settings

    found: list[Story] = []

    def collect(story: Story) -> None:
        found.append(story)

    draw: Any = given(stories)
    quiet: Any = settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    quiet(draw(collect))()
    return found
