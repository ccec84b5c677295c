"""Segments as they are written down."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given
from segment_expressions import expressions

from scrmkit.domain.messages import Purpose
from scrmkit.errors import InvalidValueError, SettingsError
from scrmkit.settings import Settings, settings_from
from scrmkit_audience.expressions import (
    ActivityIs,
    And,
    DaysSince,
    Expression,
    HasAttribute,
    HasConsent,
    HasTag,
    Measure,
    Not,
    Or,
    ScoreIs,
    Segment,
    StageIs,
)
from scrmkit_audience.facts import Comparison
from scrmkit_audience.written import DEEPEST, expression_from, segments_of, table_of

WRITTEN = """
[segments.loyal]
tenant = "north"
expression.and = [
    {tag = {group = "source", name = "table card"}},
    {or = [
        {score = {scorer = "value", comparison = ">=", hundredths = 6000}},
        {stage = {stages = ["loyal", "active"]}},
    ]},
    {activity = {kind = "order.paid", measure = "sum", comparison = ">=", value = 50000, days = 9}},
    {not = {days_since = {kind = "order.paid", comparison = ">", days = 30}}},
    {consent = {channel = "sms", purpose = "marketing"}},
    {attribute = {name = "profile.children", comparison = ">", value = 0}},
]
"""

MADE = And(
    (
        HasTag(group="source", name="table card"),
        Or(
            (
                ScoreIs(scorer="value", comparison=Comparison.AT_LEAST, hundredths=6_000),
                StageIs(stages=("loyal", "active")),
            )
        ),
        ActivityIs(kind="order.paid", measure=Measure.SUM, comparison=Comparison.AT_LEAST, value=50_000, days=9),
        Not(DaysSince(kind="order.paid", comparison=Comparison.ABOVE, days=30)),
        HasConsent(channel="sms", purpose=Purpose.MARKETING),
        HasAttribute(name="profile.children", comparison=Comparison.ABOVE, value=0),
    )
)


def toml(value: Any) -> str:
    """A value as TOML writes it inline."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


def written(*tenants: str) -> Settings:
    """Settings with the segments above."""
    document = tomllib.loads(f"scrmkit = {{tenants = {list(tenants)}}}\n{WRITTEN}")
    return settings_from(document, {"SCRMKIT_SECRET": "0123456789abcdef"})


def test_what_is_written_and_what_is_made_are_the_same():
    assert segments_of(written("north", "south")) == (Segment(name="loyal", tenant="north", expression=MADE),)


def test_all_problems_of_all_segments_are_said_with_their_paths():
    tables = {
        "loyal": {"expression": {"tag": {"group": "g"}}, "tenant": "north"},
        "lost": {"expression": {"tga": {"group": "g"}}, "tenants": "main"},
        "none": "tag",
        "empty": {},
    }
    settings = settings_from({"segments": tables}, {"SCRMKIT_SECRET": "0123456789abcdef"})

    with pytest.raises(SettingsError) as caught:
        segments_of(settings)

    assert caught.value.problems == (
        "segments.loyal.tenant: unknown tenant; there is main",
        "segments.lost.expression.tga: unknown expression; did you mean 'tag'?",
        "segments.lost.tenants: unknown setting; did you mean 'tenant'?",
        "segments.none: expected a table, found a text",
        "segments.empty.expression: write one key, such as {tag = {…}}",
    )


@given(expressions)
def test_every_expression_is_the_same_again_after_json(expression: Expression):
    assert expression_from(json.loads(json.dumps(table_of(expression)))) == expression


@given(expressions)
def test_every_expression_is_the_same_again_after_toml(expression: Expression):
    text = f"expression = {toml(table_of(expression))}"

    assert expression_from(tomllib.loads(text)["expression"]) == expression


def test_defaults_are_left_out():
    expression = HasConsent(channel="sms", purpose=Purpose.SERVICE)

    assert table_of(expression) == {"consent": {"channel": "sms", "purpose": "service"}}


def nested(depth: int) -> Any:
    """An expression of so many words in one another."""
    table: Any = {"tag": {"group": "source"}}
    for _ in range(depth):
        table = {"not": table}
    return table


def test_expressions_may_stand_in_one_another():
    assert isinstance(expression_from(nested(DEEPEST - 1)), Not)


@pytest.mark.parametrize(
    ("table", "problems"),
    [
        pytest.param(
            {"tga": {"group": "source"}},
            ["when.tga: unknown expression; did you mean 'tag'?"],
            id="an unknown word, with the one that was meant",
        ),
        pytest.param(
            {"and": [{"tag": {"group": "a"}}, {"stage": {"stage": ["new"]}}]},
            [
                "when.and[1].stage.stage: unknown setting; did you mean 'stages'?",
                "when.and[1].stage.stages: this setting is missing and has no default",
            ],
            id="an unknown field, with its path",
        ),
        pytest.param(
            {"or": [{"tag": {}}, {"shop": {"ids": []}}]},
            [
                "when.or[0].tag.group: this setting is missing and has no default",
                "when.or[1].shop.ids: name at least one of ids",
            ],
            id="all problems at once",
        ),
        pytest.param(
            {"activity": {"kind": "order.paid", "comparison": ">", "value": "3"}},
            ["when.activity.value: expected a whole number, found a text"],
            id="a text is no number",
        ),
        pytest.param(
            {"activity": {"kind": "order.paid", "comparison": "=>", "value": 3}},
            ["when.activity.comparison: this is none of the values that are known here; did you mean '>'?"],
            id="an unknown comparison",
        ),
        pytest.param(
            {"tag": {"group": "a"}, "stage": {"stages": ["new"]}},
            ["when: write one key, such as {tag = {…}}"],
            id="two words in one table",
        ),
        pytest.param({"and": {}}, ["when.and: expected a list, found a table"], id="and of no list"),
        pytest.param({"not": []}, ["when.not: expected a table, found a list"], id="not of a list"),
        pytest.param("tag", ["when: expected a table, found a text"], id="no table at all"),
        pytest.param(
            nested(DEEPEST),
            ["when" + ".not" * DEEPEST + ".tag: expressions stand in one another 32 deep at most"],
            id="too deep",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_path(table: Any, problems: list[str]):
    with pytest.raises(SettingsError) as caught:
        expression_from(table, "when")

    assert list(caught.value.problems) == problems


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(
            lambda: HasAttribute(name="a.b", comparison=Comparison.BELOW, value="x"),
            id="a text is not less than another",
        ),
        pytest.param(lambda: HasAttribute(name="a.b", value=3), id="a value without comparison"),
        pytest.param(lambda: HasAttribute(name="a.b", comparison=Comparison.BELOW, value=float("nan")), id="no number"),
        pytest.param(lambda: ScoreIs(scorer="v", hundredths=1), id="hundredths without comparison"),
        pytest.param(
            lambda: ActivityIs(kind="contact.added", comparison=Comparison.ABOVE, value=1, net=True),
            id="net of what has no refunds",
        ),
        pytest.param(lambda: DaysSince(kind="order.paid", comparison=Comparison.ABOVE, days=-1), id="days to come"),
        pytest.param(lambda: HasTag(group=""), id="a tag of no group"),
    ],
)
def test_an_expression_that_makes_no_sense_is_refused(make: Any):
    with pytest.raises(InvalidValueError):
        make()
