"""A secret shows itself nowhere but in ``reveal``."""

from __future__ import annotations

import copy
import json
import pickle

import attrs
import pytest

from scrmkit.settings import Secret

CANARY = "canary-4711-canary"


@attrs.frozen
class Holder:
    """Something that keeps a secret."""

    secret: Secret


@pytest.mark.parametrize(
    "show",
    [
        pytest.param(repr, id="repr"),
        pytest.param(str, id="str"),
        pytest.param(lambda secret: f"{secret:>60}", id="format"),
        pytest.param(lambda secret: f"{secret} {[secret]!r}", id="str.format"),
        pytest.param(lambda secret: repr(Holder(secret)), id="in a value"),
        pytest.param(lambda secret: repr(attrs.asdict(Holder(secret))), id="in a dict"),
        pytest.param(lambda secret: repr(copy.deepcopy(secret)), id="a copy"),
    ],
)
def test_a_secret_does_not_show_its_value(show):
    assert CANARY not in show(Secret(CANARY))


@pytest.mark.parametrize("write", [pickle.dumps, json.dumps, lambda secret: secret.__getstate__()])
def test_a_secret_is_not_written_down(write):
    with pytest.raises(TypeError) as caught:
        write(Secret(CANARY))

    assert CANARY not in str(caught.value)


def test_a_secret_reveals_its_value_when_asked():
    assert Secret(CANARY).reveal() == CANARY


def test_equal_secrets_are_equal():
    assert Secret(CANARY) == Secret(CANARY)
    assert hash(Secret(CANARY)) == hash(Secret(CANARY))
    assert Secret(CANARY) != Secret("other")
    assert Secret(CANARY) != CANARY
