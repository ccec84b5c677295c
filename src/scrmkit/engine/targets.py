"""Whom a touchpoint concerns: from a mechanic's addresses to loaded instances."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs

from scrmkit.clock import from_micros
from scrmkit.domain.campaign import Campaign, Instance, InstanceRef
from scrmkit.domain.kinds import TimerDue
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.calls import Calls, ContractError
from scrmkit.engine.campaigns import Campaigns
from scrmkit.engine.frame import Frame
from scrmkit.engine.rows import InstanceRow
from scrmkit.engine.workset import WorkSet
from scrmkit.persistence.codec import Codec
from scrmkit.plugins import LoadedPlugin, PluginSet
from scrmkit.protocols import Alias, NewInstance, OpenInstances

_ADDRESSES = (InstanceRef, Alias, OpenInstances, NewInstance)


@attrs.define(slots=True, eq=False)
class Target:
    """One instance that a mechanic is to be asked about; *row* None: to be opened."""

    loaded: LoadedPlugin
    ref: InstanceRef
    row: InstanceRow | None
    campaign: Campaign[Any] | None


class Interests:
    """Which plugins are asked about which kinds, in the settings' order."""

    def __init__(self, plugins: PluginSet) -> None:
        self._by_kind: dict[str, list[LoadedPlugin]] = {}
        self._by_name = {loaded.name: loaded for loaded in plugins.plugins}
        for loaded in plugins.plugins:
            if loaded.family in ("rule", "mechanic"):
                for kind in loaded.plugin.kinds:
                    self._by_kind.setdefault(kind, []).append(loaded)

    def of(self, touchpoint: Touchpoint[Any]) -> Sequence[LoadedPlugin]:
        """The instances that addresses lead to, each once; those to be opened without a row."""
        """Whom to ask: only the owner where the touchpoint is for one plugin."""
        owner = touchpoint.to.plugin if touchpoint.to is not None else None
        if owner is None and isinstance(touchpoint.payload, TimerDue):
            owner = touchpoint.payload.plugin
        if owner is not None:
            loaded = self._by_name.get(owner)
            candidates: Sequence[LoadedPlugin] = [loaded] if loaded is not None else []
        else:
            candidates = self._by_kind.get(touchpoint.kind, ())
        tenant = touchpoint.tenant
        return [loaded for loaded in candidates if loaded.tenant in (None, tenant)]


class Targets:
    """Resolves addresses over one working set."""

    def __init__(self, work: WorkSet, calls: Calls, campaigns: Campaigns, codec: Codec) -> None:
        self._work = work
        self._calls = calls
        self._campaigns = campaigns
        self._codec = codec
        self._said: dict[tuple[int, str], dict[Any, None]] = {}

    def addresses(self, frame: Frame, loaded: LoadedPlugin) -> Iterable[Any]:
        """What a mechanic says a touchpoint concerns; the one instance that it is for, if it is."""
        touchpoint = frame.touchpoint
        if touchpoint.to is not None:
            return (touchpoint.to,)
        key = (frame.id, loaded.name)
        said = self._said.get(key)
        if said is None:
            well, found = self._calls.call(loaded, "address", loaded.plugin.address, touchpoint)
            said = self._calls.listed(loaded, "address", found) if well else {}
            strange = next((one for one in said if not isinstance(one, _ADDRESSES)), None)
            if strange is not None:
                error = ContractError(f"{type(strange).__name__} is no address")
                self._calls.failed(loaded, "address", error)
                said = {}
            self._said[key] = said
        return said

    def load(self, addresses: Sequence[tuple[Frame, LoadedPlugin, Any]]) -> None:
        """Load everything that *addresses* lead to, each table in one query."""
        refs, aliases, members = [], [], []
        campaigns: list[tuple[str, str]] = []
        for frame, loaded, address in addresses:
            tenant = frame.tenant
            if isinstance(address, Alias):
                aliases.append((tenant, loaded.name, address.kind, address.value))
            elif isinstance(address, OpenInstances):
                members.append((tenant, loaded.name, int(address.customer)))
            elif isinstance(address, NewInstance):
                refs.append(
                    (
                        tenant,
                        InstanceRef(plugin=loaded.name, campaign=address.campaign, key=address.key),
                    )
                )
                campaigns.append((tenant, address.campaign))
            else:
                refs.append((tenant, address))
        self._work.load_instances(refs)
        self._work.load_aliases(aliases)
        self._work.load_members(members)
        if members:
            parts = [part for member in members for part in self._work.members[member].values()]
            self._work.load_instance_ids(part.instance for part in parts if not part.closed)
        self._campaigns.refresh(self._work, campaigns)
        self._campaigns.load_versions(
            self._work,
            [(row.tenant, row.campaign, row.campaign_version) for row in self._work.by_id.values()],
        )

    def of(self, frame: Frame, loaded: LoadedPlugin, addresses: Iterable[Any]) -> Iterator[Target]:
        """The instances that addresses lead to, each once; those to be opened without a row."""
        seen: set[InstanceRef] = set()
        for address in addresses:
            for ref in self._refs(frame, loaded, address):
                if ref in seen or ref.plugin != loaded.name:
                    continue
                seen.add(ref)
                row = self._work.instances.get((frame.tenant, ref))
                if row is None and not isinstance(address, NewInstance):
                    continue
                campaign = self._campaigns.of(frame.tenant, ref, row)
                yield Target(loaded, ref, row, campaign)

    def _refs(self, frame: Frame, loaded: LoadedPlugin, address: Any) -> Iterator[InstanceRef]:
        work, tenant = self._work, frame.tenant
        if isinstance(address, InstanceRef):
            work.load_instances([(tenant, address)])
            yield address
        elif isinstance(address, NewInstance):
            ref = InstanceRef(plugin=loaded.name, campaign=address.campaign, key=address.key)
            work.load_instances([(tenant, ref)])
            yield ref
        elif isinstance(address, Alias):
            key = (tenant, loaded.name, address.kind, address.value)
            if key not in work.aliases:
                work.load_aliases([key])
            instance = work.aliases[key]
            if instance is not None:
                yield work.by_id[instance].ref
        elif isinstance(address, OpenInstances):
            parts = [
                part
                for part in work.parts_of(tenant, loaded.name, int(address.customer))
                if part.role == address.role
            ]
            work.load_instance_ids(part.instance for part in parts)
            for part in sorted(parts, key=lambda part: part.position):
                if not work.by_id[part.instance].closed:
                    yield part.ref
        else:
            raise ContractError(f"{type(address).__name__} is no address")

    def instance(self, target: Target) -> Instance[Any, Any] | None:
        """The typed instance of a target, None where it is to be opened."""
        row = target.row
        if row is None or target.campaign is None:
            return None
        if row.typed is None:
            state = json.loads(row.state)
            row.typed = self._codec.load(state, target.loaded.plugin.State)
        return Instance(
            ref=target.ref, campaign=target.campaign, state=row.typed, version=row.version,
            opened_at=from_micros(row.opened_at), closed=row.closed,
        )  # fmt: skip
