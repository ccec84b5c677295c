"""Defects of real shop systems, by the numbers of the project's list of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bargain_stories import ANN, BEN, CAT, DAN, FIXED, NOON, OWNER, Story, make_rules

from scrmkit.domain.chance import Chance
from scrmkit_bargain import CutMode, CutStore, Phase
from scrmkit_bargain.cuts import draw_cut, split_all


def test_01_a_range_is_drawn_from_its_own_lower_bound():
    # The floor price stood where the lowest cut belongs: a floor of 9.90 with cuts of
    # at most 5.00 threw, a floor of 0 drew cuts of nothing.
    rules = make_rules(list_fen=9_990, floor_fen=990, cut=CutMode.RANGE, range_low_fen=20, range_high_fen=500)

    cuts = {draw_cut(rules, 9_000, 0, Chance(bytes([seed]))) for seed in range(256)}

    assert cuts <= set(range(20, 501))
    assert min(cuts) < 40
    assert max(cuts) > 480


def test_02_helpers_enough_do_not_win_above_the_floor():
    story = Story(cut=CutMode.FIXED, fixed_fen=100, self_cut=False, helpers=2)
    story.start()
    story.help(ANN, BEN, CAT)

    assert story.state("b1").phase is Phase.BARGAINING
    assert story.order().code == "not_won"


def test_03_a_bargain_expires_by_itself():
    story = Story()
    story.start()
    story.advance(hours=24)

    assert story.state("b1").phase is Phase.EXPIRED


def test_03_a_winner_is_not_locked_out_by_an_order_that_was_never_paid():
    story = Story(**FIXED)
    story.win()
    story.order("o1")
    story.advance(hours=2, minutes=1)

    assert story.order("o2").code == "ok"
    assert story.pay("o2").code == "ok"


def test_03_a_success_that_came_to_nothing_does_not_use_up_the_owners_wins():
    story = Story(**FIXED)
    story.win()
    story.order()
    story.advance(days=3)

    assert story.start(key="b2").code == "ok"


@pytest.mark.parametrize("store", list(CutStore))
def test_04_no_cut_is_lost_and_no_cut_is_made_twice(store):
    story = Story(store=store)
    story.start()
    decisions = [story.help(friend) for friend in range(2, 9)]

    told = [decision.answer.cut_fen for decision in decisions]
    first = story.said[0].answer.cut_fen

    assert story.state("b1").cut_fen == first + sum(told)
    assert decisions[-1].answer.price_fen == 9_900 - first - sum(told)


@pytest.mark.parametrize("helpers", [3, 40])
@pytest.mark.parametrize("store", list(CutStore))
def test_05_other_rules_in_the_middle_change_no_bargain_that_runs(helpers, store):
    story = Story(store=store, cut=CutMode.PERCENT)
    story.start()
    story.help(ANN, BEN, CAT, DAN)
    story.publish(make_rules(helpers=helpers, floor_fen=5_000, store=store))

    cuts = [story.help(friend).answer.cut_fen for friend in range(6, 11)]

    assert min(cuts) >= 1
    assert (story.state("b1").phase, story.state("b1").price_fen) == (Phase.WON, 900)


def test_05_no_cut_of_any_split_is_negative():
    for helpers in range(2, 35):
        rules = make_rules(list_fen=939, helpers=helpers, cut=CutMode.PERCENT)
        assert min(split_all(rules, Chance(bytes([helpers])))) >= 1


@pytest.mark.parametrize("shop_price_fen", [0, 1, 899, 900, 50_000])
def test_13_nothing_to_pay_is_the_least_an_order_can_cost(shop_price_fen):
    story = Story(**FIXED)
    story.win()

    price_fen = story.order(shop_price_fen=shop_price_fen).answer.price_fen

    assert price_fen == min(900, shop_price_fen)
    assert story.violations() == []


def test_19_a_payment_after_the_hold_expired_never_oversells():
    story = Story(**FIXED, stock=1)
    story.win()
    story.order("o1")
    story.advance(days=3)
    story.win(7, "b7", (8, 9, 10))
    story.order("o7", 7, "b7")
    story.pay("o7", owner=7)

    decision = story.pay("o1")

    assert decision.code == "sold_out"
    assert [request.body.amount_fen for _, request in story.requests.values()] == [900]
    assert (story.stock("stock").used, story.stock("stock").free) == (1, 0)


def test_19_a_payment_that_waits_for_the_same_unit_as_a_late_timer_never_oversells():
    story = Story(**FIXED, stock=1)
    story.win()
    story.order("o1")
    story.sleep(days=3)
    assert story.state("b1").phase is Phase.ORDERED

    story.fire(next(name for _, name in story.due() if name.startswith("hold")))
    story.win(7, "b7", (8, 9, 10))

    assert story.pay("o1").code == "sold_out"
    assert story.violations() == []


def test_a_late_timer_never_makes_the_time_to_help_longer():
    story = Story()
    story.start()
    story.sleep(hours=30)

    assert story.help(ANN).code == "over"
    story.advance(seconds=1)
    assert story.kinds() == ["bargain.expired"]
    assert story.state("b1").ends_at == NOON + timedelta(hours=24)
    assert story.start(OWNER, "b2").code == "ok"
