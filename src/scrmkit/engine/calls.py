"""Calls into plugins: timed, contained, attributed, and stopped where they keep failing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter, time_ns
from types import GeneratorType
from typing import Any, TypeVar

import attrs
import structlog

from scrmkit import hooks
from scrmkit.errors import UndeclaredReadError
from scrmkit.hooks import Failure
from scrmkit.plugins import LoadedPlugin, PluginSet

log = structlog.get_logger("scrmkit.plugins")
T = TypeVar("T")


@attrs.define(slots=True)
class Health:
    """How a plugin has been doing; *in_a_row* counts since the failing method last went well."""

    failures: int = 0
    overruns: int = 0
    in_a_row: int = 0
    quarantined_at: int | None = None
    last_error: str = ""
    changed: bool = False


class ContractError(Exception):
    """A plugin returned what its contract does not allow; the text holds no values of customers."""


class Calls:
    """
    Every call into a plugin goes through here.

    A call that never returns cannot be stopped inside one process: run the
    delivery workers as processes of their own, so that intake goes on.
    """

    def __init__(self, plugins: PluginSet, *, budget_ms: int, quarantine_after: int) -> None:
        self._budget_s = budget_ms / 1000
        self._quarantine_after = quarantine_after
        self._lock = threading.Lock()
        self._hooks = {
            name: plugins.implementations(name)
            for name in dir(hooks)
            if name.startswith("scrmkit_")
        }
        self.health: dict[str, Health] = {loaded.name: Health() for loaded in plugins.plugins}

    def is_asked(self, loaded: LoadedPlugin) -> bool:
        """Whether the plugin is not in quarantine."""
        return self.health[loaded.name].quarantined_at is None

    def call(
        self, loaded: LoadedPlugin, what: str, function: Callable[..., Any], *args: Any,
        timed: bool = True,
    ) -> tuple[bool, Any]:  # fmt: skip
        """
        Call *function* of a plugin; ``(True, its result)``, or ``(False, None)`` if it broke.

        Args:
            timed: Whether the budget applies: not for what does I/O.
        """
        health = self.health[loaded.name]
        if health.quarantined_at is not None:
            return False, None
        start = perf_counter()
        try:
            result = function(*args)
            if type(result) is GeneratorType:
                result = tuple(result)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin may raise anything
            self.failed(loaded, what, error)
            return False, None
        if timed and perf_counter() - start > self._budget_s:
            self._count(
                loaded, what, f"took longer than {self._budget_s * 1000:.0f} ms", overrun=True
            )
        elif health.in_a_row and health.last_error.startswith(f"{what}: "):
            # Only the method that went wrong ends the row: needs() works where decide() breaks.
            health.in_a_row = 0
            health.changed = True
        return True, result

    def listed(self, loaded: LoadedPlugin, what: str, found: Any) -> dict[Any, None]:
        """What a plugin listed, each once; nothing where it is no list of values."""
        try:
            return dict.fromkeys(found or ())
        except Exception:  # noqa: BLE001 - a plugin's values may raise anything
            error = ContractError(f"returned a {type(found).__name__} that cannot be listed")
            self.failed(loaded, what, error)
            return {}

    def failed(self, loaded: LoadedPlugin, what: str, error: BaseException) -> None:
        """Count a failure against a plugin."""
        own = isinstance(error, ContractError | UndeclaredReadError)
        text = str(error) if own else type(error).__name__
        line = line_of(error)
        self._count(loaded, what, f"{text}{line}", overrun=False)

    def _count(self, loaded: LoadedPlugin, what: str, text: str, *, overrun: bool) -> None:
        health = self.health[loaded.name]
        with self._lock:
            health.in_a_row += 1
            health.overruns += overrun
            health.failures += not overrun
            health.last_error = f"{what}: {text}"[:300]
            health.changed = True
            quarantined = (
                health.quarantined_at is None and health.in_a_row >= self._quarantine_after
            )
            if quarantined:
                health.quarantined_at = time_ns() // 1000
        log.warning(
            "plugin_overran" if overrun else "plugin_failed",
            plugin=loaded.name, hook=what, error=text, quarantined=quarantined,
        )  # fmt: skip
        if what != "scrmkit_plugin_failed":
            failure = Failure(plugin=loaded.name, hook=what, error=text, quarantined=quarantined)
            self.observe("scrmkit_plugin_failed", failure=failure)

    # --- hooks, by kind ------------------------------------------------------------------

    def has(self, hook: str) -> bool:
        """Whether anybody implements *hook*."""
        return bool(self._hooks[hook])

    def _each(self, hook: str, **arguments: Any) -> Iterator[tuple[LoadedPlugin, bool, Any]]:
        tenant = _tenant_of(arguments)
        for loaded, function, names in self._hooks[hook]:
            if tenant is not None and loaded.tenant not in (None, tenant):
                continue
            if not self.is_asked(loaded):
                continue
            given = partial(function, **{name: arguments[name] for name in names})
            yield (loaded, *self.call(loaded, hook, given, timed=hook != "scrmkit_doctor"))

    def observe(self, hook: str, **arguments: Any) -> None:
        """Tell everybody; nobody can object."""
        for _ in self._each(hook, **arguments):
            pass

    def collect(self, hook: str, **arguments: Any) -> list[tuple[LoadedPlugin, Any]]:
        """All results that are there, each with its plugin."""
        return [
            (loaded, value)
            for loaded, well, value in self._each(hook, **arguments)
            if well and value is not None
        ]

    def first(
        self, hook: str, check: Callable[[Any], bool], **arguments: Any
    ) -> tuple[LoadedPlugin, Any] | None:
        """The first answer that is not None and passes *check*, with its plugin."""
        for loaded, well, value in self._each(hook, **arguments):
            if well and value is not None:
                if check(value):
                    return loaded, value
                self.failed(loaded, hook, ContractError("the answer is not of the hook's type"))
        return None

    def gate(
        self, hook: str, refusal: type[T], **arguments: Any
    ) -> tuple[LoadedPlugin, T | None] | None:
        """The first refusal with its plugin; None of it stands for a plugin that broke."""
        for loaded, well, value in self._each(hook, **arguments):
            if well and value is None:
                continue
            if well and isinstance(value, refusal):
                return loaded, value
            if well:
                self.failed(loaded, hook, ContractError(f"returned a {type(value).__name__}"))
            return loaded, None
        return None

    def transform(
        self, hook: str, name: str, value: T, check: Callable[[T, Any], bool],
        rebuild: Callable[[T], dict[str, Any]], **arguments: Any,
    ) -> T:  # fmt: skip
        """*value* after each plugin in turn; one whose result fails *check* is skipped."""
        for loaded, function, names in self._hooks[hook]:
            given = {**arguments, **rebuild(value)}
            tenant = _tenant_of(given)
            if not self.is_asked(loaded) or loaded.tenant not in (None, tenant):
                continue
            ask = partial(function, **{name: given[name] for name in names})
            well, result = self.call(loaded, hook, ask)
            if not well or result is None:
                continue
            if check(value, result):
                value = result
            else:
                self.failed(loaded, hook, ContractError(f"the new {name} is not allowed"))
        return value


def _tenant_of(arguments: dict[str, Any]) -> str | None:
    for name in ("sending", "touchpoint"):
        if name in arguments:
            return str(arguments[name].tenant)
    return None


def line_of(error: BaseException) -> str:
    """Where it broke, without what it said: an exception's text may hold personal values."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    file = trace.tb_frame.f_code.co_filename.replace("\\", "/").rsplit("/", 1)[-1]
    return f" at {file}:{trace.tb_lineno}"
