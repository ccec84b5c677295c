"""A message can be found again by its key alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scrmkit_sms.echoes import LONGEST, echo_of, echoed_key, is_echo_of

keys = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=300)


@given(st.lists(keys, min_size=1, max_size=100, unique=True))
def test_an_echo_holds_every_key_of_its_call_and_fits(call):
    echo = echo_of(call)

    assert len(echo) <= LONGEST
    assert all(is_echo_of(echo, key) for key in call)


@given(st.lists(keys, min_size=2, max_size=10, unique=True), keys)
def test_a_key_of_another_call_is_not_found_in_a_small_one(call, other):
    assert is_echo_of(echo_of(call), other) == (other in call)


def test_a_call_with_one_message_echoes_its_key():
    assert echo_of(["touch-1"]) == "touch-1"
    assert echoed_key("touch-1") == "touch-1"


def test_an_echo_of_several_is_no_key():
    assert echoed_key(echo_of(["a", "b"])) is None
    assert echoed_key("") is None


def test_a_key_that_looks_like_an_echo_of_several_is_not_taken_for_one():
    key = "scrm.1.ab"

    assert echoed_key(echo_of([key])) is None
    assert is_echo_of(echo_of([key]), key)


def test_an_echo_that_nobody_made_matches_nothing():
    assert not is_echo_of("scrm.0.", "a")
    assert not is_echo_of("", "a")
