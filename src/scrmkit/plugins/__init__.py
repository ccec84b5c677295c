"""
Finding plugins without importing them, and loading those that the settings enable.

``discover`` reads what installed distributions say in the entry-point group
``scrmkit``; ``load_plugins`` imports, checks and makes the configured ones, and
reports everything that is wrong at once.
"""

from __future__ import annotations

from scrmkit.plugins.discovery import CONFIGURED, FAMILIES, Found, discover, load_worker, the_one
from scrmkit.plugins.loading import Implementation, LoadedPlugin, PluginSet, load_plugins

__all__ = [
    "CONFIGURED",
    "FAMILIES",
    "Found",
    "Implementation",
    "LoadedPlugin",
    "PluginSet",
    "discover",
    "load_plugins",
    "load_worker",
    "the_one",
]
