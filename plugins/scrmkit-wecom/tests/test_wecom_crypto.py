"""Callbacks: what is authentic is read, everything else is one typed error."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from scrmkit.errors import CallbackRejectedError, InvalidValueError
from scrmkit_wecom.crypto import MAX_BODY_BYTES, CallbackCrypto
from scrmkit_wecom.xmltext import cdata

VECTORS = json.loads((Path(__file__).parent / "data" / "wecom-callback.json").read_text("utf-8"))
ACCEPT: list[dict[str, Any]] = VECTORS["accept"]
REJECT: list[dict[str, Any]] = VECTORS["reject"]
AT, NONCE, RANDOM = "1735689601", "263014780", b"0123456789abcdef"
EVENT = "<xml><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[x]]></Event></xml>"


def crypto_of(name: str) -> CallbackCrypto:
    config = VECTORS["configs"][name]
    return CallbackCrypto(config["token"], config["encoding_aes_key"], config["receiveid"])


CORP_A = crypto_of("corp_a")


def seal_raw(plain: bytes, config: str = "corp_a") -> str:
    """Encrypt exactly these bytes, padding and all, as an attacker with the key would."""
    key = bytes.fromhex(VECTORS["configs"][config]["aes_key_hex"])
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def envelope(encrypted: str) -> bytes:
    return f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>".encode()


def read(encrypted: str, body: bytes | None = None, crypto: CallbackCrypto = CORP_A) -> str:
    """Read *encrypted* with its right signature, so that the later checks are reached."""
    signature = crypto.signature(AT, NONCE, encrypted)
    return crypto.decrypt(signature, AT, NONCE, envelope(encrypted) if body is None else body)


def laid_out(message: bytes, *, length: int | None = None, receiveid: bytes | None = None) -> bytes:
    owner = VECTORS["configs"]["corp_a"]["receiveid"].encode() if receiveid is None else receiveid
    size = len(message) if length is None else length
    return RANDOM + size.to_bytes(4, "big") + message + owner


def padded(plain: bytes) -> bytes:
    pad = 32 - len(plain) % 32
    return plain + bytes([pad]) * pad


def by_id(row: dict[str, Any]) -> str:
    return f"{row['id']} {row['title']}"


@pytest.mark.parametrize("row", ACCEPT, ids=by_id)
def test_a_signature_of_the_vectors_is_computed(row):
    got = crypto_of(row["config"]).signature(row["timestamp"], row["nonce"], row["encrypt"])

    assert got == row["msg_signature"]


@pytest.mark.parametrize("row", ACCEPT, ids=by_id)
def test_a_sealed_text_of_the_vectors_is_made_byte_by_byte(row):
    sealed = crypto_of(row["config"]).seal(row["plaintext"], random16=row["random16"].encode())

    assert sealed == row["encrypt"]


@pytest.mark.parametrize("row", [r for r in ACCEPT if r["kind"] == "url_verify"], ids=by_id)
def test_a_url_verification_gives_the_bare_message(row):
    query = dict(parse_qsl(row["query_string"], strict_parsing=True))

    assert crypto_of(row["config"]).verify_url(**query) == row["expect_http_body"]


@pytest.mark.parametrize("row", [r for r in ACCEPT if r["kind"] == "post"], ids=by_id)
def test_a_posted_callback_gives_its_xml(row):
    query = dict(parse_qsl(row["query_string"], strict_parsing=True))

    got = crypto_of(row["config"]).decrypt(**query, body=row["post_body"].encode())

    assert got == row["plaintext"]


@pytest.mark.parametrize("row", [r for r in ACCEPT if r["kind"] == "reply"], ids=by_id)
def test_our_reply_is_the_one_that_the_platform_expects(row):
    crypto = crypto_of(row["config"])

    reply = crypto.encrypt(row["plaintext"], row["timestamp"], row["nonce"], random16=row["random16"].encode())

    assert {member.tag: member.text for member in fromstring(reply)} == row["reply_xml_fields"]
    assert crypto.decrypt(row["msg_signature"], row["timestamp"], row["nonce"], reply.encode()) == row["plaintext"]


@pytest.mark.parametrize("row", REJECT, ids=by_id)
def test_a_callback_that_the_vectors_refuse_is_refused_for_their_reason(row):
    with pytest.raises(CallbackRejectedError) as caught:
        crypto_of(row["config"]).decrypt(
            row["msg_signature"], row["timestamp"], row["nonce"], row["post_body"].encode()
        )

    assert caught.value.code == row["reason"]


@pytest.mark.parametrize(
    ("config", "nonce", "message"),
    [
        pytest.param("corp_a", NONCE, "🎉 <b>&amp; ]]> 暗号", id="emoji and markup"),
        pytest.param("corp_b", "9", EVENT, id="a key with spare bits, a nonce that sorts last"),
        pytest.param("suite_c", "n0nce_-.~", EVENT, id="a suite's receiveid"),
        pytest.param("corp_a", "", EVENT, id="an empty nonce"),
    ],
)
def test_what_was_sealed_opens_again(config, nonce, message):
    crypto = crypto_of(config)
    text = f"<xml><Content>{cdata(message)}</Content></xml>"

    sent = crypto.deliver(text, AT, nonce, random16=RANDOM, agent_id="1000002")

    assert crypto.decrypt(**sent.query, body=sent.body) == text


@pytest.mark.parametrize("surplus", range(33))
def test_every_padding_from_1_to_32_bytes_is_accepted(surplus):
    text = f"<xml><A>{'x' * surplus}</A></xml>"

    assert read(CORP_A.seal(text, random16=RANDOM)) == text


def test_an_encrypted_text_with_a_leading_plus_sorts_by_bytes():
    encrypted = next(
        sealed for n in range(4096) if (sealed := CORP_A.seal(EVENT, random16=b"%016d" % n)).startswith("+")
    )

    assert read(encrypted) == EVENT


def test_an_empty_receiveid_of_a_bot_is_allowed():
    config = VECTORS["configs"]["corp_a"]
    bot = CallbackCrypto(config["token"], config["encoding_aes_key"], "")

    assert read(bot.seal(EVENT, random16=RANDOM), crypto=bot) == EVENT


@pytest.mark.parametrize(
    "signature",
    [
        pytest.param("", id="none"),
        pytest.param("0" * 40, id="another"),
        pytest.param("23DBEED9985C84DC4D8506BA6DD3B48A1AFE7573", id="upper case"),
        pytest.param("签名", id="not ASCII"),
        pytest.param("\ud800", id="half a surrogate pair"),
    ],
)
def test_a_wrong_signature_is_refused(signature):
    row = next(r for r in ACCEPT if r["id"] == "V02")

    with pytest.raises(CallbackRejectedError) as caught:
        CORP_A.decrypt(signature, row["timestamp"], row["nonce"], row["post_body"].encode())

    assert caught.value.code == "signature"


@pytest.mark.parametrize(
    ("timestamp", "nonce"),
    [
        pytest.param("1735689602", "263014780", id="another timestamp"),
        pytest.param("1735689601", "263014781", id="another nonce"),
    ],
)
def test_a_signature_holds_only_for_its_own_timestamp_and_nonce(timestamp, nonce):
    row = next(r for r in ACCEPT if r["id"] == "V02")

    with pytest.raises(CallbackRejectedError) as caught:
        CORP_A.decrypt(row["msg_signature"], timestamp, nonce, row["post_body"].encode())

    assert caught.value.code == "signature"


SEALED = CORP_A.seal(EVENT, random16=RANDOM)
PLAIN = padded(laid_out(EVENT.encode()))


@pytest.mark.parametrize(
    ("encrypted", "code"),
    [
        pytest.param(seal_raw(PLAIN[:-1] + b"\x00"), "padding", id="padding 0"),
        pytest.param(seal_raw(PLAIN + b"\x21" * 48), "padding", id="padding 33"),
        pytest.param(seal_raw(PLAIN + b"\xff" * 32), "padding", id="padding 255"),
        pytest.param(seal_raw(PLAIN + b"\x01" * 31 + b"\x20"), "padding", id="inconsistent"),
        pytest.param(seal_raw(b"\x20" * 16), "padding", id="more padding than there is"),
        pytest.param(seal_raw(b"\x10" * 16), "length", id="nothing but padding"),
        pytest.param(seal_raw(padded(RANDOM + b"\0\0\0")), "length", id="no room for a length"),
        pytest.param(seal_raw(padded(laid_out(b"", length=99))), "length", id="length past end"),
        pytest.param(seal_raw(padded(laid_out(EVENT.encode(), length=2**32 - 1))), "length", id="length max"),
        pytest.param(seal_raw(padded(laid_out(EVENT.encode(), length=3))), "receiveid", id="length too short"),
        pytest.param(seal_raw(padded(laid_out(EVENT.encode(), receiveid=b"ww0"))), "receiveid", id="receiver"),
        pytest.param(seal_raw(padded(laid_out(EVENT.encode(), receiveid=b""))), "receiveid", id="no receiver"),
        pytest.param(seal_raw(padded(laid_out(b"\xff\xfe"))), "plaintext", id="plaintext not UTF-8"),
        pytest.param(seal_raw(padded(laid_out(b"hello"))), "plaintext", id="plaintext not XML"),
        pytest.param(seal_raw(padded(laid_out(b"<html></html>"))), "plaintext", id="another root inside"),
        pytest.param(
            seal_raw(padded(laid_out(b'<!DOCTYPE xml [<!ENTITY a "b">]><xml>&a;</xml>'))),
            "plaintext",
            id="a DTD inside",
        ),
        pytest.param(SEALED[:-4], "ciphertext", id="truncated"),
        pytest.param(SEALED[:-1], "base64", id="base64 without its padding"),
        pytest.param(SEALED.replace("A", "-"), "base64", id="the URL-safe alphabet"),
        pytest.param("=", "base64", id="only padding of base64"),
        pytest.param("汉", "base64", id="not ASCII"),
        pytest.param(SEALED + "\n", "base64", id="white space behind"),
    ],
)
def test_a_well_signed_callback_that_cannot_be_read_is_refused(encrypted, code):
    with pytest.raises(CallbackRejectedError) as caught:
        read(encrypted)

    assert caught.value.code == code


def test_a_callback_of_another_key_is_refused():
    config = VECTORS["configs"]
    stranger = CallbackCrypto(config["corp_a"]["token"], config["corp_b"]["encoding_aes_key"], "wx5823bf96d3bd56c7")

    with pytest.raises(CallbackRejectedError) as caught:
        read(stranger.seal(EVENT, random16=RANDOM))

    assert caught.value.code in {"padding", "length", "receiveid"}


BOMB = f'<!DOCTYPE xml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><xml><Encrypt>{SEALED}</Encrypt><X>&b;</X></xml>'


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{}", id="JSON"),
        pytest.param(b"<xml><Encrypt>", id="cut off"),
        pytest.param(b"<xml></xml>", id="no Encrypt"),
        pytest.param(b"<xml><Encrypt></Encrypt></xml>", id="an empty Encrypt"),
        pytest.param(b"<xml><a><Encrypt>x</Encrypt></a></xml>", id="Encrypt too deep"),
        pytest.param(b"<xml><Encrypt>x</Encrypt><Encrypt>x</Encrypt></xml>", id="two"),
        pytest.param(BOMB.encode(), id="a DTD bomb"),
        pytest.param(
            b'<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml><Encrypt>x</Encrypt></xml>', id="an external DTD"
        ),
        pytest.param(b'<?xml version="1.0" encoding="x-none"?><xml/>', id="unknown encoding"),
        pytest.param(b'<?xml version="1.0" encoding="gb18030"?><xml/>', id="multi-byte encoding"),
        pytest.param(b"<xml>\xff\xfe</xml>", id="not UTF-8"),
        pytest.param(b"<xml>" * 5_000, id="very deep"),
        pytest.param(b" " * (MAX_BODY_BYTES + 1), id="too long"),
    ],
)
def test_an_envelope_that_is_none_is_refused_before_the_signature(body):
    with pytest.raises(CallbackRejectedError) as caught:
        CORP_A.decrypt("0" * 40, AT, NONCE, body)

    assert caught.value.code == "envelope"


def test_no_secret_and_no_plaintext_stands_in_a_repr_or_an_error():
    config = VECTORS["configs"]["corp_a"]
    with pytest.raises(CallbackRejectedError) as caught:
        read(seal_raw(padded(laid_out(b"\xffCANARY"))))

    shown = f"{CORP_A!r} {vars(caught.value)} {caught.value!r} {caught.value.__context__!r}"

    assert config["token"] not in shown
    assert config["encoding_aes_key"] not in shown
    assert "CANARY" not in shown


@pytest.mark.parametrize(
    ("token", "key"),
    [
        pytest.param("", "a" * 43, id="no token"),
        pytest.param("t" * 33, "a" * 43, id="a token too long"),
        pytest.param("t", "a" * 42, id="a key too short"),
        pytest.param("t", "a" * 44, id="a key too long"),
        pytest.param("t", "!" * 43, id="a key of other characters"),
    ],
)
def test_a_token_or_key_that_cannot_be_one_is_refused_without_being_repeated(token, key):
    with pytest.raises(InvalidValueError) as caught:
        CallbackCrypto(token, key, "ww1")

    assert key not in str(caught.value)


def outcome_is_text_or_refusal(call) -> None:
    try:
        result = call()
    except CallbackRejectedError:
        return
    assert isinstance(result, str)


ANY_TEXT = st.text(st.characters(), max_size=60)


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, st.binary(max_size=300))
def test_any_bytes_are_refused_or_read(signature, timestamp, nonce, body):
    outcome_is_text_or_refusal(lambda: CORP_A.decrypt(signature, timestamp, nonce, body))


@given(ANY_TEXT)
def test_any_well_signed_text_is_refused_or_read(encrypted):
    signature = CORP_A.signature(AT, NONCE, encrypted)

    outcome_is_text_or_refusal(lambda: CORP_A.verify_url(signature, AT, NONCE, encrypted))


@given(st.integers(0, 12).flatmap(lambda n: st.binary(min_size=16 * n, max_size=16 * n)))
def test_any_well_encrypted_bytes_are_refused_or_read(plain):
    outcome_is_text_or_refusal(lambda: read(seal_raw(plain)))


@given(st.text(st.characters(codec="utf-8"), max_size=200), st.binary(min_size=16, max_size=16))
def test_any_text_survives_sealing(message, random16):
    encrypted = CORP_A.seal(message, random16=random16)

    assert CORP_A.verify_url(CORP_A.signature(AT, NONCE, encrypted), AT, NONCE, encrypted) == message
