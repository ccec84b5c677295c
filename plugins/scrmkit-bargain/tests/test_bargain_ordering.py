"""Ordering at the price won, paying, cancelling, and money back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bargain_stories import ANN, BEN, CAT, FIXED, NOON, OWNER, Story

from scrmkit.domain.messages import Refund
from scrmkit_bargain import OrderStatus, Phase, StockHold


@pytest.fixture(params=list(StockHold))
def won(request):
    """A bargain at the floor, under both rules of when stock is held."""
    story = Story(**FIXED, stock_hold=request.param)
    story.win()
    return story


def refunds(story):
    return [request.body for _, request in story.requests.values()]


def test_the_owner_orders_at_the_price_won(won):
    answer = won.order().answer

    assert (answer.code, answer.phase, answer.price_fen) == ("ok", "ordered", 900)
    assert answer.pay_before == NOON + timedelta(hours=2)
    assert won.free() == 1


def test_a_payment_sells_the_unit(won):
    won.order()
    won.pay()

    assert won.state("b1").phase is Phase.PAID
    assert (won.stock("stock").used, won.stock("stock").held) == (1, 0)
    assert won.kinds() == ["bargain.won", "bargain.bought"]
    assert won.due(NOON + timedelta(days=90)) == []
    assert won.violations() == []


@pytest.mark.parametrize(
    ("act", "code"),
    [
        pytest.param(lambda s: s.order(owner=ANN), "not_owner", id="a friend"),
        pytest.param(lambda s: s.order(discount_fen=1), "discount", id="with a coupon or points"),
        pytest.param(lambda s: (s.order("o0"), s.order())[1], "ordered", id="a second order"),
        pytest.param(lambda s: (s.order(), s.pay(), s.order("o2"))[2], "over", id="after the sale"),
        pytest.param(lambda s: (s.order(), s.cancel(), s.order())[2], "used_order_no", id="the same number"),
        pytest.param(lambda s: (s.advance(hours=24), s.order())[1], "over", id="too late"),
    ],
)
def test_an_order_that_is_refused(won, act, code):
    assert act(won).code == code
    assert won.violations() == []


def test_nobody_orders_before_the_floor():
    story = Story()
    story.start()

    assert story.order().code == "not_won"


def test_an_order_told_twice_is_one_order(won):
    won.order()

    assert won.order().code == "ok"
    assert len(won.state("b1").orders) == 1


def test_an_unpaid_order_leads_back_to_the_success_and_can_be_placed_anew(won):
    won.order()
    won.cancel()
    assert won.state("b1").phase is Phase.WON

    won.order("o2")
    won.pay("o2")

    assert won.state("b1").phase is Phase.PAID


def test_an_order_that_is_not_paid_in_time_lapses_by_itself(won):
    won.order()
    won.advance(hours=2, seconds=59)
    assert won.state("b1").phase is Phase.ORDERED
    won.advance(seconds=1)

    assert won.state("b1").phase is Phase.WON
    assert won.order("o2").code == "ok"


def test_a_success_that_is_not_ordered_in_time_is_forfeited_and_frees_everything(won):
    won.advance(hours=24)

    assert won.state("b1").phase is Phase.FORFEITED
    assert won.kinds() == ["bargain.won", "bargain.forfeited"]
    assert won.free() in {None, 2}
    assert won.start(key="b2").code == "ok"


def test_an_order_in_the_last_moment_still_has_its_time_to_pay(won):
    won.advance(hours=24, seconds=-1)
    won.order()
    won.advance(hours=2)
    won.pay()

    assert won.state("b1").phase is Phase.PAID


def test_an_order_that_lapses_after_the_moment_to_order_forfeits_the_bargain(won):
    won.advance(hours=23)
    won.order()
    won.advance(hours=3)

    assert won.state("b1").phase is Phase.FORFEITED
    assert won.violations() == []


def test_a_shop_price_below_the_price_won_is_what_the_owner_pays(won):
    answer = won.order(shop_price_fen=500).answer

    assert answer.price_fen == 500
    won.pay(fen=500)
    assert won.state("b1").phase is Phase.PAID


def test_too_little_money_goes_back_and_the_owner_may_order_again(won):
    won.order()

    assert won.pay(fen=899).code == "underpaid"
    assert refunds(won) == [Refund(order_no="o1", refund_no="o1-refund", amount_fen=899, reason="underpaid")]
    assert won.order("o2").code == "ok"


def test_a_payment_told_twice_counts_once(won):
    won.order()
    won.pay()

    assert won.pay().code == "paid"
    assert won.requests == {}


def test_a_payment_after_the_order_lapsed_counts_while_nobody_else_took_the_unit(won):
    won.order()
    won.advance(hours=3)

    assert won.pay().code == "ok"
    assert won.state("b1").phase is Phase.PAID


def test_a_payment_after_the_forfeit_counts_while_there_is_stock(won):
    won.order()
    won.advance(hours=48)

    assert won.pay().code == "ok"
    assert (won.state("b1").phase, won.stock("stock").used) == (Phase.PAID, 1)
    assert won.violations() == []


def test_a_payment_for_an_order_that_another_one_replaced_goes_back(won):
    won.order()
    won.cancel()
    won.order("o2")

    assert won.pay().code == "late"
    assert [refund.order_no for refund in refunds(won)] == ["o1"]
    assert won.pay("o2").code == "ok"


def test_a_payment_after_another_win_goes_back():
    story = Story(**FIXED)
    story.win()
    story.order()
    story.advance(hours=48)
    story.win(key="b2", friends=(7, 8, 9))

    assert story.pay().code == "late"


def test_free_goods_need_no_refund():
    story = Story(floor_fen=0, cut="fixed", fixed_fen=9_900, self_cut=False)
    story.win(friends=(ANN,))
    story.order()
    story.pay(fen=0)

    assert story.state("b1").phase is Phase.PAID


def test_a_full_refund_returns_the_unit_and_ends_the_bargain(won):
    won.order()
    won.pay()
    won.refund()

    assert won.state("b1").phase is Phase.REFUNDED
    assert won.free() == 2
    assert won.kinds()[-1] == "bargain.refunded"
    assert won.start(key="b2").code == "win_limit"


def test_a_part_of_the_money_back_does_not_return_the_unit(won):
    won.order()
    won.pay()
    won.refund(fen=400, refund_no="r1")
    assert (won.state("b1").phase, won.free()) == (Phase.PAID, 1)

    won.refund(fen=500, refund_no="r2")

    assert (won.state("b1").phase, won.free()) == (Phase.REFUNDED, 2)


def test_goods_that_were_delivered_can_still_be_refunded(won):
    assert won.order().code == "ok"
    assert won.deliver().code == "not_paid"
    won.pay()
    won.deliver()
    assert won.state("b1").phase is Phase.FULFILLED

    won.refund()

    assert won.state("b1").phase is Phase.REFUNDED


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        pytest.param(["accepted"], OrderStatus.REFUNDED, id="accepted"),
        pytest.param(["unknown"], OrderStatus.REFUNDING, id="nobody knows yet"),
        pytest.param(["dead"], OrderStatus.REFUND_FAILED, id="given up"),
        pytest.param(["dead", "delivered"], OrderStatus.REFUNDED, id="done after all"),
    ],
)
def test_what_becomes_of_a_refund_is_kept(won, statuses, expected):
    won.order()
    won.pay(fen=1)
    for status in statuses:
        won.answer("o1-refund", status)

    assert won.state("b1").orders[0].status is expected
    assert ("bargain.refund_failed" in won.kinds()) is ("dead" in statuses)


def test_the_platforms_word_on_our_refund_settles_it(won):
    won.order()
    won.pay(fen=100)
    won.refund(fen=100, refund_no="o1-refund")

    assert won.state("b1").orders[0].status is OrderStatus.REFUNDED
    assert won.state("b1").orders[0].refunded_fen == 0


class TestAtAnyPrice:
    """Where the owner may buy before the floor."""

    def test_an_order_locks_the_price_that_was_reached(self):
        story = Story(**FIXED, buy_at_any_price=True)
        story.start()
        story.help(ANN)

        assert story.order().answer.price_fen == 6_900
        assert story.help(BEN).code == "over"
        assert story.violations() == []

    def test_the_deadline_wins_what_was_reached(self):
        story = Story(**FIXED, buy_at_any_price=True)
        story.start()
        story.help(ANN, BEN)
        story.advance(hours=24)

        assert (story.state("b1").phase, story.state("b1").price_fen) == (Phase.WON, 3_900)
        story.advance(hours=24, seconds=-1)
        assert story.order().code == "ok"

    def test_a_timer_that_runs_late_makes_no_window_longer(self):
        story = Story(**FIXED, buy_at_any_price=True)
        story.start()
        story.sleep(hours=48)

        assert story.order().code == "over"
        assert story.state("b1").phase is Phase.FORFEITED
        assert story.free() == 2

    def test_nothing_left_when_the_owner_wants_to_buy(self):
        story = Story(**FIXED, buy_at_any_price=True, stock=1)
        story.start()
        story.win(7, "b7", (ANN, BEN, CAT))

        assert story.order().code == "sold_out"
        assert story.state("b1").phase is Phase.SOLD_OUT


def test_a_unit_that_is_held_at_the_order_may_be_gone_by_then():
    story = Story(**FIXED, stock=1, stock_hold=StockHold.AT_ORDER)
    story.win()
    story.win(7, "b7", (ANN, BEN, CAT))
    story.order("o7", 7, "b7")

    assert story.order().code == "sold_out"
    story.cancel("o7")
    assert story.order().code == "ok"
    assert OWNER in {part.customer for part in story.world.parts.values()}
