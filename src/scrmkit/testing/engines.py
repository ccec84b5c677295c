"""
Real engines for tests: a fresh SQLite file, a virtual clock, plugins in process.

In a test, use the fixture ``make_engine``; ``temporary_engine`` is for what is
no test::

    with temporary_engine({"rule.hello": HelloRule}) as engine:
        engine.record(make_touchpoint())
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from scrmkit.clock import Clock, VirtualClock
from scrmkit.errors import InvalidValueError
from scrmkit.testing.factories import NOON

if TYPE_CHECKING:
    from scrmkit.engine import Engine

_SECRET = "a secret of tests and of nothing else"
_NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


def engine_in(
    folder: Path,
    plugins: Mapping[str, Any] = _NO_OPTIONS,
    *,
    options: Mapping[str, Mapping[str, Any]] = _NO_OPTIONS,
    clock: Clock | None = None,
    **settings: Any,
) -> Engine:
    """
    An engine with its database in *folder*, made if it is not there yet.

    Args:
        plugins: A class, or an object made already, by ``family.type``; it is
            configured under its type, in this order.
        options: The plugins' own settings as in the file, by type; for classes.
        clock: A virtual one at ``NOON`` where none is given.
        settings: More of the file's table ``[scrmkit]``, such as ``tenants``.
    """
    from scrmkit.engine import Engine
    from scrmkit.settings import settings_from

    tables: dict[str, Any] = {}
    for use in plugins:
        name = use.partition(".")[2]
        if name in tables:
            raise InvalidValueError(f"two plugins would be configured as {name!r}")
        tables[name] = {"use": use, **options.get(name, {})}
    unknown = set(options) - set(tables)
    if unknown:
        raise InvalidValueError(f"options are given for {', '.join(sorted(unknown))}: no plugin")
    core = {
        "database": f"sqlite:///{folder / 'engine.db'}",
        "secret": {"env": "SCRMKIT_TEST_SECRET"},
        "durability": "normal",
        **settings,
    }
    return Engine(
        settings_from({"scrmkit": core, "plugins": tables}, {"SCRMKIT_TEST_SECRET": _SECRET}),
        clock=clock or VirtualClock(NOON),
        plugins={use: _class_of(plugin) for use, plugin in plugins.items()},
        create=True,
    )


@contextlib.contextmanager
def temporary_engine(plugins: Mapping[str, Any] = _NO_OPTIONS, **more: Any) -> Iterator[Engine]:
    """An engine in a directory of its own, both gone at the end; arguments as of ``engine_in``."""
    with tempfile.TemporaryDirectory() as folder, engine_in(Path(folder), plugins, **more) as made:
        yield made


def _class_of(plugin: Any) -> type:
    """The class of a plugin, or one whose only object is *plugin*."""
    if isinstance(plugin, type):
        return plugin
    return type(f"The{type(plugin).__name__}", (), {"__new__": lambda cls, context: plugin})
