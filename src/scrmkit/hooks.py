"""
Every hook: its docstring is the contract with plugins.

The engine calls implementations one by one, in the order that the settings
give, through pluggy's public ``get_hookimpls()``; so one that raises is
recorded against its plugin and the others go on. ``tryfirst``, ``trylast``,
``wrapper`` and ``hookwrapper`` mean nothing here and are refused at load. An
implementation may declare fewer arguments than the spec.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import attrs
import pluggy

from scrmkit.domain.decisions import Deny, Now, Outcome
from scrmkit.domain.ids import CustomerId, GuideId, ShopId, TenantId
from scrmkit.domain.messages import DeliveryOutcome, Message
from scrmkit.domain.policy import Facts
from scrmkit.domain.touchpoint import Touchpoint

PROJECT = "scrmkit"
hookimpl = pluggy.HookimplMarker(PROJECT)
_hookspec = pluggy.HookspecMarker(PROJECT)

F = TypeVar("F", bound=Callable[..., Any])
SPECS: dict[str, Callable[..., Any]] = {}
"""Every hook by its name, in the order of definition."""


class HookKind(enum.StrEnum):
    """
    What a hook's results are for, and what an exception does.

    observe: returns nothing; a failure is recorded and others go on.
    collect: all results, each with its plugin; a failure is recorded.
    first: the first answer that is not None; a failure asks the next.
    gate: one refusal refuses; a failure counts as a refusal.
    transform: each gets what the one before it returned; a failure skips its step.
    """

    OBSERVE = "observe"
    COLLECT = "collect"
    FIRST = "first"
    GATE = "gate"
    TRANSFORM = "transform"


def _spec(kind: HookKind) -> Callable[[F], F]:
    def mark(function: F) -> F:
        function.scrmkit_kind = kind  # type: ignore[attr-defined]
        SPECS[function.__name__] = function
        return _hookspec(function)

    return mark


@attrs.frozen(kw_only=True)
class Proposal:
    """A message that competes for a slot: whose, and how the settings rank its plugin (0 first)."""

    plugin: str
    once: str
    message: Message
    rank: int


@attrs.frozen(kw_only=True)
class Sending:
    """A message about to be planned or sent, and to whom."""

    tenant: TenantId
    customer: CustomerId
    plugin: str
    message: Message


@attrs.frozen(kw_only=True)
class Route:
    """Which shop and guide a touchpoint belongs to."""

    shop: ShopId | None = None
    guide: GuideId | None = None


@attrs.frozen(kw_only=True)
class Failure:
    """
    A plugin broke its contract.

    Attributes:
        hook: The method or hook that was called.
        error: The exception's type, or what was wrong with the result. Never
            its text, which could hold personal values.
        quarantined: Whether the plugin is not asked any more.
    """

    plugin: str
    hook: str
    error: str
    quarantined: bool = False


@attrs.frozen(kw_only=True)
class Finding:
    """What ``scrmkit doctor`` says about one thing: ``ok``, ``warning`` or ``error``."""

    level: str
    subject: str
    text: str
    next_step: str = ""


@_spec(HookKind.OBSERVE)
def scrmkit_committed(touchpoint: Touchpoint[Any], outcome: Outcome) -> None:
    """
    A touchpoint was recorded and its transaction has committed.

    Called once for each touchpoint, emitted ones included, in the order of
    recording, on the thread that recorded it; never for a repetition. It runs
    outside any transaction, and may be missed if the process is killed between
    the commit and the call: for what must not be missed, decide an effect.
    """


@_spec(HookKind.OBSERVE)
def scrmkit_delivered(sending: Sending, outcome: DeliveryOutcome) -> None:
    """
    A message's outcome was written down.

    Called after the commit, once for each outcome, retries and reports
    included, on the thread that wrote it. May be missed if the process is killed in between.
    """


@_spec(HookKind.OBSERVE)
def scrmkit_plugin_failed(failure: Failure) -> None:
    """
    A plugin raised, returned a wrong type, or changed what it was given.

    Called once for each failure, on the thread where it happened, perhaps
    inside a transaction: be quick, and touch no database. A failure of this
    hook itself is only logged.
    """


@_spec(HookKind.FIRST)
def scrmkit_choose_winner(slot: str, proposals: Sequence[Proposal], now: Now) -> int | None:
    """
    Choose which of several proposals for one slot is sent.

    Called once when a slot closes with two or more proposals, inside the
    transaction. Must be pure. Proposals come in the settings' order of plugins,
    then by the order in which they were made.

    Returns:
        The winner's index, or None to leave it to the next plugin; if nobody
        chooses, the first proposal wins. An index out of range is a failure.
    """


@_spec(HookKind.FIRST)
def scrmkit_route(touchpoint: Touchpoint[Any], now: Now) -> Route | None:
    """
    Say which shop and guide a touchpoint belongs to, where it does not say so itself.

    Called once for each touchpoint that names a customer and no guide, before
    any decision, inside the transaction. Must be pure.
    """


@_spec(HookKind.GATE)
def scrmkit_may_send(sending: Sending, facts: Facts, now: Now) -> Deny | None:
    """
    Refuse a message that the contact policy would let through.

    Called when a message is planned, inside the transaction, and again when
    it leaves. Must be pure. None raises no objection; one refusal refuses;
    nobody can allow what the policy refuses. An exception counts as a refusal
    with the code ``plugin_failed``.
    """


@_spec(HookKind.TRANSFORM)
def scrmkit_prepare_message(sending: Sending, now: Now) -> Message | None:
    """
    Change a message before it is planned: fill in a placeholder, add a line.

    Called once for each proposal that is to be planned, inside the
    transaction, before the policy. Must be pure. None leaves it as it is.
    The channel and the purpose must stay: a change of either is a failure.
    """


@_spec(HookKind.COLLECT)
def scrmkit_doctor() -> Sequence[Finding] | None:
    """
    Check the plugin's own settings and surroundings for ``scrmkit doctor``.

    Called once for each run of the command, outside any transaction. May do
    I/O and should be done within ten seconds.
    """
