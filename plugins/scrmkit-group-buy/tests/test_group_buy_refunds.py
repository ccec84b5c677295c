"""Money back from a group, and what may be shipped."""

from __future__ import annotations

import pytest
from group_buy_stories import ANN, BEN, CAT, PRICE, Story

from scrmkit_group_buy import Phase


def test_a_refund_before_the_success_frees_the_seat():
    story = Story()
    story.open(ANN, BEN)

    story.refund(BEN)

    assert story.seats() == {"o1": "paid", "o2": "refunded"}
    assert story.stock("seats/g1").free == 2
    assert story.join(BEN, no="x").code == "ok"


def test_a_refund_of_the_leader_before_the_success_hands_the_lead_on():
    story = Story()
    story.open(ANN, BEN)

    story.refund(ANN)

    assert story.state("g1").leader == "o2"


def test_a_refund_after_the_success_breaks_no_group_and_ships_nothing():
    story = Story(stock=9)
    story.open(ANN, BEN, CAT)

    story.refund(BEN)

    assert story.state("g1").phase is Phase.SUCCEEDED
    assert story.ship(BEN).code == "blocked"
    assert story.ship(ANN).code == "ok"
    assert story.stock("stock").used == 2
    assert story.violations() == []


def test_a_part_of_the_money_back_keeps_the_seat_and_is_not_paid_back_again():
    story = Story()
    story.open(ANN, BEN)
    story.refund(BEN, fen=2_000)
    assert story.seats()["o2"] == "paid"

    story.advance(hours=25)

    assert {refund.order_no: refund.amount_fen for refund in story.refunds()} == {"o1": PRICE, "o2": PRICE - 2_000}


def test_nothing_is_shipped_before_the_success():
    story = Story()
    story.open(ANN, BEN)
    assert story.ship(ANN).code == "blocked"
    story.join(CAT)
    story.pay(CAT)

    assert story.ship(ANN).code == "ok"
    assert story.state("g1").seat("o1").shipped


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        pytest.param(["accepted"], "refunded", id="accepted"),
        pytest.param(["unknown"], "refunding", id="nobody knows yet"),
        pytest.param(["dead"], "refunding", id="given up"),
        pytest.param(["dead", "delivered"], "refunded", id="done after all"),
    ],
)
def test_what_becomes_of_a_refund_is_kept(statuses, expected):
    story = Story()
    story.open(ANN)
    story.leave(ANN)
    for status in statuses:
        story.answer("o1-all", status)

    assert story.seats() == {"o1": expected}
    assert ("group-buy.refund_failed" in story.kinds()) is ("dead" in statuses)


def test_a_refund_by_hand_settles_one_that_failed():
    story = Story()
    story.open(ANN)
    story.leave(ANN)
    story.answer("o1-all", "dead")

    story.refund(ANN, refund_no="by-hand")

    assert story.seats() == {"o1": "refunded"}


def test_the_platforms_word_on_our_refund_settles_it():
    story = Story()
    story.open(ANN)
    story.leave(ANN)

    story.refund(ANN, refund_no="o1-all")

    assert story.seats() == {"o1": "refunded"}
    assert story.state("g1").seat("o1").refunded_fen == 0
