"""The value score keeps what every scorer keeps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scrmkit.domain.kinds import (
    ConsentChanged,
    ContactAdded,
    ContactRemoved,
    GroupChatJoined,
    GroupChatLeft,
    MessageReceived,
    Nothing,
    OrderRefunded,
)
from scrmkit.testing import NOON, ScorerSuite, make_context, make_order_paid, make_touchpoint
from scrmkit_value_score import SUPPLIED, InputSupplied, ValueScorer, ValueScoreSettings


def did(kind, payload, day):
    return make_touchpoint(kind, payload, key=f"{kind}-{day}", at=NOON + timedelta(days=day))


def paid(order_no, day, fen=9_900):
    return make_order_paid(order_no, fen, at=NOON + timedelta(days=day))


def refunded(order_no, day, fen):
    return did("order.refunded", OrderRefunded(order_no=order_no, refund_no=f"r-{day}", amount_fen=fen), day)


class TestValueScore(ScorerSuite):
    falls_with_time = True

    @pytest.fixture(
        params=[
            pytest.param({}, id="as it comes"),
            pytest.param({"window_days": 90, "gross_margin_pct": 40}, id="with a window"),
        ]
    )
    def scorer(self, request):
        return ValueScorer(make_context("value-score", ValueScoreSettings(**request.param)))

    @pytest.fixture
    def histories(self):
        return [
            [
                did("entrance.scanned", Nothing(), 0),
                did("contact.added", ContactAdded(account="zhangsan", name="Ann Example"), 1),
                did("consent.granted", ConsentChanged(channel="sms"), 1),
                paid("a1", 2),
                did("message.received", MessageReceived(text="where is my parcel"), 4),
                refunded("a1", 5, 900),
                did("group_chat.joined", GroupChatJoined(chat="c1"), 6),
                paid("a2", 60),
            ],
            [
                did("contact.added", ContactAdded(account="lisi"), 3),
                did("contact.removed", ContactRemoved(account="lisi"), 3),
                did("group_chat.left", GroupChatLeft(chat="c1"), 8),
                did("consent.withdrawn", ConsentChanged(channel="*"), 8),
                did(SUPPLIED, InputSupplied(input="invites", value=3), 9),
                did(SUPPLIED, InputSupplied(input="invites", value=2), 9),
                paid("b1", 9),
            ],
            [refunded("c1", 5, 100), paid("c1", 4)],
        ]
