"""Merges are told, undone exactly, and safe between processes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest
from engine_people import ANN, BOB, CAT, Make, chat, joins, people, person_columns, reads
from engine_world import Toy, at, played, rows, says, scanned, spring, text, union_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrmkit.domain import effects as e
from scrmkit.domain.decisions import Step
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.kinds import Noted
from scrmkit.domain.messages import Purpose
from scrmkit.domain.profile import Score, TagSource
from scrmkit.domain.reads import Tags
from scrmkit.engine import Engine
from scrmkit.errors import ConflictError, UnknownNameError
from scrmkit.persistence import schema
from scrmkit.testing import NOON, FakeChannel, FakeRule

# --- telling of it -----------------------------------------------------------------------


def joining_toy() -> Toy:
    """A mechanic in which everybody who plays takes part."""
    return Toy(
        "customer.merged",
        open=lambda r, c, t, known, now: Step(reason="opened", state=Toy.State(), effects=(e.Join(role="owner"),)),
        act=lambda i, t, known, now: (
            None if t.kind == "customer.merged" else Step(reason="joined", effects=(e.Join(role="guest"),))
        ),
    )


def told(toy: Toy) -> list[str]:
    return [i.ref.key for call, i, t in toy.calls if call == "act" and t.kind == "customer.merged"]


def test_open_instances_that_hold_both_are_told(engine_of: Make):
    toy = joining_toy()
    engine = engine_of({"mechanic.toy": toy})
    engine.publish(spring())
    play = [("both", ANN), ("both", BOB), ("ann", ANN), ("bob", BOB)]
    engine.record_many([attrs.evolve(played(n, key), identities=(who,)) for n, (key, who) in enumerate(play)])

    engine.record(joins(9, ANN, BOB))

    assert told(toy) == ["both"]
    assert len([1 for (kind,) in rows(engine, "touchpoint", "kind") if kind == "customer.merged"]) == 2


def test_an_instance_that_held_both_before_is_not_told_again(engine_of: Make):
    toy = joining_toy()
    engine = engine_of({"mechanic.toy": toy})
    engine.publish(spring())
    engine.record_many([attrs.evolve(played(n, "both"), identities=(who,)) for n, who in enumerate((ANN, BOB))])
    engine.record(joins(9, ANN, BOB))
    engine.record(scanned(8, CAT))
    toy.calls.clear()

    engine.record(scanned(7, ANN, CAT))

    assert told(toy) == []


def test_a_closed_instance_is_not_told(engine_of: Make):
    toy = Toy(
        "customer.merged",
        open=lambda *a: Step(reason="o", state=Toy.State(), effects=(e.Join(role="owner"),)),
        act=lambda *a: Step(reason="over", effects=(e.Join(role="guest"),), closed=True),
    )
    engine = engine_of({"mechanic.toy": toy})
    engine.publish(spring())
    engine.record_many([attrs.evolve(played(n, "both"), identities=(who,)) for n, who in enumerate((ANN, BOB))])
    toy.calls.clear()

    engine.record(joins(9, ANN, BOB))

    assert told(toy) == []


# --- undoing -----------------------------------------------------------------------------


def busy(touchpoint: Any, known: Any, now: Any) -> Any:
    """One effect for each table that names a person."""
    who = touchpoint.key
    return says(
        e.AddTag(group="g", name=who, source=TagSource.MANUAL),
        e.SetAttribute(name="a", value=who),
        e.Remember(value={"a": who}),
        e.RecordConsent(channel="sms", purpose=Purpose.SERVICE, granted=True),
        e.SetScore(score=Score(scorer="s", hundredths=1, band="b", as_of=NOON)),
        e.Propose(message=text(), once=who),
        e.StartTimer(key="t", due_at=at(60)),
    )


def busy_engine(engine_of: Make) -> Engine:
    toy = Toy(act=lambda i, t, known, now: Step(reason="r", effects=(e.Join(role="guest"),)))
    engine = engine_of(
        {"rule.busy": FakeRule("entrance.scanned", decide=busy), "channel.sms": FakeChannel(), "mechanic.toy": toy}
    )
    engine.publish(spring())
    return engine


def test_undoing_is_exact(engine_of: Make):
    engine = busy_engine(engine_of)
    ann, bob = engine.record_many([scanned(1, ANN), scanned(2, BOB)])
    engine.record_many([attrs.evolve(played(n), identities=(w,)) for n, w in enumerate((CAT, ANN, BOB))])
    before = person_columns(engine)
    # Of a kind that no plugin listens to, so that it leaves no words of its own.
    noted = Noted(what="the same person")
    engine.record(scanned(7, ANN, BOB, kind="platform.noted", payload=noted, key="joins"))
    assert person_columns(engine) != before

    engine.undo_merge(ann.customer, bob.customer)

    assert person_columns(engine) == before
    assert engine.record(scanned(8, BOB)).customer == bob.customer
    assert engine.record(scanned(9, ANN)).customer == ann.customer


def test_what_came_since_stays_with_whose_name_it_carried(engine_of: Make):
    engine = engine_of()
    ann, bob = engine.record_many([scanned(1, ANN), scanned(2, BOB)])
    engine.record_many([joins(3, ANN, BOB), scanned(4, BOB, CAT), scanned(5, ANN)])
    engine.undo_merge(ann.customer, bob.customer)

    who = dict(rows(engine, "touchpoint", "key", "person"))
    assert (who["s4"], who["s5"]) == (bob.customer, ann.customer)
    assert engine.record(scanned(6, CAT)).customer == bob.customer


def test_only_a_merge_that_is_there_is_undone(engine_of: Make):
    engine = engine_of()
    ann, bob = engine.record_many([scanned(1, ANN), scanned(2, BOB)])

    with pytest.raises(UnknownNameError, match="is there to undo"):
        engine.undo_merge(ann.customer, bob.customer)
    engine.record(joins(3, ANN, BOB))
    with pytest.raises(UnknownNameError):
        engine.undo_merge(bob.customer, ann.customer)
    engine.undo_merge(ann.customer, bob.customer)
    with pytest.raises(UnknownNameError):
        engine.undo_merge(ann.customer, bob.customer)


def test_a_merge_below_another_is_undone_after_that(engine_of: Make):
    engine = engine_of()
    ann, bob, cat = engine.record_many([scanned(1, ANN), scanned(2, BOB), scanned(3, CAT)])
    engine.record(scanned(4, BOB, CAT))
    engine.record(scanned(5, ANN, BOB))

    with pytest.raises(ConflictError, match="undo that first"):
        engine.undo_merge(bob.customer, cat.customer)
    engine.undo_merge(ann.customer, bob.customer)
    assert people(engine) == {
        ann.customer: ann.customer, bob.customer: bob.customer, cat.customer: bob.customer
    }  # fmt: skip
    engine.undo_merge(bob.customer, cat.customer)
    assert people(engine) == {one: one for one in (ann.customer, bob.customer, cat.customer)}


def test_who_was_told_apart_may_join_again(engine_of: Make):
    engine = engine_of()
    ann, bob = engine.record_many([scanned(1, ANN), scanned(2, BOB)])
    for number in range(3):
        engine.record(scanned(10 + number, ANN, BOB))
        engine.undo_merge(ann.customer, bob.customer)

    assert people(engine) == {ann.customer: ann.customer, bob.customer: bob.customer}
    assert len(rows(engine, "merge")) == 3


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sets(st.integers(0, 5), min_size=1, max_size=3), min_size=4, max_size=14), st.integers(0, 3))
def test_undoing_all_merges_brings_everybody_back(engine_on_sqlite: Make, scans: Sequence[set[int]], size: int):
    engine = engine_on_sqlite()
    touchpoints = [scanned(n, *(union_of(one) for one in sorted(names))) for n, names in enumerate(scans)]
    for start in range(0, len(touchpoints), size + 1):
        engine.record_many(touchpoints[start : start + size + 1])

    merges = rows(engine, schema.merge, "id", "kept", "moved")
    for _, kept, moved in reversed(merges):
        engine.undo_merge(CustomerId(kept), CustomerId(moved))

    assert people(engine) == {one: one for one in people(engine)}
    for table in schema.PERSON_TABLES:
        own = "id" if table is schema.customer else "customer"
        assert all(customer == person for customer, person in rows(engine, table, own, "person"))


# --- two processes -----------------------------------------------------------------------


def test_a_word_that_another_process_writes_meanwhile_is_not_lost(new_postgresql, engines: Callable[..., Engine]):
    """One joins two customers while the other is about to tag one of them."""
    url = new_postgresql()
    inside, go_on = threading.Event(), threading.Event()

    def slowly(touchpoint: Any, known: Any, now: Any) -> Any:
        if touchpoint.key == "s3":
            inside.set()
            go_on.wait(30)
        return says(e.AddTag(group="g", name=touchpoint.key, source=TagSource.MANUAL))

    tags = engines(url, {"rule.tags": FakeRule("entrance.scanned", decide=slowly)})
    other = engines(url, {"rule.reads": reads(Tags)})
    tags.record_many([scanned(1, ANN), scanned(2, BOB)])
    tagging = threading.Thread(target=tags.record, args=(scanned(3, BOB),))
    tagging.start()
    assert inside.wait(30)
    merging = threading.Thread(target=other.record, args=(chat(4, ANN, BOB),))
    merging.start()
    merging.join(0.5)
    go_on.set()
    tagging.join(30)
    merging.join(30)

    seen = other.record(chat(5, ANN)).answer
    assert seen is not None
    assert "name='s3'" in seen["known"][0]


def test_two_processes_join_the_same_people_at_once(new_postgresql, engines: Callable[..., Engine]):
    url = new_postgresql()
    one, two = engines(url), engines(url)
    names = [union_of(n) for n in range(8)]
    one.record_many([scanned(n, name) for n, name in enumerate(names)])
    errors: list[BaseException] = []

    def join(engine: Engine, start: int, step: int) -> None:
        try:
            for number in range(7):
                pair = names[(start + step * number) % 8], names[(start + step * (number + 1)) % 8]
                engine.record(scanned(100 * (start + 1) + number, *pair))
        except BaseException as error:  # noqa: BLE001 - looked at below
            errors.append(error)

    threads = [threading.Thread(target=join, args=(one, 0, 1)), threading.Thread(target=join, args=(two, 7, -1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert errors == []
    assert len(set(people(one).values())) == 1
    for table in schema.PERSON_TABLES:
        assert len({person for (person,) in rows(one, table, "person")}) <= 1
    assert len(rows(one, "merge")) == 7
