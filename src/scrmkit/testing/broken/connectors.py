"""A good connector, and one broken one for each check of its suite."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import attrs
import pytest

from scrmkit.domain.identity import personal
from scrmkit.domain.messages import Accepted, DeliveryOutcome, Operation, Outgoing, Refused, TryLater, Unknown
from scrmkit.settings import Secret
from scrmkit.testing.fakes import FakePlatform, Lose
from scrmkit.testing.suites.connectors import ConnectorSuite

ANN = "Ann Example"
API_SECRET = "s3cret-of-the-account"


@attrs.frozen(kw_only=True)
class Filing:
    """Something to file about a person."""

    title: str
    name: str = personal()


@attrs.frozen(kw_only=True)
class FilingSettings:
    """The account's settings."""

    secret: Secret = Secret(API_SECRET)


class GoodConnector(FakePlatform):
    """Files papers in batches of three, and stamps them one at a time, once for each key."""

    operations: Mapping[str, Operation] = {
        "file": Operation(body=Filing, addressed=False, max_batch=3),
        "stamp": Operation(body=Filing, addressed=False, idempotent=True),
    }

    def __init__(self) -> None:
        super().__init__(honours_keys=True)
        self.settings: object = FilingSettings()

    def answer(self, item: Outgoing, earlier: DeliveryOutcome | None) -> DeliveryOutcome:
        """Refuse what has no title, accept the rest."""
        if not item.body.title:
            return Refused(code="untitled", reason="a filing has a title")
        return earlier or Accepted(provider_id=item.key)


class Harness(ConnectorSuite):
    """The suite with the fixtures that a vendor gives."""

    plugin_class: ClassVar[type[GoodConnector]] = GoodConnector

    @pytest.fixture
    def connector(self) -> GoodConnector:
        """The connector under test."""
        return self.plugin_class()

    @pytest.fixture
    def plugin_settings(self, connector: GoodConnector) -> Any:
        """Those that it was made with."""
        return connector.settings

    @pytest.fixture
    def bodies(self, connector: GoodConnector) -> Mapping[str, Sequence[Any]]:
        """Two filings; of the connector's own body type, where it has one."""
        kind = connector.operations["file"].body
        pair = [kind(title="a birth", name=ANN), kind(title="a move", name="Bob Example")]
        return {"file": pair, "stamp": pair}

    @pytest.fixture
    def refused(self, connector: GoodConnector) -> Mapping[str, Any]:
        """One without a title."""
        kind = connector.operations["file"].body
        return {"file": kind(title="", name=ANN), "stamp": kind(title="", name=ANN)}

    @pytest.fixture
    def canaries(self) -> tuple[str, ...]:
        """The name, and the account's secret."""
        return (ANN, API_SECRET)

    @pytest.fixture
    def platform_state(self, connector: GoodConnector) -> Callable[[], Any]:
        """What was filed and stamped."""
        return lambda: [item.key for item in connector.sent]

    @pytest.fixture
    def lose_answer(self, connector: GoodConnector) -> Callable[[str], None]:
        """Drop the next answer."""
        return lambda operation: connector.will(Lose(done=True))


class LacksAsk(GoodConnector):
    """Lacks ``ask``, so nobody can find out what became of a lost answer."""

    ask = None  # type: ignore[assignment]


class SendsInBatchesOfNothing(GoodConnector):
    """Declares an operation that nothing fits into."""

    operations: Mapping[str, Operation] = {
        **GoodConnector.operations,
        "stamp": Operation(body=Filing, addressed=False, idempotent=True, max_attempts=0),
    }


class KeepsAnOperationToItself(GoodConnector):
    """Has an operation that the examples say nothing about."""

    operations: Mapping[str, Operation] = {**GoodConnector.operations, "shred": Operation(body=Filing, addressed=False)}

    def __init__(self) -> None:
        super().__init__()


@attrs.frozen(kw_only=True)
class LockedFiling(Filing):
    """A filing with a lock in it, which is no JSON."""

    lock: Any = attrs.field(factory=threading.Lock)


class CannotBeStored(GoodConnector):
    """Takes bodies with locks in them, which no outbox can keep."""

    operations: Mapping[str, Operation] = {
        "file": Operation(body=LockedFiling, addressed=False, max_batch=3),
        "stamp": Operation(body=LockedFiling, addressed=False, idempotent=True),
    }


@attrs.frozen(kw_only=True)
class ShownFiling:
    """A filing whose name is a field like any other."""

    title: str
    name: str


class ShowsBodies(GoodConnector):
    """Takes bodies whose repr shows a name."""

    operations: Mapping[str, Operation] = {
        "file": Operation(body=ShownFiling, addressed=False, max_batch=3),
        "stamp": Operation(body=ShownFiling, addressed=False, idempotent=True),
    }


class ShowsItself(GoodConnector):
    """Has a repr with the account's secret in it."""

    def __repr__(self) -> str:
        return f"ShowsItself({API_SECRET})"


@attrs.frozen(kw_only=True)
class OpenSettings:
    """The account's settings, with the secret as a text like any other."""

    secret: str = API_SECRET


class HasOpenSettings(GoodConnector):
    """Has settings whose repr shows the account's secret."""

    def __init__(self) -> None:
        super().__init__()
        self.settings = OpenSettings()


class ForgetsTheLast(GoodConnector):
    """Answers for two items where three were sent."""

    def send(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """Lose the third outcome."""
        return super().send(operation, batch)[:2]


class PutsRefusalsLast(GoodConnector):
    """Answers in an order of its own."""

    def send(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """Sort the outcomes."""
        outcomes = super().send(operation, batch)
        return sorted(outcomes, key=lambda outcome: isinstance(outcome, Refused))


class SaysTrue(GoodConnector):
    """Answers with True where it should say Accepted."""

    def send(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[Any]:
        """Say that all is well."""
        outcomes = super().send(operation, batch)
        return [True if isinstance(outcome, Accepted) else outcome for outcome in outcomes]


class RaisesWhatItWaitedFor(GoodConnector):
    """Raises when an answer is lost."""

    def send(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """Raise where the outcome is unknown."""
        outcomes = super().send(operation, batch)
        if any(isinstance(outcome, Unknown) for outcome in outcomes):
            raise TimeoutError("no answer")
        return outcomes


class IgnoresKeys(GoodConnector):
    """Says that stamping is idempotent, and stamps again."""

    def __init__(self) -> None:
        super().__init__()
        self.honours_keys = False


class AsksForOneOnly(GoodConnector):
    """Answers for the first item of those that it is asked about."""

    def ask(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """Look one item up."""
        return super().ask(operation, batch[:1])


class AsksByDoing(GoodConnector):
    """Finds out what became of an item by doing it again."""

    def ask(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """Send once more."""
        return super().send(operation, batch)


class DeniesWhatItDid(GoodConnector):
    """Says that nothing was done where it does not know."""

    def ask(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """Give everything free to be done again."""
        return [TryLater(reason="probably not done") for _ in batch]


class TellsWhom(GoodConnector):
    """Puts a name into its reasons."""

    def answer(self, item: Outgoing, earlier: DeliveryOutcome | None) -> DeliveryOutcome:
        """Refuse by name."""
        outcome = super().answer(item, earlier)
        if isinstance(outcome, Refused):
            return attrs.evolve(outcome, reason=f"{item.body.name} was refused")
        return outcome


class LogsTexts(GoodConnector):
    """Logs whom it files something about."""

    def send(self, operation: str, batch: Sequence[Outgoing]) -> Sequence[DeliveryOutcome]:
        """Log every name."""
        for item in batch:
            logging.getLogger("filing").info("files something about %s", item.body.name)
        return super().send(operation, batch)
