"""What every command is given: where the settings are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from scrmkit.engine import Engine
    from scrmkit.persistence.database import Database
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

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """
        An engine with all that the settings enable; it alone may write.

        Raises:
            SettingsError, PluginError: With every problem.
            SchemaOutOfDateError: ``scrmkit db upgrade`` was not run.
            SecondWriterError: Another process writes to this SQLite file.
        """
        from scrmkit.cli.logs import log_to_stderr
        from scrmkit.engine import Engine

        log_to_stderr(self.environ)
        with Engine(self.settings()) as engine:
            yield engine

    @contextmanager
    def database(self, settings: Settings, *, writes: bool = False) -> Iterator[Database]:
        """
        The database alone, without any plugin; to look at it while others write.

        Raises:
            StorageUnavailableError: It is not there.
        """
        from scrmkit.persistence.database import Database

        url = settings.database.reveal()
        database = Database(url, durability=str(settings.durability), writes=writes)
        try:
            yield database
        finally:
            database.close()
