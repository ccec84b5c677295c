"""Starting a group, joining it, leaving it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from group_buy_stories import ANN, BEN, CAT, DAN, EVE, NOON, PRICE, Story, make_rules

from scrmkit.domain.campaign import CampaignStatus
from scrmkit_group_buy import Phase


def test_a_group_waits_for_its_leaders_payment():
    story = Story()

    answer = story.start().answer

    assert (answer.code, answer.phase, answer.seat, answer.price_fen) == ("ok", "pending", 1, PRICE)
    assert answer.pay_before == NOON + timedelta(minutes=15)
    assert story.join(BEN).code == "pending"


def test_the_window_runs_from_the_moment_the_leader_paid():
    story = Story()
    story.start()
    story.advance(minutes=10)

    answer = story.pay(ANN, ago=timedelta(seconds=30)).answer

    assert answer.expires_at == story.now - timedelta(seconds=30) + timedelta(hours=24)
    assert (answer.phase, answer.missing) == ("open", 2)
    assert story.kinds() == ["group-buy.opened"]


def test_a_group_whose_leader_never_pays_is_cancelled():
    story = Story()
    story.start()
    story.advance(minutes=16)

    assert story.state("g1").phase is Phase.CANCELLED
    assert story.start(key="g2", no="again").code == "ok"


def test_an_order_holds_a_seat_until_it_is_too_late_to_pay():
    story = Story()
    story.open(ANN)
    answer = story.join(BEN).answer
    assert (answer.seat, answer.pay_before) == (2, NOON + timedelta(minutes=15))

    story.advance(minutes=16)

    assert story.seats() == {"o1": "paid", "o2": "gone"}
    assert story.stock("seats/g1").free == 2


def test_the_time_to_pay_ends_with_the_group():
    story = Story()
    story.open(ANN)
    story.advance(hours=24, minutes=-5)

    assert story.join(BEN).answer.pay_before == NOON + timedelta(hours=24)


@pytest.mark.parametrize(
    ("act", "code"),
    [
        pytest.param(lambda s: s.join(None), "no_customer", id="nobody"),
        pytest.param(lambda s: s.join(ANN, no="x"), "member", id="the leader again"),
        pytest.param(lambda s: s.join(BEN, discount_fen=1), "discount", id="with a coupon"),
        pytest.param(lambda s: s.join(BEN, no="o1"), "used_order_no", id="another's order number"),
        pytest.param(lambda s: s.join(BEN, quantity=2), "order_limit", id="too many units"),
        pytest.param(lambda s: (s.join(BEN), s.join(CAT), s.join(DAN))[2], "full", id="held seats count"),
        pytest.param(lambda s: (s.advance(hours=24), s.join(BEN))[1], "over", id="too late"),
        pytest.param(lambda s: (s.sleep(hours=24), s.join(BEN))[1], "over", id="too late, and no timer ran"),
        pytest.param(lambda s: (s.start(BEN, "g2"), s.join(BEN, no="x"))[1], "other_group", id="in another open group"),
    ],
)
def test_who_may_not_join(act, code):
    story = Story()
    story.open(ANN)

    assert act(story).code == code
    assert story.violations() == []


@pytest.mark.parametrize(
    ("act", "code"),
    [
        pytest.param(lambda s: s.start(None), "no_customer", id="nobody"),
        pytest.param(lambda s: s.start(discount_fen=1), "discount", id="with points"),
        pytest.param(lambda s: s.start(quantity=2), "order_limit", id="too many units"),
        pytest.param(lambda s: (s.start(), s.start(key="g2", no="x"))[1], "other_group", id="busy"),
        pytest.param(lambda s: (s.advance(days=30), s.start())[1], "closed", id="after the end"),
    ],
)
def test_who_may_not_start(act, code):
    story = Story()

    decision = act(story)

    assert (decision.code, decision.answer.code) == (code, code)


def test_a_join_told_twice_is_one_seat():
    story = Story()
    story.open(ANN)
    first = story.join(BEN).answer

    assert story.join(BEN).answer == first
    assert len(story.state("g1").seats) == 2


def test_a_start_told_twice_is_one_group():
    story = Story()
    story.start()

    assert story.start().code == "ok"
    assert story.start(BEN).code == "exists"


def test_the_units_of_one_customer_are_counted_over_all_groups():
    story = Story(per_order=2, per_customer=3, size=2)
    story.start(quantity=2)
    story.pay(ANN, fen=2 * PRICE)
    story.join(BEN)
    story.pay(BEN)

    assert story.start(key="g2", no="x", quantity=2).code == "customer_limit"
    assert story.start(key="g2", no="y", quantity=1).code == "ok"


def test_the_first_order_cannot_go_past_the_customers_limit():
    # A shop system checked the limit only where there were earlier orders.
    story = Story(per_order=2, per_customer=2)
    story.publish(make_rules(per_order=2, per_customer=2))

    assert story.start(quantity=3).code == "order_limit"


def test_stock_is_held_with_the_seat():
    story = Story(stock=2)
    story.open(ANN)
    story.join(BEN)

    assert story.join(CAT).code == "sold_out"
    story.cancel(BEN)
    assert story.join(CAT).code == "ok"


def test_an_open_group_outlives_the_pause_of_its_campaign():
    story = Story()
    story.open(ANN)
    story.publish(make_rules(), status=CampaignStatus.PAUSED)

    assert story.start(EVE, "g2").code == "closed"
    assert story.join(BEN).code == "ok"


def test_two_orders_for_the_last_seat_of_one_instant_cannot_both_have_it():
    story = Story(size=2)
    story.open(ANN)
    (ref,) = story.instances
    before = story.instances[ref]
    story.join(BEN)
    story.instances[ref] = before  # the second writer has read the same state

    assert story.join(CAT).code == "guard"


def test_one_customer_in_two_orders_of_one_instant_has_one_seat():
    story = Story()
    story.open(ANN)
    story.stale = story.world.copy()
    story.join(BEN)

    assert story.join(BEN, no="x").code == "guard"


def test_a_member_who_leaves_gets_the_money_back_and_frees_the_seat():
    story = Story()
    story.open(ANN, BEN)

    story.leave(BEN)

    assert story.seats() == {"o1": "paid", "o2": "refunding"}
    assert [(refund.order_no, refund.amount_fen) for refund in story.refunds()] == [("o2", PRICE)]
    assert story.kinds()[-1] == "group-buy.seat_released"
    assert story.start(BEN, "g2", no="x").code == "ok"


def test_a_member_who_has_not_paid_just_leaves():
    story = Story()
    story.open(ANN)
    story.join(BEN)

    story.leave(BEN)

    assert story.seats() == {"o1": "paid", "o2": "gone"}
    assert story.refunds() == []
    assert story.join(BEN, no="x").code == "ok"


def test_the_next_member_leads_when_the_leader_leaves_and_the_end_stays():
    story = Story()
    story.open(ANN, BEN)
    expires_at = story.state("g1").expires_at
    story.advance(hours=5)

    story.leave(ANN)

    assert (story.state("g1").leader, story.state("g1").expires_at) == ("o2", expires_at)
    assert story.violations() == []


def test_a_group_without_anybody_who_paid_is_cancelled():
    story = Story()
    story.open(ANN)
    story.join(BEN)

    story.leave(ANN)

    assert story.state("g1").phase is Phase.CANCELLED
    assert story.seats() == {"o1": "refunding", "o2": "gone"}
    assert story.kinds()[-1] == "group-buy.cancelled"


def test_nobody_leaves_after_the_success():
    story = Story()
    story.open(ANN, BEN, CAT)

    assert story.leave(BEN).code == "over"
    assert story.leave(DAN).code == "no_seat"


def test_of_two_members_who_turn_out_to_be_one_the_later_gets_the_money_back():
    story = Story()
    story.open(ANN, BEN)

    story.merge(BEN, ANN)

    assert story.seats() == {"o1": "paid", "o2": "refunding"}
    assert story.violations() == []
    assert story.join(ANN, no="x").code == "member"


def test_of_two_members_who_turn_out_to_be_one_the_unpaid_later_seat_is_free():
    story = Story()
    story.open(ANN)
    story.join(BEN)

    story.merge(ANN, BEN)

    assert story.seats() == {"o1": "paid", "o2": "gone"}
    assert story.stock("seats/g1").free == 2


def test_a_merge_after_the_success_changes_nothing():
    story = Story()
    story.open(ANN, BEN, CAT)

    story.merge(ANN, BEN)

    assert set(story.seats().values()) == {"paid"}


def test_a_member_under_another_id_can_still_leave():
    story = Story()
    story.open(ANN, BEN)
    story.merge(DAN, BEN)

    story.leave(DAN)

    assert story.seats()["o2"] == "refunding"
    assert story.join(DAN, no="x").code == "ok"
