"""From state to state: whatever comes, in whatever order, there is one end and it stays."""

from __future__ import annotations

from datetime import timedelta

import attrs
from hypothesis import given
from hypothesis import strategies as st

from scrmkit.domain.messages import (
    WAITING,
    Accepted,
    Delivered,
    Operation,
    Refused,
    Status,
    TryLater,
    Undelivered,
    Unknown,
)
from scrmkit.engine.outgoing import FOREVER
from scrmkit_worker.states import OutgoingRow, follow, next_ask

SECOND = 1_000_000
ROW = OutgoingRow(
    id=1, tenant="main", key="k", type="message", connector="sms", operation="send", customer=1,
    person=1, plugin="p", purpose="service", status="sending", code="ok", reason="", priority=5,
    due_at=0, not_after=FOREVER, planned_at=0, settled_at=None, attempts=1, leased_until=60,
    provider_id=None, address=1, slot=None, reply_to=None, touchpoint=1,
)  # fmt: skip
FINAL = frozenset(Status) - WAITING - {Status.ACCEPTED}

outcomes = st.one_of(
    st.builds(Accepted, provider_id=st.sampled_from([None, "p1"])),
    st.builds(Delivered, provider_id=st.sampled_from([None, "p1"])),
    st.just(Undelivered(code="u", reason="off")),
    st.just(Refused(code="r", reason="no")),
    st.builds(
        TryLater,
        reason=st.just("busy"),
        after=st.sampled_from([None, timedelta(0), timedelta(minutes=5)]),
        lane=st.booleans(),
    ),
    st.just(Unknown(reason="lost")),
)
operations = st.builds(Operation, body=st.just(object), idempotent=st.booleans(), max_attempts=st.integers(1, 4))


def send_on(row: OutgoingRow, at: int) -> OutgoingRow:
    """The row as a worker takes it, if it may."""
    if row.status != Status.PLANNED or row.due_at > at:
        return row
    return attrs.evolve(row, status="sending", attempts=row.attempts + 1, due_at=at)


@given(operations, st.lists(st.tuples(outcomes, st.booleans()), max_size=12))
def test_a_final_state_stays_whatever_is_said_later(operation, said):
    row, at, ends = ROW, 0, []
    for outcome, own in said:
        at += 600 * SECOND
        change = follow(row, outcome, operation, at, own=own and row.status == "sending")
        if change is not None:
            row = change.row
        if row.status in FINAL:
            ends.append(row.status)
        row = send_on(row, at)

    assert len(set(ends)) <= 1


@given(operations, st.lists(outcomes, max_size=30))
def test_answers_alone_come_to_an_end_or_to_an_unknown(operation, answers):
    row, at = ROW, 0
    for outcome in [*answers, *[TryLater(reason="busy")] * 5]:
        if row.status != "sending":
            break
        at += 3600 * SECOND
        change = follow(row, outcome, operation, at, own=True)
        assert change is not None
        row = send_on(attrs.evolve(change.row, due_at=min(change.row.due_at, at)), at)

    assert row.status in FINAL | {"accepted", "unknown"}


@given(operations, st.lists(outcomes, min_size=1, max_size=6), st.randoms())
def test_what_is_said_again_says_nothing_new(operation, said, chance):
    row = ROW
    for outcome in said:
        change = follow(row, outcome, operation, SECOND)
        row = change.row if change is not None else row
    repeated = [one for one in said if not isinstance(one, TryLater)]
    chance.shuffle(repeated)

    again = row
    for outcome in repeated:
        if again.status in FINAL:
            change = follow(again, outcome, operation, 2 * SECOND)
            again = change.row if change is not None else again

    assert attrs.evolve(again, provider_id=None) == attrs.evolve(row, provider_id=None)


@given(operations, st.lists(outcomes, max_size=6))
def test_a_send_without_keys_never_follows_one_that_may_have_been_done(operation, said):
    operation = attrs.evolve(operation, idempotent=False)
    row, lost = ROW, False
    for outcome in said:
        change = follow(row, outcome, operation, SECOND, own=row.status == "sending")
        lost = lost or (change is not None and isinstance(outcome, Unknown))
        row = change.row if change is not None else row
        if isinstance(outcome, TryLater) and row.status == "planned":
            lost = False  # the platform says that nothing was done

        assert not (lost and row.status == "planned")


@given(st.integers(0, 10**13), st.integers(0, 10**13))
def test_the_next_question_is_never_now(at, waited):
    assert next_ask(at + waited, at) >= at + waited + 30 * SECOND
