"""Calls into plugins: timed, contained, attributed, and stopped where they keep failing."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from time import perf_counter, time_ns
from traceback import walk_tb
from types import CoroutineType, GeneratorType
from typing import Any, TypeVar

import attrs
import structlog

from scrmkit import hooks
from scrmkit.domain.decisions import Decision, Step
from scrmkit.errors import UndeclaredReadError
from scrmkit.hooks import Failure
from scrmkit.plugins import LoadedPlugin, PluginSet

log = structlog.get_logger("scrmkit.plugins")
T = TypeVar("T")


@attrs.define(slots=True)
class Health:
    """
    How a plugin has been doing; *in_a_row* counts since it was asked and all went well.

    Attributes:
        kept: Failures and overruns that are in the database already.
    """

    failures: int = 0
    overruns: int = 0
    in_a_row: int = 0
    quarantined_at: int | None = None
    last_error: str = ""
    changed: bool = False
    kept: tuple[int, int] = (0, 0)


class ContractError(Exception):
    """A plugin returned what its contract does not allow; the text holds no values of customers."""


@attrs.frozen
class Trouble:
    """
    What went wrong with one call, in place of its result.

    Attributes:
        lost: Whether there is no result; there is one where it was only slow.
    """

    what: str
    text: str
    lost: bool = True
    value: Any = None


def _as_it_is(value: Any) -> Any:
    return value


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
        self._hooks = {name: plugins.implementations(name) for name in hooks.SPECS}
        self.health: dict[str, Health] = {loaded.name: Health() for loaded in plugins.plugins}

    def is_asked(self, loaded: LoadedPlugin) -> bool:
        """Whether the plugin is not in quarantine."""
        return self.health[loaded.name].quarantined_at is None

    def attempt(
        self, what: str, check: Callable[[Any], Any], function: Callable[..., Any], *args: Any, timed: bool = True
    ) -> Any:
        """
        Call *function* of a plugin: its result, or a ``Trouble`` that nobody has counted yet.

        Args:
            check: Makes of the result what is wanted, or raises.
            timed: Whether the budget applies: not for what does I/O.
        """
        start = perf_counter()
        try:
            result = function(*args)
            if type(result) is GeneratorType:
                result = tuple(result)
            elif type(result) is CoroutineType:
                result.close()
            result = check(result)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - a plugin may raise anything
            return Trouble(what, _told(error))
        if timed and perf_counter() - start > self._budget_s:
            text = f"took longer than {self._budget_s * 1000:.0f} ms"
            return Trouble(what, text, lost=False, value=result)
        return result

    def counted(self, loaded: LoadedPlugin, found: Any) -> tuple[bool, Any]:
        """``(True, result)`` of an attempt, or ``(False, None)``; trouble is counted now."""
        if type(found) is not Trouble:
            return True, found
        health, what, text = self.health[loaded.name], found.what, found.text
        with self._lock:
            health.in_a_row += 1
            health.overruns += not found.lost
            health.failures += found.lost
            health.last_error = f"{what}: {text}"[:300]
            health.changed = True
            too_many = health.in_a_row >= self._quarantine_after
            quarantined = too_many and health.quarantined_at is None
            if quarantined:
                health.quarantined_at = time_ns() // 1000
        event = "plugin_failed" if found.lost else "plugin_overran"
        log.warning(event, plugin=loaded.name, hook=what, error=text, quarantined=quarantined)
        if what != "scrmkit_plugin_failed":
            failure = Failure(plugin=loaded.name, hook=what, error=text, quarantined=quarantined)
            self.observe("scrmkit_plugin_failed", failure=failure)
        return not found.lost, found.value

    def went_well(self, loaded: LoadedPlugin) -> None:
        """A plugin was asked, and all of that went well: what went wrong before is no row."""
        health = self.health[loaded.name]
        if health.in_a_row:
            health.in_a_row = 0
            health.changed = True

    @contextlib.contextmanager
    def tentative(self) -> Iterator[None]:
        """Count for good only what ends well: where it does not, all of it runs again."""
        before = [(one, (one.failures, one.overruns, one.in_a_row, one.quarantined_at)) for one in self.health.values()]
        try:
            yield
        except BaseException:
            for health, counts in before:
                health.failures, health.overruns, health.in_a_row, health.quarantined_at = counts
            raise

    def call(
        self, loaded: LoadedPlugin, what: str, function: Callable[..., Any], *args: Any,
        check: Callable[[Any], Any] = _as_it_is, timed: bool = True,
    ) -> tuple[bool, Any]:  # fmt: skip
        """Attempt and count at once; ``(False, None)`` also while the plugin is in quarantine."""
        if not self.is_asked(loaded):
            return False, None
        found = self.attempt(what, check, function, *args, timed=timed)
        if type(found) is not Trouble:
            self.went_well(loaded)
        return self.counted(loaded, found)

    def failed(self, loaded: LoadedPlugin, what: str, error: BaseException) -> None:
        """Count a failure against a plugin."""
        self.counted(loaded, Trouble(what, _told(error)))

    # --- hooks, by kind ------------------------------------------------------------------

    def has(self, hook: str) -> bool:
        """Whether anybody implements *hook*."""
        return bool(self._hooks[hook])

    def _each(
        self, hook: str, arguments: dict[str, Any], allowed: Callable[[Any], bool] | None = None
    ) -> Iterator[tuple[LoadedPlugin, bool, Any]]:
        """
        Who was asked, whether all went well, and the result: None, or what is *allowed*.

        *arguments* may be changed between two calls.
        """

        def check(value: Any) -> Any:
            if value is not None and allowed is not None and not allowed(value):
                raise ContractError(f"returned a {type(value).__name__} that is not allowed")
            return value

        about = arguments.get("sending", arguments.get("touchpoint"))
        for loaded, function, names in self._hooks[hook]:
            if about is None or loaded.serves(about.tenant):
                given = partial(function, **{name: arguments[name] for name in names})
                yield (loaded, *self.call(loaded, hook, given, check=check))

    def observe(self, hook: str, **arguments: Any) -> None:
        """Tell everybody; nobody can object."""
        for _ in self._each(hook, arguments):
            pass

    def first(self, hook: str, allowed: Callable[[Any], bool], **arguments: Any) -> tuple[LoadedPlugin, Any] | None:
        """The first answer that is not None and is *allowed*, with its plugin."""
        for loaded, _, value in self._each(hook, arguments, allowed):
            if value is not None:
                return loaded, value
        return None

    def gate(self, hook: str, refusal: type[T], **arguments: Any) -> tuple[LoadedPlugin, T | None] | None:
        """
        The first refusal with its plugin; None of it stands for a plugin that broke.

        One in quarantine refuses as well: a gate does not open because its guard is gone.
        """
        for loaded, well, value in self._each(hook, arguments, lambda value: isinstance(value, refusal)):
            if value is not None or not well:
                return loaded, value
        return None

    def transform(
        self, hook: str, value: T, allowed: Callable[[T, Any], bool],
        rebuild: Callable[[T], dict[str, Any]], **arguments: Any,
    ) -> T:  # fmt: skip
        """*value* after each plugin in turn; one whose result is not *allowed* is skipped."""

        def fits(after: Any) -> bool:
            return allowed(value, after)

        arguments |= rebuild(value)
        for _, _, result in self._each(hook, arguments, fits):
            if result is not None:
                value = result
                arguments |= rebuild(value)
        return value


def listed(found: Any) -> dict[Any, Any]:
    """What a plugin listed, each once, as the keys of a new dict."""
    try:
        return dict.fromkeys(found or ())
    except Exception:  # noqa: BLE001 - a plugin's values may raise anything
        text = f"returned a {type(found).__name__} that cannot be listed"
        raise ContractError(text) from None


def usable(found: Any) -> Any:
    """The result of an attempt, nothing where there is none."""
    if type(found) is not Trouble:
        return found
    return found.value if found.value is not None else ()


def a_decision(value: Any, kind: type[Decision] = Decision) -> Any:
    """
    What a plugin decided, None where it had nothing to say.

    Raises:
        ContractError: It returned something else.
    """
    if value is None:
        return None
    if not isinstance(value, kind):
        raise ContractError(f"returned a {type(value).__name__}")
    reason: object = value.reason
    if not isinstance(reason, str) or not isinstance(value.code, str):
        raise ContractError("returned a reason or code that is no text")
    if not isinstance(value.effects, tuple | list):
        raise ContractError("returned effects that are no tuple")
    return value


def a_step(value: Any) -> Any:
    """As ``a_decision``, of a mechanic."""
    return a_decision(value, Step)


def _told(error: BaseException) -> str:
    """What can be said of an exception: its text only where it is ours."""
    shown = error if isinstance(error, UndeclaredReadError) else type(error).__name__
    return str(error) if isinstance(error, ContractError) else f"{shown}{line_of(error)}"


def line_of(error: BaseException) -> str:
    """Where it broke, without what it said: an exception's text may hold personal values."""
    places = list(walk_tb(error.__traceback__))
    if not places:
        return ""
    frame, line = places[-1]
    file = frame.f_code.co_filename.replace("\\", "/").rsplit("/", 1)[-1]
    return f" at {file}:{line}"
