"""The codec: strict, without loss, and silent about values."""

from __future__ import annotations

import enum
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrmkit.domain.identity import personal
from scrmkit.domain.kinds import ContactAdded, MessageReceived, Noted, OrderPaid
from scrmkit.domain.messages import Message, Purpose
from scrmkit.domain.profile import Part, Score
from scrmkit.domain.touchpoint import TouchpointKind
from scrmkit.errors import InvalidValueError
from scrmkit.persistence.codec import Codec, canonical_json, frozen, thawed, to_json

AT = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


@attrs.frozen(kw_only=True)
class Inner:
    number: int = 0
    word: str | None = None


@attrs.frozen(kw_only=True)
class Everything:
    """One field of each shape that states, rules and payloads are made of."""

    count: int = 0
    ratio: float = 0.5
    word: str = ""
    yes: bool = False
    maybe: int | None = None
    colour: Colour = Colour.RED
    at: datetime = AT
    day: date = date(2026, 3, 1)
    length: timedelta = timedelta(0)
    inner: Inner = Inner()
    inners: tuple[Inner, ...] = ()
    pair: tuple[str, int] = ("", 0)
    names: frozenset[str] = frozenset()
    free: Mapping[str, Any] = attrs.field(factory=dict)
    numbers: Mapping[str, int] = attrs.field(factory=dict)
    by_name: Mapping[str, Inner] = attrs.field(factory=dict)
    listed: list[int] = attrs.field(factory=list)
    choice: int | str | None = None


texts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
whole = st.integers(-(2**62), 2**62)
inners = st.builds(Inner, number=whole, word=st.none() | texts)
moments = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - the zone comes with it
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, ZoneInfo("Asia/Shanghai")]),
)
plain = st.recursive(
    st.none() | st.booleans() | whole | texts | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
everything = st.builds(
    Everything,
    count=whole,
    ratio=st.floats(allow_nan=False, allow_infinity=False),
    word=texts,
    yes=st.booleans(),
    maybe=st.none() | whole,
    colour=st.sampled_from(Colour),
    at=moments,
    day=st.dates(),
    length=st.timedeltas(timedelta(days=-999), timedelta(days=999)),
    inner=inners,
    inners=st.lists(inners, max_size=3).map(tuple),
    pair=st.tuples(texts, whole),
    names=st.frozensets(texts, max_size=3),
    free=st.dictionaries(texts, plain, max_size=3),
    numbers=st.dictionaries(texts, whole, max_size=3),
    by_name=st.dictionaries(texts, inners, max_size=3),
    listed=st.lists(whole, max_size=3),
    choice=st.none() | whole | texts,
)


def through_json(codec: Codec, value: Any) -> Any:
    return codec.load(json.loads(to_json(codec.dump(value))), type(value))


def comparable(value: Any) -> Any:
    """With plain lists and dicts inside: what is read back cannot be changed, and is equal."""
    return attrs.evolve(value, free=thawed(value.free))


@settings(max_examples=40)
@given(everything)
def test_a_value_survives(value: Everything):
    assert comparable(through_json(Codec(), value)) == comparable(value)


@settings(max_examples=40)
@given(everything)
def test_equal_values_make_equal_text(value: Everything):
    codec = Codec()
    again = through_json(codec, value)

    assert canonical_json(codec.dump(value)) == canonical_json(codec.dump(again))


def test_a_set_is_written_in_one_order():
    names = [f"n{i}" for i in range(50)]

    assert Codec().dump(Everything(names=frozenset(names)))["names"] == sorted(names)


@pytest.mark.parametrize(
    ("document", "where"),
    [
        pytest.param({"count": "3"}, "count", id="a number written as a word"),
        pytest.param({"count": 3.9}, "count", id="a fraction for a whole number"),
        pytest.param({"count": True}, "count", id="yes for a number"),
        pytest.param({"yes": 1}, "yes", id="a number for yes"),
        pytest.param({"word": 7}, "word", id="a number for a word"),
        pytest.param({"word": None}, "word", id="nothing for a word"),
        pytest.param({"maybe": "3"}, "maybe", id="a word for a number or nothing"),
        pytest.param({"colour": "green"}, "colour", id="a word that is not in the list"),
        pytest.param({"at": "2026-03-01T12:00:00"}, "at", id="a moment without a zone"),
        pytest.param({"at": 1_772_000_000}, "at", id="a number for a moment"),
        pytest.param({"day": "2026-13-01"}, "day", id="a day that is none"),
        pytest.param({"length": "5"}, "length", id="a word for a length of time"),
        pytest.param({"inner": {"number": "1"}}, "inner", id="a wrong field inside"),
        pytest.param({"inners": [{"number": 1.5}]}, "inners", id="a wrong field in a list"),
        pytest.param({"free": []}, "free", id="a list for a mapping"),
        pytest.param({"numbers": {"a": "1"}}, "numbers", id="a wrong value in a mapping"),
        pytest.param({"ratio": "0.5"}, "ratio", id="a word for a fraction"),
        pytest.param([], "object", id="a list for a value"),
        pytest.param(None, "object", id="nothing at all"),
    ],
)
def test_what_does_not_fit_is_refused_and_named(document: Any, where: str):
    with pytest.raises(InvalidValueError, match=where):
        Codec().load(document, Everything)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"word": 13800138000}, id="a phone as a number"),
        pytest.param({"count": "canary"}, id="a word"),
        pytest.param({"colour": "canary"}, id="a choice"),
        pytest.param({"at": "canary"}, id="a moment"),
        pytest.param({"inner": "canary"}, id="a value inside"),
    ],
)
def test_a_refusal_names_the_field_and_not_the_value(document: dict[str, Any]):
    with pytest.raises(InvalidValueError) as refused:
        Codec().load(document, Everything)

    assert "canary" not in str(refused.value)
    assert "13800138000" not in str(refused.value)


def test_fields_that_are_not_there_read_as_their_defaults():
    assert Codec().load({}, Everything) == Everything()


def test_fields_that_nobody_knows_are_left_alone():
    assert Codec().load({"since_0_2": 1, "number": 3}, Inner) == Inner(number=3)


def test_a_moment_without_a_zone_is_not_written():
    with pytest.raises(InvalidValueError, match="time zone"):
        Codec().dump(Everything(at=datetime(2026, 3, 1)))  # noqa: DTZ001 - that is the mistake


def test_a_mapping_is_read_back_as_one_that_nobody_can_change():
    value = through_json(Codec(), Everything(free={"a": {"b": [1]}}))

    with pytest.raises(TypeError):
        value.free["a"]["b"] = 2
    assert value.free["a"]["b"] == (1,)


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_has_not_is_refused(number: float):
    with pytest.raises(ValueError, match="JSON"):
        to_json({"a": number})


@given(plain)
def test_freezing_and_thawing_lose_nothing(value: Any):
    assert thawed(frozen(value)) == value


def test_a_score_survives_with_its_parts():
    score = Score(
        scorer="value",
        hundredths=1234,
        band="high",
        as_of=AT,
        parts=(Part(name="money", hundredths=1234, inputs=(("paid", "3 fen"),), missing=("x",)),),
        words=("a", "b"),
    )

    assert through_json(Codec(), score) == score


def test_a_message_keeps_its_purpose():
    codec = Codec()
    message = Message(channel="sms", content=None, purpose=Purpose.MARKETING)

    assert codec.dump(message)["purpose"] == "marketing"


# --- payloads, with their personal fields apart ------------------------------------------


@attrs.frozen(kw_only=True)
class Remark:
    """A payload whose personal field has a default of its own."""

    note: str = personal(default="none")
    lines: tuple[str, ...] = personal(default=())
    mark: int = 0


REMARK = TouchpointKind(name="toy.remarked", payload=Remark)
CONTACT = TouchpointKind(name="contact.added", payload=ContactAdded)


@pytest.mark.parametrize(
    ("payload", "public", "apart"),
    [
        pytest.param(
            ContactAdded(account="zhang", name="Ann", welcome_code="w"),
            {"account": "zhang"},
            {"name": "Ann", "welcome_code": "w"},
            id="both",
        ),
        pytest.param(ContactAdded(account="zhang"), {"account": "zhang"}, None, id="no person"),
        pytest.param(OrderPaid(order_no="1", amount_fen=2), ..., None, id="nothing personal"),
        pytest.param(MessageReceived(text="hello"), {}, {"text": "hello"}, id="words alone"),
        pytest.param(Remark(note=""), {}, {"note": ""}, id="empty, where the default is not"),
    ],
)
def test_personal_fields_are_kept_apart(payload: Any, public: Any, apart: Any):
    found_public, found_apart = Codec().split(payload)

    assert found_apart == apart
    assert public is ... or found_public == public


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        pytest.param(CONTACT, ContactAdded(account="a", name="Ann"), id="a contact"),
        pytest.param(CONTACT, ContactAdded(name=""), id="an empty name"),
        pytest.param(REMARK, Remark(), id="defaults"),
        pytest.param(REMARK, Remark(note="", lines=("x",), mark=3), id="empty for a default"),
    ],
)
def test_both_halves_make_the_payload_again(kind: TouchpointKind[Any], payload: Any):
    codec = Codec()
    public, apart = (json.loads(to_json(half)) for half in codec.split(payload))

    assert codec.join(kind, kind.version, public, apart) == payload


def test_an_erased_payload_reads_as_its_defaults():
    codec = Codec()
    public, _ = codec.split(Remark(note="secret", lines=("secret",), mark=3))

    assert codec.join(REMARK, 1, public, None) == Remark(mark=3)


def test_a_payload_of_an_older_shape_is_brought_up_to_date():
    def with_cents(document: dict[str, Any]) -> dict[str, Any]:
        return {**document, "amount_fen": document.pop("yuan") * 100}

    kind = TouchpointKind(
        name="order.paid",
        payload=OrderPaid,
        version=3,
        upcasts={1: with_cents, 2: lambda document: {**document, "quantity": 2}},
    )

    paid = Codec().join(kind, 1, {"order_no": "1", "yuan": 5}, None)

    assert paid == OrderPaid(order_no="1", amount_fen=500, quantity=2)


def test_what_a_platform_said_survives():
    noted = Noted(what="new", detail={"a": [1, {"b": None}]})

    assert thawed(through_json(Codec(), noted).detail) == {"a": [1, {"b": None}]}
