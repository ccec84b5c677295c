"""What platforms tell us: callbacks, and reports on what was sent before."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import attrs
import structlog
from sqlalchemy import bindparam, delete
from sqlalchemy.types import BigInteger

from scrmkit.clock import to_micros
from scrmkit.domain.ids import TenantId
from scrmkit.domain.messages import Operation, Report, Status
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.calls import Calls, ContractError
from scrmkit.engine.claims import take
from scrmkit.engine.intake import Intake
from scrmkit.engine.lanes import load_gate
from scrmkit.engine.settling import Settling
from scrmkit.engine.states import STATUS_OF, Change, OutgoingRow, fits, follow
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import CallbackRejectedError, InvalidValueError, ScrmkitError, UnknownNameError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import Codec, to_json
from scrmkit.plugins import LoadedPlugin, PluginSet
from scrmkit.protocols import CallbackRequest, Inbound, Reply

log = structlog.get_logger("scrmkit.callbacks")
_KEPT = timedelta(days=7)
"""How long a report waits for the answer that names what it is about."""

_US = timedelta(microseconds=1)


class Reception:
    """Takes in what channels read from their platforms' callbacks."""

    def __init__(
        self, plugins: PluginSet, calls: Calls, codec: Codec, settling: Settling, intake: Intake,
        record: Callable[[Sequence[Touchpoint[Any]]], Any], tenants: Sequence[str],
    ) -> None:  # fmt: skip
        self._plugins = plugins
        self._calls = calls
        self._codec = codec
        self._settling = settling
        self._intake = intake
        self._record = record
        self._tenants = tuple(tenants)

    def receive(self, channel: str, request: CallbackRequest) -> Reply:
        """
        Take in one callback and say what the platform is answered, once all of it is durable.

        Raises:
            UnknownNameError: No channel is configured as *channel*.
            StorageError: Nothing is lost if the platform calls again: answer it 503.
        """
        loaded = self._plugins.named(channel)
        if loaded.family != "channel":
            raise UnknownNameError(f"{channel!r} is no channel")

        def read() -> Any:
            try:
                return loaded.plugin.receive(request)
            except CallbackRejectedError as error:
                return error

        # Not timed: an outsider could have the plugin put into quarantine.
        well, said = self._calls.call(loaded, "receive", read, timed=False)
        if isinstance(said, CallbackRejectedError):
            log.warning("callback_rejected", channel=channel, code=said.code)
            return Reply(status=403)
        if well and not isinstance(said, Inbound):
            error = ContractError(f"returned a {type(said).__name__}, no Inbound")
            self._calls.failed(loaded, "receive", error)
        if not isinstance(said, Inbound):
            return Reply(status=503)
        checked = [one for one in (self._checked(loaded, t) for t in said.touchpoints) if one]
        if checked:
            self._record(checked)
        if said.reports:
            self.apply_reports(channel, loaded.tenant, said.reports)
        return said.reply

    def _checked(self, loaded: LoadedPlugin, touchpoint: Touchpoint[Any]) -> Any:
        """The touchpoint as it can be recorded; None, and put aside, if it cannot be."""
        tenant = touchpoint.tenant or loaded.tenant or ""
        if not tenant and len(self._tenants) == 1:
            tenant = self._tenants[0]
        stamped = attrs.evolve(touchpoint, tenant=TenantId(tenant))
        try:
            if loaded.tenant not in (None, tenant):
                raise InvalidValueError("a touchpoint of another tenant than the channel's")
            return self._intake.checked(stamped)
        except ScrmkitError as error:
            self._calls.failed(loaded, "receive", ContractError(str(error)))
            self._intake.park(stamped, error)
            return None

    def apply_reports(self, connector: str, tenant: str | None, reports: Sequence[Report]) -> int:
        """
        Let reports say what became of what was sent; how many of them said something new.

        One that names what no answer has named yet waits for that answer.

        Args:
            tenant: Whose they are; None where the connector serves all.
        """
        loaded = self._plugins.named(connector)
        good = [one for one in reports if type(one) is Report and fits(one.outcome)]
        if len(good) < len(reports):
            self._calls.failed(loaded, "reports", ContractError("a report is none"))
        tenants = self._tenants if tenant is None else (tenant,)
        settled: list[tuple[OutgoingRow, Any]] = []

        def step(work: WorkSet, at: datetime) -> Iterator[Change]:
            settled.clear()
            for operation in loaded.plugin.operations:
                load_gate(work, (connector, operation), lock=True)
            found = _Found(work, connector, tenants, good)
            for report in good:
                rows = found.rows(report)
                if not rows:
                    self._hold(work, found, connector, report, to_micros(at))
                for row in rows:
                    operation = loaded.plugin.operations.get(row.operation, Operation(body=object))
                    change = follow(row, report.outcome, operation, to_micros(at))
                    if change is not None:
                        found.put(change.row)
                        settled.append((row, report.outcome))
                        yield change

        self._settling.run(step, "reports.write")
        self._settling.observe(settled)
        return len(settled)

    def _hold(self, work: WorkSet, found: _Found, connector: str, report: Report, at: int) -> None:
        status = STATUS_OF.get(type(report.outcome))  # type: ignore[arg-type]
        if report.provider_id is None or status in (None, Status.ACCEPTED):
            return
        outcome = {"type": status, "outcome": self._codec.dump(report.outcome)}
        rows = [
            (tenant, connector, report.provider_id[:128], identity, to_json(outcome), at)
            for tenant in found.tenants
            if (identity := found.identity(tenant, report)) is not None
        ]

        def old() -> Any:
            t = schema.early_report
            return delete(t).where(t.c.at < bindparam("at", type_=BigInteger()))

        work.wire.many(work.statements.once(("old_reports",), old), [(at - _KEPT // _US,)])
        if rows:
            work.wire.many(work.statements.insert_new(schema.early_report), rows)


class _Found:
    """The rows and identities that some reports name."""

    def __init__(
        self, work: WorkSet, connector: str, tenants: Sequence[str], reports: Sequence[Report]
    ) -> None:
        self.tenants = tenants
        named = [(tenant, report) for report in reports for tenant in tenants]
        keys = [(tenant, report.key) for tenant, report in named if report.key]
        ids = [
            (tenant, connector, report.provider_id[:128])
            for tenant, report in named
            if report.provider_id
        ]
        people = [
            (tenant, report.address.kind, report.address.scope, report.address.value)
            for tenant, report in named
            if report.address
        ]
        columns = ("tenant", "connector", "provider_id")
        rows = take(work, ("tenant", "key"), keys) + take(work, columns, ids)
        self._rows = {row.id: row for row in rows if row.connector == connector}
        wanted = ("tenant", "kind", "scope", "value")
        found = work.select(schema.identity, wanted, people, columns=(*wanted, "id"))
        self._identities = {tuple(key): id_ for *key, id_ in found}

    def identity(self, tenant: str, report: Report) -> int | None:
        """The address's id, 0 where the report names none, None where we know nobody of it."""
        address = report.address
        if address is None:
            return 0
        return self._identities.get((tenant, address.kind, address.scope, address.value))

    def rows(self, report: Report) -> list[OutgoingRow]:
        """What a report is about: by our key, else by the platform's id and the address."""
        if report.key:
            keyed = [row for row in self._rows.values() if row.key == report.key]
            if keyed:
                return keyed
        return [
            row
            for row in self._rows.values()
            if report.provider_id and row.provider_id == report.provider_id[:128]
            if self.identity(row.tenant, report) in (0, row.address)
        ]

    def put(self, row: OutgoingRow) -> None:
        """What a report made of a row."""
        self._rows[row.id] = row
