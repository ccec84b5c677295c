"""Slots that stay open for a while: proposals compete, one wins, the others are kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from delivery_bench import MARKETING, START, at

from scrmkit.hooks import hookimpl
from scrmkit.persistence import schema
from scrmkit_worker import slots

SOON = START + timedelta(seconds=5)


def propose(bench, text, *, box=None, **more):
    bench.say(text, box=box, slot="welcome", slot_closes_at=more.pop("closes_at", SOON), **more)


def test_proposals_wait_until_their_slot_closes(make_bench):
    bench = make_bench()
    propose(bench, "hello")

    bench.run()
    waiting = bench.statuses
    done = bench.run(5)

    assert (waiting, bench.statuses, bench.sms.texts) == (["proposed"], ["accepted"], ["hello"])
    assert (done.slots, done.sent) == (1, 1)
    assert bench.log == ["planned", "accepted"]


def test_the_settings_order_decides_and_the_losers_are_told_why(make_bench):
    bench = make_bench()
    propose(bench, "from the box", box="b1", tell=True)
    propose(bench, "from the speaker")

    bench.run(5)

    assert bench.sms.texts == ["from the speaker"]
    assert [(row.status, row.code, row.reason) for row in bench.rows()] == [
        ("suppressed", "slot_lost", "speaker won the slot"),
        ("accepted", "ok", ""),
    ]
    assert [one.payload.status for one in bench.box.told] == ["suppressed"]
    assert bench.rows(schema.slot)[0].winner == bench.rows()[1].key


def test_of_one_plugins_proposals_the_first_wins(make_bench):
    bench = make_bench()
    propose(bench, "first")
    propose(bench, "second")

    bench.run(5)

    assert bench.sms.texts == ["first"]


def test_a_plugin_may_choose_the_winner(make_bench):
    class Chooser:
        @hookimpl
        def scrmkit_choose_winner(self, slot, proposals, now):
            asked.append((slot, [one.message.content.text for one in proposals], now.at))
            return 1

    asked = []
    bench = make_bench(plugins={"hooks.chooser": Chooser()})
    propose(bench, "first")
    propose(bench, "second")

    bench.run(5)

    assert asked == [("welcome", ["first", "second"], SOON)]
    assert bench.sms.texts == ["second"]


def test_only_what_the_policy_still_allows_competes(make_bench):
    bench = make_bench()
    bench.consent(1)
    propose(bench, "an offer", purpose=MARKETING)
    propose(bench, "too short", not_after=SOON)
    propose(bench, "a service", box="b1")
    bench.consent(1, granted=False)

    bench.run(5)

    assert bench.sms.texts == ["a service"]
    assert [(row.status, row.code) for row in bench.rows()] == [
        ("suppressed", "withdrawn"),
        ("expired", "expired"),
        ("accepted", "ok"),
    ]


def test_proposals_of_one_slot_do_not_count_against_each_other(make_bench):
    bench = make_bench(policy={"caps": [{"purpose": "marketing", "limit": 2, "days": 1}]})
    bench.consent(1)
    propose(bench, "first", purpose=MARKETING)
    propose(bench, "second", purpose=MARKETING)

    bench.run(5)

    assert [row.code for row in bench.rows()] == ["ok", "slot_lost"]


def test_what_is_planned_meanwhile_counts_against_the_winner(make_bench):
    bench = make_bench(policy={"caps": [{"purpose": "marketing", "limit": 2, "days": 1}]})
    bench.consent(1)
    propose(bench, "in the slot", purpose=MARKETING)
    bench.say("one", purpose=MARKETING)
    bench.run()
    with bench.engine.database.engine.begin() as connection:
        row = bench.rows()[1]
        copy = {**row._mapping, "id": row.id + 1, "key": "another"}
        connection.execute(schema.outgoing.insert().values(**copy))

    bench.run(5)

    assert bench.rows()[0].code == "capped"


def test_a_winner_that_has_to_wait_for_the_morning_has_still_won(make_bench):
    bench = make_bench()
    bench.consent(1)
    bench.clock.move_to(at("20:59"))
    propose(bench, "an offer", purpose=MARKETING, closes_at=at("21:30"))

    bench.clock.move_to(at("21:30"))
    bench.run()
    night = bench.only
    bench.clock.move_to(at("09:00", day=3))
    bench.run()

    assert (night.status, night.code) == ("planned", "deferred")
    assert bench.statuses == ["accepted"]


def test_a_slot_that_nobody_could_use_is_open_to_who_comes_later(make_bench):
    bench = make_bench()
    propose(bench, "too short", not_after=SOON)
    bench.run(5)

    propose(bench, "later", closes_at=SOON)
    bench.run()

    assert bench.statuses == ["expired", "accepted"]


def test_who_comes_after_the_slot_was_won_is_too_late(make_bench):
    bench = make_bench()
    propose(bench, "first")
    bench.run(5)

    propose(bench, "late", closes_at=START + timedelta(hours=1))

    assert [(row.status, row.code) for row in bench.rows()] == [("accepted", "ok"), ("suppressed", "slot_taken")]


def test_each_customers_slot_is_its_own(make_bench, monkeypatch):
    monkeypatch.setattr(slots, "_MANY", 3)
    bench = make_bench()
    for who in range(7):
        propose(bench, str(who), who=who)

    done = bench.run(5)

    assert (done.slots, bench.statuses) == (7, ["accepted"] * 7)


@pytest.mark.parametrize("late", [timedelta(0), timedelta(days=2)], ids=["on time", "late"])
def test_a_slot_closes_once_however_late(make_bench, late):
    bench = make_bench()
    propose(bench, "hello")
    bench.restart()

    bench.run(timedelta(seconds=5) + late)
    bench.run(5)

    assert bench.statuses == ["accepted"]
    assert len(bench.log) == 2
