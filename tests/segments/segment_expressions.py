"""Random expressions over few names, so that they meet what customers have."""

from __future__ import annotations

from hypothesis import strategies as st

from scrmkit.domain.facts import Comparison
from scrmkit.domain.messages import Purpose
from scrmkit.domain.segments import (
    ActivityIs,
    And,
    BrandIs,
    DaysSince,
    Expression,
    HasAttribute,
    HasConsent,
    HasTag,
    Measure,
    Not,
    Or,
    ScoreIs,
    Seen,
    ShopIs,
    StageIs,
)

GROUPS = ("source", "interest")
TAGS = ("table card", "小程序", "vip")
ATTRIBUTES = ("note.size", "note.city")
VALUES = (
    None,
    True,
    False,
    0,
    1,
    2,
    -3,
    10,
    2.5,
    0.1,
    10.0,
    1e22,
    "",
    "1",
    "true",
    "杭州",
    'a"b\\',
)
CHANNELS = ("*", "sms", "wecom")
SCORER = "note"
BANDS = ("A", "B")
RFM = ("111", "555", "")
STAGES = ("new", "loyal", "")
KINDS = ("order.paid", "order.refunded", "contact.added", "entrance.scanned")
SHOPS = ("s1", "s2", "s3")
BRANDS = ("b1", "b2")

comparisons = st.sampled_from(Comparison)
few_days = st.one_of(st.integers(0, 3), st.integers(0, 40))


def _some_of(names: tuple[str, ...], least: int = 1) -> st.SearchStrategy[tuple[str, ...]]:
    given = [name for name in names if name]
    return st.lists(st.sampled_from(given), min_size=least, max_size=2, unique=True).map(tuple)


def _attribute(value: object) -> st.SearchStrategy[HasAttribute]:
    if value is None:
        return st.builds(HasAttribute, name=st.sampled_from(ATTRIBUTES))
    numbers = type(value) in (int, float)
    equal = st.sampled_from([Comparison.EQUAL, Comparison.DIFFERENT])
    return st.builds(
        HasAttribute,
        name=st.sampled_from(ATTRIBUTES),
        comparison=comparisons if numbers else equal,
        value=st.just(value),
    )


@st.composite
def _scores(draw: st.DrawFn) -> ScoreIs:
    comparison = draw(st.none() | comparisons)
    return ScoreIs(
        scorer=SCORER,
        comparison=comparison,
        hundredths=None if comparison is None else draw(st.integers(-1, 4)),
        bands=draw(_some_of(BANDS, 0)),
        segments=draw(_some_of(RFM, 0)),
    )


@st.composite
def _activities(draw: st.DrawFn) -> ActivityIs:
    measure = draw(st.sampled_from(Measure))
    kind = draw(st.sampled_from(KINDS[:2] if measure is Measure.SUM else KINDS))
    net = measure is Measure.SUM and kind == "order.paid" and draw(st.booleans())
    unit = 1 if measure is Measure.COUNT else 50
    return ActivityIs(
        kind=kind,
        comparison=draw(comparisons),
        value=unit * draw(st.integers(-2, 6)),
        measure=measure,
        days=draw(st.none() | few_days),
        ago=draw(st.one_of(st.just(0), few_days)),
        net=net,
    )


leaf = st.one_of(
    st.builds(HasTag, group=st.sampled_from(GROUPS), name=st.none() | st.sampled_from(TAGS)),
    st.sampled_from(VALUES).flatmap(_attribute),
    st.builds(
        HasConsent,
        channel=st.sampled_from(CHANNELS),
        purpose=st.sampled_from([Purpose.MARKETING, Purpose.SERVICE]),
        granted=st.booleans(),
    ),
    _scores(),
    st.builds(StageIs, stages=_some_of(STAGES)),
    st.builds(ShopIs, ids=_some_of(SHOPS), seen=st.sampled_from(Seen)),
    st.builds(BrandIs, ids=_some_of(BRANDS), seen=st.sampled_from(Seen)),
    _activities(),
    st.builds(DaysSince, kind=st.sampled_from(KINDS), comparison=comparisons, days=few_days),
)


def _joined(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    several = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, inner))


expressions: st.SearchStrategy[Expression] = st.recursive(leaf, _joined, max_leaves=5)
