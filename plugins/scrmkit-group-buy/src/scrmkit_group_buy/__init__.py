"""Group-buy (拼团): enough members pay in time, or all get their money back."""

from __future__ import annotations

from scrmkit_group_buy.kinds import Call, GroupBuyAnswer, GroupResult, Moved, SeatOrder, SeatResult, Shipment
from scrmkit_group_buy.mechanic import GroupBuyMechanic, GroupBuySettings
from scrmkit_group_buy.rules import GroupBuyRules, Overflow, Tier
from scrmkit_group_buy.state import GroupBuy, Payback, PaybackStatus, Phase, Seat, SeatStatus

__all__ = [
    "Call",
    "GroupBuy",
    "GroupBuyAnswer",
    "GroupBuyMechanic",
    "GroupBuyRules",
    "GroupBuySettings",
    "GroupResult",
    "Moved",
    "Overflow",
    "Payback",
    "PaybackStatus",
    "Phase",
    "Seat",
    "SeatOrder",
    "SeatResult",
    "SeatStatus",
    "Shipment",
    "Tier",
]
