"""What becomes of a row of ``outgoing``: pure, from one state and an outcome to the next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import attrs

from scrmkit.clock import to_micros
from scrmkit.domain import messages
from scrmkit.domain.messages import WAITING, Operation, Status
from scrmkit.domain.policy import Verdict
from scrmkit.engine.outgoing import FOREVER, asleep_until
from scrmkit.persistence.codec import thawed, to_json
from scrmkit_worker.rows import OutgoingRow

_US = timedelta(microseconds=1)
_SHORTEST = timedelta(seconds=1)
_FIRST_WAIT = timedelta(seconds=2)
_LONGEST = timedelta(hours=1)
_FIRST_ASK = timedelta(seconds=30) // _US
_LONGEST_ASK = timedelta(hours=6) // _US
_GIVE_UP_ASKING = timedelta(days=3) // _US
Definite = messages.Accepted | messages.Delivered | messages.Undelivered | messages.Refused
STATUS_OF: dict[type, Status] = {
    messages.Accepted: Status.ACCEPTED,
    messages.Delivered: Status.DELIVERED,
    messages.Undelivered: Status.UNDELIVERED,
    messages.Refused: Status.REFUSED,
}
TYPE_OF = {str(status): outcome for outcome, status in STATUS_OF.items()}
_STOPPED = {"expired": Status.EXPIRED, "unreadable": Status.DEAD}
"""What a row becomes by the code of why it must not leave; ``SUPPRESSED`` by any other."""

_FINAL = frozenset(Status) - WAITING - {Status.ACCEPTED}


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
    if not isinstance(outcome, messages.DeliveryOutcome) or not isinstance(after, timedelta | None):
        return False
    try:
        to_json(thawed(getattr(outcome, "answer", None)))
    except (TypeError, ValueError):
        return False
    return True


def moved(row: OutgoingRow, status: Status, code: str, reason: str, at: int, **more: Any) -> Change:
    """A change of the status, and why."""
    settled_at = None if status in WAITING else at
    new = {"code": _plain(code, 64), "reason": _plain(reason, 300), "settled_at": settled_at}
    sleeps = asleep_until(status, more.get("due_at", row.due_at), at)
    return Change(row, attrs.evolve(row, status=status, **{"leased_until": sleeps, **new, **more}))


def follow(
    row: OutgoingRow, outcome: messages.DeliveryOutcome, operation: Operation, at: int, *, own: bool = False
) -> Change | None:
    """
    What an outcome makes of a row; None where it says nothing new.

    Answers, reports and queries come in any order and more than once: what is
    final stays, and an answer that comes late only adds the platform's id.

    Args:
        own: Whether it is the answer to the sending that the row is in.
    """
    if isinstance(outcome, messages.Unknown):
        return unknown(row, outcome, operation, at) if own else None
    if isinstance(outcome, messages.TryLater):
        return later(row, outcome, operation, at) if own or row.status == Status.UNKNOWN else None
    return ended(row, outcome, at)


def ended(row: OutgoingRow, outcome: Definite, at: int) -> Change | None:
    """What the platform's last word, or last but one, makes of a row."""
    status, provider_id = STATUS_OF[type(outcome)], _provider_id(outcome, row)
    if row.status in _FINAL or row.status == status:
        known = provider_id == row.provider_id
        return None if known else Change(row, attrs.evolve(row, provider_id=provider_id))
    code, reason = getattr(outcome, "code", "ok"), getattr(outcome, "reason", "")
    change = moved(row, status, code, reason, at, provider_id=provider_id)
    suppress = bool(getattr(outcome, "suppress", False))
    return attrs.evolve(change, answer=getattr(outcome, "answer", None), suppress=suppress)


def later(row: OutgoingRow, outcome: messages.TryLater, operation: Operation, at: int) -> Change:
    """Certainly not done: planned again, or over. The lane's own trouble costs no attempt."""
    attempts = row.attempts - bool(outcome.lane)
    if attempts >= operation.max_attempts:
        return moved(row, Status.DEAD, "exhausted", outcome.reason, at)
    wait = _back_off(row.attempts) if outcome.after is None else outcome.after
    due_at = at + max(wait, _SHORTEST) // _US
    if due_at >= row.not_after:
        reason = f"its use ends before the next attempt: {outcome.reason}"
        return moved(row, Status.EXPIRED, "expired", reason, at)
    more = {"due_at": due_at, "attempts": attempts}
    return moved(row, Status.PLANNED, "try_later", outcome.reason, at, **more)


def unknown(row: OutgoingRow, outcome: messages.Unknown, operation: Operation, at: int) -> Change:
    """Perhaps done: sent again only where the platform honours the key, else asked about."""
    status, more = Status.UNKNOWN, {"leased_until": next_ask(at, row.due_at)}
    if operation.idempotent and row.attempts < operation.max_attempts:
        status, more = Status.PLANNED, {"due_at": at + _back_off(row.attempts) // _US}
    provider_id = _provider_id(outcome, row)
    return moved(row, status, "unknown", outcome.reason, at, provider_id=provider_id, **more)


def put_off(row: OutgoingRow, verdict: Verdict, at: int) -> Change:
    """What the policy makes of a row that waits for its slot, or was claimed and must not leave."""
    more: dict[str, Any] = {"attempts": max(row.attempts - 1, 0)}
    # An attempt of which nobody knows may have passed: it can wait, but never end unasked.
    lost = row.code == "unknown"
    if verdict.send_at is not None:
        status, more["due_at"] = Status.PLANNED, to_micros(verdict.send_at)
    elif lost:
        status, more["leased_until"] = Status.UNKNOWN, next_ask(at, row.due_at)
    else:
        status = _STOPPED.get(verdict.code, Status.SUPPRESSED)
    return moved(row, status, row.code if lost else verdict.code, verdict.reason, at, **more)


def next_ask(at: int, since: int) -> int:
    """When to ask about what has been unknown *since*: less and less often, at last never."""
    waited = at - since
    if waited >= _GIVE_UP_ASKING:
        return FOREVER
    return at + min(max(waited, _FIRST_ASK), _LONGEST_ASK)


def _back_off(attempts: int) -> timedelta:
    return min(_FIRST_WAIT * (1 << 2 * max(min(attempts, 20) - 1, 0)), _LONGEST)


def _provider_id(outcome: Any, row: OutgoingRow) -> str | None:
    given = getattr(outcome, "provider_id", None)
    return row.provider_id if given is None else _plain(given, 128) or row.provider_id


def _plain(text: object, length: int) -> str:
    """What a plugin said, as the database takes it."""
    return str(text).replace("\x00", "")[:length]
