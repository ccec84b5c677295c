"""What platforms tell us: callbacks, and reports on what was sent before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import attrs
import structlog
from sqlalchemy import delete

from scrmkit.domain.identity import Identity
from scrmkit.domain.ids import TenantId
from scrmkit.domain.messages import Operation, Report, Status
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine import Engine
from scrmkit.engine.calls import ContractError
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import CallbackRejectedError, InvalidValueError, ScrmkitError, UnknownNameError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import to_json
from scrmkit.persistence.statements import number
from scrmkit.plugins import LoadedPlugin
from scrmkit.protocols import CallbackRequest, Inbound, Reply
from scrmkit_worker.lanes import load_gate
from scrmkit_worker.rows import OutgoingRow, take
from scrmkit_worker.settling import Settling
from scrmkit_worker.states import STATUS_OF, Change, fits, follow
from scrmkit_worker.turns import Turn

log = structlog.get_logger("scrmkit.callbacks")
_KEPT = timedelta(days=7)
"""How long a report waits for the answer that names what it is about."""

_US = timedelta(microseconds=1)


class Reception:
    """Takes in what channels read from their platforms' callbacks."""

    def __init__(self, engine: Engine, settling: Settling) -> None:
        self._engine = engine
        self._settling = settling

    def receive(self, channel: str, request: CallbackRequest) -> Reply:
        """
        Take in one callback and say what the platform is answered, once all of it is durable.

        Raises:
            UnknownNameError: No channel is configured as *channel*.
            StorageError: Nothing is lost if the platform calls again: answer it 503.
        """
        loaded = self._engine.plugins.named(channel)
        if loaded.family != "channel":
            raise UnknownNameError(f"{channel!r} is no channel")

        def read() -> Any:
            try:
                return loaded.plugin.receive(request)
            except CallbackRejectedError as error:
                return error

        def check(said: Any) -> Any:
            if isinstance(said, Inbound | CallbackRejectedError):
                return said
            raise ContractError(f"returned a {type(said).__name__}, no Inbound")

        # Not timed: an outsider could have the plugin put into quarantine.
        _, said = self._engine.calls.call(loaded, "receive", read, check=check, timed=False)
        if isinstance(said, CallbackRejectedError):
            log.warning("callback_rejected", channel=channel, code=said.code)
            return Reply(status=403)
        if not isinstance(said, Inbound):
            return Reply(status=503)
        checked = [one for one in (self._checked(loaded, t) for t in said.touchpoints) if one]
        if len(checked) == 1:  # most have one, and many come at once: they share a commit
            self._engine.record(checked[0])
        elif checked:
            self._engine.record_many(checked)
        if said.reports:
            self.apply_reports(channel, loaded.tenant, said.reports)
        return said.reply

    def _checked(self, loaded: LoadedPlugin, touchpoint: Touchpoint[Any]) -> Any:
        """The touchpoint as it can be recorded; None, and put aside, if it cannot be."""
        stamped = touchpoint
        try:
            tenant = self._engine.intake.tenant(touchpoint.tenant or loaded.tenant)
            stamped = attrs.evolve(touchpoint, tenant=TenantId(tenant))
            if loaded.tenant not in (None, tenant):
                raise InvalidValueError("a touchpoint of another tenant than the channel's")
            return self._engine.intake.checked(stamped)
        except ScrmkitError as error:
            self._engine.calls.failed(loaded, "receive", ContractError(str(error)))
            self._engine.intake.park(stamped, error)
            return None

    def apply_reports(self, connector: str, tenant: str | None, reports: Sequence[Report]) -> int:
        """
        Let reports say what became of what was sent; how many of them said something new.

        One that names what no answer has named yet waits for that answer.

        Args:
            tenant: Whose they are; None where the connector serves all.
        """
        loaded = self._engine.plugins.named(connector)
        good = [one for one in reports if type(one) is Report and fits(one.outcome)]
        if len(good) < len(reports):
            self._engine.calls.failed(loaded, "reports", ContractError("a report is none"))
        tenants = self._engine.settings.tenants if tenant is None else (tenant,)
        settled: list[tuple[OutgoingRow, Any]] = []

        def step(turn: Turn) -> Iterator[Change]:
            settled.clear()
            for operation in loaded.plugin.operations:
                load_gate(turn.work, (connector, operation), lock=True)
            named = _Named(turn.work, connector, tenants, good)
            for report in good:
                rows = named.about(report)
                if not rows:
                    self._hold(turn, named.early(report), report.outcome)
                for row in rows:
                    operation = loaded.plugin.operations.get(row.operation, Operation(body=object))
                    change = follow(row, report.outcome, operation, turn.us)
                    if change is not None:
                        named.rows[row.id] = change.row
                        settled.append((row, report.outcome))
                        yield change

        self._settling.run(step, "reports.write")
        self._settling.observe(settled)
        return len(settled)

    def _hold(self, turn: Turn, names: Sequence[tuple[Any, ...]], outcome: Any) -> None:
        """Keep a report for the answer that will have one of these names."""
        status = STATUS_OF.get(type(outcome))
        if not names or status in (None, Status.ACCEPTED):
            return

        def old() -> Any:
            return delete(schema.early_report).where(schema.early_report.c.at < number("at"))

        work = turn.work
        work.wire.many(work.statements.once(("old_reports",), old), [(turn.us - _KEPT // _US,)])
        told = to_json({"type": status, "outcome": self._engine.codec.dump(outcome)})
        keep = work.statements.insert_new(schema.early_report)
        work.wire.many(keep, [(*name, told, turn.us) for name in names])


class _Named:
    """
    What some reports name.

    Attributes:
        rows: The connector's rows by id, kept up to date by who changes them.
    """

    def __init__(self, work: WorkSet, connector: str, tenants: Sequence[str], reports: Sequence[Report]) -> None:
        self._connector, self._tenants = connector, tenants
        named = [(tenant, report) for report in reports for tenant in tenants]
        keys = [(tenant, report.key) for tenant, report in named if report.key]
        ids = [(tenant, connector, report.provider_id[:128]) for tenant, report in named if report.provider_id]
        people = [(tenant, *_name(report.address)) for tenant, report in named if report.address]
        found = take(work, ("tenant", "key"), keys)
        found += take(work, ("tenant", "connector", "provider_id"), ids)
        self.rows = {row.id: row for row in found if row.connector == connector}
        wanted = ("tenant", "kind", "scope", "value")
        known = work.select(schema.identity, wanted, people, (*wanted, "id"))
        self._identities = {tuple(key): id_ for *key, id_ in known}

    def _identity(self, tenant: str, report: Report) -> int | None:
        """The address's id, 0 where the report names none, None where we know nobody of it."""
        if report.address is None:
            return 0
        return self._identities.get((tenant, *_name(report.address)))

    def about(self, report: Report) -> list[OutgoingRow]:
        """What a report is about: by our key, else by the platform's id and the address."""
        rows = self.rows.values()
        keyed = [row for row in rows if report.key and row.key == report.key]
        return keyed or [
            row
            for row in rows
            if report.provider_id and row.provider_id == report.provider_id[:128]
            if self._identity(row.tenant, report) in (0, row.address)
        ]

    def early(self, report: Report) -> list[tuple[Any, ...]]:
        """What the rows of ``early_report`` that a report becomes are named by."""
        if report.provider_id is None:
            return []
        return [
            (tenant, self._connector, report.provider_id[:128], identity)
            for tenant in self._tenants
            if (identity := self._identity(tenant, report)) is not None
        ]


def _name(identity: Identity) -> tuple[str, str, str]:
    return (identity.kind, identity.scope, identity.value)
