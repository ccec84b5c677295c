"""Outcomes that nobody knows: asked about, never guessed, never sent again blindly."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from delivery_bench import MARKETING, START, at, run_until_cut

from scrmkit.domain.messages import Status, TryLater, Unknown
from scrmkit.errors import InvalidValueError, UnknownNameError
from scrmkit.persistence import schema
from scrmkit.testing.fakes import FakeChannel, Lose

HOUR = timedelta(hours=1)


def die_at(bench, place: str) -> None:
    """Run until the power goes at *place* while something is being sent, then start again."""
    run_until_cut(bench, place, lambda: "sending" in bench.statuses)


@pytest.mark.parametrize("done", [True, False], ids=["it was done", "it was not"])
def test_a_lost_answer_is_asked_about_where_keys_are_not_honoured(make_bench, done):
    bench = make_bench()
    bench.mail.will(Lose(done=done))
    bench.say(channel="mail")
    bench.run()
    at_once = list(bench.mail.asked)

    bench.run(30)
    asked = bench.only.status
    bench.run(30)

    assert (at_once, bench.mail.asked) == ([], [bench.only.key])
    assert asked == ("accepted" if done else "planned")
    assert (bench.only.status, len(bench.mail.sent)) == ("accepted", 1)


def test_a_lost_answer_is_sent_again_with_its_key_where_keys_are_honoured(make_bench):
    bench = make_bench()
    bench.sms.will(Lose(done=True))
    bench.say()

    bench.run()
    bench.run(2)

    key = bench.only.key
    assert bench.sms.calls == [("send", (key,)), ("send", (key,))]
    assert (bench.statuses, len(bench.sms.sent), bench.sms.asked) == (["accepted"], 1, [])


def test_a_platform_that_never_answers_is_asked_in_the_end(make_bench):
    bench = make_bench(sms=FakeChannel(max_attempts=3))
    bench.sms.will(Lose(done=True), Lose(done=True), Lose(done=True))
    bench.say()

    for wait in (0, 2, 8):
        bench.run(wait)
    unknown = bench.statuses
    bench.run(30)

    assert (unknown, bench.statuses, bench.log) == (
        ["unknown"], ["accepted"], ["planned", "planned", "unknown", "accepted"],
    )  # fmt: skip


def test_platforms_are_asked_less_and_less_often_and_at_last_no_more(make_quick_bench):
    class Silent(FakeChannel):
        def ask(self, operation, batch):
            moments.append(bench.clock.now())
            return [Unknown(reason="no trace yet")] * len(batch)

    moments = []
    bench = make_quick_bench(mail=Silent(honours_keys=False))
    bench.mail.will(Lose())
    bench.say(channel="mail")

    for _ in range(10 * 24 * 60):
        bench.clock.advance(timedelta(minutes=1))
        bench.engine.worker.delivery.ask() if moments else bench.run()

    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert gaps == sorted(gaps)
    assert gaps[-1] <= 6 * HOUR
    assert timedelta(days=3) <= moments[-1] - START <= timedelta(days=3) + 6 * HOUR
    assert (bench.statuses, bench.log) == (["unknown"], ["unknown"])


def test_a_platform_that_cannot_be_asked_now_is_asked_later(make_bench):
    class Deaf(FakeChannel):
        def ask(self, operation, batch):
            if len(asked) < 2:
                asked.append(1)
                raise ConnectionError
            return super().ask(operation, batch)

    asked = []
    bench = make_bench(mail=Deaf(honours_keys=False))
    bench.mail.will(Lose())
    bench.say(channel="mail")
    bench.run()

    for _ in range(5):
        bench.run(HOUR)

    assert (bench.statuses, len(bench.mail.sent)) == (["accepted"], 1)


def test_many_unknown_ones_are_asked_about_in_batches(make_quick_bench):
    sizes = []

    class Counting(FakeChannel):
        def ask(self, operation, batch):
            sizes.append(len(batch))
            return super().ask(operation, batch)

    bench = make_quick_bench(mail=Counting(honours_keys=False, max_batch=4))
    bench.mail.will(*[Lose()] * 10)
    for who in range(10):
        bench.say(who=who, channel="mail")
    bench.run()

    bench.run(31)

    assert (sizes, bench.statuses) == ([4, 4, 2], ["accepted"] * 10)


def test_a_lost_one_is_not_sent_again_once_the_consent_is_withdrawn_but_asked_about(make_bench):
    bench = make_bench()
    bench.consent(1)
    bench.sms.will(Lose(done=True))
    bench.say(purpose=MARKETING)
    bench.run()
    bench.consent(1, granted=False)

    bench.run(2)
    waiting = bench.statuses
    bench.run(60)

    assert (waiting, bench.statuses, len(bench.sms.sent)) == (["unknown"], ["accepted"], 1)


def test_a_lost_one_that_waits_for_the_morning_stays_one_that_may_have_passed(make_bench):
    bench = make_bench()
    bench.consent(1)
    bench.clock.move_to(at("20:59"))
    bench.sms.will(TryLater(reason="busy", after=timedelta(0)), Lose(done=True))
    bench.say(purpose=MARKETING)
    bench.run()
    bench.run(30)
    bench.run(HOUR)
    night = bench.only

    bench.consent(1, granted=False)
    bench.clock.move_to(at("09:00", day=3))
    bench.run()

    assert (night.status, night.code) == ("planned", "unknown")
    assert bench.statuses == ["unknown"]


# --- the death of a process ----------------------------------------------------------------------


def test_what_was_taken_and_not_sent_is_sent_once_after_a_crash(make_bench):
    bench = make_bench()
    bench.say()

    die_at(bench, "delivery.claim.after_commit")
    bench.run(60)
    bench.run(60)

    assert (bench.statuses, len(bench.sms.sent), len(bench.sms.calls)) == (["accepted"], 1, 1)


def test_what_was_sent_and_not_written_is_sent_again_only_with_its_key(make_bench):
    bench = make_bench()
    bench.say()

    die_at(bench, "delivery.sent")
    bench.run(60)
    bench.run(60)

    assert (bench.statuses, len(bench.sms.sent), len(bench.sms.calls)) == (["accepted"], 1, 2)


@pytest.mark.parametrize("place", ["delivery.claim.after_commit", "delivery.sent", "delivery.write.before_commit"])
def test_after_a_crash_nothing_is_sent_blindly_where_keys_are_not_honoured(make_bench, place):
    bench = make_bench()
    bench.say(channel="mail")

    die_at(bench, place)
    bench.run(60)
    waiting, calls = bench.statuses, len(bench.mail.calls)
    bench.run(60)
    bench.run(60)

    assert (waiting, calls) == (["unknown"], 0 if "claim" in place else 1)
    assert (bench.statuses, len(bench.mail.sent)) == (["accepted"], 1)


def test_where_others_may_live_a_lease_that_has_not_run_out_is_respected(make_postgresql_bench):
    bench = make_postgresql_bench()
    bench.say()
    die_at(bench, "delivery.claim.after_commit")

    bench.run(59)
    before = bench.statuses
    bench.run(2)
    bench.run(2)

    assert (before, bench.statuses) == (["sending"], ["accepted"])


def test_on_sqlite_what_was_left_is_found_at_the_start(make_quick_bench):
    bench = make_quick_bench()
    bench.say(channel="mail")
    die_at(bench, "delivery.sent")

    bench.run()

    assert bench.statuses == ["unknown"]


def test_an_answer_that_comes_after_its_lease_still_counts(make_bench):
    class Slow(FakeChannel):
        def send(self, operation, batch):
            bench.clock.advance(timedelta(minutes=2))
            bench.engine.worker.delivery.recover()
            states.extend(bench.statuses)
            return super().send(operation, batch)

    states = []
    bench = make_bench(mail=Slow(honours_keys=False))
    bench.say(channel="mail")

    bench.run()

    assert (states, bench.statuses, len(bench.mail.sent)) == (["unknown"], ["accepted"], 1)


# --- people --------------------------------------------------------------------------------------


def unknown_one(bench) -> int:
    bench.mail.will(Lose())
    bench.say(channel="mail", box="b1", tell=True)
    bench.run()
    return bench.only.id


@pytest.mark.parametrize(
    ("status", "told"),
    [(Status.DELIVERED, ["delivered"]), (Status.LOST, ["lost"])],
    ids=["it arrived", "it is given up"],
)
def test_a_person_may_say_what_became_of_it(make_bench, status, told):
    bench = make_bench()
    id_ = unknown_one(bench)

    bench.engine.outbox.settle("main", id_, status)
    bench.run(HOUR)

    assert (bench.only.status, bench.only.code) == (status, "by_hand")
    assert [one.payload.status for one in bench.box.told] == told
    assert bench.mail.asked == []


def test_a_person_may_have_it_sent_again(make_bench):
    bench = make_bench()
    id_ = unknown_one(bench)

    bench.engine.outbox.settle("main", id_, Status.PLANNED)
    bench.run()

    assert (bench.statuses, len(bench.mail.calls)) == (["accepted"], 2)


@pytest.mark.parametrize(
    ("tenant", "status", "error"),
    [
        pytest.param("main", Status.REFUSED, InvalidValueError, id="an end that is no person's"),
        pytest.param("other", Status.LOST, UnknownNameError, id="another tenant's"),
    ],
)
def test_a_person_cannot_say_just_anything(make_quick_bench, tenant, status, error):
    bench = make_quick_bench()
    id_ = unknown_one(bench)

    with pytest.raises(error):
        bench.engine.outbox.settle(tenant, id_, status)

    assert bench.statuses == ["unknown"]


def test_what_is_settled_stays_so(make_quick_bench):
    bench = make_quick_bench()
    id_ = unknown_one(bench)
    bench.engine.outbox.settle("main", id_, Status.LOST)

    with pytest.raises(InvalidValueError, match="lost"):
        bench.engine.outbox.settle("main", id_, Status.DELIVERED)


def dead_ones(bench) -> None:
    bench.sms.will(*[TryLater(reason="busy line")] * 2, *[TryLater(reason="bad luck")])
    for who in range(3):
        bench.say(who=who)
    bench.run()
    assert bench.statuses == ["dead"] * 3


def test_dead_letters_are_sent_again_by_their_reason(make_bench):
    bench = make_bench(sms=FakeChannel(max_attempts=1))
    dead_ones(bench)

    count = bench.engine.outbox.redrive("main", connector="sms", reason="busy")
    bench.run()

    assert (count, bench.statuses) == (2, ["accepted", "accepted", "dead"])


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        pytest.param({}, 3, id="all of them"),
        pytest.param({"connector": "mail"}, 0, id="of another connector"),
        pytest.param({"code": "exhausted"}, 3, id="by code"),
        pytest.param({"reason": "%"}, 0, id="by a reason that is no pattern"),
        pytest.param({"statuses": [Status.LOST]}, 0, id="the lost ones alone"),
    ],
)
def test_redriving_takes_what_was_asked_for(make_bench, filters, count):
    bench = make_bench(sms=FakeChannel(max_attempts=1))
    dead_ones(bench)

    assert bench.engine.outbox.redrive("main", **filters) == count


def test_another_tenants_dead_letters_stay_dead(make_quick_bench):
    bench = make_quick_bench(sms=FakeChannel(max_attempts=1))
    dead_ones(bench)

    assert bench.engine.outbox.redrive("other") == 0


def test_what_ended_well_is_never_sent_again(make_quick_bench):
    bench = make_quick_bench()

    with pytest.raises(InvalidValueError):
        bench.engine.outbox.redrive("main", statuses=[Status.ACCEPTED])


def test_a_redriven_letter_has_fresh_attempts_and_is_judged_again(make_bench):
    bench = make_bench(sms=FakeChannel(max_attempts=1))
    bench.sms.will(TryLater(reason="busy"))
    bench.say(not_after=START + HOUR)
    bench.run()
    bench.engine.outbox.redrive("main")
    fresh = bench.only

    bench.run(2 * HOUR)

    assert (fresh.status, fresh.attempts, fresh.code) == ("planned", 0, "redriven")
    assert bench.log == ["dead", "planned", "expired"]


def test_asked_counts_are_said(make_quick_bench):
    bench = make_quick_bench()
    bench.mail.will(Lose())
    bench.say(channel="mail")
    bench.run()

    assert bench.run(30).asked == 1
    assert len(bench.rows(schema.attempt)) == 2
