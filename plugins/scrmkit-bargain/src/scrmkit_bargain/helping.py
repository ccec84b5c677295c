"""Starting a bargain and helping with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scrmkit.domain.campaign import Campaign, InstanceRef
from scrmkit.domain.decisions import Now, Step
from scrmkit.domain.effects import Join, Reserve, StartTimer
from scrmkit.domain.ids import CampaignId, CustomerId
from scrmkit.domain.reads import ActivityOf, Known, ParticipantOf, PartsOf, Read, StockOf
from scrmkit_bargain.course import DEADLINE_TIMER, HELPER, OWNER, STOCK, WINNER, counter, won
from scrmkit_bargain.cuts import draw_cut, split_all
from scrmkit_bargain.rules import BargainRules, CutStore
from scrmkit_bargain.state import Bargain, Phase, has_won
from scrmkit_bargain.turn import Turn

ORDER_PAID = "order.paid"


def started(turn: Turn) -> Step[Bargain]:
    """Open the bargain; the owner makes the first cut where the rules say so."""
    rules, owner, key = turn.rules, turn.state.owner, turn.ref.key
    opened = turn.then(
        Join(role=OWNER),
        _count("open", rules.open_per_customer, owner, key),
        _count("wins", rules.wins_per_customer, owner, key),
        StartTimer(key=DEADLINE_TIMER, due_at=turn.state.ends_at),
    )
    cut_fen = 0
    if rules.self_cut:
        opened, cut_fen = _cut(opened, 1)
        opened = _won_if_enough(opened)
    return opened.step(f"started with a cut of {cut_fen} fen", cut_fen=cut_fen)


def started_again(turn: Turn) -> Step[Bargain]:
    """The same number once more: the owner gets the same bargain, nobody else does."""
    customer = turn.customer
    if customer is not None and turn.known[ParticipantOf(turn.ref, OWNER, customer)] is not None:
        return turn.step("started already")
    return turn.step("another customer's bargain has this number", code="exists")


def needs_of_start(campaign: CampaignId, owner: CustomerId | None) -> Iterator[Read[Any]]:
    """What ``refusal_to_start`` reads."""
    yield StockOf(campaign, STOCK)
    if owner is not None:
        yield PartsOf(owner, campaign, OWNER)
        yield PartsOf(owner, campaign, WINNER)


def needs_of_help(ref: InstanceRef, rules: BargainRules, helper: CustomerId) -> Iterator[Read[Any]]:
    """What ``helped`` reads of the friend."""
    yield ParticipantOf(ref, OWNER, helper)
    yield ParticipantOf(ref, HELPER, helper)
    yield PartsOf(helper, ref.campaign, HELPER)
    if rules.new_helpers_only or rules.new_helper_weight > 1:
        yield ActivityOf(helper, ORDER_PAID)


def refusal_to_start(
    campaign: Campaign[BargainRules], owner: CustomerId, known: Known, now: Now
) -> tuple[str, str] | None:
    """Why this customer may not start a bargain now: a code and the reason in words."""
    rules = campaign.rules
    if not campaign.is_open(now.at):
        return "closed", "the campaign is not open"
    running = known[PartsOf(owner, campaign.id, OWNER)].open
    if running >= rules.open_per_customer:
        return "open_limit", f"this customer has {running} bargains running already"
    # Every bargain that still runs might be won.
    wins = known[PartsOf(owner, campaign.id, WINNER)].closed + running
    if wins >= rules.wins_per_customer:
        return "win_limit", f"this customer has won {wins} bargains already"
    stock = known[StockOf(campaign.id, STOCK)]
    if stock is not None and stock.free < 1:
        return "sold_out", "the stock is gone"
    return None


def new_bargain(campaign: Campaign[BargainRules], owner: CustomerId, now: Now) -> Bargain:
    """A bargain before its first cut."""
    rules = campaign.rules
    return Bargain(
        owner=owner,
        ends_at=min(now.at + rules.window, campaign.ends_at),
        plan=split_all(rules, now.chance) if rules.store is CutStore.PRE_SPLIT else (),
    )


def helped(turn: Turn) -> Step[Bargain]:
    """
    Take one friend's help (帮砍).

    The check for an earlier help is for the reason; the ``Join`` keeps two
    helps of one instant from counting both.
    """
    refused = _refusal_to_help(turn)
    if refused is not None:
        code, reason = refused
        return turn.step(reason, code=code)
    helper, rules = turn.customer, turn.rules
    if helper is None:
        raise ValueError("a help needs a helper")
    weight = rules.new_helper_weight if rules.new_helper_weight > 1 and _is_new(turn) else 1
    turn, cut_fen = _cut(turn, weight)
    turn = turn.then(
        Join(role=HELPER, data={"cut_fen": cut_fen}),
        _count("helps", rules.helps_per_customer, helper, turn.ref.key),
        friends=turn.state.friends + 1,
    )
    return _won_if_enough(turn).step(f"cut by {cut_fen} fen", cut_fen=cut_fen)


def _refusal_to_help(turn: Turn) -> tuple[str, str] | None:
    ref, rules, known, helper = turn.ref, turn.rules, turn.known, turn.customer
    if helper is None:
        return "no_customer", "nobody knows who helps"
    if turn.state.phase is not Phase.BARGAINING:
        return "over", f"the bargain is {turn.state.phase}; no help counts any more"
    if known[ParticipantOf(ref, OWNER, helper)] is not None:
        return "own", "the owner cannot help"
    if known[ParticipantOf(ref, HELPER, helper)] is not None:
        return "helped", "this friend has already helped"
    parts = known[PartsOf(helper, ref.campaign, HELPER)]
    if parts.open + parts.closed >= rules.helps_per_customer:
        return "help_limit", "this friend has helped often enough in this campaign"
    if rules.new_helpers_only and not _is_new(turn):
        return "not_new", "only friends who never bought may help"
    return None


def _is_new(turn: Turn) -> bool:
    helper = turn.customer
    return helper is not None and turn.known[ActivityOf(helper, ORDER_PAID)].count == 0


def _cut(turn: Turn, weight: int) -> tuple[Turn, int]:
    """Make up to *weight* cuts: the next ones drawn at the start, or fresh ones."""
    rules, state = turn.rules, turn.state
    cuts = state.plan[state.helps : state.helps + weight] if rules.store is CutStore.PRE_SPLIT else _fresh(turn, weight)
    cut_fen = sum(cuts)
    changes = {"cut_fen": state.cut_fen + cut_fen, "helps": state.helps + len(cuts)}
    return turn.then(**changes), cut_fen


def _fresh(turn: Turn, weight: int) -> tuple[int, ...]:
    rules, state = turn.rules, turn.state
    left_fen, cuts_left = rules.span_fen - state.cut_fen, rules.helpers - state.helps
    cuts: list[int] = []
    while left_fen and len(cuts) < weight:
        cuts.append(draw_cut(rules, left_fen, cuts_left - len(cuts), turn.now.chance))
        left_fen -= cuts[-1]
    return tuple(cuts)


def _won_if_enough(turn: Turn) -> Turn:
    return won(turn, turn.now.at) if has_won(turn.rules, turn.state) else turn


def _count(name: str, limit: int, customer: CustomerId, key: str) -> Reserve:
    return Reserve(resource=counter(name, limit, customer), quantity=1, reservation=key, capacity=limit)
