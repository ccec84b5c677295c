"""Every error that scrmkit raises, named for what the caller can do about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta


class ScrmkitError(Exception):
    """
    The root of all errors of scrmkit.

    Messages hold no secrets and no personal data; they say what is wrong,
    where, and what to do next.

    Attributes:
        retryable: Whether the same call may succeed later with nothing changed.
    """

    retryable = False


class InvalidValueError(ScrmkitError, ValueError):
    """A value breaks the rule of its type; nothing has happened yet."""


class SettingsError(ScrmkitError):
    """
    The settings cannot be used; nothing was started.

    Attributes:
        problems: Every problem found, each with the TOML path where it lies.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class MissingExtraError(ScrmkitError):
    """A command needs an optional part that is not installed; the message names it."""


class PluginError(ScrmkitError):
    """
    Plugins cannot be loaded; no plugin of the set is active.

    Attributes:
        problems: Every problem found, each naming the distribution.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


class UndeclaredReadError(ScrmkitError):
    """A plugin asked for something that its ``needs`` did not declare."""


class TenantRequiredError(ScrmkitError):
    """The settings name several tenants and the call names none, or an unknown one."""


class UnknownKindError(ScrmkitError):
    """No installed plugin, nor the core, registers this kind of touchpoint."""


class UnknownNameError(ScrmkitError):
    """A campaign, shop, scorer, plugin or segment of this name does not exist."""


class LoopError(ScrmkitError):
    """Emitted touchpoints led back to themselves too often; the message names the kinds."""


class StorageError(ScrmkitError):
    """The database refused; the unit of work was rolled back whole."""


class StorageUnavailableError(StorageError):
    """The database is away, full or busy; nothing is half done, try again later."""

    retryable = True


class ConflictError(StorageError):
    """Another writer changed the same rows first; the same call may succeed now."""

    retryable = True


class SchemaOutOfDateError(StorageError):
    """The database's schema is not this version's; run ``scrmkit db upgrade``."""


class SecondWriterError(StorageError):
    """Another process already writes to this SQLite file; use PostgreSQL for several."""


class ChannelError(ScrmkitError):
    """A channel or connector could not do what it was asked to."""


class TryLaterError(ChannelError):
    """
    The platform is busy or over quota; the same call may pass later.

    Attributes:
        retry_after: How long to wait, or None where the platform did not say.
    """

    retryable = True

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RefusedError(ChannelError):
    """
    The platform refused for good; sending the same again is no use.

    Attributes:
        code: The platform's own code, such as ``41050`` or ``isv.MOBILE_NUMBER_ILLEGAL``.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class UnknownOutcomeError(ChannelError):
    """The request may or may not have arrived; ask the platform before sending again."""


class CallbackRejectedError(ChannelError):
    """
    A callback is not authentic or not readable; nothing was recorded.

    Attributes:
        code: Which check failed, such as ``signature`` or ``padding``; for logs
            only. The sender gets the same empty answer for all of them.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code
