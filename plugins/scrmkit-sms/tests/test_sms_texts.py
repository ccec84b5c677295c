"""Texts get their variables, their signature and a way out."""

from __future__ import annotations

import pytest

from scrmkit.domain.messages import Purpose
from scrmkit.errors import InvalidValueError
from scrmkit_sms.phones import bare, is_phone, read_phone
from scrmkit_sms.texts import compose, fill, is_opt_out


@pytest.mark.parametrize(
    "reply", ["R", "r", " r\n", "Ｒ", "T", "td", "ＴＤ", "N", "0000", "退订", "拒收", "取消", "stop", "Unsubscribe"]
)
def test_an_opt_out_word_alone_opts_out(reply):
    assert is_opt_out(reply)


@pytest.mark.parametrize("reply", ["", "RR", "R?", "请退订", "00000", "T恤还有吗", "stop it", "取消订单", "好的"])
def test_a_reply_that_only_holds_such_a_word_does_not(reply):
    assert not is_opt_out(reply)


def test_variables_are_filled_and_others_left_alone():
    assert fill("${name}，${n}折", {"name": "$" + "{n}", "n": "8", "x": ""}) == "${n}，8折"


def test_a_missing_variable_is_named():
    with pytest.raises(InvalidValueError, match="needs item, name"):
        fill("${name}的${item}", {})


@pytest.mark.parametrize(
    ("body", "purpose", "expected"),
    [
        pytest.param("到店有礼", Purpose.SERVICE, "【半城云】到店有礼", id="a service text is signed"),
        pytest.param("到店有礼", None, "【半城云】到店有礼", id="so is one without a purpose"),
        pytest.param("到店有礼", Purpose.MARKETING, "【半城云】到店有礼回T退订", id="marketing gets the way out"),
        pytest.param("到店有礼回T退订", Purpose.MARKETING, "【半城云】到店有礼回T退订", id="but only once"),
    ],
)
def test_a_text_is_composed(body, purpose, expected):
    assert compose(body, sign="半城云", purpose=purpose, opt_out="回T退订") == expected


@pytest.mark.parametrize(
    "written", ["13900000001", "+8613900000001", "008613900000001", "8613900000001", " 13900000001 "]
)
def test_all_forms_of_a_mainland_number_are_one(written):
    assert read_phone(written) == "+8613900000001"


def test_a_number_abroad_keeps_its_country():
    assert read_phone("006591234567") == "+6591234567"
    assert bare("+6591234567") == "6591234567"
    assert bare("+8613900000001") == "13900000001"


@pytest.mark.parametrize("written", ["", "139", "12345678901234567", "+8612900000001", "1390000000１", "abc", "+", "0"])
def test_what_is_no_number_is_refused_and_not_repeated(written):
    assert not is_phone(written)
    with pytest.raises(InvalidValueError) as caught:
        read_phone(written)
    assert not written or written == "0" or written not in str(caught.value)
