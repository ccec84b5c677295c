"""The signatures are those that the official SDKs compute."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import attrs
import pytest

from scrmkit_sms.aliyun import signing

VECTORS = json.loads((Path(__file__).parent / "data" / "aliyun-sms-vectors.json").read_text(encoding="utf-8"))
ACS3 = VECTORS["aliyun_acs3_hmac_sha256"]
RPC = VECTORS["aliyun_rpc_v1_hmac_sha1"]


def name(vector: dict[str, str]) -> str:
    return vector["name"]


def request_of(vector) -> signing.Signable:
    return signing.Signable(
        method=vector["method"],
        path=vector["path"],
        query=tuple(vector["query"].items()),
        headers={key.lower(): value for key, value in vector["headers"].items()},
        body=vector["body"].encode(),
    )


def authorization_of(vector) -> signing.Authorization:
    read = signing.read_authorization(vector["headers"]["Authorization"])
    assert read is not None
    return read


@pytest.mark.parametrize("vector", ACS3, ids=name)
def test_each_step_of_an_acs3_signature_is_the_sdks(vector):
    request, names = request_of(vector), authorization_of(vector).signed_headers

    assert signing.canonical_request(request, names) == vector["canonical_request"]
    assert signing.string_to_sign(request, names) == vector["string_to_sign"]
    assert signing.acs3_signature(request, names, vector["access_key_secret"]) == vector["signature"]


@pytest.mark.parametrize("vector", ACS3, ids=name)
def test_what_the_sdk_signed_matches(vector):
    assert signing.acs3_matches(request_of(vector), authorization_of(vector), vector["access_key_secret"])


@pytest.mark.parametrize("vector", ACS3, ids=name)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"method": "GET"}, id="another method"),
        pytest.param({"path": "/x"}, id="another path"),
        pytest.param({"query": (("A", "b"),)}, id="another query"),
        pytest.param({"body": b"other"}, id="another body"),
    ],
)
def test_a_changed_request_no_longer_matches(vector, change):
    request = attrs.evolve(request_of(vector), **change)

    assert not signing.acs3_matches(request, authorization_of(vector), vector["access_key_secret"])


@pytest.mark.parametrize("missing", sorted(signing.REQUIRED_HEADERS))
def test_a_signature_that_leaves_out_what_it_must_cover_does_not_match(missing):
    request = request_of(ACS3[1])
    names = tuple(sorted(signing.REQUIRED_HEADERS - {missing}))
    authorization = signing.Authorization(
        access_key_id="AKTEST", signed_headers=names, signature=signing.acs3_signature(request, names, "SKTEST")
    )

    assert not signing.acs3_matches(request, authorization, "SKTEST")


@pytest.mark.parametrize("vector", ACS3, ids=name)
def test_our_own_authorization_matches(vector):
    request = request_of(vector)

    header = signing.authorize(request, access_key_id="AK", secret="SK")

    authorization = signing.read_authorization(header)
    assert authorization is not None
    assert signing.acs3_matches(request, authorization, "SK")
    assert not signing.acs3_matches(request, authorization, "another")


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="empty"),
        pytest.param("Bearer abc", id="another scheme"),
        pytest.param("ACS3-HMAC-SHA256 Credential=a", id="parts missing"),
    ],
)
def test_what_is_no_acs3_authorization_is_none(header):
    assert signing.read_authorization(header) is None


@pytest.mark.parametrize("vector", RPC, ids=name)
def test_each_step_of_an_rpc_signature_is_the_sdks(vector):
    params = tuple(vector["params"].items())

    assert signing.canonical_query(params) == vector["canonicalized_query"]
    assert signing.rpc_string_to_sign(vector["method"], params) == vector["string_to_sign"]
    signature = signing.rpc_signature(vector["method"], params, vector["access_key_secret"])
    assert signature == vector["signature"]
    assert quote(signature, safe="") == vector["signature_urlencoded"]


def test_an_rpc_signature_covers_all_but_itself():
    vector = RPC[1]
    params = (*vector["params"].items(), ("Signature", vector["signature"]))

    assert signing.rpc_matches("POST", params, "SKTEST")
    assert not signing.rpc_matches("GET", params, "SKTEST")
    assert not signing.rpc_matches("POST", (*params, ("X", "1")), "SKTEST")
    assert not signing.rpc_matches("POST", tuple(vector["params"].items()), "SKTEST")
