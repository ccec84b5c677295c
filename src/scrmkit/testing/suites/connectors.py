"""The suite of connectors: whatever can be asked to do things outside."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import attrs
import pytest

from scrmkit.domain.messages import Accepted, Delivered, Operation, Outgoing, Refused, TryLater, Undelivered, Unknown
from scrmkit.testing.suites.base import check
from scrmkit.testing.suites.platforms import PlatformSuite
from scrmkit.testing.suites.values import shown, storing_problem

OUTCOMES = (Accepted, Delivered, Undelivered, Refused, TryLater, Unknown)
_NAMES = ", ".join(each.__name__ for each in OUTCOMES)


class ConnectorSuite(PlatformSuite):
    """
    What every connector keeps; subclass it, and override the fixtures that it asks for.

    The platform is a fake of yours or a sandbox: `platform_state` looks at it
    and `lose_answer` spoils it.

    Attributes:
        batch_limit: The largest batch that is tried.
    """

    family: ClassVar[str] = "connector"
    batch_limit: ClassVar[int] = 20

    # --- what it says of itself ----------------------------------------------------------

    @check(broken="connectors:SendsInBatchesOfNothing")
    def test_its_operations_are_described(self, connector: Any) -> None:
        """Each operation has a name, an attrs type as its body, and numbers that make sense."""
        assert connector.operations, "a connector without operations can do nothing"
        for name, operation in connector.operations.items():
            assert isinstance(operation, Operation), f"operation {name!r} is to be an Operation"
            assert attrs.has(operation.body), f"the body of {name!r} is to be an attrs class"
            numbers = (operation.max_batch, operation.max_attempts, operation.rate_per_s or 1)
            assert min(numbers) > 0, f"{name!r}: max_batch, max_attempts and rate_per_s are above 0; they are {numbers}"

    @check(broken="connectors:KeepsAnOperationToItself")
    def test_every_operation_has_an_example(self, connector: Any, bodies: Mapping[str, Sequence[Any]]) -> None:
        """The examples say something about each operation, and of its own body type."""
        missing = [name for name in connector.operations if not bodies.get(name)]
        assert missing == [], "give an example of each in the fixture 'bodies'"
        unknown = [name for name in bodies if name not in connector.operations]
        assert unknown == [], "the fixture 'bodies' names operations that the connector has not"
        for name, examples in bodies.items():
            wrong = [type(body).__name__ for body in examples if not isinstance(body, connector.operations[name].body)]
            assert wrong == [], f"the bodies of {name!r} are of its Operation's body type"

    @check(broken="connectors:CannotBeStored")
    def test_bodies_can_be_stored(
        self, operations: Mapping[str, Operation], bodies: Mapping[str, Sequence[Any]]
    ) -> None:
        """A body waits in the database as JSON, and comes back equal."""
        for name, operation in operations.items():
            for body in bodies[name]:
                problem = storing_problem(body, operation.body)
                assert problem is None, (
                    f"the body of {name!r} does not survive the outbox: {problem}; use texts, "
                    "numbers, aware moments, enums, tuples and attrs values in its fields"
                )

    @check(broken="connectors:ShowsBodies")
    def test_bodies_show_nothing_personal(self, bodies: Mapping[str, Sequence[Any]], secrets: frozenset[str]) -> None:
        """The repr of a body lands in logs and errors."""
        for name, examples in bodies.items():
            for body in examples:
                assert shown(repr(body), secrets) == [], (
                    f"the repr of {type(body).__name__} ({name!r}) shows a personal value: "
                    "make the field with scrmkit.domain.identity.personal()"
                )

    @check(broken="connectors:ShowsItself")
    def test_its_repr_shows_no_secret(self, connector: Any, secrets: frozenset[str]) -> None:
        """A plugin's repr lands in logs and errors."""
        assert shown(repr(connector), secrets) == [], (
            "the plugin's repr shows a secret: keep it in a Secret, or leave it out"
        )

    @check(broken="connectors:HasOpenSettings")
    def test_its_settings_show_no_secret(self, plugin_settings: Any, secrets: frozenset[str]) -> None:
        """Settings are printed where somebody looks for a mistake in them."""
        assert shown(repr(plugin_settings), secrets) == [], (
            "the settings show a secret: make the field a scrmkit.settings.Secret"
        )

    # --- sending -------------------------------------------------------------------------

    @check(broken="connectors:ForgetsTheLast")
    def test_send_answers_for_each_item(
        self, connector: Any, operations: Mapping[str, Operation], items: Callable[..., list[Outgoing]]
    ) -> None:
        """One outcome an item, for one item and for as many as ``max_batch`` allows."""
        for name, operation in operations.items():
            for count in sorted({1, min(operation.max_batch, self.batch_limit)}):
                outcomes = connector.send(name, items(name, count))
                assert len(outcomes) == count, (
                    f"send({name!r}) of {count} items returned {len(outcomes)} outcomes: return "
                    "one for each, whatever became of it"
                )

    @check(broken="connectors:PutsRefusalsLast")
    def test_outcomes_stand_in_the_order_of_the_batch(
        self,
        connector: Any,
        operations: Mapping[str, Operation],
        items: Callable[..., list[Outgoing]],
        refused: Mapping[str, Any],
    ) -> None:
        """The second outcome is the second item's, also where the platform sorts them."""
        for name, operation in operations.items():
            if operation.max_batch < 2:
                continue
            assert name in refused, (
                f"give in the fixture 'refused' a body that {name!r} is refused with, so that "
                "the order of outcomes can be seen"
            )
            batch = items(name, min(3, operation.max_batch))
            batch[0] = attrs.evolve(batch[0], body=refused[name])
            found = [isinstance(outcome, Refused) for outcome in connector.send(name, batch)]
            assert found[:1] == [True], f"the first outcome of {name!r} is its first item's refusal"
            assert not any(found[1:]), f"only the first item of {name!r} was to be refused"

    @check(broken="connectors:SaysTrue")
    def test_outcomes_are_typed(
        self,
        connector: Any,
        operations: Mapping[str, Operation],
        items: Callable[..., list[Outgoing]],
        refused: Mapping[str, Any],
    ) -> None:
        """Every outcome is one of the six types, for good items and for refused ones."""
        for name in operations:
            batches = [items(name)]
            if name in refused:
                batches.append([attrs.evolve(items(name)[0], body=refused[name])])
            for batch in batches:
                _assert_typed(connector.send(name, batch), f"send({name!r})")

    @check(broken="connectors:RaisesWhatItWaitedFor")
    def test_a_lost_answer_is_unknown(
        self,
        connector: Any,
        operations: Mapping[str, Operation],
        items: Callable[..., list[Outgoing]],
        lose_answer: Callable[[str], None],
    ) -> None:
        """A timeout or a broken answer is an outcome and no exception."""
        for name, operation in operations.items():
            outcome = _lost(connector, name, items(name), lose_answer)
            fine = (Unknown, TryLater) if operation.idempotent else (Unknown,)
            assert isinstance(outcome, fine), (
                f"{name!r} was done and its answer lost, and send() says {_told(outcome)}: return "
                "Unknown (only an idempotent operation may say TryLater), and raise nothing"
            )

    @check(broken="connectors:IgnoresKeys")
    def test_an_idempotent_operation_is_done_once_for_one_key(
        self,
        connector: Any,
        operations: Mapping[str, Operation],
        items: Callable[..., list[Outgoing]],
        platform_state: Callable[[], Any],
    ) -> None:
        """The same item again leaves the platform as it was, where the operation says so."""
        for name, operation in operations.items():
            if not operation.idempotent:
                continue
            batch = items(name)
            connector.send(name, batch)
            before = platform_state()
            connector.send(name, [attrs.evolve(item, attempt=2) for item in batch])
            assert platform_state() == before, (
                f"{name!r} was done twice for one key: hand item.key to the platform as its "
                "idempotency key, or declare the operation with idempotent=False"
            )

    # --- asking --------------------------------------------------------------------------

    @check(broken="connectors:AsksForOneOnly")
    def test_ask_answers_for_each_item(
        self, connector: Any, operations: Mapping[str, Operation], items: Callable[..., list[Outgoing]]
    ) -> None:
        """One typed outcome an item, sent before or never sent."""
        for name, operation in operations.items():
            batch = items(name, min(2, operation.max_batch))
            connector.send(name, batch)
            for asked in (batch, items(name, len(batch))):
                outcomes = connector.ask(name, asked)
                assert len(outcomes) == len(asked), f"ask({name!r}) returns one outcome an item"
                _assert_typed(outcomes, f"ask({name!r})")

    @check(broken="connectors:AsksByDoing")
    def test_asking_does_nothing(
        self,
        connector: Any,
        operations: Mapping[str, Operation],
        items: Callable[..., list[Outgoing]],
        platform_state: Callable[[], Any],
    ) -> None:
        """``ask`` looks and does not do: the platform is as it was."""
        for name in operations:
            batch = items(name)
            before = platform_state()
            connector.ask(name, batch)
            assert platform_state() == before, f"ask({name!r}) changed something at the platform"

    @check(broken="connectors:DeniesWhatItDid")
    def test_what_was_done_is_never_given_free_to_be_done_again(
        self,
        connector: Any,
        operations: Mapping[str, Operation],
        items: Callable[..., list[Outgoing]],
        lose_answer: Callable[[str], None],
    ) -> None:
        """``TryLater`` from ``ask`` says that nothing was done; here something was."""
        for name, operation in operations.items():
            if operation.idempotent:
                continue
            batch = items(name)
            _lost(connector, name, batch, lose_answer)
            (outcome,) = connector.ask(name, batch)
            assert not isinstance(outcome, TryLater), (
                f"{name!r} was done and its answer lost, and ask() says TryLater, so it would be "
                "done twice: return Unknown until the platform can say"
            )

    # --- what shows ----------------------------------------------------------------------

    @check(broken="connectors:TellsWhom")
    def test_outcomes_show_nothing_personal(
        self,
        connector: Any,
        operations: Mapping[str, Operation],
        items: Callable[..., list[Outgoing]],
        refused: Mapping[str, Any],
        lose_answer: Callable[[str], None],
        secrets: frozenset[str],
    ) -> None:
        """Reasons, codes and answers are kept and read by operators."""
        for name in operations:
            batch = items(name)
            told = [*connector.send(name, batch), *connector.ask(name, batch)]
            if name in refused:
                told += connector.send(name, [attrs.evolve(items(name)[0], body=refused[name])])
            told.append(_lost(connector, name, items(name), lose_answer))
            assert shown(repr(told), secrets) == [], (
                f"an outcome of {name!r} shows a personal value or a secret: keep the platform's "
                "texts, addresses and URLs out of its reason, code and answer"
            )

    @check(broken="connectors:LogsTexts")
    def test_logs_show_nothing_personal(
        self,
        connector: Any,
        operations: Mapping[str, Operation],
        items: Callable[..., list[Outgoing]],
        lose_answer: Callable[[str], None],
        secrets: frozenset[str],
        caplog: pytest.LogCaptureFixture,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """Nor do the lines of the HTTP client that it uses, at the level DEBUG."""
        with caplog.at_level(logging.DEBUG):
            for name in operations:
                batch = items(name)
                connector.send(name, batch)
                connector.ask(name, batch)
                _lost(connector, name, items(name), lose_answer)
        printed = capfd.readouterr()
        assert shown(caplog.text + printed.out + printed.err, secrets) == [], (
            "a log line shows a personal value or a secret: log ids and counts; quieten an HTTP "
            "client that logs whole URLs"
        )


def _assert_typed(outcomes: Sequence[Any], what: str) -> None:
    wrong = [type(outcome).__name__ for outcome in outcomes if not isinstance(outcome, OUTCOMES)]
    assert wrong == [], f"{what} returned {', '.join(wrong)}: an outcome is one of {_NAMES}"


def _lost(connector: Any, name: str, batch: Sequence[Outgoing], lose_answer: Callable[[str], None]) -> Any:
    """The only outcome, or the exception, of a call whose answer is lost."""
    lose_answer(name)
    try:
        outcomes = connector.send(name, batch)
    except Exception as error:  # noqa: BLE001 - whatever it raises is what it answered
        return error
    return outcomes[0] if outcomes else None


def _told(outcome: object) -> str:
    name = type(outcome).__name__
    return f"raised {name}" if isinstance(outcome, Exception) else name
