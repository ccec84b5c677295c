"""
A plugin in one file, beside the settings: tags customers who keep coming back.

    [plugins.loyal]
    use = "rule.loyal:Loyal"
    orders = 3
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from scrmkit import ActivityOf, AddTag, Decision, Known, Now, PluginContext, Read, TagSource, Touchpoint


@attrs.frozen(kw_only=True)
class LoyalSettings:
    """
    Settings of ``Loyal``.

    Attributes:
        orders: From which order on a customer is loyal.
    """

    orders: int = 3


class Loyal:
    """Tags a customer at the order that makes a regular of them (老客)."""

    Settings = LoyalSettings
    kinds = frozenset({"order.paid"})

    def __init__(self, context: PluginContext[LoyalSettings]) -> None:
        self.orders = context.settings.orders

    def needs(self, touchpoint: Touchpoint[Any]) -> Iterable[Read[Any]]:
        if touchpoint.customer is not None:
            yield ActivityOf(touchpoint.customer, "order.paid")

    def decide(self, touchpoint: Touchpoint[Any], known: Known, now: Now) -> Decision | None:
        if touchpoint.customer is None:
            return None
        # What is being decided is not counted yet.
        orders = known[ActivityOf(touchpoint.customer, "order.paid")].count + 1
        if orders != self.orders:
            return None
        return Decision(
            reason=f"this is order number {orders}",
            effects=(AddTag(group="loyalty", name="regular", source=TagSource.INTERACTION),),
            answer={"regular": True},
        )
