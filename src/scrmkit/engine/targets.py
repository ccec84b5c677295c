"""Whom a touchpoint concerns: from a mechanic's addresses to loaded instances."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from scrmkit.clock import from_micros
from scrmkit.domain.campaign import Instance, InstanceRef
from scrmkit.domain.kinds import TimerDue
from scrmkit.domain.text import is_text
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.calls import Calls, ContractError, listed
from scrmkit.engine.campaigns import Campaigns
from scrmkit.engine.frame import Frame, Target
from scrmkit.engine.workset import WorkSet
from scrmkit.persistence.codec import Codec, is_frozen
from scrmkit.plugins import LoadedPlugin, PluginSet
from scrmkit.protocols import Alias, NewInstance, OpenInstances

_ADDRESSES: dict[type, tuple[tuple[str, int], ...]] = {
    InstanceRef: (("plugin", 64), ("campaign", 64), ("key", 128)),
    NewInstance: (("campaign", 64), ("key", 128)),
    Alias: (("kind", 32), ("value", 200)),
    OpenInstances: (("role", 32),),
}
"""Each kind of address with its texts, and how long they may be."""


class Interests:
    """Which plugins are asked about which kinds, in the settings' order."""

    def __init__(self, plugins: PluginSet) -> None:
        self._by_kind: dict[str, Sequence[LoadedPlugin]] = {}
        self._plugins = plugins.plugins
        for loaded in plugins.plugins:
            if loaded.family in ("rule", "mechanic"):
                for kind in loaded.plugin.kinds:
                    self._by_kind[kind] = (*self._by_kind.get(kind, ()), loaded)

    def of(self, touchpoint: Touchpoint[Any]) -> Sequence[LoadedPlugin]:
        """Whom to ask: only the owner where the touchpoint is for one plugin."""
        owner = touchpoint.to.plugin if touchpoint.to is not None else None
        if owner is None and isinstance(touchpoint.payload, TimerDue):
            owner = touchpoint.payload.plugin
        candidates = self._by_kind.get(touchpoint.kind, ())
        if owner is not None:
            candidates = [loaded for loaded in self._plugins if loaded.name == owner]
        return [loaded for loaded in candidates if loaded.serves(touchpoint.tenant)]


def _addresses(found: Any) -> tuple[Any, ...]:
    said = tuple(listed(found))
    for address in said:
        texts = _ADDRESSES.get(type(address))
        if texts is None:
            raise ContractError(f"{type(address).__name__} is no address")
        for name, most in texts:
            if not is_text(getattr(address, name), most):
                raise ContractError(f"{name} of {type(address).__name__} is text up to {most}")
        if isinstance(address, OpenInstances) and type(address.customer) is not int:
            raise ContractError("customer of OpenInstances is a customer's id")
    return said


def _ref(loaded: LoadedPlugin, address: InstanceRef | NewInstance) -> InstanceRef:
    if isinstance(address, InstanceRef):
        return address
    return InstanceRef(plugin=loaded.name, campaign=address.campaign, key=address.key)


class Targets:
    """Resolves addresses over one working set."""

    def __init__(self, work: WorkSet, calls: Calls, campaigns: Campaigns, codec: Codec) -> None:
        self._work = work
        self._calls = calls
        self._campaigns = campaigns
        self._codec = codec

    def addresses(self, frame: Frame, loaded: LoadedPlugin) -> Any:
        """
        What a mechanic says a touchpoint concerns; the one instance that it is for, if it is.

        As of ``Calls.attempt``: perhaps a trouble in place of the addresses.
        """
        touchpoint = frame.touchpoint
        if touchpoint.to is not None:
            return (touchpoint.to,)
        return self._calls.attempt("address", _addresses, loaded.plugin.address, touchpoint)

    def load(self, addresses: Sequence[tuple[Frame, LoadedPlugin, Any]]) -> None:
        """Load everything that *addresses* lead to, each table in one query."""
        refs, aliases, members = [], [], []
        campaigns: list[tuple[str, str]] = []
        for frame, loaded, address in addresses:
            tenant = frame.tenant
            if isinstance(address, Alias):
                aliases.append((tenant, loaded.name, address.kind, address.value))
            elif isinstance(address, OpenInstances):
                members.append((tenant, loaded.name, address.customer))
            else:
                refs.append((tenant, _ref(loaded, address)))
            if isinstance(address, NewInstance):
                campaigns.append((tenant, address.campaign))
        self._work.load_instances(refs)
        self._work.load_aliases(aliases)
        self._work.load_members(members)
        if members:
            parts = [part for member in members for part in self._work.parts_of(*member)]
            self._work.load_instance_ids(part.instance for part in parts if not part.closed)
        self._campaigns.load(self._work, campaigns)

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
                campaign = self._campaigns.of(self._work, frame.tenant, ref, row)
                yield Target(loaded, ref, row, campaign)

    def _refs(self, frame: Frame, loaded: LoadedPlugin, address: Any) -> Iterator[InstanceRef]:
        work, tenant = self._work, frame.tenant
        if isinstance(address, Alias):
            key = (tenant, loaded.name, address.kind, address.value)
            work.load_aliases([key])
            instance = work.aliases[key]
            if instance is not None:
                yield work.by_id[instance].ref
        elif isinstance(address, OpenInstances):
            parts = [part for part in work.parts_of(tenant, loaded.name, address.customer) if part.role == address.role]
            work.load_instance_ids(part.instance for part in parts)
            for part in parts:
                if not work.by_id[part.instance].closed:
                    yield part.ref
        else:
            ref = _ref(loaded, address)
            work.load_instances([(tenant, ref)])
            yield ref

    def instance(self, target: Target) -> Instance[Any, Any] | None:
        """The typed instance of a target, None where it is to be opened."""
        row = target.row
        if row is None or target.campaign is None:
            return None
        typed = row.typed
        if typed is None:
            kind = target.loaded.plugin.State
            typed = self._codec.load(json.loads(row.state), kind)
            if is_frozen(kind):
                row.typed = typed
        return Instance(
            ref=target.ref, campaign=target.campaign, state=typed, version=row.version,
            opened_at=from_micros(row.opened_at), closed=bool(row.closed),
        )  # fmt: skip
