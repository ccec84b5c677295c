"""Parts are counted as carriers bill them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit.errors import InvalidValueError
from scrmkit_sms.segments import GSM7_BASIC, GSM7_EXTENSION, Segments, segment

VECTORS = json.loads((Path(__file__).parent / "data" / "aliyun-sms-vectors.json").read_text(encoding="utf-8"))[
    "sms_segmentation"
]


def label(vector: dict[str, object]) -> str:
    text = str(vector["text"])
    return f"{text[:6].encode('unicode_escape').decode()}-{len(text)}"


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=label)
def test_a_mainland_text_is_counted_by_characters(vector):
    counted = segment(vector["text"])

    assert (counted.units, counted.parts) == (vector["mainland"]["chars"], vector["mainland"]["segments"])


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=label)
def test_a_text_abroad_is_counted_by_its_encoding(vector):
    counted = segment(vector["text"], region="SG")

    expected = vector["international"]
    assert (counted.encoding, counted.units, counted.parts) == (
        expected["encoding"],
        expected["units"],
        expected["segments"],
    )


def test_the_gsm_alphabet_is_the_published_one_without_the_escape():
    assert frozenset(VECTORS["gsm7_basic"]) - {"\x1b"} == GSM7_BASIC
    assert frozenset(VECTORS["gsm7_extension"]) == GSM7_EXTENSION


@pytest.mark.parametrize(
    ("text", "region", "remaining"),
    [
        pytest.param("", "CN", 70, id="an empty text has a whole part left"),
        pytest.param("汉" * 70, "CN", 0, id="seventy characters fill one part"),
        pytest.param("汉" * 71, "CN", 63, id="one more opens a second part of 67"),
        pytest.param("a" * 152 + "€" + "a" * 100, "SG", 51, id="an escape moves on whole"),
        pytest.param("汉" * 66 + "😀" + "汉" * 10, "SG", 55, id="an emoji moves on whole"),
    ],
)
def test_it_says_what_the_last_part_still_takes(text, region, remaining):
    assert segment(text, region=region).remaining == remaining


@given(st.text(max_size=400), st.sampled_from(["CN", "SG"]))
def test_appending_what_remains_never_adds_a_part(text, region):
    counted = segment(text, region=region)

    assert segment(text + "a" * counted.remaining, region=region).parts == max(counted.parts, 1)


@given(st.text(min_size=1, max_size=400), st.sampled_from(["CN", "SG"]))
def test_a_longer_text_never_costs_less(text, region):
    assert segment(text[:-1], region=region).parts <= segment(text, region=region).parts


def test_the_result_is_a_value():
    assert segment("hi", region="US") == Segments(encoding="GSM-7", units=2, parts=1, remaining=158)


@pytest.mark.parametrize("region", ["", "cn", "CHN", "中国"])
def test_an_unreadable_region_is_refused(region):
    with pytest.raises(InvalidValueError, match="two capital letters"):
        segment("hi", region=region)
