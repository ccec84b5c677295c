"""Payments, ends of groups, cancellations, money back, and shipping."""

from __future__ import annotations

from datetime import timedelta

import pytest
from group_buy_stories import ANN, BEN, CAT, DAN, EVE, NOON, PRICE, Story

from scrmkit.domain.messages import Refund
from scrmkit_group_buy import Overflow, Phase, Tier


def test_the_last_payment_makes_the_group_succeed():
    story = Story(leader_perk_percent=10, commission=True)

    story.open(ANN, BEN, CAT)

    state = story.state("g1")
    assert (state.phase, state.real, state.virtual, state.price_fen) == ("succeeded", 3, 0, PRICE)
    assert story.kinds() == ["group-buy.opened", "group-buy.succeeded", *["group-buy.seat_confirmed"] * 3]
    result = story.emitted[1].payload
    assert (result.real, result.price_fen, result.leader_perk_fen) == (3, PRICE, 500)
    confirmed = [(each.customer, each.payload.commission) for each in story.emitted[2:]]
    assert confirmed == [(ANN, True), (BEN, True), (CAT, True)]
    assert story.due(NOON + timedelta(days=90)) == []


def test_a_group_that_is_short_at_its_end_fails_and_asks_for_every_refund():
    story = Story()
    story.open(ANN, BEN)
    story.advance(hours=24, minutes=1)

    assert story.state("g1").phase is Phase.FAILED
    assert story.refunds() == [
        Refund(order_no=no, refund_no=f"{no}-all", amount_fen=PRICE, reason="failed") for no in ("o1", "o2")
    ]
    assert story.kinds().count("group-buy.seat_released") == 2
    assert "group-buy.failed" in story.kinds()
    assert story.start(key="g2", no="x").code == "ok"


@pytest.mark.parametrize(
    ("late", "ago", "phase"),
    [
        pytest.param(0, 1, Phase.SUCCEEDED, id="paid a second before, told at the end"),
        pytest.param(59, 60, Phase.SUCCEEDED, id="paid a second before, told within the grace"),
        pytest.param(60, 61, Phase.FAILED, id="paid a second before, told after the grace"),
        pytest.param(59, 59, Phase.OPEN, id="paid at the end itself"),
        pytest.param(30, 10, Phase.OPEN, id="paid after the end"),
    ],
)
def test_a_payment_counts_by_the_moment_it_was_accepted(late, ago, phase):
    story = Story()
    story.open(ANN, BEN)
    story.advance(hours=24, minutes=-1)
    story.join(CAT)
    story.advance(seconds=60 + late)

    story.pay(CAT, ago=timedelta(seconds=ago))

    assert story.state("g1").phase is phase
    assert story.violations() == []


def test_a_payment_after_the_grace_finds_the_group_failed_even_where_no_timer_ran():
    story = Story()
    story.open(ANN, BEN)
    story.advance(hours=24, minutes=-1)
    story.join(CAT)
    story.sleep(minutes=3)

    story.pay(CAT, ago=timedelta(minutes=2, seconds=1))

    assert story.state("g1").phase is Phase.FAILED
    assert sorted(refund.order_no for refund in story.refunds()) == ["o1", "o2", "o3"]


def test_a_payment_for_a_seat_that_was_given_back_takes_a_free_one():
    story = Story()
    story.open(ANN)
    story.join(BEN)
    story.advance(minutes=20)

    assert story.pay(BEN).code == "ok"
    assert story.seats() == {"o1": "paid", "o2": "paid"}


def test_a_payment_takes_a_seat_that_should_have_been_given_back_and_was_not():
    story = Story()
    story.open(ANN)
    story.join(BEN)
    story.sleep(minutes=20)

    assert story.pay(BEN).code == "ok"


def test_a_payment_for_a_seat_that_another_has_now_goes_back():
    story = Story()
    story.open(ANN, BEN)
    story.join(CAT)
    story.advance(minutes=20)
    story.join(DAN)

    assert story.pay(CAT).code == "late"
    assert [refund.order_no for refund in story.refunds()] == ["o3"]
    story.pay(DAN)
    assert story.state("g1").phase is Phase.SUCCEEDED


def test_a_late_payment_opens_a_group_of_its_own_where_the_rules_say_so():
    story = Story(overflow=Overflow.NEW_GROUP)
    story.open(ANN, BEN)
    story.join(CAT)
    story.advance(minutes=20)
    story.join(DAN)
    story.pay(DAN)

    assert story.pay(CAT).code == "moved"

    assert story.seats()["o3"] == "moved"
    assert story.state("late-o3").phase is Phase.OPEN
    assert story.seats("late-o3") == {"o3": "paid"}
    assert story.refunds() == []
    assert story.violations() == []


def test_a_moved_order_belongs_to_its_new_group_in_every_respect():
    story = Story(overflow=Overflow.NEW_GROUP)
    story.open(ANN, BEN)
    story.join(CAT)
    story.advance(minutes=20)
    story.open(DAN, key="g9")
    story.join(EVE)
    story.pay(EVE)
    story.pay(CAT)
    assert story.ship(CAT).code == "blocked"

    story.advance(hours=25)

    assert story.state("late-o3").phase is Phase.FAILED
    assert "o3" in {refund.order_no for refund in story.refunds()}
    story.answer("o3-all")
    assert story.seats("late-o3") == {"o3": "refunded"}


def test_a_late_payment_goes_back_where_no_new_group_may_start():
    story = Story(overflow=Overflow.NEW_GROUP)
    story.open(ANN, BEN)
    story.join(CAT)
    story.advance(minutes=20)
    story.join(DAN)
    story.pay(DAN)
    story.start(CAT, "g3", no="x")

    story.pay(CAT)

    assert story.state("late-o3").phase is Phase.CANCELLED
    assert [refund.order_no for refund in story.refunds()] == ["o3"]


def test_a_payment_for_an_order_that_was_replaced_goes_back():
    story = Story()
    story.open(ANN)
    story.join(BEN)
    story.cancel(BEN)
    story.join(BEN, no="x")
    assert story.seats() == {"o1": "paid", "x": "held"}

    assert story.pay(BEN).code == "late"
    assert [refund.order_no for refund in story.refunds()] == ["o2"]
    assert story.pay(BEN, no="x").code == "ok"


def test_too_little_money_goes_back_and_the_seat_is_free():
    story = Story()
    story.open(ANN)
    story.join(BEN)

    assert story.pay(BEN, fen=PRICE - 1).code == "underpaid"
    assert story.seats() == {"o1": "paid", "o2": "refunding"}
    assert story.stock("seats/g1").free == 2


def test_too_little_money_from_the_leader_cancels_the_group():
    story = Story()
    story.start()
    story.pay(ANN, fen=1)

    assert story.state("g1").phase is Phase.CANCELLED


def test_a_payment_told_twice_counts_once():
    story = Story()
    story.open(ANN, BEN)

    assert story.pay(BEN).code == "paid"
    assert story.state("g1").paid == 2
    assert story.refunds() == []


def test_a_leader_who_pays_after_the_hold_leads_a_new_group_or_gets_the_money_back():
    refund, anew = Story(), Story(overflow=Overflow.NEW_GROUP)
    for story in (refund, anew):
        story.start()
        story.advance(minutes=20)
        story.pay(ANN)

    assert refund.seats() == {"o1": "refunding"}
    assert anew.seats("late-o1") == {"o1": "paid"}


@pytest.mark.parametrize(
    ("act", "code"),
    [
        pytest.param(lambda s: s.cancel(ANN), "not_held", id="a cancelled order that is paid"),
        pytest.param(lambda s: s.refund(CAT), "unpaid", id="money back for an unpaid order"),
    ],
)
def test_what_cannot_be(act, code):
    story = Story()
    story.open(ANN, BEN)
    story.join(CAT)

    assert act(story).code == code


class TestTiers:
    """Where more members pay less."""

    TIERS = (Tier(size=4, price_fen=4_000), Tier(size=5, price_fen=3_000))

    def test_a_group_lasts_beyond_its_size_and_gives_the_difference_back(self):
        story = Story(tiers=self.TIERS)
        story.open(ANN, BEN, CAT, DAN)
        assert story.state("g1").phase is Phase.OPEN

        story.advance(hours=25)

        assert (story.state("g1").phase, story.state("g1").price_fen) == ("succeeded", 4_000)
        assert {refund.refund_no: refund.amount_fen for refund in story.refunds()} == {
            f"o{member}-tier": 1_000 for member in (ANN, BEN, CAT, DAN)
        }
        assert story.violations() == []

    def test_the_last_tier_ends_the_group_at_once(self):
        story = Story(tiers=self.TIERS)
        story.open(ANN, BEN, CAT, DAN, EVE)

        assert (story.state("g1").phase, story.state("g1").price_fen) == ("succeeded", 3_000)

    def test_the_size_alone_gives_nothing_back(self):
        story = Story(tiers=self.TIERS)
        story.open(ANN, BEN, CAT)
        story.advance(hours=25)

        assert (story.state("g1").phase, story.refunds()) == ("succeeded", [])

    def test_the_difference_counts_every_unit(self):
        story = Story(tiers=self.TIERS, per_order=2)
        story.open(ANN, BEN, CAT)
        story.join(DAN, quantity=2)
        story.pay(DAN, fen=2 * PRICE, units=2)
        story.advance(hours=25)

        amounts = {refund.order_no: refund.amount_fen for refund in story.refunds()}
        assert amounts["o4"] == 2_000

    def test_a_later_refund_of_the_rest_ends_the_seat(self):
        story = Story(tiers=self.TIERS)
        story.open(ANN, BEN, CAT, DAN, EVE)
        story.answer("o2-tier")
        assert story.seats()["o2"] == "paid"

        story.refund(BEN, fen=3_000)

        assert story.seats()["o2"] == "refunded"
        assert story.violations() == []


class TestFilledUp:
    """Where the rules allow made-up members."""

    def test_enough_real_members_are_filled_up_at_the_end(self):
        story = Story(size=4, virtual_fill=True, min_real_percent=40)
        story.open(ANN, BEN)
        story.advance(hours=25)

        state = story.state("g1")
        assert (state.phase, state.real, state.virtual) == ("succeeded", 2, 2)
        told = next(each for each in story.emitted if each.kind == "group-buy.succeeded")
        assert (told.payload.real, told.payload.virtual) == (2, 2)
        assert story.kinds().count("group-buy.seat_confirmed") == 2
        assert story.violations() == []

    def test_too_few_real_members_are_not(self):
        story = Story(size=4, virtual_fill=True, min_real_percent=60)
        story.open(ANN, BEN)
        story.advance(hours=25)

        assert story.state("g1").phase is Phase.FAILED
