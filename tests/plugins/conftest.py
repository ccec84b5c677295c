"""Real distributions, written to a folder of the test's own."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pytest

from scrmkit.clock import VirtualClock
from scrmkit.errors import PluginError
from scrmkit.plugins import load_plugins
from scrmkit.settings import settings_from

CORE = "scrmkit>=0.1,<0.2"


class Install(Protocol):
    """Write a distribution with its metadata and one module, and put it on the path."""

    def __call__(
        self,
        name: str,
        entry_points: Mapping[str, str],
        source: str = "",
        *,
        version: str = "1.0",
        requires: Sequence[str] = (CORE,),
    ) -> str:
        """Return the module's name; ``{module}`` in an entry point stands for it."""
        ...


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    modules: list[str] = []

    def write(name, entry_points, source="", *, version="1.0", requires=(CORE,)):
        folder = tmp_path / f"site-{name}"
        module = f"fake_{name.replace('-', '_')}_{id(modules)}"
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Dist: {line}" for line in requires]
        (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
        points = [f"{key} = {value.format(module=module)}" for key, value in entry_points.items()]
        text = "\n".join(["[scrmkit]", *points]) + "\n"
        (info / "entry_points.txt").write_text(text, encoding="utf-8")
        (folder / f"{module}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        modules.append(module)
        monkeypatch.syspath_prepend(folder)
        return module

    yield write
    for module in modules:
        sys.modules.pop(module, None)


CLOCK = VirtualClock(datetime(2026, 1, 2, 12, tzinfo=UTC))


@pytest.fixture
def settings_for():
    """Settings from plugin tables, and what stands in [scrmkit] besides."""

    def make(plugins, core=None, **environ):
        environ = {"SCRMKIT_SECRET": "correct-horse-battery", **environ}
        return settings_from({"scrmkit": core or {}, "plugins": plugins}, environ)

    return make


@pytest.fixture
def load(settings_for):
    """Load plugins from tables and classes."""

    def make(plugins, core=None, extra=None, **environ):
        return load_plugins(settings_for(plugins, core, **environ), CLOCK, extra=extra or {})

    return make


@pytest.fixture
def problems_of(load):
    """All problems of what cannot be loaded."""

    def find(*args, **options):
        with pytest.raises(PluginError) as caught:
            load(*args, **options)
        return list(caught.value.problems)

    return find


@pytest.fixture
def problem_of(problems_of):
    """The only problem of one class, configured as ``mine``."""

    def find(cls, family="rule", **options):
        (problem,) = problems_of({"mine": {"use": f"{family}.mine", **options}}, extra={f"{family}.mine": cls})
        return problem

    return find
