"""
Engines, plugins that do what a test tells them, and a look at every table.

``Toy`` is a mechanic with a state of its own: without being told otherwise, each
``toy.played`` opens its instance or adds one to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, ClassVar

import attrs
import sqlalchemy

from scrmkit.clock import Clock, VirtualClock
from scrmkit.domain.campaign import Campaign, InstanceRef
from scrmkit.domain.decisions import Decision, Step
from scrmkit.domain.identity import Identity, personal
from scrmkit.domain.ids import CampaignId, TenantId
from scrmkit.domain.messages import Message, Purpose
from scrmkit.domain.policy import Policy
from scrmkit.domain.touchpoint import Touchpoint, TouchpointKind
from scrmkit.engine import Engine
from scrmkit.persistence import schema
from scrmkit.protocols import NewInstance
from scrmkit.settings import Calls, PluginSettings, Secret, Settings
from scrmkit.testing import NOON, FakeText
from scrmkit_insight.digests import natural_rows

SECRET = "sixteen characters and more"
SPRING = CampaignId("spring")
ANYTIME = Policy(quiet=None, caps=(), consent=frozenset())
"""A policy that lets everything through."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def engine_at(
    url: str,
    plugins: Mapping[str, Any] = _NOTHING,
    *,
    clock: Clock | None = None,
    tenants: Iterable[str] = ("main",),
    of_tenant: Mapping[str, str] = _NOTHING,
    policy: Policy = ANYTIME,
    budget_ms: int = 600_000,
    quarantine_after: int = 1_000,
    create: bool = False,
    **settings: Any,
) -> Engine:
    """
    An engine on a database that has its schema, or gets it now.

    Args:
        plugins: A class, or an object made already, by ``family.type``; it is
            configured under its type, in this order.
        of_tenant: The only tenant of a plugin, by its type.
    """
    configured = tuple(
        PluginSettings(name=use.partition(".")[2], use=use, tenant=of_tenant.get(use.partition(".")[2]))
        for use in plugins
    )
    return Engine(
        Settings(
            database=Secret(url),
            secret=Secret(SECRET),
            tenants=tuple(tenants),
            durability="normal",
            policy=policy,
            calls=Calls(budget_ms=budget_ms, quarantine_after=quarantine_after),
            plugins=configured,
            **settings,
        ),
        clock=clock or VirtualClock(NOON),
        plugins={use: class_of(plugin) for use, plugin in plugins.items()},
        create=create,
    )


def class_of(plugin: Any) -> type:
    """The class of a plugin, or one whose only object is *plugin*."""
    if isinstance(plugin, type):
        return plugin
    return type(f"The{type(plugin).__name__}", (), {"__new__": lambda cls, context: plugin})


# --- a mechanic --------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Played:
    """One move in an instance."""

    key: str = "one"
    case: int = 0
    words: str = personal(default="")


@attrs.frozen(kw_only=True)
class ToyRules:
    """The rules of a campaign."""

    limit: int = 10
    names: frozenset[str] = frozenset()


@attrs.frozen(kw_only=True)
class ToyState:
    """How often it was played."""

    count: int = 0
    notes: tuple[str, ...] = ()


PLAYED = TouchpointKind(name="toy.played", payload=Played)
CASED = TouchpointKind(name="case.told", payload=Played)


def one_more(instance: Any, *_: Any) -> Step[Any]:
    """Count."""
    return Step(reason="played", state=attrs.evolve(instance.state, count=instance.state.count + 1))


class Toy:
    """A mechanic of functions, that remembers what it was asked."""

    Rules: ClassVar[type] = ToyRules
    State: ClassVar[type] = ToyState
    touchpoint_kinds: ClassVar[tuple[TouchpointKind[Any], ...]] = (PLAYED,)

    def __init__(
        self,
        *kinds: str,
        address: Callable[..., Any] | None = None,
        needs: Callable[..., Any] | None = None,
        open: Callable[..., Any] | None = None,  # noqa: A002 - the protocol's own name
        act: Callable[..., Any] = one_more,
        due: Callable[..., Any] = one_more,
        campaign: CampaignId = SPRING,
    ) -> None:
        self.kinds = frozenset({PLAYED.name, *kinds})
        self.calls: list[tuple[str, Any, Touchpoint[Any]]] = []
        self._campaign = campaign
        self._address, self._needs = address, needs
        self._open, self._act, self._due = open, act, due

    def address(self, touchpoint: Touchpoint[Any]) -> Any:
        """The instance that the payload names."""
        if self._address is not None:
            return self._address(touchpoint)
        if touchpoint.kind != PLAYED.name:
            return ()
        return [NewInstance(campaign=self._campaign, key=touchpoint.payload.key)]

    def needs(self, touchpoint: Touchpoint[Any], instance: Any) -> Any:
        """Nothing, unless it was told to."""
        return () if self._needs is None else self._needs(touchpoint, instance)

    def open(self, ref: Any, campaign: Any, touchpoint: Any, known: Any, now: Any) -> Any:
        """Open with what the rules say."""
        self.calls.append(("open", ref, touchpoint))
        if self._open is not None:
            return self._open(ref, campaign, touchpoint, known, now)
        return Step(reason="opened", state=ToyState())

    def act(self, instance: Any, touchpoint: Any, known: Any, now: Any) -> Any:
        """Take one touchpoint in."""
        self.calls.append(("act", instance, touchpoint))
        return self._act(instance, touchpoint, known, now)

    def due(self, instance: Any, timer: str, touchpoint: Any, known: Any, now: Any) -> Any:
        """A timer is due."""
        self.calls.append(("due", instance, touchpoint))
        return self._due(instance, timer, touchpoint, known, now)

    def violations(self, rules: Any, state: Any) -> Iterable[str]:
        """None."""
        return ()


def spring(mechanic: str = "toy", **changes: Any) -> Campaign[Any]:
    """The campaign of all instances."""
    values = {
        "id": SPRING,
        "mechanic": mechanic,
        "rules": ToyRules(),
        "starts_at": NOON - timedelta(days=1),
        "ends_at": NOON + timedelta(days=365),
    }
    return Campaign(**{**values, **changes})


def played(number: int, key: str = "one", *, case: int = 0, phone: int | None = 1, **more: Any) -> Touchpoint[Any]:
    """A move in an instance of ``toy``."""
    return Touchpoint(
        **{
            "kind": PLAYED.name,
            "key": f"p{number}",
            "occurred_at": NOON,
            "payload": Played(key=key, case=case),
            "identities": () if phone is None else (phone_of(phone),),
            **more,
        }
    )


def ref(key: str = "one", plugin: str = "toy") -> InstanceRef:
    """The reference of an instance."""
    return InstanceRef(plugin=plugin, campaign=SPRING, key=key)


# --- touchpoints -------------------------------------------------------------------------


def phone_of(number: int) -> Identity:
    """A phone for each number."""
    return Identity(kind="phone", value=f"+861390000{number:04}")


def union_of(number: int) -> Identity:
    """Another platform's name for each number."""
    return Identity(kind="unionid", value=f"union-{number}")


def scanned(number: int, *identities: Identity, minutes: int = 0, **more: Any) -> Touchpoint[Any]:
    """A scan by somebody with these names, a phone of its number where none is given."""
    from scrmkit.domain.kinds import Nothing

    return Touchpoint(
        **{
            "kind": "entrance.scanned",
            "key": f"s{number}",
            "occurred_at": NOON + timedelta(minutes=minutes),
            "payload": Nothing(),
            "identities": identities or (phone_of(number),),
            **more,
        }
    )


def text(words: str = "hello", **more: Any) -> Message:
    """A message of the fake channel."""
    return Message(**{"channel": "sms", "content": FakeText(text=words), **more})


def marketing(words: str = "hello", **more: Any) -> Message:
    """A message that the policy looks at closely."""
    return text(words, purpose=Purpose.MARKETING, **more)


def says(*effects: Any, **more: Any) -> Decision:
    """A decision with these effects."""
    return Decision(**{"reason": "told to", "effects": tuple(effects), **more})


# --- what is in the database -------------------------------------------------------------


def rows(engine: Engine, table: sqlalchemy.Table | str, *columns: str) -> list[tuple[Any, ...]]:
    """All rows of a table, those columns of it, sorted."""
    found = schema.TABLES[table] if isinstance(table, str) else table
    wanted = [found.c[name] for name in columns] or list(found.columns)
    with engine.database.engine.connect() as connection:
        return sorted(map(tuple, connection.execute(sqlalchemy.select(*wanted)).all()), key=repr)


def everything(engine: Engine, *without: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables but some, those that are empty left out."""
    found = {name: rows(engine, name) for name in schema.TABLES if name not in without}
    return {name: listed for name, listed in found.items() if listed}


def state_of(engine: Engine, tenant: str | None = None) -> list[tuple[Any, ...]]:
    """All that a later decision could read, without anything that is only this database's."""
    with engine.database.snapshot() as wire:
        return sorted(natural_rows(engine.database, wire, tenant), key=repr)


def health(engine: Engine, plugin: str) -> Any:
    """How a plugin has been doing."""
    return engine.calls.health[plugin]


def at(minutes: int) -> datetime:
    """A moment, in minutes after noon."""
    return (NOON + timedelta(minutes=minutes)).astimezone(UTC)


MAIN = TenantId("main")
