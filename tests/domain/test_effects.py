"""The list of effects is closed, and each is a frozen value."""

from __future__ import annotations

import typing

import attrs
import pytest

from scrmkit.domain import effects


def test_the_list_and_the_type_name_the_same_effects():
    assert set(effects.EFFECTS) == set(typing.get_args(effects.Effect))


@pytest.mark.parametrize("effect", effects.EFFECTS)
def test_an_effect_is_frozen_and_named(effect: type):
    fields = attrs.fields(effect)

    assert all(field.kw_only for field in fields)
    assert effect.__setattr__ is not object.__setattr__
    assert effect.__doc__


@pytest.mark.parametrize("effect", effects.EFFECTS)
def test_whom_an_effect_is_about_is_left_to_the_touchpoint(effect: type):
    field = attrs.fields_dict(effect).get("customer")

    assert field is None or field.default is None
