"""Starting a bargain and helping with it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bargain_stories import ANN, BEN, CAT, DAN, FIXED, NOON, OWNER, Story, make_rules

from scrmkit.domain.campaign import CampaignStatus
from scrmkit.domain.kinds import OrderPaid
from scrmkit_bargain import CutMode, CutStore, Phase, Success


def test_the_owner_makes_the_first_cut_by_starting():
    story = Story()

    answer = story.start().answer

    assert answer.cut_fen == story.state("b1").plan[0]
    assert answer.price_fen == 9_900 - answer.cut_fen
    assert (answer.code, answer.phase, answer.cuts_left) == ("ok", "bargaining", 9)


def test_a_help_answers_with_its_cut_and_the_price():
    story = Story(**FIXED)
    story.start()

    answer = story.help(ANN).answer

    assert (answer.code, answer.cut_fen, answer.price_fen) == ("ok", 3_000, 6_900)
    assert answer.ends_at == NOON + timedelta(hours=24)


@pytest.mark.parametrize("store", list(CutStore))
def test_nine_friends_and_the_owner_reach_the_floor_exactly(store):
    story = Story(store=store)
    story.start()

    story.help(*range(2, 11))

    assert story.state("b1").phase is Phase.WON
    assert story.state("b1").price_fen == 900
    assert story.kinds() == ["bargain.won"]
    assert story.emitted[0].customer == OWNER
    assert story.violations() == []


def test_the_price_that_was_won_is_told_with_the_moment_to_order_by():
    story = Story(**FIXED)
    story.start()

    answer = story.help(ANN, BEN, CAT).answer

    assert (answer.phase, answer.price_fen) == ("won", 900)
    assert answer.order_by == NOON + timedelta(hours=24)


@pytest.mark.parametrize(
    ("friend", "code"),
    [
        pytest.param(OWNER, "own", id="the owner"),
        pytest.param(ANN, "helped", id="a friend who has helped"),
        pytest.param(None, "no_customer", id="nobody"),
    ],
)
def test_who_may_not_help(friend, code):
    story = Story()
    story.start()
    story.help(ANN)
    before = story.state("b1")

    assert story.help(friend).code == code
    assert story.state("b1") == before


def test_a_late_help_is_refused():
    story = Story()
    story.start()
    story.advance(hours=24)

    assert story.help(ANN).code == "over"


def test_a_late_help_is_refused_even_where_no_timer_ran():
    story = Story()
    story.start()
    story.sleep(hours=24)

    assert story.help(ANN).code == "over"
    assert story.state("b1").phase is Phase.EXPIRED


def test_a_help_in_the_last_moment_counts():
    story = Story()
    story.start()
    story.advance(hours=24, microseconds=-1)

    assert story.help(ANN).code == "ok"


def test_a_help_after_the_success_is_refused():
    story = Story(**FIXED)
    story.win()

    assert story.help(DAN).code == "over"


def test_a_friend_helps_three_bargains_of_a_campaign_and_no_fourth():
    story = Story()
    for owner in (11, 12, 13, 14):
        story.start(owner, f"b{owner}")

    codes = [story.help(ANN, key=f"b{owner}").code for owner in (11, 12, 13, 14)]

    assert codes == ["ok", "ok", "ok", "help_limit"]


def test_only_new_friends_may_help_where_the_rules_say_so():
    story = Story(new_helpers_only=True)
    story.start()
    story.record("order.paid", OrderPaid(order_no="x", amount_fen=1), ANN)

    assert story.help(ANN).code == "not_new"
    assert story.help(BEN).code == "ok"


@pytest.mark.parametrize("store", list(CutStore))
def test_a_new_friend_makes_two_cuts_at_once(store):
    story = Story(store=store, new_helper_weight=2)
    story.start()
    story.record("order.paid", OrderPaid(order_no="x", amount_fen=1), ANN)

    story.help(ANN)
    assert story.state("b1").helps == 2
    story.help(BEN)

    assert (story.state("b1").helps, story.state("b1").friends) == (4, 2)


def test_the_last_new_friend_takes_only_what_is_left():
    story = Story(new_helper_weight=10, self_cut=False)
    story.start()

    story.help(ANN)

    assert (story.state("b1").helps, story.state("b1").price_fen) == (10, 900)
    assert story.violations() == []


def test_a_window_is_clipped_by_the_campaigns_end():
    story = Story()
    story.publish(make_rules(window=timedelta(days=40)), days=3)

    assert story.start().answer.ends_at == NOON + timedelta(days=3)


def test_a_bargain_outlives_the_pause_of_its_campaign():
    story = Story()
    story.start()
    story.publish(make_rules(), status=CampaignStatus.PAUSED)

    assert story.start(ANN, "b2").code == "closed"
    assert story.help(ANN).code == "ok"


@pytest.mark.parametrize(
    ("prepare", "code"),
    [
        pytest.param(lambda s: s.start(OWNER, "b0"), "open_limit", id="another one is open"),
        pytest.param(lambda s: (s.win(key="b0"), s.order(key="b0"), s.pay()), "win_limit", id="won"),
        pytest.param(lambda s: s.advance(days=30), "closed", id="the campaign is over"),
        pytest.param(lambda s: (s.win(7, "b7"), s.win(8, "b8", (5, 6, 9))), "sold_out", id="all are held"),
    ],
)
def test_who_may_not_start(prepare, code):
    story = Story(**FIXED)
    prepare(story)

    decision = story.start()

    assert (decision.code, decision.answer.code) == (code, code)
    assert "b1" not in {ref.key for ref in story.instances}


def test_nobody_starts_without_a_customer():
    assert Story().start(None).code == "no_customer"


def test_a_bargain_that_expired_leaves_room_for_the_next():
    story = Story()
    story.start(key="b0")
    story.advance(hours=24)

    assert story.start().code == "ok"
    assert story.kinds() == ["bargain.expired"]


def test_a_start_told_twice_is_one_bargain():
    story = Story()
    first = story.start().answer

    again = story.start()

    assert (again.code, again.answer.price_fen) == ("ok", first.price_fen)
    assert story.start(ANN).code == "exists"


def test_two_starts_of_one_instant_race_past_the_check_but_not_past_the_counter():
    story = Story()
    story.stale = story.world.copy()
    story.start(key="b0")

    assert story.start().code == "guard"


def test_two_helps_of_one_instant_race_past_the_check_but_not_past_the_key():
    story = Story()
    story.start()
    story.stale = story.world.copy()
    story.help(ANN)
    before = story.state("b1")

    assert story.help(ANN).code == "guard"
    assert story.state("b1") == before


def test_helps_for_two_bargains_of_one_instant_do_not_race_past_the_limit():
    story = Story(helps_per_customer=1)
    story.start(11, "b11")
    story.start(12, "b12")
    story.stale = story.world.copy()
    story.help(ANN, key="b11")

    assert story.help(ANN, key="b12").code == "guard"


def test_two_helpers_who_turn_out_to_be_one_keep_both_cuts_and_help_no_more():
    story = Story(**FIXED)
    story.start()
    story.help(ANN, BEN)

    story.merge(ANN, BEN)

    assert story.state("b1").cut_fen == 6_000
    assert story.help(BEN).code == "helped"


def test_an_owner_who_turns_out_to_be_a_friend_too_still_cannot_help():
    story = Story()
    story.start()

    story.merge(ANN, OWNER)

    assert story.help(ANN).code == "own"


def test_helpers_enough_win_above_the_floor_only_where_the_rules_say_so():
    few = {"cut": CutMode.FIXED, "fixed_fen": 1_000, "self_cut": False, "helpers": 2}
    strict, either = Story(**few), Story(**few, success=Success.HELPERS_OR_FLOOR)
    for story in (strict, either):
        story.start()
        story.help(ANN, BEN)

    assert strict.state("b1").phase is Phase.BARGAINING
    assert (either.state("b1").phase, either.state("b1").price_fen) == (Phase.WON, 7_900)
    assert either.violations() == []


def test_the_last_unit_gone_before_the_floor_ends_the_bargain_as_sold_out():
    story = Story(**FIXED, stock=1)
    story.start()
    story.start(6, "b6")
    story.help(ANN, BEN, CAT, key="b6")

    story.help(7, 8, 9)

    assert story.state("b1").phase is Phase.SOLD_OUT
    assert story.kinds() == ["bargain.won", "bargain.sold_out"]
    assert story.free() == 0


def test_a_withdrawn_bargain_takes_no_more_help():
    story = Story()
    story.start()
    story.withdraw()

    assert story.state("b1").phase is Phase.WITHDRAWN
    assert story.help(ANN).code == "over"
    assert story.withdraw().code == "over"
    assert story.start(key="b2").code == "ok"
