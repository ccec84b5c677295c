"""What every command is given: where the settings are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from scrmkit.plugins import PluginSet
    from scrmkit.settings import Settings


@attrs.frozen(kw_only=True)
class CliContext:
    """
    Click's ``context.obj`` of every command, of plugins' as well.

    Attributes:
        path: The settings file, perhaps not there.
    """

    path: Path
    environ: Mapping[str, str] = attrs.field(repr=False)

    def settings(self) -> Settings:
        """
        Read the settings.

        Raises:
            SettingsError: With every problem in them.
        """
        from scrmkit.settings import load_settings

        return load_settings(self.path, self.environ)

    def plugins(self, settings: Settings) -> PluginSet:
        """
        Load the plugins that *settings* enable.

        Raises:
            PluginError: With every problem.
        """
        from scrmkit.clock import SystemClock
        from scrmkit.plugins import load_plugins

        return load_plugins(settings, SystemClock())
