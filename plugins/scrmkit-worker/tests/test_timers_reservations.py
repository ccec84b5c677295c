"""Reservations that nobody committed in time go back, and their holder hears of it."""

from __future__ import annotations

from datetime import timedelta

from delivery_bench import START

from scrmkit.domain.effects import CommitReservation, ReleaseReservation, Reserve
from scrmkit.persistence import schema

MINUTE = timedelta(minutes=1)


def hold(name: str = "seat-1", minutes: int | None = 1, quantity: int = 2) -> Reserve:
    return Reserve(
        resource="seats", quantity=quantity, reservation=name, capacity=10,
        expires_at=None if minutes is None else START + minutes * MINUTE,
    )  # fmt: skip


def stock(bench) -> tuple[int, int]:
    (row,) = bench.rows(schema.resource)
    return (row.held, row.used)


def test_what_was_held_too_long_goes_back_and_the_holder_hears_of_it(make_bench):
    bench = make_bench()
    bench.do(hold(), box="b1")

    bench.run(59)
    before = stock(bench)
    done = bench.run(1)

    (told,) = bench.box.told
    assert (before, stock(bench), done.reservations) == ((2, 0), (0, 0), 1)
    assert (told.kind, told.to.key) == ("reservation.expired", "b1")
    assert (told.payload.resource, told.payload.reservation, told.payload.quantity) == ("seats", "seat-1", 2)
    assert bench.rows(schema.reservation)[0].status == "released"


def test_it_goes_back_once(make_bench):
    bench = make_bench()
    bench.do(hold(), box="b1")

    for _ in range(3):
        bench.run(60)

    assert (stock(bench), len(bench.box.told)) == ((0, 0), 1)


def test_what_was_committed_or_released_before_stays_as_it_is(make_bench):
    bench = make_bench()
    bench.do(hold("used"), hold("gone"), hold("for ever", None), box="b1")
    bench.do(CommitReservation(resource="seats", reservation="used"), box="b1")
    bench.do(ReleaseReservation(resource="seats", reservation="gone"), box="b1")

    bench.run(timedelta(days=1))

    assert (stock(bench), bench.box.told) == ((2, 2), [])


def test_a_rules_reservation_goes_back_too(make_bench):
    bench = make_bench()
    bench.do(hold())

    bench.run(60)

    assert stock(bench) == (0, 0)
    assert [one.kind for one in bench.speaker.heard][-1] == "reservation.expired"


def test_what_went_back_can_be_held_again_and_goes_back_again(make_bench):
    bench = make_bench()
    bench.do(hold(), box="b1")
    bench.run(60)
    bench.do(hold(minutes=5), box="b1")
    again = stock(bench)

    bench.run(timedelta(minutes=5))

    assert (again, stock(bench), len(bench.box.told)) == ((2, 0), (0, 0), 2)


def test_the_holder_may_hold_again_at_once(make_bench):
    bench = make_bench()
    bench.do(hold(), box="b1")
    bench.effects[""] = (hold("another", minutes=None),)

    bench.run(60)

    assert (stock(bench), bench.box.told[0].kind) == ((2, 0), "reservation.expired")


def test_many_go_back_in_the_order_of_their_times(make_quick_bench):
    bench = make_quick_bench()
    for number in (3, 1, 2):
        bench.do(hold(f"h{number}", minutes=number, quantity=1), box="b1")

    done = bench.run(timedelta(hours=1))

    assert done.reservations == 3
    assert [one.payload.reservation for one in bench.box.told] == ["h1", "h2", "h3"]


def test_replaying_the_log_gives_the_stock_back_as_well(make_quick_bench):
    bench = make_quick_bench()
    bench.do(hold(), box="b1")
    bench.run(60)

    (row,) = bench.rows(schema.touchpoint, kind="reservation.expired")

    assert '"type":"release"' in row.decisions
