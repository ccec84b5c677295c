"""Power cuts at any step: nothing is lost, and nothing is sent twice."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from delivery_bench import Bench, PowerCut
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scrmkit import failpoints
from scrmkit.domain.messages import Accepted, Delivered, Refused, TryLater
from scrmkit.persistence import schema
from scrmkit.testing.fakes import FakeChannel, Lose

PLACES = (
    "delivery.begin.before_commit",
    "delivery.claim.before_commit",
    "delivery.claim.after_commit",
    "delivery.sent",
    "delivery.write.before_commit",
    "delivery.write.after_commit",
    "delivery.recover.before_commit",
    "delivery.ask.after_commit",
    "delivery.asked",
)
ENDS = {"accepted", "delivered", "refused", "dead"}
_NUMBERS = count()

acts = st.sampled_from(
    [
        Accepted(provider_id="p"), Delivered(), Refused(code="1", reason="no"),
        TryLater(reason="busy"), Lose(done=True), Lose(done=False), RuntimeError("boom"),
    ]
)  # fmt: skip
cuts = st.lists(st.tuples(st.sampled_from(PLACES), st.integers(1, 4)), max_size=6)


class Strict(FakeChannel):
    """Counts what was really done for each key, also where keys are not honoured."""

    def __init__(self, **options):
        super().__init__(**options)
        self.done: Counter[str] = Counter()

    def send(self, operation, batch):
        outcomes = super().send(operation, batch)
        self.done = Counter(item.key for item in self.sent)
        return outcomes


def run_with_power_cuts(bench: Bench, planned: list[tuple[str, int]]) -> None:
    """Run, and be cut off at each place of *planned* when it is reached the n-th time."""
    for place, times in planned:
        left = [times]

        def cut(left=left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise PowerCut

        failpoints.ARMED[place] = cut
        try:
            bench.run(61)
        except PowerCut:
            failpoints.ARMED.clear()
            bench.restart()
        failpoints.ARMED.clear()
    for _ in range(12):
        bench.run(timedelta(minutes=11))


@pytest.fixture
def template(new_sqlite) -> Path:
    return Path(new_sqlite().removeprefix("sqlite:///"))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=st.lists(acts, max_size=8), planned=cuts, honours_keys=st.booleans())
def test_every_message_ends_once_and_is_sent_at_most_once(template, script, planned, honours_keys):
    path = template.with_name(f"cut-{next(_NUMBERS)}.db")
    shutil.copyfile(template, path)
    channel = Strict(honours_keys=honours_keys, max_batch=2)
    bench = Bench(f"sqlite:///{path}", sms=channel, calls={"quarantine_after": 1_000})
    try:
        for who in range(4):
            bench.say(who=who, box=f"b{who}", tell=True)
        channel.will(*script)

        run_with_power_cuts(bench, planned)

        assert set(bench.statuses) <= ENDS
        assert max(channel.done.values(), default=0) <= 1
        told = bench.rows(schema.touchpoint, kind="message.settled")
        assert len(told) == len(bench.rows())
        done = {row.key for row in bench.rows() if row.status in ("accepted", "delivered")}
        assert done == set(channel.done)
    finally:
        bench.close()


@pytest.mark.parametrize("place", PLACES[1:6])
@pytest.mark.parametrize("times", [1, 2])
def test_a_power_cut_at_each_step_loses_nothing(make_bench, place, times):
    bench = make_bench(sms=FakeChannel(max_batch=2))
    bench.sms.will(Lose(), Accepted(), TryLater(reason="busy"))
    for who in range(4):
        bench.say(who=who)
        bench.say(who=who, channel="mail")

    run_with_power_cuts(bench, [(place, times)])

    assert bench.statuses == ["accepted"] * 8
    assert (len(bench.sms.sent), len(bench.mail.sent)) == (4, 4)
