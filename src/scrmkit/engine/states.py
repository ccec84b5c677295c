"""What becomes of a row of ``outgoing``: pure, from one state and an outcome to the next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs

from scrmkit.clock import to_micros
from scrmkit.domain.messages import (
    WAITING,
    Accepted,
    Delivered,
    DeliveryOutcome,
    Operation,
    Refused,
    Status,
    TryLater,
    Undelivered,
    Unknown,
)
from scrmkit.domain.policy import Verdict
from scrmkit.engine.outgoing import FOREVER
from scrmkit.persistence.codec import thawed, to_json

_US = timedelta(microseconds=1)
_SHORTEST = timedelta(seconds=1)
_FIRST_WAIT = timedelta(seconds=2)
_LONGEST = timedelta(hours=1)
_FIRST_ASK = timedelta(seconds=30) // _US
_LONGEST_ASK = timedelta(hours=6) // _US
_GIVE_UP_ASKING = timedelta(days=3) // _US
Definite = Accepted | Delivered | Undelivered | Refused
STATUS_OF: dict[type[Definite], Status] = {
    Accepted: Status.ACCEPTED,
    Delivered: Status.DELIVERED,
    Undelivered: Status.UNDELIVERED,
    Refused: Status.REFUSED,
}
TYPE_OF = {str(status): outcome for outcome, status in STATUS_OF.items()}
_FINAL = frozenset(Status) - WAITING - {Status.ACCEPTED}


@attrs.frozen
class OutgoingRow:
    """
    A row of ``outgoing``, its columns in the table's order.

    Attributes:
        due_at: When it may leave; of one that has left, when it did.
        leased_until: While ``sending``, until when its worker has it; while
            ``unknown``, when the platform is asked next.
    """

    id: int
    tenant: str
    key: str
    type: str
    connector: str
    operation: str
    customer: int | None
    person: int | None
    plugin: str
    purpose: str
    status: str
    code: str
    reason: str
    priority: int
    due_at: int
    not_after: int
    planned_at: int
    settled_at: int | None
    attempts: int
    leased_until: int
    provider_id: str | None
    address: int | None
    slot: str | None
    reply_to: str | None
    touchpoint: int


@attrs.frozen
class Change:
    """
    A row's next state.

    Attributes:
        answer: What the connector answered, for who asked.
        suppress: Whether the address must never be written to again.
    """

    before: OutgoingRow
    row: OutgoingRow
    answer: Any = None
    suppress: bool = False


def fits(outcome: object) -> bool:
    """Whether this is an outcome that can be written down."""
    after = getattr(outcome, "after", None)
    if not isinstance(outcome, DeliveryOutcome) or not isinstance(after, timedelta | None):
        return False
    try:
        to_json(thawed(getattr(outcome, "answer", None)))
    except (TypeError, ValueError):
        return False
    return True


def moved(row: OutgoingRow, status: Status, code: str, reason: str, at: int, **more: Any) -> Change:
    """A change of the status, and why."""
    return Change(
        row,
        attrs.evolve(
            row,
            status=status,
            code=_plain(code, 64),
            reason=_plain(reason, 300),
            settled_at=None if status in WAITING else at,
            **{"leased_until": 0, **more},
        ),
    )


def follow(
    row: OutgoingRow, outcome: DeliveryOutcome, operation: Operation, at: int, *, own: bool = False
) -> Change | None:
    """
    What an outcome makes of a row; None where it says nothing new.

    Answers, reports and queries come in any order and more than once: what is
    final stays, and an answer that comes late only adds the platform's id.

    Args:
        own: Whether it is the answer to the sending that the row is in.
    """
    if isinstance(outcome, Unknown):
        return unknown(row, outcome, operation, at) if own else None
    if isinstance(outcome, TryLater):
        return later(row, outcome, operation, at) if own or row.status == Status.UNKNOWN else None
    return ended(row, outcome, at)


def ended(row: OutgoingRow, outcome: Definite, at: int) -> Change | None:
    """What the platform's last word, or last but one, makes of a row."""
    status = STATUS_OF[type(outcome)]
    provider_id = _provider_id(outcome) or row.provider_id
    if row.status in _FINAL or row.status == status:
        if provider_id == row.provider_id:
            return None
        return Change(row, attrs.evolve(row, provider_id=provider_id))
    code, reason = getattr(outcome, "code", "ok"), getattr(outcome, "reason", "")
    change = moved(row, status, code, reason, at, provider_id=provider_id)
    return attrs.evolve(
        change,
        answer=getattr(outcome, "answer", None),
        suppress=bool(getattr(outcome, "suppress", False)),
    )


def later(row: OutgoingRow, outcome: TryLater, operation: Operation, at: int) -> Change:
    """Certainly not done: planned again, or over. The lane's own trouble costs no attempt."""
    attempts = row.attempts - bool(outcome.lane)
    if attempts >= operation.max_attempts:
        return moved(row, Status.DEAD, "exhausted", outcome.reason, at)
    wait = _back_off(row.attempts) if outcome.after is None else outcome.after
    due_at = at + max(wait, _SHORTEST) // _US
    if due_at >= row.not_after:
        reason = f"its use ends before the next attempt: {outcome.reason}"
        return moved(row, Status.EXPIRED, "expired", reason, at)
    return moved(
        row, Status.PLANNED, "try_later", outcome.reason, at, due_at=due_at, attempts=attempts
    )


def unknown(row: OutgoingRow, outcome: Unknown, operation: Operation, at: int) -> Change:
    """Perhaps done: sent again only where the platform honours the key, else asked about."""
    more: dict[str, Any] = {"provider_id": _provider_id(outcome) or row.provider_id}
    if operation.idempotent and row.attempts < operation.max_attempts:
        due_at = at + _back_off(row.attempts) // _US
        return moved(row, Status.PLANNED, "unknown", outcome.reason, at, due_at=due_at, **more)
    more["leased_until"] = next_ask(at, row.due_at)
    return moved(row, Status.UNKNOWN, "unknown", outcome.reason, at, **more)


def put_off(row: OutgoingRow, verdict: Verdict, at: int) -> Change:
    """A row that was claimed and must not leave, now or ever."""
    more: dict[str, Any] = {"attempts": max(row.attempts - 1, 0)}
    # An attempt of which nobody knows may have passed: it can wait, but never end unasked.
    lost = row.code == "unknown"
    code = row.code if lost else verdict.code
    if verdict.send_at is not None:
        more["due_at"] = to_micros(verdict.send_at)
        return moved(row, Status.PLANNED, code, verdict.reason, at, **more)
    if lost:
        more["leased_until"] = next_ask(at, row.due_at)
        return moved(row, Status.UNKNOWN, code, verdict.reason, at, **more)
    status = {"expired": Status.EXPIRED, "unreadable": Status.DEAD}.get(code, Status.SUPPRESSED)
    return moved(row, status, code, verdict.reason, at, **more)


def next_ask(at: int, since: int) -> int:
    """When to ask about what has been unknown *since*: less and less often, at last never."""
    waited = at - since
    if waited >= _GIVE_UP_ASKING:
        return FOREVER
    return at + min(max(waited, _FIRST_ASK), _LONGEST_ASK)


def _back_off(attempts: int) -> timedelta:
    return min(_FIRST_WAIT * (1 << 2 * max(min(attempts, 20) - 1, 0)), _LONGEST)


def _provider_id(outcome: Any) -> str | None:
    given = getattr(outcome, "provider_id", None)
    return None if given is None else _plain(given, 128)


def _plain(text: object, length: int) -> str:
    """What a plugin said, as the database takes it."""
    return str(text).replace("\x00", "")[:length]
