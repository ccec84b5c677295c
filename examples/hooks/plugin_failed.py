"""Calls somebody when a plugin is in quarantine: until it is released, it decides nothing."""

from __future__ import annotations

import logging
from typing import Any

from scrmkit import Failure, PluginContext, hookimpl

log = logging.getLogger("pager")


class Pager:
    """One line for whoever is on duty; a handler of this logger makes a call of it."""

    def __init__(self, context: PluginContext[Any]) -> None:
        pass

    @hookimpl
    def scrmkit_plugin_failed(self, failure: Failure) -> None:
        if failure.quarantined:
            log.critical("%s is in quarantine after %s", failure.plugin, failure.error)
