"""Gives the customers of a shop to the guide whose day it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from scrmkit import GuideId, Now, PluginContext, Route, Touchpoint, hookimpl


@attrs.frozen(kw_only=True)
class RotaSettings:
    """
    Settings of ``hooks.rota``.

    Attributes:
        guides: By shop, its guides in the order in which they take turns, a day each.
    """

    guides: Mapping[str, tuple[str, ...]]


class Rota:
    """The guides of a shop take turns, by the day on the shop's own calendar."""

    Settings = RotaSettings

    def __init__(self, context: PluginContext[RotaSettings]) -> None:
        self.guides = context.settings.guides

    @hookimpl
    def scrmkit_route(self, touchpoint: Touchpoint[Any], now: Now) -> Route | None:
        guides = self.guides.get(touchpoint.shop or "")
        if not guides:
            return None
        turn = now.local.toordinal() % len(guides)
        return Route(shop=touchpoint.shop, guide=GuideId(guides[turn]))
