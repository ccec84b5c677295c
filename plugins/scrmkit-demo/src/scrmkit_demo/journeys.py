"""One customer's journey for the report: whoever has most to tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from scrmkit.domain.identity import MEMBER, PHONE
from scrmkit.domain.ids import CustomerId
from scrmkit.domain.messages import Purpose
from scrmkit.domain.profile import Score
from scrmkit_audience import ActivityIs, And, Comparison, Expression, HasConsent, HasTag
from scrmkit_demo.report import mask_phone
from scrmkit_demo.report.data import Journey, ScorePart, Step
from scrmkit_demo.world import World
from scrmkit_insight import DecisionEntry, Entry, Insight, OutgoingEntry, ScoreEntry, TouchpointEntry

ZONE = ZoneInfo("Asia/Shanghai")
PARTS_ZH = {
    "rfm": "消费", "engagement": "互动", "ltv": "生命周期价值", "relationship": "关系",
    "trust": "信任", "penalty": "扣分",
}  # fmt: skip
MOST = {"rfm": 3000, "engagement": 2000, "ltv": 2000, "relationship": 1500, "trust": 1500}
LONGEST = 40
"""Steps that a reader will look at; the newest are shown."""


def journey_of(world: World, rfm: Mapping[CustomerId, Score], value: Mapping[CustomerId, Score]) -> Journey | None:
    """The journey of a customer with much to tell, None where nobody has."""
    person = _teller(world)
    if person is None:
        return None
    entries = Insight(world.engine).journey(person)
    known = world.engine.customer(person)
    names = {identity.kind: identity.value for identity in known.identities}
    invented = world.invented.customer(int(names[MEMBER]))
    shop = next(shop for shop in world.invented.shops if shop.id == invented.home_shop_id)
    guide = next(guide for guide in world.invented.guides if guide.id == invented.guide_id)
    score = value[person]
    return Journey(
        customer=f"member {names[MEMBER]} ({invented.name}, invented)",
        phone=mask_phone(names[PHONE].removeprefix("+86")) if PHONE in names else "",
        shop=shop.name,
        guide=guide.name,
        segment=rfm[person].segment,
        band=score.band,
        score_hundredths=score.hundredths,
        parts=tuple(
            ScorePart(
                name=part.name, name_zh=PARTS_ZH.get(part.name, part.name),
                points_hundredths=part.hundredths, most_hundredths=MOST.get(part.name, 0),
                why="; ".join(f"{name}: {said}" for name, said in part.inputs),
            )
            for part in score.parts
        ),
        steps=tuple(step for entry in entries for step in _steps(entry))[-LONGEST:],
    )  # fmt: skip


def _teller(world: World) -> CustomerId | None:
    met: tuple[Expression, ...] = (
        HasTag(group="source"),
        ActivityIs(kind="order.paid", comparison=Comparison.AT_LEAST, value=2),
    )
    consented = HasConsent(channel="sms", purpose=Purpose.MARKETING)
    for wanted in (And(of=(*met, consented)), And(of=met), met[0]):
        person = next(iter(world.audience.members(wanted)), None)
        if person is not None:
            return person
    return None


def _steps(entry: Entry) -> Iterator[Step]:
    at = entry.at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M")
    if isinstance(entry, TouchpointEntry):
        yield Step(at=at, kind="touchpoint", title=entry.words)
    elif isinstance(entry, DecisionEntry):
        title = ", ".join(str(effect["type"]) for effect in entry.effects) or entry.code
        yield Step(at=at, kind="decision", title=title, why=entry.reason, plugin=entry.plugin)
    elif isinstance(entry, OutgoingEntry):
        why = entry.because if entry.verdict is None else f"{entry.because}: {entry.verdict.reason}"
        yield Step(
            at=at, kind="message", title=f"{entry.connector}.{entry.operation}", why=why,
            plugin=entry.plugin, outcome=entry.status,
        )  # fmt: skip
    elif isinstance(entry, ScoreEntry):
        yield Step(at=at, kind="score", title=entry.words, plugin=entry.scorer)
