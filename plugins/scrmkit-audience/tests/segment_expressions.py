"""Random expressions over few names, so that they meet what customers have."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st

from scrmkit.domain.messages import Purpose
from scrmkit_audience.expressions import (
    EXPRESSIONS,
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
from scrmkit_audience.facts import Comparison

GROUPS = ("source",)
TAGS = ("table card", "小程序")
ATTRIBUTES = ("note.size",)
NUMBERS = (0, 1, -3, 2.5, 1e22)
VALUES = (None, True, *NUMBERS, "1", 'a"b\\', "true")
CHANNELS = ("*", "sms")
PURPOSES = (Purpose.MARKETING, Purpose.SERVICE)
SCORER = "value"
BANDS = ("A", "B")
RFM = ("111", "555", "")
STAGES = ("new", "loyal", "")
KINDS = ("order.paid", "order.refunded", "contact.added")
SHOPS = ("s1", "s2")
BRANDS = ("b1", "b2")

comparisons = st.sampled_from(Comparison)
few_days = st.integers(0, 4)


def _some_of(names: tuple[str, ...], least: int = 1) -> st.SearchStrategy[tuple[str, ...]]:
    given = [name for name in names if name]
    return st.lists(st.sampled_from(given), min_size=least, max_size=1 + least, unique=True).map(tuple)


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
        hundredths=None if comparison is None else draw(st.integers(0, 2)),
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
        value=unit * draw(st.integers(-1, 3)),
        measure=measure,
        days=draw(st.none() | few_days),
        ago=draw(st.one_of(st.just(0), few_days)),
        net=net,
    )


leaf = st.one_of(
    st.builds(HasTag, group=st.sampled_from(GROUPS), name=st.none() | st.sampled_from(TAGS)),
    st.sampled_from(VALUES).flatmap(_attribute),
    st.builds(HasConsent, channel=st.sampled_from(CHANNELS), purpose=st.sampled_from(PURPOSES), granted=st.booleans()),
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


def _battery() -> list[Expression]:
    """Every question that the names above allow, once."""
    asked: list[Expression] = [HasTag(group=GROUPS[0], name=name) for name in (None, *TAGS)]
    for value, comparison in itertools.product(VALUES, Comparison):
        if value is None:
            asked.append(HasAttribute(name=ATTRIBUTES[0]))
        elif type(value) in (int, float) or comparison in (Comparison.EQUAL, Comparison.DIFFERENT):
            asked.append(HasAttribute(name=ATTRIBUTES[0], comparison=comparison, value=value))
    for channel, purpose, granted in itertools.product(CHANNELS, PURPOSES, (True, False)):
        asked.append(HasConsent(channel=channel, purpose=purpose, granted=granted))
    asked += [ScoreIs(scorer=SCORER, bands=(band,)) for band in BANDS]
    asked += [ScoreIs(scorer=SCORER, comparison=c, hundredths=1) for c in Comparison]
    asked += [StageIs(stages=(stage,)) for stage in STAGES if stage]
    for seen in Seen:
        asked += [ShopIs(ids=(shop,), seen=seen) for shop in SHOPS]
        asked += [BrandIs(ids=(brand,), seen=seen) for brand in BRANDS]
    for comparison, days in itertools.product(Comparison, (None, 0, 1, 2, 3)):
        for kind in KINDS:
            asked.append(ActivityIs(kind=kind, comparison=comparison, value=1, days=days))
            asked.append(ActivityIs(kind=kind, comparison=comparison, value=1, days=days, ago=1))
            if days is not None:
                asked.append(DaysSince(kind=kind, comparison=comparison, days=days))
        spent = {"kind": KINDS[0], "comparison": comparison, "days": days, "measure": Measure.SUM}
        asked += [ActivityIs(**spent, value=50), ActivityIs(**spent, value=0, net=True)]
    return asked


_BY_TYPE = {kind: [one for one in _battery() if type(one) is kind] for kind in EXPRESSIONS[3:]}
plain: st.SearchStrategy[Expression] = st.one_of(*(st.sampled_from(alike) for alike in _BY_TYPE.values()))
"""One of all plain questions; of each type as often as of another."""
