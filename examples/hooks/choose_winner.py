"""Lets one plugin's welcome win at night, when nobody is there to answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

import attrs

from scrmkit import Now, PluginContext, Proposal, hookimpl


@attrs.frozen(kw_only=True)
class NightSettings:
    """
    Settings of ``hooks.night-shift``.

    Attributes:
        plugin: The configured plugin whose proposal wins from *start* to *end*.
    """

    plugin: str
    start: time = time(21)
    end: time = time(9)


class NightShift:
    """At night the night's plugin wins; by day the order of the settings decides."""

    Settings = NightSettings

    def __init__(self, context: PluginContext[NightSettings]) -> None:
        self.settings = context.settings

    @hookimpl
    def scrmkit_choose_winner(self, proposals: Sequence[Proposal], now: Now) -> int | None:
        if self.settings.end <= now.local.time() < self.settings.start:
            return None
        plugins = [proposal.plugin for proposal in proposals]
        return plugins.index(self.settings.plugin) if self.settings.plugin in plugins else None
