"""A plugin's own settings: strict, and with all problems at once."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest

from scrmkit.domain.ids import ShopId
from scrmkit.errors import InvalidValueError, SettingsError
from scrmkit.settings import Secret, structure_options

NAIVE = datetime.fromisoformat("2026-01-02T00:00:00")


class Mode(enum.StrEnum):
    """A choice."""

    FAST = "fast"
    SAFE = "safe"


@attrs.frozen(kw_only=True)
class Retry:
    """A nested table."""

    after: timedelta = timedelta(seconds=1)
    times: int = attrs.field(default=3, validator=attrs.validators.ge(1))


@attrs.frozen(kw_only=True)
class Options:
    """Every form that a plugin's settings may have."""

    corp_id: str
    token: Secret | None = None
    retry: Retry = Retry()
    retries: tuple[Retry, ...] = ()
    quiet: Retry | None = Retry()
    mode: Mode = Mode.SAFE
    way: Literal["push", "pull"] = "push"
    ratio: float = 1.0
    count: int = 0
    on: bool = False
    at: time = time(9)
    day: date | None = None
    since: datetime | None = None
    shops: frozenset[ShopId] = frozenset()
    pair: tuple[int, str] = (1, "one")
    names: Mapping[str, int] = attrs.field(factory=dict)
    key: Path | None = None
    either: int | str = 0
    anything: Any = None


def make(**options: Any) -> Options:
    return structure_options(Options, {"corp_id": "ww1", **options}, "plugins.x", {"TOKEN": "t-1"}, Path("/etc/scrm"))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"token": {"env": "TOKEN"}}, {"token": Secret("t-1")}, id="secret"),
        pytest.param({"retry": {"times": 5}}, {"retry": Retry(times=5)}, id="nested"),
        pytest.param({"retries": [{}, {"times": 2}]}, {"retries": (Retry(), Retry(times=2))}, id="list of tables"),
        pytest.param({"quiet": False}, {"quiet": None}, id="false stands for no table"),
        pytest.param({"mode": "fast"}, {"mode": Mode.FAST}, id="enum"),
        pytest.param({"way": "pull"}, {"way": "pull"}, id="literal"),
        pytest.param({"ratio": 2}, {"ratio": 2.0}, id="a whole number is a number"),
        pytest.param({"at": "21:30"}, {"at": time(21, 30)}, id="time as text"),
        pytest.param({"at": time(7)}, {"at": time(7)}, id="time as TOML"),
        pytest.param({"day": date(2026, 1, 2)}, {"day": date(2026, 1, 2)}, id="date"),
        pytest.param(
            {"since": datetime(2026, 1, 2, tzinfo=UTC)}, {"since": datetime(2026, 1, 2, tzinfo=UTC)}, id="moment"
        ),
        pytest.param({"shops": ["a", "b", "a"]}, {"shops": frozenset({"a", "b"})}, id="frozenset"),
        pytest.param({"pair": [2, "two"]}, {"pair": (2, "two")}, id="fixed tuple"),
        pytest.param({"names": {"a b": 1}}, {"names": {"a b": 1}}, id="mapping"),
        pytest.param({"key": "key.pem"}, {"key": Path("/etc/scrm/key.pem")}, id="path"),
        pytest.param({"either": "x"}, {"either": "x"}, id="union of scalars"),
        pytest.param({"anything": {"a": [1]}}, {"anything": {"a": [1]}}, id="anything"),
    ],
)
def test_a_setting_becomes_a_typed_value(options, expected):
    assert make(**options) == Options(corp_id="ww1", **expected)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("500ms", timedelta(milliseconds=500)),
        ("90s", timedelta(seconds=90)),
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
    ],
)
def test_a_length_of_time_has_a_unit(text, length):
    assert make(retry={"after": text}).retry.after == length


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param({"corp_idd": "x"}, "corp_idd: unknown setting; did you mean 'corp_id'?", id="unknown"),
        pytest.param({"count": "3"}, "count: expected a whole number, found a text", id="text for a number"),
        pytest.param({"count": True}, "count: expected a whole number, found true or false", id="true for 1"),
        pytest.param({"count": 3.9}, "count: expected a whole number, found a number", id="3.9 for a whole number"),
        pytest.param({"ratio": True}, "ratio: expected a number, found true or false", id="true for 1.0"),
        pytest.param({"on": 1}, "on: expected true or false, found a whole number", id="1 for true"),
        pytest.param({"corp_id": 7}, "corp_id: expected a text, found a whole number", id="number for a text"),
        pytest.param({"shops": "abc"}, "shops: expected a list, found a text", id="text for a list"),
        pytest.param({"shops": ["a", 1]}, "shops[1]: expected a text, found a whole number", id="in a list"),
        pytest.param({"pair": [1]}, "pair: expected 2 values, found 1", id="too short a tuple"),
        pytest.param({"names": {"a.b": "x"}}, 'names."a.b": expected a whole number, found a text', id="in a table"),
        pytest.param({"retry": []}, "retry: expected a table, found a list", id="list for a table"),
        pytest.param({"retry": {"after": 5}}, "retry.after: write a length of time", id="length without a unit"),
        pytest.param({"retry": {"after": "5 s"}}, "retry.after: write a length of time", id="a blank in a length"),
        pytest.param({"retry": {"times": 0}}, "retry.times: 'times' must be >= 1: 0", id="validator"),
        pytest.param(
            {"mode": "fsat"}, "mode: this is none of the values that are known here; did you mean 'fast'?", id="enum"
        ),
        pytest.param({"way": True}, "way: this is none of the values that are known here", id="literal"),
        pytest.param({"at": "25:00"}, "at: write a time of day", id="no time of day"),
        pytest.param({"at": "09:00+08:00"}, "at: a time of day has no zone", id="time with a zone"),
        pytest.param({"since": NAIVE}, "since: write a moment with its offset", id="naive moment"),
        pytest.param({"day": NAIVE}, "day: expected a date, found a moment", id="moment for a date"),
        pytest.param({"token": "t-1"}, "token: a secret does not stand in the settings", id="secret in the file"),
        pytest.param({"either": 1.5}, "either: expected a text, found a number", id="union"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_path(options, problem):
    with pytest.raises(SettingsError) as caught:
        make(**options)

    (found,) = caught.value.problems
    assert found.startswith(f"plugins.x.{problem}")


def test_all_problems_are_said_at_once():
    with pytest.raises(SettingsError) as caught:
        structure_options(Options, {"retry": {"times": "x", "aftr": 1}, "retries": [{"times": 0}]}, "plugins.x", {})

    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "plugins.x.corp_id",
        "plugins.x.retry.aftr",
        "plugins.x.retry.times",
        "plugins.x.retries[0].times",
    ]


@attrs.frozen(kw_only=True)
class Range:
    """Settings that check themselves across fields."""

    low: int
    high: int = attrs.field()

    @high.validator
    def _above(self, attribute: object, value: int) -> None:
        if value < self.low:
            raise InvalidValueError("high is below low")


def test_a_check_across_fields_is_reported_too():
    with pytest.raises(SettingsError, match=r"^plugins\.x: high is below low$"):
        structure_options(Range, {"low": 2, "high": 1}, "plugins.x", {})


def test_a_value_never_stands_in_a_problem():
    with pytest.raises(SettingsError) as caught:
        make(count="canary", mode="canary", retry={"after": "canary"}, token="canary")

    assert "canary" not in str(caught.value)
