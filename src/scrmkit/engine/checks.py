"""Looks at what is about to leave: its content, its address, and the contact policy once more."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from scrmkit.clock import from_micros, to_micros
from scrmkit.domain.chance import Chance
from scrmkit.domain.decisions import Now
from scrmkit.domain.identity import Identity
from scrmkit.domain.ids import CustomerId, OutgoingId, TenantId
from scrmkit.domain.messages import Message, Outgoing, Purpose, Status
from scrmkit.domain.policy import Facts, Policy, Verdict, judge
from scrmkit.domain.reads import Consents
from scrmkit.engine.contact import LEFT, Sent, facts_of, load_sent, refusal_of
from scrmkit.engine.deciding import Shared
from scrmkit.engine.knowing import Knowing
from scrmkit.engine.lanes import Lane, LaneKey
from scrmkit.engine.outgoing import FOREVER
from scrmkit.engine.rows import Person
from scrmkit.engine.states import OutgoingRow
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import InvalidValueError
from scrmkit.hooks import Sending
from scrmkit.persistence import schema


class Checks:
    """What one transaction knows of some rows of ``outgoing``."""

    def __init__(
        self, shared: Shared, work: WorkSet, lanes: Mapping[LaneKey, Lane], policy: Policy,
        at: datetime,
    ) -> None:  # fmt: skip
        self._shared = shared
        self._work = work
        self._lanes = lanes
        self._policy = policy
        self._at = at
        self._contents: dict[int, Any] = {}
        self._addresses: dict[int, Identity] = {}
        self._shops: dict[int, str | None] = {}
        self._suppressed: dict[tuple[str, str, int], str] = {}
        self._sent: dict[Person, list[Sent]] = {}
        self._knowing = Knowing(work, shared.codec)

    def load_contents(self, rows: Sequence[OutgoingRow]) -> None:
        """Load what *rows* say and to whom."""
        ids = [(row.id,) for row in rows]
        data = self._work.select(schema.personal, ("id",), ids, columns=("id", "data"))
        self._contents.update(data)
        addresses = [(row.address,) for row in rows if row.address is not None]
        columns = ("id", "kind", "scope", "value")
        for id_, kind, scope, value in self._work.select(
            schema.identity, ("id",), addresses, columns=columns
        ):
            self._addresses[id_] = Identity(kind=kind, scope=scope, value=value)

    def load(self, rows: Sequence[OutgoingRow]) -> None:
        """Load all that *rows* are judged by; they do not count against each other yet."""
        self.load_contents(rows)
        messages = [row for row in rows if row.type == "message"]
        self._work.load_newest(schema.consent, [(row.tenant, row.person or 0) for row in messages])
        own = {row.id for row in rows}
        counted = {(row.tenant, row.person or 0) for row in messages if self._counts(row)}
        for person, sent in load_sent(self._work, sorted(counted)):
            if sent.id not in own:
                self._sent.setdefault(person, []).append(sent)
        wanted = [(row.tenant, row.connector, row.address or 0) for row in messages]
        columns = ("tenant", "channel", "identity")
        for *key, reason, _ in self._work.select(schema.suppression, columns, wanted):
            self._suppressed[tuple(key)] = reason
        touchpoints = [(row.touchpoint,) for row in messages]
        self._shops.update(
            self._work.select(schema.touchpoint, ("id",), touchpoints, columns=("id", "shop"))
        )
        shops = {(row.tenant, self._shops.get(row.touchpoint)) for row in messages}
        self._shared.organisation.load_shops(self._work, shops)

    def _counts(self, row: OutgoingRow) -> bool:
        lane = self._lanes.get((row.connector, row.operation))
        capped = any(cap.purpose == row.purpose for cap in self._policy.caps)
        return capped or (lane is not None and lane.operation.quota is not None)

    def content(self, row: OutgoingRow) -> Any:
        """
        The body, None where it was erased.

        Raises:
            InvalidValueError: It is not of the operation's type any more.
        """
        data = self._contents.get(row.id)
        lane = self._lanes.get((row.connector, row.operation))
        if data is None or lane is None:
            return None
        if isinstance(data, str):
            data = self._shared.codec.load(json.loads(data), lane.operation.body)
            self._contents[row.id] = data
        return data

    def outgoing(self, row: OutgoingRow) -> Outgoing | None:
        """The row as its connector gets it, None where there is nothing to send."""
        try:
            content = self.content(row)
        except InvalidValueError:
            content = None
        if content is None:
            return None
        return Outgoing(
            id=OutgoingId(row.id), tenant=TenantId(row.tenant), key=row.key, body=content,
            customer=None if row.person is None else CustomerId(row.person),
            address=self._addresses.get(row.address or 0), attempt=max(row.attempts, 1),
            provider_id=row.provider_id, planned_at=from_micros(row.planned_at),
            purpose=Purpose(row.purpose) if row.purpose else None,
        )  # fmt: skip

    def verdict(self, row: OutgoingRow, *, planned: bool = False) -> Verdict:
        """
        Whether a row may leave now, as far as its content, its time and the policy go.

        Args:
            planned: Whether what only waits counts as well as what has left,
                but for what competes for the same slot.
        """
        if to_micros(self._at) >= row.not_after:
            return Verdict(send_at=None, code="expired", reason="its use was over")
        try:
            content = self.content(row)
        except InvalidValueError as error:
            return Verdict(send_at=None, code="unreadable", reason=str(error))
        if content is None:
            return Verdict(send_at=None, code="erased", reason="its content was erased")
        if row.type != "message":
            return Verdict(send_at=self._at, code="ok", reason="asked for")
        message = message_of(row, content)
        zone = self._zone(row)
        facts = self._facts(row, message, zone, planned)
        verdict = judge(message, facts, self._policy, self._at, zone)
        if verdict.send_at is not None:
            sending, now = sending_of(row, message), self.now(row)
            verdict = refusal_of(self._shared.calls, sending, facts, now) or verdict
        return verdict

    def now(self, row: OutgoingRow) -> Now:
        """The time and the chance of a decision about a row."""
        chance = Chance(self._shared.secret, row.tenant.encode(), row.key.encode())
        return Now(at=self._at, counts_at=self._at, zone=self._zone(row), chance=chance)

    def _zone(self, row: OutgoingRow) -> ZoneInfo:
        return self._shared.organisation.zone(row.tenant, self._shops.get(row.touchpoint))

    def count(self, row: OutgoingRow, at: datetime, status: Status) -> None:
        """Let a message count against those that are judged after it; requests do not count."""
        if row.type != "message":
            return
        sent = Sent(
            row.connector, row.operation, Purpose(row.purpose), at, row.id, status, row.slot
        )
        self._sent.setdefault((row.tenant, row.person or 0), []).append(sent)

    def _facts(self, row: OutgoingRow, message: Message, zone: ZoneInfo, planned: bool) -> Facts:
        person = (row.tenant, row.person or 0)
        said = self._knowing.answer(person[0], "", Consents(CustomerId(person[1])), 0)
        operation = self._lanes[row.connector, row.operation].operation
        sent = [
            one
            for one in self._sent.get(person, ())
            if one.status in LEFT or (planned and (one.slot is None or one.slot != row.slot))
        ]
        return facts_of(
            message, operation, sent, self._policy, self._at, zone,
            consents={(one.channel, one.purpose): one.granted for one in said},
            suppressed=self._suppressed.get((row.tenant, row.connector, row.address or 0)),
            reachable=not operation.addressed or row.address in self._addresses,
        )  # fmt: skip


def message_of(row: OutgoingRow, content: Any) -> Message:
    """The message that a row was planned from, as far as it still matters."""
    over = None if row.not_after == FOREVER else from_micros(row.not_after)
    return Message(
        channel=row.connector, operation=row.operation, content=content,
        purpose=Purpose(row.purpose), not_after=over, tell=row.reply_to is not None,
    )  # fmt: skip


def sending_of(row: OutgoingRow, message: Message) -> Sending:
    """A message as hooks see it."""
    return Sending(
        tenant=TenantId(row.tenant), customer=CustomerId(row.person or 0), plugin=row.plugin,
        message=message,
    )  # fmt: skip
