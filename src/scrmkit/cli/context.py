"""What every command is given: where the settings are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from scrmkit.errors import TenantRequiredError

if TYPE_CHECKING:
    from scrmkit.engine import Engine
    from scrmkit.persistence.database import Database
    from scrmkit.plugins import PluginSet
    from scrmkit.settings import Settings


@attrs.frozen(kw_only=True)
class CliContext:
    """
    Click's ``context.obj`` of every command, of plugins' as well.

    ``scrmkit.cli.output`` has the options and the printing that all commands share.

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
    def engine(self, *, log_level: str = "warning") -> Iterator[Engine]:
        """
        An engine with all that the settings enable; it alone may write.

        Raises:
            SettingsError, PluginError: With every problem.
            SchemaOutOfDateError: ``scrmkit db upgrade`` was not run.
            SecondWriterError: Another process writes to this SQLite file.
        """
        from scrmkit.cli.logs import log_to_stderr
        from scrmkit.engine import Engine

        log_to_stderr(self.environ, log_level)
        with Engine(self.settings()) as engine:
            yield engine

    @contextmanager
    def reading(self) -> Iterator[Database]:
        """
        The database, only to be looked at, without any plugin; others may write meanwhile.

        Raises:
            SchemaOutOfDateError: It is not there, or not this version's.
            StorageError: It cannot be read.
        """
        from scrmkit.errors import SchemaOutOfDateError
        from scrmkit.persistence.database import translated
        from scrmkit.persistence.migrate import require_current

        settings = self.settings()
        if not is_there(settings):
            raise SchemaOutOfDateError("there is no database yet; run: scrmkit db upgrade")
        with self.database(settings) as database, translated():
            require_current(database)
            yield database

    def tenants(self, wanted: str | None) -> tuple[str, ...]:
        """
        The tenant that a command names, or all of them.

        Raises:
            TenantRequiredError: The settings name no such tenant.
        """
        known = self.settings().tenants
        if wanted is not None and wanted not in known:
            raise TenantRequiredError(f"name one of the tenants {', '.join(known)}")
        return known if wanted is None else (wanted,)

    def tenant(self, wanted: str | None) -> str:
        """
        The tenant that a command names, or the only one.

        Raises:
            TenantRequiredError: There are several and none is named, or there is no such tenant.
        """
        found = self.tenants(wanted)
        if len(found) > 1:
            raise TenantRequiredError(f"name one of the tenants with --tenant: {', '.join(found)}")
        return found[0]

    @contextmanager
    def database(self, settings: Settings, *, writes: bool = False) -> Iterator[Database]:
        """The database alone, without any plugin and whatever its schema."""
        from scrmkit.persistence.database import Database

        url = settings.database.reveal()
        database = Database(url, durability=str(settings.durability), writes=writes)
        try:
            yield database
        finally:
            database.close()


def is_there(settings: Settings) -> bool:
    """Whether there is a database to look at: opening a SQLite file would make one."""
    from sqlalchemy.engine import make_url

    url = make_url(settings.database.reveal())
    return url.get_backend_name() != "sqlite" or Path(url.database or "").exists()
