"""What one transaction knows of rows of ``outgoing``: their content, their address, the policy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from scrmkit.clock import from_micros, to_micros
from scrmkit.domain.chance import Chance
from scrmkit.domain.decisions import Now
from scrmkit.domain.identity import Identity
from scrmkit.domain.ids import CustomerId, OutgoingId, TenantId
from scrmkit.domain.messages import Message, Outgoing, Purpose, Status
from scrmkit.domain.policy import Policy, Verdict
from scrmkit.engine.contact import LEFT, Contact, Sent, stopped
from scrmkit.engine.deciding import Shared
from scrmkit.engine.knowing import Knowing
from scrmkit.engine.outgoing import FOREVER
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import InvalidValueError
from scrmkit.hooks import Sending
from scrmkit.persistence import schema
from scrmkit_worker.lanes import Lane, LaneKey
from scrmkit_worker.rows import OutgoingRow


class Turn:
    """
    One transaction over rows of ``outgoing``, at one moment.

    Attributes:
        us: The moment *at* in microseconds.
    """

    def __init__(
        self, shared: Shared, work: WorkSet, lanes: Mapping[LaneKey, Lane], policy: Policy, at: datetime
    ) -> None:
        self.work = work
        self.at = at
        self.us = to_micros(at)
        self.contact = Contact(work, shared.calls, policy)
        self._shared = shared
        self._lanes = lanes
        self._contents: dict[int, Any] = {}
        self._addresses: dict[int, Identity] = {}
        self._shops: dict[int, str | None] = {}
        self._knowing = Knowing(work, shared.codec)

    def load_contents(self, rows: Sequence[OutgoingRow]) -> None:
        """Load what *rows* say and to whom."""
        ids = [(row.id,) for row in rows]
        self._contents.update(self.work.select(schema.personal, ("id",), ids, ("id", "data")))
        addresses = [(row.address,) for row in rows if row.address is not None]
        columns = ("id", "kind", "scope", "value")
        for id_, kind, scope, value in self.work.select(schema.identity, ("id",), addresses, columns):
            self._addresses[id_] = Identity(kind=kind, scope=scope, value=value)

    def load(self, rows: Sequence[OutgoingRow]) -> None:
        """Load all that *rows* are judged by; they do not count against each other yet."""
        self.load_contents(rows)
        messages = [row for row in rows if row.type == "message"]
        self.work.load_newest(schema.consent, [row.whose for row in messages])
        counted = [row.whose for row in messages if self._counts(row)]
        wanted = [(row.tenant, row.connector, row.address or 0) for row in messages]
        self.contact.load(counted, wanted, without={row.id for row in rows})
        touchpoints, columns = [(row.touchpoint,) for row in messages], ("id", "shop")
        self._shops.update(self.work.select(schema.touchpoint, ("id",), touchpoints, columns))
        shops = {(row.tenant, self._shops.get(row.touchpoint)) for row in messages}
        self._shared.organisation.load_shops(self.work, shops)

    def _counts(self, row: OutgoingRow) -> bool:
        lane = self._lanes.get(row.lane)
        return self.contact.counts(row.purpose, None if lane is None else lane.operation)

    def content(self, row: OutgoingRow) -> Any:
        """
        The body, None where it was erased.

        Raises:
            InvalidValueError: It is not of the operation's type any more.
        """
        data, lane = self._contents.get(row.id), self._lanes.get(row.lane)
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
            return None
        if content is None:
            return None
        return Outgoing(
            id=OutgoingId(row.id), tenant=TenantId(row.tenant), key=row.key, body=content,
            customer=None if row.person is None else CustomerId(row.person),
            address=self._addresses.get(row.address or 0), attempt=max(row.attempts, 1),
            provider_id=row.provider_id, planned_at=from_micros(row.planned_at),
            purpose=Purpose(row.purpose) if row.purpose else None,
        )  # fmt: skip

    def message(self, row: OutgoingRow) -> Message:
        """The message that a row was planned from, as far as it still matters."""
        over = None if row.not_after == FOREVER else from_micros(row.not_after)
        return Message(
            channel=row.connector, operation=row.operation, content=self.content(row),
            purpose=Purpose(row.purpose), not_after=over, tell=row.reply_to is not None,
        )  # fmt: skip

    def sending(self, row: OutgoingRow) -> Sending:
        """A message as hooks see it."""
        return Sending(
            tenant=TenantId(row.tenant), customer=CustomerId(row.person or 0), plugin=row.plugin,
            message=self.message(row),
        )  # fmt: skip

    def verdict(self, row: OutgoingRow, *, planned: bool = False) -> Verdict:
        """
        Whether a row may leave now, as far as its content, its time and the policy go.

        Args:
            planned: Whether what only waits counts as well as what has left,
                but for what competes for the same slot.
        """
        if self.us >= row.not_after:
            return stopped("expired", "its use was over")
        try:
            content = self.content(row)
        except InvalidValueError as error:
            return stopped("unreadable", str(error))
        if content is None:
            return stopped("erased", "its content was erased")
        if row.type != "message":
            return Verdict(send_at=self.at, code="ok", reason="asked for")
        said = self._knowing.consents((row.tenant, row.person or 0))
        sent = [
            one
            for one in self.contact.sent[row.whose]
            if one.status in LEFT or (planned and (one.slot is None or one.slot != row.slot))
        ]
        return self.contact.verdict(
            self.sending(row), self._lanes[row.lane].operation,
            row.address if row.address in self._addresses else None, self.now(row),
            {(one.channel, one.purpose): one.granted for one in said}, sent,
        )  # fmt: skip

    def now(self, row: OutgoingRow) -> Now:
        """The time and the chance of a decision about a row."""
        chance = Chance(self._shared.secret, row.tenant.encode(), row.key.encode())
        zone = self._shared.organisation.zone(row.tenant, self._shops.get(row.touchpoint))
        return Now(at=self.at, counts_at=self.at, zone=zone, chance=chance)

    def count(self, row: OutgoingRow, at: datetime, status: Status) -> None:
        """Let a message count against those that are judged after it; requests do not count."""
        if row.type == "message":
            sent = Sent(*row.lane, Purpose(row.purpose), at, row.id, status, row.slot)
            self.contact.sent[row.whose].append(sent)
