"""What the suites of connectors and channels are given, and what they make of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle, islice
from typing import Any

import pytest

from scrmkit.domain.identity import Identity
from scrmkit.domain.messages import Operation, Outgoing
from scrmkit.testing.factories import make_outgoing
from scrmkit.testing.suites.base import Suite, wanted
from scrmkit.testing.suites.values import personal_texts


class PlatformSuite(Suite):
    """The fixtures of a connector and of the platform behind it; no checks of its own."""

    @pytest.fixture
    def connector(self) -> Any:
        """Override: your connector, talking to a fake platform."""
        wanted("connector", "return an object of your plugin that talks to a fake platform")

    @pytest.fixture
    def subject(self, connector: Any) -> Any:
        """The connector, for the checks of all plugins."""
        return connector

    @pytest.fixture
    def plugin_settings(self) -> Any:
        """Override: the settings that your connector was made with, if it takes any."""
        return None

    @pytest.fixture
    def bodies(self) -> Mapping[str, Sequence[Any]]:
        """Override: example bodies by operation, at least one each, that the platform takes."""
        wanted("bodies", "return example bodies by the name of their operation")

    @pytest.fixture
    def refused(self) -> Mapping[str, Any]:
        """Override where an operation takes batches: by operation, a body that is refused."""
        return {}

    @pytest.fixture
    def addresses(self) -> Sequence[Identity | None]:
        """Override where operations are addressed: whom examples are sent to, in turn."""
        return (None,)

    @pytest.fixture
    def platform_state(self) -> Callable[[], Any]:
        """Override: what the platform has done or holds, as a value that can be compared."""
        wanted("platform_state", "return a function that says what the platform holds by now")

    @pytest.fixture
    def lose_answer(self) -> Callable[[str], None]:
        """Override: make the platform do the next call of an operation and lose its answer."""
        wanted(
            "lose_answer",
            "return a function of an operation's name, after which the platform does the next "
            "such call and drops its answer",
        )

    @pytest.fixture
    def secrets(
        self, canaries: Sequence[str], bodies: Mapping[str, Sequence[Any]], addresses: Sequence[Identity | None]
    ) -> frozenset[str]:
        """Everything that must never show: the canaries, and what examples mark as personal."""
        return frozenset(canaries) | personal_texts(bodies, addresses)

    @pytest.fixture
    def operations(self, connector: Any, bodies: Mapping[str, Sequence[Any]]) -> Mapping[str, Operation]:
        """The operations that there are examples of."""
        there: Mapping[str, Operation] = connector.operations
        return {name: there[name] for name in there if bodies.get(name)}

    @pytest.fixture
    def items(
        self, bodies: Mapping[str, Sequence[Any]], addresses: Sequence[Identity | None]
    ) -> Callable[..., list[Outgoing]]:
        """Make a batch of an operation's examples, each with a key of its own."""
        counted = iter(range(1, 1_000_000))

        def make(operation: str, count: int = 1) -> list[Outgoing]:
            examples = islice(cycle(bodies[operation]), count)
            numbers = [next(counted) for _ in range(count)]
            pairs = zip(examples, numbers, strict=True)
            return [
                make_outgoing(body, number=number, address=addresses[number % len(addresses)]) for body, number in pairs
            ]

        return make
