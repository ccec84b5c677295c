"""Recording: once each, in order, with the answer that was given the first time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import attrs
import pytest
from engine_world import Played, Toy, everything, phone_of, played, rows, says, scanned, spring

from scrmkit.domain.decisions import Said, Step
from scrmkit.domain.effects import AddTag
from scrmkit.domain.identity import Identity
from scrmkit.domain.ids import CustomerId, TenantId
from scrmkit.domain.kinds import MessageReceived, Nothing, OrderPaid
from scrmkit.domain.profile import TagSource
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit.errors import InvalidValueError, TenantRequiredError, UnknownKindError
from scrmkit.hooks import hookimpl
from scrmkit.testing import NOON, FakeRule, Observer, make_order_paid

VIP = AddTag(group="level", name="vip", source=TagSource.MANUAL)
Make = Callable[..., Engine]


def draws() -> FakeRule:
    """A rule with an effect, a draw and an answer."""
    return FakeRule(
        "entrance.scanned", decide=lambda t, known, now: says(VIP, answer={"drawn": now.chance.randbelow(10**9)})
    )


# --- what comes back ---------------------------------------------------------------------


def test_an_outcome_says_who_it_was_and_what_was_decided(engine_of: Make):
    engine = engine_of({"rule.draws": draws()})

    outcome = engine.record(scanned(1))

    assert outcome.customer is not None
    assert not outcome.duplicate
    assert outcome.parked is None
    assert outcome.answer is not None
    assert 0 <= outcome.answer["drawn"] < 10**9
    assert outcome.decisions == (Said(plugin="draws", instance="", code="ok", reason="told to", effects=("add_tag",)),)


def test_recording_nothing_is_no_error(engine_on_sqlite: Make):
    assert engine_on_sqlite().record_many([]) == []


def test_outcomes_come_in_the_order_of_the_touchpoints(engine_of: Make):
    engine = engine_of()
    first = engine.record_many([scanned(n) for n in range(5)])
    again = engine.record_many([scanned(n) for n in (3, 1, 4)])

    assert [o.touchpoint for o in again] == [first[n].touchpoint for n in (3, 1, 4)]


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(datetime(2026, 3, 2, 4, tzinfo=UTC), id="in UTC"),
        pytest.param(datetime(2026, 3, 2, 12, tzinfo=timezone(timedelta(hours=8))), id="in Shanghai"),
    ],
)
def test_a_moment_is_the_same_in_every_zone(engine_on_sqlite: Make, moment: datetime):
    engine = engine_on_sqlite()
    engine.record(scanned(1, occurred_at=moment))

    assert rows(engine, "touchpoint", "occurred_at") == [(1_772_424_000_000_000,)]


# --- duplicates --------------------------------------------------------------------------


def test_a_repetition_gets_the_first_answer_and_changes_nothing(engine_of: Make):
    rule = draws()
    engine = engine_of({"rule.draws": rule})
    first = engine.record(scanned(1))
    before = everything(engine)

    again = engine.record(scanned(1))

    assert again == attrs.evolve(first, duplicate=True)
    assert everything(engine) == before
    assert len(rule.touchpoints) == 1


def test_a_repetition_with_another_content_is_a_repetition_all_the_same(engine_of: Make):
    engine = engine_of()
    first = engine.record(make_order_paid("o1", 100))

    again = engine.record(make_order_paid("o1", 999, identities=[phone_of(9)]))

    assert (again.touchpoint, again.duplicate) == (first.touchpoint, True)
    assert rows(engine, "touchpoint", "amount_fen") == [(100,)]
    assert len(rows(engine, "customer")) == 1


def test_a_repetition_within_a_batch_is_one(engine_of: Make):
    rule = draws()
    engine = engine_of({"rule.draws": rule})

    one, two, three = engine.record_many([scanned(1), scanned(2), scanned(1)])

    assert three == attrs.evolve(one, duplicate=True)
    assert not two.duplicate
    assert len(rule.touchpoints) == 2
    assert len(rows(engine, "touchpoint")) == 2


def test_a_repetition_of_one_that_ends_its_batch_is_one(engine_of: Make):
    """A touchpoint that joins two customers is a batch of its own."""
    engine = engine_of()
    engine.record_many([scanned(1, phone_of(1)), scanned(2, phone_of(2))])
    both = scanned(3, phone_of(1), phone_of(2))

    first, again, after = engine.record_many([both, both, scanned(4, phone_of(2))])

    assert again == attrs.evolve(first, duplicate=True)
    assert after.customer == first.customer


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Touchpoint(kind="group_chat.joined", key="s1", occurred_at=NOON,
                                payload=None), id="another kind"),
        pytest.param(scanned(1, key="S1"), id="another letter"),
        pytest.param(scanned(1, key="s1 "), id="a space more"),
        pytest.param(scanned(1, key="ｓ1"), id="a wide letter"),
    ],
)  # fmt: skip
def test_another_key_or_kind_is_another_touchpoint(engine_of: Make, other: Touchpoint):
    from scrmkit.domain.kinds import GroupChatJoined

    engine = engine_of()
    engine.record(scanned(1))
    if other.kind == "group_chat.joined":
        other = attrs.evolve(other, payload=GroupChatJoined(chat="c"))

    assert not engine.record(other).duplicate


def test_a_repetition_from_many_threads_at_once_is_one(engine_of: Make):
    rule = draws()
    engine = engine_of({"rule.draws": rule})
    outcomes = []

    def record() -> None:
        outcomes.extend((number, engine.record(scanned(number))) for number in range(10))

    threads = [threading.Thread(target=record) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 320
    assert sum(not outcome.duplicate for _, outcome in outcomes) == 10
    assert len({(n, o.touchpoint, o.answer["drawn"]) for n, o in outcomes}) == 10
    assert len(rule.touchpoints) == 10


def test_what_was_answered_outlives_a_restart(database_url: str, engines: Callable[..., Engine], virtual_clock):
    first_engine = engines(database_url, {"rule.draws": draws()}, clock=virtual_clock)
    first = first_engine.record(scanned(1))
    first_engine.close()

    again = engines(database_url, clock=virtual_clock).record(scanned(1))

    assert again == attrs.evolve(first, duplicate=True)


def test_an_answer_of_values_is_the_same_the_second_time(engine_of: Make):
    @attrs.frozen(kw_only=True)
    class Cut:
        fen: int
        at: datetime
        names: tuple[str, ...]
        inner: Nothing = Nothing()

    cut = Cut(fen=3, at=NOON, names=("a", "b"))
    engine = engine_of({"rule.cuts": FakeRule("entrance.scanned", decide=says(answer=cut))})

    first = engine.record(scanned(1))

    assert first.answer is not None
    assert first.answer["fen"] == 3
    assert engine.record(scanned(1)) == attrs.evolve(first, duplicate=True)


# --- what is refused before anything happens ---------------------------------------------


@pytest.mark.parametrize(
    ("touchpoint", "error", "says_"),
    [
        pytest.param(
            scanned(1, kind="entrance.scaned"), UnknownKindError, "did you mean", id="misspelt"
        ),
        pytest.param(
            scanned(1, payload=OrderPaid(order_no="1", amount_fen=1)), InvalidValueError,
            "takes a Nothing", id="another kind's payload",
        ),
        pytest.param(
            scanned(1, Identity(kind="fone", value="1")), InvalidValueError, "fone",
            id="an unknown type of identity",
        ),
        pytest.param(
            scanned(1, tenant=TenantId("other")), TenantRequiredError, "other",
            id="a tenant that nobody has",
        ),
        pytest.param(
            make_order_paid(amount_fen=2**63), InvalidValueError, "amount_fen",
            id="more money than there is",
        ),
        pytest.param(scanned(1, source="x" * 65), InvalidValueError, "source", id="a long source"),
        pytest.param(scanned(1, shop="x" * 65), InvalidValueError, "shop", id="a long shop"),
        pytest.param(scanned(1, brand="a\x00"), InvalidValueError, "brand", id="a brand with NUL"),
        pytest.param(scanned(1, state="\ud800"), InvalidValueError, "state", id="half a character"),
    ],
)  # fmt: skip
def test_what_is_no_touchpoint_is_refused_and_nothing_happens(
    engine_of: Make, touchpoint: Touchpoint, error: type[Exception], says_: str
):
    engine = engine_of()

    with pytest.raises(error, match=says_):
        engine.record(touchpoint)
    with pytest.raises(error, match=says_):
        engine.record_many([scanned(7), touchpoint])
    assert everything(engine) == {}


def test_a_customer_who_does_not_exist_is_refused(engine_of: Make):
    engine = engine_of()
    outcome = engine.record(
        Touchpoint(kind="entrance.scanned", key="1", occurred_at=NOON, payload=Nothing(), customer=CustomerId(404))
    )

    assert outcome.parked == "no customer 404 in tenant 'main'"
    assert rows(engine, "touchpoint") == []


# --- who came ----------------------------------------------------------------------------


def test_the_same_name_is_the_same_customer(engine_of: Make):
    engine = engine_of()
    ann, bob, ann_again = engine.record_many(
        [scanned(1, phone_of(1)), scanned(2, phone_of(2)), scanned(3, phone_of(1))]
    )

    assert ann.customer == ann_again.customer != bob.customer
    assert engine.record(scanned(4, phone_of(2))).customer == bob.customer


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(Identity(kind="member", value="+8613900000001"), id="another type"),
        pytest.param(Identity(kind="phone", value="+8613900000001", scope="x"), id="another scope"),
        pytest.param(Identity(kind="phone", value="+8613900000001 "), id="a space more"),
    ],
)
def test_another_name_is_another_customer(engine_of: Make, other: Identity):
    engine = engine_of()
    one, two = engine.record_many([scanned(1, phone_of(1)), scanned(2, other)])

    assert one.customer != two.customer


def test_a_touchpoint_without_a_name_has_no_customer(engine_of: Make):
    engine = engine_of({"rule.tags": FakeRule("message.received", decide=says())})
    outcome = engine.record(Touchpoint(kind="message.received", key="1", occurred_at=NOON, payload=MessageReceived()))

    assert outcome.customer is None
    assert rows(engine, "touchpoint", "customer", "person") == [(None, None)]


def test_a_caller_may_name_the_customer(engine_of: Make):
    engine = engine_of()
    ann = engine.record(scanned(1)).customer
    again = engine.record(
        Touchpoint(kind="entrance.scanned", key="2", occurred_at=NOON, payload=Nothing(), customer=ann)
    )

    assert again.customer == ann
    assert len(rows(engine, "customer")) == 1


def test_personal_values_are_kept_apart(engine_of: Make):
    engine = engine_of({"mechanic.toy": Toy()})
    engine.publish(spring())
    engine.record(played(1, payload=Played(words="canary")))

    found = everything(engine)
    assert [row for row in found.pop("personal") if "canary" in repr(row)]
    assert "canary" not in repr(found)


# --- observers ---------------------------------------------------------------------------


def test_observers_hear_of_everything_once_and_in_order(engine_of: Make):
    observer = Observer()
    engine = engine_of({"hooks.observer": observer, "rule.draws": draws()})

    engine.record_many([scanned(1), scanned(2), scanned(1)])
    engine.record(scanned(2))

    assert [t.key for t, _ in observer.committed] == ["s1", "s2"]
    assert [o.duplicate for _, o in observer.committed] == [False, False]


def test_an_observer_may_record(engine_of: Make):
    """It runs outside any transaction; what it records is not held up by what it heard of."""

    class Echo:
        def __init__(self) -> None:
            self.heard: list[str] = []

        @hookimpl
        def scrmkit_committed(self, touchpoint: Touchpoint) -> None:
            self.heard.append(touchpoint.key)
            if touchpoint.key == "s1":
                engine.record(scanned(2))

    echo = Echo()
    engine = engine_of({"hooks.observer": echo})
    done = threading.Thread(target=engine.record, args=(scanned(1),), daemon=True)
    done.start()
    done.join(3)

    assert not done.is_alive(), "the observer waits for itself"
    assert echo.heard == ["s1", "s2"]


def test_a_step_that_says_nothing_leaves_nothing(engine_of: Make):
    engine = engine_of({"mechanic.toy": Toy(open=lambda *a: Step(reason="not now"))})
    engine.publish(spring())

    outcome = engine.record(played(1))

    assert [said.reason for said in outcome.decisions] == ["not now"]
    assert rows(engine, "instance") == []
