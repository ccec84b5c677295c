"""What all suites share: how a check is marked, and what is looked at before all others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, TypeVar

import attrs
import pytest

from scrmkit.plugins.checks import hook_problems, protocol_problems

F = TypeVar("F", bound=Callable[..., Any])


def check(*, broken: str) -> Callable[[F], F]:
    """
    Mark a test of a suite as a check.

    Args:
        broken: The plugin that fails this check and no other, as
            ``module:Class`` of ``scrmkit.testing.broken``.
    """

    def mark(function: F) -> F:
        function.scrmkit_broken = broken  # type: ignore[attr-defined]
        return function

    return mark


def wanted(fixture: str, what: str) -> NoReturn:
    """Fail because a subclass did not override *fixture*."""
    pytest.fail(f"override the fixture {fixture!r} in your test class: {what}", pytrace=False)


class Suite:
    """
    The base of all suites.

    Attributes:
        family: The family whose protocol the plugin has.
    """

    family: ClassVar[str]

    @pytest.fixture
    def subject(self) -> Any:
        """The plugin, whatever the suite calls it."""
        raise NotImplementedError

    @pytest.fixture
    def canaries(self) -> tuple[str, ...]:
        """
        Override: texts of your examples and settings that must never show.

        Phones, names, message texts, codes, secrets. What your examples mark as
        personal is added by itself.
        """
        return ()

    @pytest.fixture(autouse=True)
    def _callable_first(self, request: pytest.FixtureRequest, subject: Any) -> None:
        """Skip what would only fail because a method is not there: one check says so."""
        function = request.function
        first = "test_it_has_what_its_protocol_asks_for"
        is_check = hasattr(function, "scrmkit_broken") and function.__name__ != first
        if is_check and self._problems(subject):
            pytest.skip(f"see {first}")

    def _problems(self, plugin: Any) -> list[str]:
        return [*protocol_problems(self.family, plugin), *hook_problems(plugin)]

    @check(broken="connectors:LacksAsk")
    def test_it_has_what_its_protocol_asks_for(self, subject: Any) -> None:
        """The plugin has the attributes and methods of its protocol, and hooks that exist."""
        assert self._problems(subject) == [], "the plugin could not be loaded: change these"

    @check(broken="channels:CannotForget")
    def test_its_kinds_survive_an_erasure(self, subject: Any) -> None:
        """A personal field reads as its default once it was blanked, so it has one."""
        for kind in getattr(subject, "touchpoint_kinds", ()):
            fields = attrs.fields_dict(kind.payload)
            bare = sorted(name for name in kind.personal if fields[name].default is attrs.NOTHING)
            assert bare == [], (
                f"these personal fields of {kind.name} have no default, so that it cannot be read "
                "any more when its customer was erased: write personal(default=...)"
            )
