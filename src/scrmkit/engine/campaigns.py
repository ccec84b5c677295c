"""Campaign versions: published once, never changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

import attrs

from scrmkit.clock import from_micros, to_micros
from scrmkit.domain.campaign import Campaign, CampaignStatus, InstanceRef
from scrmkit.domain.ids import BrandId, CampaignId, ShopId
from scrmkit.engine.rows import InstanceRow
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import InvalidValueError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import Codec, to_json
from scrmkit.persistence.database import Database, Wire
from scrmkit.plugins import PluginSet

Key = tuple[str, str, int]


class Campaigns:
    """Reads and publishes campaigns; versions never change, so they are kept in memory."""

    def __init__(self, database: Database, codec: Codec, plugins: PluginSet) -> None:
        self._database = database
        self._codec = codec
        self._mechanics = {loaded.name: loaded for loaded in plugins.by_family("mechanic")}
        self._versions: dict[Key, Campaign[Any]] = {}
        self._newest: dict[tuple[str, str], int] = {}

    def publish(self, tenant: str, campaign: Campaign[Any]) -> Campaign[Any]:
        """
        Write the next version, or return the newest where it says the same already.

        Raises:
            InvalidValueError: Its mechanic is not configured, or its rules are
                not of the mechanic's type. Nothing was written.
        """
        loaded = self._mechanics.get(campaign.mechanic)
        if loaded is None:
            raise InvalidValueError(
                f"campaign {campaign.id!r}: no mechanic is configured as {campaign.mechanic!r}; "
                f"there are: {', '.join(sorted(self._mechanics)) or 'none'}"
            )
        if not isinstance(campaign.rules, loaded.plugin.Rules):
            raise InvalidValueError(
                f"campaign {campaign.id!r}: {campaign.mechanic} takes rules of the type "
                f"{loaded.plugin.Rules.__name__}, not {type(campaign.rules).__name__}"
            )
        with self._database.writing() as wire:
            there = map(self._campaign, self._rows(wire, [(tenant, campaign.id)]))
            newest = max(there, key=lambda one: one.version, default=None)
            version = newest.version if newest is not None else 0
            if newest is not None and attrs.evolve(campaign, version=version) == newest:
                return newest
            published = attrs.evolve(campaign, version=version + 1)
            insert = self._database.statements.insert(schema.campaign)
            wire.many(insert, [self._row(tenant, published)])
        self._keep(tenant, published)
        return published

    def load(self, work: WorkSet, wanted: Iterable[tuple[str, str]]) -> None:
        """Look up all versions of ``(tenant, campaign)``: others may have published one."""
        if keys := sorted(set(wanted)):
            for row in self._rows(work.wire, keys):
                if row[:3] not in self._versions:
                    self._keep(row[0], self._campaign(row))

    def of(self, work: WorkSet, tenant: str, ref: InstanceRef, row: InstanceRow | None) -> Campaign[Any] | None:
        """The version of an instance, or the newest that was looked up for one to be opened."""
        version = self._newest.get((tenant, ref.campaign), 0) if row is None else row.campaign_version
        key = (tenant, ref.campaign, version)
        if row is not None and key not in self._versions:
            self.load(work, [key[:2]])
        campaign = self._versions.get(key)
        return campaign if campaign is not None and campaign.mechanic == ref.plugin else None

    def all(self, tenant: str) -> list[Campaign[Any]]:
        """The newest version of every campaign, by id."""
        with self._database.reading() as wire:
            rows = wire.find(schema.campaign, ("tenant",), [(tenant,)])
        rows = sorted((row for row in rows if row[3] in self._mechanics), key=itemgetter(1, 2))
        return [self._campaign(row) for row in {row[1]: row for row in rows}.values()]

    def _rows(self, wire: Wire, keys: Sequence[tuple[str, str]]) -> list[Any]:
        rows = wire.find(schema.campaign, ("tenant", "id"), keys)
        return [row for row in rows if row[3] in self._mechanics]

    def _keep(self, tenant: str, campaign: Campaign[Any]) -> None:
        self._versions[tenant, campaign.id, campaign.version] = campaign
        self._newest[tenant, campaign.id] = max(self._newest.get((tenant, campaign.id), 0), campaign.version)

    def _row(self, tenant: str, campaign: Campaign[Any]) -> tuple[Any, ...]:
        return (
            tenant, campaign.id, campaign.version, campaign.mechanic, campaign.name,
            to_json(self._codec.dump(campaign.rules)), to_micros(campaign.starts_at),
            to_micros(campaign.ends_at), str(campaign.status), campaign.brand, campaign.shop,
        )  # fmt: skip

    def _campaign(self, row: Any) -> Campaign[Any]:
        rules = self._codec.load(json.loads(row[5]), self._mechanics[row[3]].plugin.Rules)
        return Campaign(
            id=CampaignId(row[1]), version=row[2], mechanic=row[3], name=row[4], rules=rules,
            starts_at=from_micros(row[6]), ends_at=from_micros(row[7]),
            status=CampaignStatus(row[8]),
            brand=None if row[9] is None else BrandId(row[9]),
            shop=None if row[10] is None else ShopId(row[10]),
        )  # fmt: skip
