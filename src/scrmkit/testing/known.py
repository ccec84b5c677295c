"""What a plugin is told in a test: the answers that the test gives, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from scrmkit.domain import reads as r
from scrmkit.errors import UndeclaredReadError

V = TypeVar("V")

_NOTHING: Mapping[type, Any] = MappingProxyType(
    {
        r.Tags: MappingProxyType({}),
        r.Attributes: MappingProxyType({}),
        r.Consents: (),
        r.Memo: None,
        r.ScoreOf: None,
        r.ActivityOf: r.Activity(0, 0, None, None),
        r.ParticipantOf: None,
        r.Participants: (),
        r.PartsOf: r.Parts(0, 0),
        r.StockOf: None,
        r.BalanceOf: 0,
    }
)
READS: tuple[type, ...] = tuple(_NOTHING)
"""Every kind of read that there is."""


def nothing_known(read: r.Read[V]) -> V:
    """What the engine answers about somebody of whom nothing is known."""
    answer: V = _NOTHING[type(read)]
    return answer


class FakeKnown:
    """
    The ``known`` of a decision, filled by hand.

    ::

        known = FakeKnown({Tags(ANN): {}, Memo(ANN): {"seen": 2}})
        known = FakeKnown({Memo(ANN): {"seen": 2}}, declared=rule.needs(touchpoint))

    Without *declared*, exactly what is given may be read. With it, what is
    declared may be read, and what is not given counts as unknown. Answers
    cannot be changed, as those of the engine.

    Attributes:
        asked: What was read, in order.
    """

    def __init__(
        self,
        answers: Mapping[r.Read[Any], Any] = MappingProxyType({}),
        *,
        declared: Iterable[r.Read[Any]] | None = None,
    ) -> None:
        self._answers = {read: _frozen(answer) for read, answer in answers.items()}
        self._declared = frozenset(self._answers if declared is None else declared)
        self.asked: list[r.Read[Any]] = []

    def __getitem__(self, read: r.Read[V]) -> V:
        """
        The answer to *read*.

        Raises:
            UndeclaredReadError: It was not declared.
        """
        if read not in self._declared:
            raise UndeclaredReadError(f"{type(read).__name__} was read without being declared; name it in needs()")
        self.asked.append(read)
        answer: V = self._answers[read] if read in self._answers else nothing_known(read)
        return answer


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return MappingProxyType({key: _frozen(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return value
