"""
What a vendor implements: rules, mechanics, channels, connectors, scorers.

A plugin is a class. The engine makes one object for each configured instance,
``Plugin(context)``, and never shares it between engines. Optional attributes of
every plugin:

``Settings``
    The attrs type of its settings; without it the plugin takes none. Fields of
    type ``Secret`` are given in the file as ``{env = "NAME"}`` or ``{file = "path"}``.
``touchpoint_kinds``
    The kinds that it registers; their names start with the plugin's type.
``identity_kinds``
    Names of identity types that it registers.
``close()``
    Called once, when the engine closes: give connections back.

Deciding methods (``address``, ``needs``, ``decide``, ``open``, ``act``, ``due``,
``fold``, ``score``) are pure: equal arguments give equal answers, they ask no
clock and no random source but ``now``, do no I/O and change nothing. An
exception in one loses this plugin's decision for this touchpoint; the
touchpoint commits, the failure is counted, and too many in a row quarantine
the plugin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar, runtime_checkable

import attrs

from scrmkit.clock import Clock
from scrmkit.domain.campaign import Campaign, Instance, InstanceRef
from scrmkit.domain.decisions import Decision, Now, Step
from scrmkit.domain.identity import Identity, personal
from scrmkit.domain.ids import CampaignId, CustomerId
from scrmkit.domain.messages import DeliveryOutcome, Operation, Outgoing, Report
from scrmkit.domain.profile import Score
from scrmkit.domain.reads import Known, Read
from scrmkit.domain.touchpoint import Touchpoint

T = TypeVar("T")
R = TypeVar("R")
S = TypeVar("S")
F = TypeVar("F")
C = TypeVar("C")


@attrs.frozen(kw_only=True)
class PluginContext(Generic[T]):
    """
    What a plugin object is made with.

    Attributes:
        name: The configured name, such as ``wecom-hq``; unique in the settings.
        settings: A value of the plugin's ``Settings``.
        clock: For channels and connectors only; who decides is handed ``now``.
    """

    name: str
    settings: T
    clock: Clock


@runtime_checkable
class Rule(Protocol):
    """
    A small decider without state of its own but for ``Memo``.

    Attributes:
        kinds: The kinds of touchpoints that it is asked about. Its own timers
            come as ``timer.due`` if it lists that.
    """

    kinds: frozenset[str]

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        """Name what ``decide`` will read. Called once for each touchpoint of the kinds."""

    def decide(self, touchpoint: Touchpoint[Any], known: Known, now: Now) -> Decision | None:
        """
        Decide about one touchpoint; None where there is nothing to say.

        Called once for each recorded touchpoint of the kinds, never for a
        repetition, with the state as it stood before the touchpoint. May be
        called again, with equal arguments, when a concurrent writer wins.
        """


@attrs.frozen(kw_only=True)
class Alias:
    """Address the instance that took this other name with ``AddAlias``."""

    kind: str
    value: str


@attrs.frozen(kw_only=True)
class OpenInstances:
    """Address every instance of this plugin that is open and has this customer in *role*."""

    customer: CustomerId
    role: str


@attrs.frozen(kw_only=True)
class NewInstance:
    """Address the instance of this key, and open it if it does not exist yet."""

    campaign: CampaignId
    key: str


Address = InstanceRef | Alias | OpenInstances | NewInstance


class Mechanic(Protocol[R, S]):
    """
    A campaign mechanic (玩法): a reducer over its own typed rules and state.

    Touchpoints of its kinds are first asked for their ``address``; for each
    instance that they lead to, ``open`` or ``act`` is called with what ``needs``
    named. Timers and answers reach only the instance that asked for them:
    timers by ``due``, ``request.answered``, ``message.settled`` and
    ``reservation.expired`` by ``act`` even where ``kinds`` does not list them.

    Attributes:
        Rules: The attrs type of a campaign's rules.
        State: The attrs type of an instance's state.
        kinds: The kinds that it is asked about.
    """

    Rules: ClassVar[type]
    State: ClassVar[type]
    kinds: frozenset[str]

    def address(self, touchpoint: Touchpoint[Any]) -> Iterable[Address]:
        """Say whom the touchpoint concerns; nothing for nobody. Duplicates are folded."""

    def needs(self, touchpoint: Touchpoint[Any], instance: Instance[R, S] | None) -> Iterable[Read[Any]]:
        """Name what ``open`` (instance None), ``act`` or ``due`` will read."""

    def open(
        self, ref: InstanceRef, campaign: Campaign[R], touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> Step[S] | None:
        """
        Open an instance; a step without a state opens none.

        The campaign is its newest version; whether it is open is for the
        mechanic to say (``campaign.is_open(now.at)``). An address with an
        unknown campaign never gets here: the decision is refused with the code
        ``unknown_campaign``.
        """

    def act(self, instance: Instance[R, S], touchpoint: Touchpoint[Any], known: Known, now: Now) -> Step[S] | None:
        """
        Take one touchpoint into an instance.

        Calls for one instance come one after another, in the order of
        acceptance; each sees the state that the one before it left.
        """

    def due(
        self, instance: Instance[R, S], timer: str, touchpoint: Touchpoint[Any], known: Known, now: Now
    ) -> Step[S] | None:
        """
        A timer that this instance started is due.

        Called once for each timer, at or after its moment, perhaps long after
        where nothing ran; compare ``now.at`` and not the order of calls.
        """

    def violations(self, rules: R, state: S) -> Iterable[str]:
        """Name, in words, every invariant that this state breaks. For tests."""


class Connector(Protocol):
    """
    Something outside that can be asked to do things: a payment, a corp's tags.

    Attributes:
        operations: By name. Bodies are attrs types.
    """

    operations: Mapping[str, Operation]

    def send(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """
        Do each item once, and say what became of each, in the order of *batch*.

        Called outside any transaction, on a thread of its lane, with at most
        ``max_batch`` items. A read timeout or a broken answer is ``Unknown``;
        what certainly was not done is ``TryLater`` or ``Refused``. An exception
        counts as ``Unknown`` for the whole batch.
        """

    def ask(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """
        Find out what became of items whose outcome is ``Unknown``, without doing them again.

        ``Unknown`` again where the platform cannot say yet; ``TryLater`` where
        it says for certain that nothing was done.
        """


@attrs.frozen(kw_only=True)
class CallbackRequest:
    """
    One HTTP request of a platform to us.

    Attributes:
        path: What follows the channel's own address, such as ``/report``.
        headers: With names in lower case.
        body: The exact bytes. Personal, as is the query.
    """

    method: str
    path: str = ""
    query: Mapping[str, str] = personal(factory=dict, hash=False)
    headers: Mapping[str, str] = personal(factory=dict, hash=False)
    body: bytes = personal(default=b"")


@attrs.frozen(kw_only=True)
class Reply:
    """What the platform is answered."""

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain; charset=utf-8"


@attrs.frozen(kw_only=True)
class Inbound:
    """
    What a callback means.

    Attributes:
        touchpoints: To record, each with its identity key; the tenant may be
            left empty and is then the channel's own.
        reports: On things sent before.
        reply: Sent when all of it is recorded durably.
    """

    touchpoints: tuple[Touchpoint[Any], ...] = ()
    reports: tuple[Report, ...] = ()
    reply: Reply = Reply()


class Channel(Connector, Protocol):
    """A connector that addresses customers (触达通道); its messages pass the contact policy."""

    def reach(self, identities: Sequence[Identity]) -> Identity | None:
        """Choose where this channel would write to a customer, None if it cannot."""

    def receive(self, request: CallbackRequest) -> Inbound:
        """
        Read a platform's callback; does not record and calls nobody.

        Raises:
            CallbackRejectedError: It is not authentic or not readable. The
                platform gets an empty 403 whatever the reason.
        """


class Scorer(Protocol[F, C]):
    """
    Scores customers from what they did.

    Features are integers (sums, counts, days) that fold in any order and
    combine when customers are merged, so that history and increments agree.

    Attributes:
        kinds: The kinds that it folds.
    """

    kinds: frozenset[str]

    def empty(self) -> F:
        """The features of a customer who did nothing."""

    def fold(self, features: F, touchpoint: Touchpoint[Any]) -> F:
        """Take one touchpoint in. The order of touchpoints makes no difference."""

    def combine(self, one: F, other: F) -> F:
        """The features of two identities of one customer together."""

    def calibrate(self, population: Iterable[F], as_of: datetime) -> C:
        """Measure the population, such as its quintiles: an attrs value, kept as a snapshot."""

    def score(self, features: F, calibration: C, as_of: datetime, previous: Score | None) -> Score:
        """Score one customer; *previous* is the newest earlier score, for hysteresis."""
