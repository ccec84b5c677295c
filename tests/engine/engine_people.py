"""Ann, Bob and Cat, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine_world import everything, phone_of, rows, says, scanned, union_of

from scrmkit.domain.ids import CustomerId
from scrmkit.domain.kinds import GroupChatJoined
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit.testing import FakeRule

Make = Callable[..., Engine]
ANN, BOB, CAT = phone_of(1), union_of(2), phone_of(3)


def people(engine: Engine) -> dict[int, int]:
    """Who each customer is."""
    return dict(rows(engine, "customer", "id", "person"))


def person_columns(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row that a merge might touch, whole; what the merge itself records left out."""
    kinds = ("customer.merged", "customer.split")
    found = everything(engine, "merge", "personal")
    own = {row[0] for row in found["touchpoint"] if row[2] in kinds or row[3] == "joins"}
    found["touchpoint"] = [row for row in found["touchpoint"] if row[0] not in own]
    return found


def reads(*wanted: Callable[[CustomerId], Any]) -> FakeRule:
    """Answers with what it knows of the customer, as text."""
    return FakeRule(
        "group_chat.joined",
        needs=lambda t: [one(t.customer) for one in wanted],
        decide=lambda t, known, now: says(answer={"known": [repr(known[one(t.customer)]) for one in wanted]}),
    )


def joins(number: int, *identities: Any) -> Touchpoint[Any]:
    return scanned(number, *identities, key="joins")


def chat(number: int, *identities: Any) -> Touchpoint[Any]:
    return scanned(number, *identities, kind="group_chat.joined", payload=GroupChatJoined(chat="c"))
