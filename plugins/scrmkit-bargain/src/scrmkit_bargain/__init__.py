"""Bargain (砍价): friends help, and the price falls."""

from __future__ import annotations

from scrmkit_bargain.kinds import BargainAnswer, Call, Delivered, Ordered, Result
from scrmkit_bargain.mechanic import BargainMechanic, BargainSettings
from scrmkit_bargain.rules import BargainRules, CutMode, CutStore, StockHold, Success
from scrmkit_bargain.state import Bargain, Order, OrderStatus, Phase

__all__ = [
    "Bargain",
    "BargainAnswer",
    "BargainMechanic",
    "BargainRules",
    "BargainSettings",
    "Call",
    "CutMode",
    "CutStore",
    "Delivered",
    "Order",
    "OrderStatus",
    "Ordered",
    "Phase",
    "Result",
    "StockHold",
    "Success",
]
