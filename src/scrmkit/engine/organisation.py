"""Brands, shops, guides, entrances and groups of tags as data: added without a restart."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from scrmkit.domain.ids import StateToken
from scrmkit.domain.organisation import Brand, Entrance, Guide, Shop
from scrmkit.domain.profile import TagGroup
from scrmkit.domain.text import is_text
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.engine.workset import WorkSet
from scrmkit.errors import InvalidValueError, TenantRequiredError
from scrmkit.persistence import schema
from scrmkit.persistence.codec import Codec, to_json
from scrmkit.persistence.database import Database
from scrmkit.settings import Settings

T = TypeVar("T", Brand, Shop, Guide, Entrance, TagGroup)
_KINDS: dict[str, type] = {"brand": Brand, "shop": Shop, "guide": Guide, "entrance": Entrance, "tag_group": TagGroup}
_TYPES = {kind: type_ for type_, kind in _KINDS.items()}


class Organisation:
    """
    What headquarters has entered, with what was looked up kept in memory.

    A value that another process changes is seen here after a restart; one that
    it adds is seen at once.
    """

    def __init__(self, database: Database, codec: Codec, settings: Settings) -> None:
        self._database = database
        self._codec = codec
        self._settings = settings
        self._kept: dict[tuple[str, str, str | None], Any] = {}

    def put(self, tenant: str, *values: Brand | Shop | Guide | Entrance | TagGroup) -> None:
        """
        Add values, or replace those of the same id; durable when this returns.

        Raises:
            TenantRequiredError: The settings name no such tenant.
            InvalidValueError: An id is empty or too long. Nothing was written.
        """
        if tenant not in self._settings.tenants:
            raise TenantRequiredError(f"there is no tenant {tenant!r}; name one of {', '.join(self._settings.tenants)}")
        rows = []
        for value in values:
            type_, id_ = _TYPES[type(value)], _id_of(value)
            if not is_text(id_, 64, 1):
                raise InvalidValueError(f"the id of a {type_} has 1 to 64 characters")
            rows.append((tenant, type_, id_, to_json(self._codec.dump(value))))
        with self._database.writing() as wire:
            wire.many(self._database.statements.upsert(schema.organisation), rows)
        for value in values:
            self._keep(tenant, value)

    def all(self, tenant: str, kind: type[T]) -> list[T]:
        """All values of one type, by id."""
        with self._database.reading() as wire:
            keys = [(tenant, _TYPES[kind])]
            rows = wire.find(schema.organisation, ("tenant", "type"), keys, ("id", "data"))
        return [self._codec.load(json.loads(text), kind) for _, text in sorted(rows)]

    def new_token(self) -> StateToken:
        """An opaque token for a new entrance: random, and short enough for every platform."""
        return StateToken(secrets.token_hex(15))  # WeCom's state takes at most 30 characters

    def prepare(self, work: WorkSet, touchpoints: Iterable[Touchpoint[Any]]) -> None:
        """Look up the shops and entrances that a batch names, in one query."""
        wanted: list[Any] = []
        for one in touchpoints:
            tenant = str(one.tenant)
            wanted += (tenant, "shop", one.shop), (tenant, "entrance", one.state)
        self._look_up(work, wanted)

    def load_shops(self, work: WorkSet, shops: Iterable[tuple[str, str | None]]) -> None:
        """Look up shops by tenant and id, so that their zones are known."""
        self._look_up(work, [(tenant, "shop", shop) for tenant, shop in shops])

    def _look_up(self, work: WorkSet, wanted: Sequence[tuple[str, str, str | None]]) -> None:
        missing = [key for key in {*wanted} if key[2] is not None and key not in self._kept]
        for row in work.select(schema.organisation, ("tenant", "type", "id"), missing):
            self._keep(row[0], self._codec.load(json.loads(row[3]), _KINDS[row[1]]))

    def entrance(self, tenant: str, token: str | None) -> Entrance | None:
        """The entrance of a state token, of those that ``prepare`` looked up."""
        return self._kept.get((tenant, "entrance", token))

    def zone(self, tenant: str, shop: str | None) -> ZoneInfo:
        """The zone of a shop's calendar, or the tenant's."""
        there = self._kept.get((tenant, "shop", shop))
        return self._settings.zone if there is None else ZoneInfo(there.zone)

    def _keep(self, tenant: str, value: Any) -> None:
        self._kept[tenant, _TYPES[type(value)], _id_of(value)] = value


def _id_of(value: Any) -> str:
    return str(getattr(value, {Entrance: "token", TagGroup: "name"}.get(type(value), "id")))
