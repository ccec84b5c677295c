"""
Settings from TOML and the environment, with secrets by reference only.

``load_settings`` reads a file; ``settings_from`` takes what a program has
already; ``structure_options`` reads the settings of one plugin. Each reports
everything that is wrong at once, with the TOML path where it lies.
"""

from __future__ import annotations

from scrmkit.settings.load import load_settings, settings_from
from scrmkit.settings.model import Calls, Durability, PluginSettings, Settings
from scrmkit.settings.secret import Secret
from scrmkit.settings.structure import structure_options

__all__ = [
    "Calls",
    "Durability",
    "PluginSettings",
    "Secret",
    "Settings",
    "load_settings",
    "settings_from",
    "structure_options",
]
