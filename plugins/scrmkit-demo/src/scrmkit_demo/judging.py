"""Chapter 4: everybody is scored and segmented, and hears what the segment's strategy says."""

from __future__ import annotations

from datetime import timedelta

from scrmkit.domain.ids import CustomerId
from scrmkit.domain.messages import Message, Purpose
from scrmkit_audience import Broadcast
from scrmkit_demo.world import STRATEGIES, World
from scrmkit_insight import Insight
from scrmkit_sms.channel import SmsText

SCORERS = ("rfm", "value-score")
ROUNDS = 9


def judge(world: World) -> None:
    """Score, plan a message for every customer, send what may go, and wait for the reports."""
    as_of = world.clock.now()
    for scorer in SCORERS:
        with world.progress(scorer, Insight(world.engine).counts().customers) as bar:
            done = [0]

            def show(count: int, _: int, done: list[int] = done, bar: object = bar) -> None:
                bar.update(count - done[0])  # type: ignore[attr-defined]
                done[0] = count

            world.audience.score(scorer, as_of=as_of, progress=show)
    _plan(world)
    with world.progress("delivery", ROUNDS) as bar:
        for _ in range(ROUNDS):
            # What was lost on the way is asked for again and again, ever more slowly.
            world.pass_time(timedelta(minutes=20))
            bar.update(1)


def _plan(world: World) -> None:
    by_segment: dict[str, list[CustomerId]] = {code: [] for code in STRATEGIES}
    total = 0
    for customer, score in world.audience.scores("rfm"):
        # Who never ordered is greeted like a first-timer without money spent.
        by_segment[score.segment or "000"].append(customer)
        total += 1
    with world.progress("planning", total) as bar:
        for code, people in by_segment.items():
            message = Message(
                channel="sms", purpose=Purpose.MARKETING, content=SmsText(template=f"rfm-{code}"),
                not_after=world.clock.now() + timedelta(days=2),
            )  # fmt: skip
            world.audience.broadcast(
                Broadcast(id=f"strategy-{code}", message=message, reason=f"the strategy for segment {code}"),
                people,
                author="strategy",
            )
            bar.update(len(people))
