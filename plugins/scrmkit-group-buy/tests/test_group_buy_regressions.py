"""Defects of real shop systems, by the numbers of the project's list of them."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from group_buy_stories import ANN, BEN, CAT, DAN, EVE, PRICE, Story

from scrmkit_group_buy import Overflow, Phase


def test_06_a_group_is_never_full_when_a_held_seat_is_paid():
    story = Story()
    story.open(ANN, BEN)
    story.join(CAT)
    assert story.join(DAN).code == "full"

    assert story.pay(CAT).code == "ok"
    assert story.state("g1").phase is Phase.SUCCEEDED


@pytest.mark.parametrize("overflow", list(Overflow))
def test_06_a_payment_that_finds_the_group_full_is_never_lost(overflow):
    story = Story(overflow=overflow)
    story.open(ANN, BEN)
    story.join(CAT)
    story.advance(minutes=20)
    story.join(DAN)
    story.pay(DAN)

    story.pay(CAT)

    refunded = [refund.order_no for refund in story.refunds()] == ["o3"]
    seated = story.seats().get("o3") == "moved" and story.seats("late-o3") == {"o3": "paid"}
    assert (refunded, seated) == (overflow is Overflow.REFUND, overflow is Overflow.NEW_GROUP)


def test_07_more_members_than_needed_are_a_success_too():
    # Systems compared with "==": one member too many, and the full group was refunded.
    story = Story(size=3)
    story.open(ANN, BEN)
    (ref,) = story.instances
    instance = story.instances[ref]
    extra = [attrs.evolve(instance.state.seats[1], order_no=f"x{member}", customer=member) for member in (DAN, EVE)]
    overshot = attrs.evolve(instance.state, seats=(*instance.state.seats, *extra))
    story.instances[ref] = attrs.evolve(instance, state=overshot)

    story.advance(hours=25)

    assert (story.state("g1").phase, story.state("g1").real) == (Phase.SUCCEEDED, 4)
    assert story.refunds() == []


def test_08_a_refund_that_fails_holds_up_no_other():
    # One system marked groups failed and refunded all in one transaction: the first
    # error rolled the refunds back and left the marks.
    story = Story(size=4)
    story.open(ANN, BEN, CAT)
    story.advance(hours=25)

    story.answer("o1-all", "delivered")
    story.answer("o2-all", "dead")
    story.answer("o3-all", "delivered")

    assert story.seats() == {"o1": "refunded", "o2": "refunding", "o3": "refunded"}
    failed = [each for each in story.emitted if each.kind == "group-buy.refund_failed"]
    assert [(each.customer, each.payload.refund_fen) for each in failed] == [(BEN, PRICE)]
    story.answer("o2-all", "delivered")
    assert set(story.seats().values()) == {"refunded"}


@pytest.mark.parametrize("virtual_fill", [False, True])
def test_09_one_real_buyer_is_never_filled_up_to_a_group(virtual_fill):
    story = Story(size=5, virtual_fill=virtual_fill, min_real_percent=1)
    story.open(ANN)
    story.advance(hours=25)

    assert story.state("g1").phase is Phase.FAILED
    assert [refund.amount_fen for refund in story.refunds()] == [PRICE]


@pytest.mark.parametrize("timers_run", [True, False])
def test_10_a_group_that_expired_takes_nobody_and_succeeds_no_more(timers_run):
    story = Story()
    story.open(ANN, BEN)
    (story.advance if timers_run else story.sleep)(hours=24, minutes=2)

    assert story.join(CAT).code == "over"
    assert story.pay(CAT) is None
    assert story.state("g1").phase is Phase.FAILED


def test_13_nothing_more_goes_back_than_was_paid():
    story = Story()
    story.open(ANN, BEN)
    story.refund(BEN, fen=PRICE - 1)
    story.leave(BEN)

    assert [refund.amount_fen for refund in story.refunds()] == [1]
    assert story.violations() == []


def test_19_a_payment_after_the_hold_expired_never_oversells():
    story = Story(stock=2, size=2)
    story.open(ANN)
    story.join(BEN)
    story.advance(minutes=20)
    story.start(EVE, "g2")
    story.pay(EVE)

    assert story.pay(BEN).code == "late"
    assert (story.stock("stock").used, story.stock("stock").free) == (2, 0)
    assert [refund.order_no for refund in story.refunds()] == ["o2"]


def test_a_late_timer_makes_no_group_longer():
    story = Story()
    story.open(ANN, BEN)
    story.join(CAT)
    story.sleep(hours=30)

    story.pay(CAT, ago=timedelta(hours=20))

    assert story.state("g1").phase is Phase.FAILED
    assert len(story.refunds()) == 3
