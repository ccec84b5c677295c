"""Values of the domain: what they refuse, and what they keep to themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit.domain import effects, kinds, messages, organisation, profile
from scrmkit.domain.campaign import Campaign, CampaignStatus
from scrmkit.domain.identity import PERSONAL, Identity
from scrmkit.domain.ids import CampaignId, CustomerId, StateToken
from scrmkit.domain.messages import Message, Purpose
from scrmkit.domain.organisation import Entrance, Guide, Shop
from scrmkit.domain.policy import Cap
from scrmkit.domain.touchpoint import Touchpoint, TouchpointKind
from scrmkit.errors import InvalidValueError
from scrmkit.protocols import CallbackRequest

AT = datetime(2026, 3, 1, tzinfo=UTC)
NAIVE = datetime(2026, 3, 1)  # noqa: DTZ001 - that is the mistake
CANARY = "canary-13800138000"


def touchpoint(**changes: Any) -> Touchpoint[Any]:
    values = {"kind": "entrance.scanned", "key": "1", "occurred_at": AT, "payload": kinds.Nothing()}
    return Touchpoint(**{**values, **changes})


def identity(**changes: Any) -> Identity:
    return Identity(**{"kind": "phone", "value": "+8613900000001", **changes})


def kind(**changes: Any) -> TouchpointKind[Any]:
    return TouchpointKind(**{"name": "toy.played", "payload": kinds.OrderPaid, **changes})


def campaign(**changes: Any) -> Campaign[Any]:
    values = {
        "id": CampaignId("spring"),
        "mechanic": "bargain",
        "rules": None,
        "starts_at": AT,
        "ends_at": AT.replace(month=4),
    }
    return Campaign(**{**values, **changes})


def message(**changes: Any) -> Message:
    return Message(**{"channel": "sms", "content": "hello", **changes})


@pytest.mark.parametrize(
    ("make", "changes", "complaint"),
    [
        pytest.param(touchpoint, {"key": ""}, "key", id="an empty key"),
        pytest.param(touchpoint, {"key": "x" * 201}, "201", id="a long key"),
        pytest.param(touchpoint, {"key": "a\x00b"}, "NUL", id="a key with NUL"),
        pytest.param(touchpoint, {"key": "\ud800"}, "key", id="a key that is no text"),
        pytest.param(touchpoint, {"key": 7}, "key", id="a key that is a number"),
        pytest.param(touchpoint, {"occurred_at": NAIVE}, "time zone", id="a naive moment"),
        pytest.param(identity, {"value": ""}, "value", id="an empty identity"),
        pytest.param(identity, {"value": "x" * 257}, "257", id="a long identity"),
        pytest.param(identity, {"value": "a\x00"}, "NUL", id="an identity with NUL"),
        pytest.param(identity, {"value": "\udfff"}, "value", id="an identity that is no text"),
        pytest.param(identity, {"value": 13900000001}, "value", id="a phone that is a number"),
        pytest.param(identity, {"kind": ""}, "kind", id="an identity of no kind"),
        pytest.param(identity, {"kind": "x" * 65}, "kind", id="an identity of a long kind"),
        pytest.param(identity, {"scope": "x" * 129}, "scope", id="a long scope"),
        pytest.param(identity, {"scope": "a\x00"}, "scope", id="a scope with NUL"),
        pytest.param(kind, {"name": "played"}, "dotted", id="a kind without a dot"),
        pytest.param(kind, {"name": "Toy.played"}, "dotted", id="a kind in capitals"),
        pytest.param(kind, {"name": "toy.played "}, "dotted", id="a kind with a space"),
        pytest.param(kind, {"name": "toy." + "x" * 60}, "63", id="a long kind"),
        pytest.param(kind, {"amount": "price_fen"}, "no field", id="an amount that is not there"),
        pytest.param(campaign, {"ends_at": AT}, "ends before", id="a campaign of no length"),
        pytest.param(campaign, {"starts_at": NAIVE}, "time zone", id="a naive start"),
        pytest.param(campaign, {"ends_at": NAIVE}, "time zone", id="a naive end"),
        pytest.param(campaign, {"id": ""}, "id", id="a campaign without an id"),
        pytest.param(campaign, {"id": "x" * 65}, "id", id="a campaign with a long id"),
        pytest.param(campaign, {"id": "a/b"}, "id", id="a campaign with a slash in its id"),
        pytest.param(message, {"purpose": "marketing"}, "Purpose", id="a purpose that is a word"),
        pytest.param(message, {"not_before": NAIVE}, "time zone", id="a naive not_before"),
        pytest.param(message, {"not_after": NAIVE}, "time zone", id="a naive not_after"),
        pytest.param(Shop, {"id": "s", "name": "s", "zone": "Mars"}, "IANA", id="an unknown zone"),
        pytest.param(Cap, {"purpose": Purpose.SERVICE, "limit": 1}, "days or hours", id="a cap of no window"),
        pytest.param(
            Cap,
            {"purpose": Purpose.SERVICE, "limit": 1, "days": 1, "hours": 1},
            "days or hours",
            id="a cap of two windows",
        ),
        pytest.param(Cap, {"purpose": Purpose.SERVICE, "limit": -1, "days": 1}, "0 or more", id="below zero"),
        pytest.param(Cap, {"purpose": Purpose.SERVICE, "limit": 1, "days": 0}, "1 or more", id="zero days"),
        pytest.param(
            effects.Reserve,
            {"resource": "stock", "quantity": 0, "reservation": "r", "capacity": 1},
            "at least 1",
            id="reserving nothing",
        ),
        pytest.param(
            effects.Post,
            {"ledger": "purse", "once": "p", "legs": (effects.Leg(owner="a", amount=1),)},
            "sum to zero",
            id="a posting from nowhere",
        ),
    ],
)
def test_a_value_that_breaks_its_rule_is_refused(make, changes, complaint):
    with pytest.raises(InvalidValueError, match=complaint):
        make(**changes)


@given(st.text(min_size=1, max_size=200))
def test_a_key_is_taken_as_it_is_or_refused(key: str):
    try:
        made = touchpoint(key=key)
    except InvalidValueError:
        assert "\x00" in key or any("\ud800" <= each <= "\udfff" for each in key)
    else:
        assert made.key == key


PERSONAL_VALUES = [
    pytest.param(Identity(kind="phone", value=CANARY), id="an identity"),
    pytest.param(kinds.ContactAdded(name=CANARY, welcome_code=CANARY), id="a contact"),
    pytest.param(kinds.MessageReceived(text=CANARY), id="a customer's words"),
    pytest.param(Message(channel="sms", content=CANARY), id="a message"),
    pytest.param(effects.Request(connector="bank", operation="refund", body=CANARY, once="1"), id="a request"),
    pytest.param(
        messages.Outgoing(
            id=messages.OutgoingId(1),
            tenant=messages.TenantId("main"),
            key="k",
            body=CANARY,
            address=Identity(kind="phone", value=CANARY),
            planned_at=AT,
        ),
        id="an outgoing message",
    ),
    pytest.param(
        messages.Report(outcome=messages.Accepted(), key="k", address=Identity(kind="phone", value=CANARY)),
        id="a report",
    ),
    pytest.param(Guide(id=organisation.GuideId("g"), name=CANARY, accounts={"wecom": CANARY}), id="a guide"),
    pytest.param(
        profile.Customer(
            tenant=messages.TenantId("main"), id=CustomerId(1), identities=(Identity(kind="phone", value=CANARY),)
        ),
        id="a customer",
    ),
    pytest.param(
        CallbackRequest(method="POST", query={"k": CANARY}, headers={"k": CANARY}, body=CANARY.encode()),
        id="a callback",
    ),
]


@pytest.mark.parametrize("value", PERSONAL_VALUES)
def test_a_personal_field_is_in_no_repr(value: Any):
    holder = touchpoint(payload=value, identities=(Identity(kind="phone", value=CANARY),))

    assert CANARY not in repr(value) + str(value) + repr(holder)


def test_every_personal_field_of_the_core_hides_itself():
    """Of all modules of the domain, so that a field added tomorrow is looked at as well."""
    shown = [
        f"{cls.__name__}.{field.name}"
        for module in (effects, kinds, messages, organisation, profile)
        for cls in vars(module).values()
        if attrs.has(cls)
        for field in attrs.fields(cls)
        if PERSONAL in field.metadata and field.repr
    ]

    assert shown == []


def test_a_kind_knows_its_personal_fields():
    assert kind(payload=kinds.ContactAdded).personal == {"name", "welcome_code"}


@pytest.mark.parametrize(
    ("changes", "at", "is_open"),
    [
        pytest.param({}, AT, True, id="at its first moment"),
        pytest.param({}, AT.replace(month=4), False, id="at its end"),
        pytest.param({}, AT.replace(month=2), False, id="before it starts"),
        pytest.param({"status": CampaignStatus.PAUSED}, AT, False, id="while paused"),
        pytest.param({"status": CampaignStatus.ENDED}, AT, False, id="after it was ended"),
    ],
)
def test_a_campaign_is_open(changes: dict[str, Any], at: datetime, is_open: bool):
    assert campaign(**changes).is_open(at) is is_open


def test_what_is_frozen_stays_as_it_is():
    made = touchpoint()

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.key = "other"
    with pytest.raises(TypeError):
        Guide(id=organisation.GuideId("g"), name="Ann", accounts={"a": "b"}).accounts["a"] = "c"


def test_an_entrance_shows_no_person():
    made = Entrance(token=StateToken("abc"), name="table 7")

    assert "abc" in repr(made)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        pytest.param(kinds.OrderPaid, {"amount_fen": -1}, id="less than nothing paid"),
        pytest.param(kinds.OrderPaid, {"amount_fen": "12"}, id="money as a word"),
        pytest.param(kinds.OrderPaid, {"amount_fen": True}, id="money as a yes"),
        pytest.param(kinds.OrderPaid, {"amount_fen": 1.5}, id="half a fen"),
        pytest.param(kinds.OrderPaid, {"quantity": -1}, id="less than no units"),
        pytest.param(kinds.OrderPaid, {"quantity": 1.5}, id="half a unit"),
        pytest.param(kinds.OrderPaid, {"order_no": ""}, id="no order number"),
        pytest.param(kinds.OrderPaid, {"order_no": 5}, id="a number that is no text"),
        pytest.param(kinds.OrderRefunded, {"refund_no": "r", "amount_fen": 0}, id="a refund of nothing"),
        pytest.param(kinds.OrderRefunded, {"refund_no": None}, id="a refund without a number"),
        pytest.param(kinds.OrderCancelled, {"order_no": "1" * 129}, id="an order number that is too long"),
    ],
)
def test_an_order_that_cannot_be_is_refused_and_the_field_named(kind: type, wrong: dict[str, Any]):
    right = {} if kind is kinds.OrderCancelled else {"amount_fen": 1}
    with pytest.raises(InvalidValueError, match=list(wrong)[-1]):
        kind(**{"order_no": "1", **right, **wrong})
