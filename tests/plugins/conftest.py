"""Real distributions, written to a folder of the test's own."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pytest

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
