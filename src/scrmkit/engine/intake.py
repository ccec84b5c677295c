"""Takes touchpoints in: checked, in transactions, again after a conflict, poison put aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import attrs
import structlog

from scrmkit import errors
from scrmkit.clock import Clock, to_micros
from scrmkit.domain.decisions import Decision, Outcome
from scrmkit.domain.ids import TenantId, TouchpointId
from scrmkit.domain.text import is_text
from scrmkit.domain.touchpoint import Touchpoint, TouchpointKind
from scrmkit.engine.calls import line_of
from scrmkit.engine.deciding import Shared
from scrmkit.engine.documents import checked_kind
from scrmkit.engine.frame import Decided, Frame
from scrmkit.engine.unit import Unit, outcome_of
from scrmkit.persistence import schema
from scrmkit.persistence.codec import closed, to_json
from scrmkit.persistence.database import Database, KeyTakenError, Wire
from scrmkit.plugins import LoadedPlugin
from scrmkit.settings import Settings

log = structlog.get_logger("scrmkit.intake")
Recorded = Outcome | errors.StorageError
_MOST_FEN = 1 << 60
_TEXTS = ("source", "brand", "shop", "guide", "state")


class Intake:
    """Records touchpoints durably and answers with what was decided."""

    def __init__(self, shared: Shared, database: Database, settings: Settings, clock: Clock) -> None:
        self._shared = shared
        self._database = database
        self._settings = settings
        self._clock = clock
        self.listeners: list[Callable[[Sequence[Frame]], None]] = []

    def checked(self, touchpoint: Touchpoint[Any]) -> Touchpoint[Any]:
        """
        The touchpoint with its tenant filled in, and nothing in it that can be changed.

        Raises:
            TenantRequiredError: It names no tenant, or one that the settings do not.
            UnknownKindError: Nobody registers its kind.
            InvalidValueError: The payload is not of the kind, or an identity's type is unknown.
        """
        tenant = self.tenant(touchpoint.tenant)
        kinds = self._shared.plugins.kinds
        if touchpoint.kind not in kinds:
            from scrmkit.settings.structure import did_you_mean

            raise errors.UnknownKindError(
                f"no kind of touchpoint is called {touchpoint.kind!r}{did_you_mean(touchpoint.kind, sorted(kinds))}"
            )
        kind = checked_kind(kinds, touchpoint.kind, touchpoint.payload)
        for wrong in self._wrong(touchpoint, kind):
            raise errors.InvalidValueError(f"{touchpoint.kind}: {wrong}")
        payload = closed(touchpoint.payload)
        if touchpoint.tenant == tenant and payload is touchpoint.payload:
            return touchpoint
        return attrs.evolve(touchpoint, tenant=TenantId(tenant), payload=payload)

    def _wrong(self, touchpoint: Touchpoint[Any], kind: TouchpointKind[Any]) -> Iterator[str]:
        amount = getattr(touchpoint.payload, kind.amount) if kind.amount is not None else 0
        if type(amount) is not int or abs(amount) > _MOST_FEN:
            yield f"{kind.amount} is no amount in fen"
        for name in _TEXTS:
            text = getattr(touchpoint, name)
            if text and not is_text(text, 64):
                yield f"{name} has at most 64 characters, no NUL and no half ones"
        for identity in touchpoint.identities:
            if identity.kind not in self._shared.plugins.identity_kinds:
                yield f"no type of identity is called {identity.kind!r}"

    def tenant(self, given: str | None) -> str:
        """The tenant that a call means."""
        tenants = self._settings.tenants
        if not given and len(tenants) == 1:
            return tenants[0]
        if not given or given not in tenants:
            raise errors.TenantRequiredError(
                f"name one of the tenants {', '.join(tenants)}; this call names {given or 'none'!r}"
            )
        return given

    def record_each(self, touchpoints: Sequence[Touchpoint[Any]]) -> list[Recorded]:
        """
        Record checked touchpoints in one transaction of our own.

        A conflict runs the batch again. What the database refuses is looked
        for by halves, parked with its error, and the rest commits. An error in
        place of an outcome is for now alone, and may be another the next time.
        """
        if not touchpoints:
            return []
        alone = touchpoints[0] if len(touchpoints) == 1 else None
        try:
            return [*self._tried(touchpoints)]
        except errors.StorageUnavailableError as error:
            return [error] * len(touchpoints)
        except errors.ConflictError as error:
            if alone is not None:
                # Whoever took a key is seen the next time: only one's own stays in the way.
                own = isinstance(error, KeyTakenError)
                return [self._parked(alone, error) if own else error]
        except Exception as error:  # noqa: BLE001 - one poison touchpoint must not take others along
            if alone is not None:
                return [self._parked(alone, error)]
        half = len(touchpoints) // 2
        return self.record_each(touchpoints[:half]) + self.record_each(touchpoints[half:])

    def _parked(self, touchpoint: Touchpoint[Any], error: Exception) -> Recorded:
        try:
            return self.park(touchpoint, error)
        except errors.StorageError as storage:
            return storage

    def record_decided(self, touchpoint: Touchpoint[Any], author: LoadedPlugin, decision: Decision) -> Outcome:
        """
        Record a touchpoint of the core's own with a decision that was made elsewhere.

        Raises:
            StorageUnavailableError, ConflictError: Nothing was recorded; try again later.
        """
        checked = self.checked(touchpoint)
        return self._tried([checked], (author, decision))[0]

    def find(self, kind: str, key: str, tenant: str) -> Outcome | None:
        """The stored outcome of a touchpoint, None where it was never recorded."""
        with self._database.reading() as wire:
            return self._unit(wire).stored([(tenant, kind, key)]).get((tenant, kind, key))

    def ask(self, touchpoint: Touchpoint[Any]) -> Outcome:
        """What would be decided if this were recorded now; nothing is."""
        checked = self.checked(touchpoint)
        with self._database.snapshot() as wire:
            unit = self._unit(wire, dry=True)
            return unit.record([checked])[0]

    def _unit(self, wire: Wire, *, dry: bool = False) -> Unit:
        return Unit(self._shared, self._settings.policy, wire, self._clock.now(), dry=dry)

    def record_in(
        self, wire: Wire, touchpoints: Sequence[Touchpoint[Any]], *decided: Decided
    ) -> tuple[list[Outcome], list[Frame]]:
        """Record inside a transaction of somebody else's; tell nobody yet."""
        unit = self._unit(wire)
        with self._shared.calls.tentative():
            outcomes = unit.record(touchpoints, *decided)
        return outcomes, unit.frames

    def announce(self, frames: Sequence[Frame]) -> None:
        """Tell the observers about what has committed, and delivery."""
        for listener in self.listeners:
            listener(frames)
        if not self._shared.calls.has("scrmkit_committed"):
            return
        for frame in frames:
            outcome = outcome_of(frame.id, frame.person, frame.decisions)
            self._shared.calls.observe("scrmkit_committed", touchpoint=frame.touchpoint, outcome=outcome)

    def _tried(self, touchpoints: Sequence[Touchpoint[Any]], *decided: Decided) -> list[Outcome]:
        def work(wire: Wire) -> tuple[list[Outcome], list[Frame]]:
            return self.record_in(wire, touchpoints, *decided)

        outcomes, frames = self._database.transaction(work, "intake")
        self.announce(frames)
        return outcomes

    def park(self, touchpoint: Touchpoint[Any], error: Exception) -> Outcome:
        """Put a touchpoint aside with its error, once, so that it can be recorded later."""
        text = str(error) if isinstance(error, errors.ScrmkitError) else type(error).__name__
        where = line_of(error)
        log.error("touchpoint_parked", kind=touchpoint.kind, tenant=touchpoint.tenant, error=text + where)
        id_ = self._shared.ids.take()
        row = (
            id_, touchpoint.tenant, touchpoint.kind, touchpoint.key, self._document(touchpoint),
            text[:300], to_micros(self._clock.now()),
        )  # fmt: skip
        names = ("tenant", "kind", "key")
        with self._database.writing() as wire:
            wire.many(wire.statements.insert_new(schema.parked), [row])
            ((id_, text),) = wire.find(schema.parked, names, [row[1:4]], ("id", "error"))
        return Outcome(touchpoint=TouchpointId(id_), customer=None, parked=text)

    def _document(self, touchpoint: Touchpoint[Any]) -> str:
        """All of it, so that it can be recorded later; the one place of its personal values."""
        try:
            text = to_json(self._shared.codec.dump(touchpoint)).replace("\\u0000", "\\ufffd")
            return text.encode("utf-8", "replace").decode()
        except Exception:  # noqa: BLE001 - what broke the touchpoint may break this too
            return "{}"


def all_of(found: Sequence[Recorded]) -> list[Outcome]:
    """The outcomes, if there are no errors among them; the first error is raised."""
    for one in found:
        if isinstance(one, errors.StorageError):
            raise one
    return [one for one in found if isinstance(one, Outcome)]
