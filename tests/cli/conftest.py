"""Running commands in a folder of the test's own."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scrmkit.testing.commands import Run


@pytest.fixture
def folder(command_folder: Path) -> Path:
    return command_folder


@pytest.fixture
def run(run_scrmkit: Run) -> Run:
    return run_scrmkit


@pytest.fixture
def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Write a distribution with its metadata and one module, and put it on the path."""
    modules: list[str] = []

    def write(
        name: str, entry_points: Mapping[str, str], source: str = "", requires: str = "scrmkit>=0.1,<0.2"
    ) -> None:
        site = folder / f"site-{name}"
        module = name.replace("-", "_")
        info = site / f"{module}-1.0.dist-info"
        info.mkdir(parents=True)
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nSummary: About {name}\n"
        (info / "METADATA").write_text(f"{metadata}Requires-Dist: {requires}\n", encoding="utf-8")
        lines = [f"{key} = {module}:{value}\n" for key, value in entry_points.items()]
        (info / "entry_points.txt").write_text("[scrmkit]\n" + "".join(lines), encoding="utf-8")
        (site / f"{module}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        modules.append(module)
        monkeypatch.syspath_prepend(site)

    yield write
    for module in modules:
        sys.modules.pop(module, None)


LETTERS = """
    import attrs
    from scrmkit.domain.decisions import Decision
    from scrmkit.domain.effects import Propose
    from scrmkit.domain.messages import Accepted, Message, Operation, Purpose
    from scrmkit.protocols import Inbound, Reply

    @attrs.frozen(kw_only=True)
    class Text:
        text: str

    class Letters:
        operations = {"send": Operation(body=Text)}

        def __init__(self, context):
            pass

        def send(self, operation, batch):
            return [Accepted() for _ in batch]

        def ask(self, operation, batch):
            return [Accepted() for _ in batch]

        def reach(self, identities):
            return identities[0] if identities else None

        def receive(self, request):
            return Inbound(reply=Reply(body=b"heard " + request.body))

    class Thanks:
        kinds = frozenset({"order.paid"})

        def __init__(self, context):
            pass

        def needs(self, touchpoint):
            return ()

        def decide(self, touchpoint, known, now):
            if touchpoint.payload.amount_fen == 666:
                raise RuntimeError("canary")
            message = Message(
                channel="letters", content=Text(text="canary"), purpose=Purpose.TRANSACTIONAL
            )
            effect = Propose(message=message, once=touchpoint.payload.order_no)
            return Decision(reason="thanks", effects=(effect,))
"""
LETTERS_SETTINGS = """
[scrmkit]
calls.quarantine_after = 1
[plugins.letters]
use = "channel.letters"
[plugins.thanks]
use = "rule.thanks"
"""


@pytest.fixture
def ready(run: Run, install: Any, folder: Path) -> Path:
    """A database with three orders; two of them are thanked for."""
    points = {"channel.letters": "Letters", "rule.thanks": "Thanks"}
    install("scrmkit-letters", points, LETTERS)
    (folder / "scrmkit.toml").write_text(LETTERS_SETTINGS, encoding="utf-8")
    run("db", "upgrade")
    rows = "A1,M1,1,2026-01-02\nA2,M2,1,2026-01-02\nA3,M3,6.66,2026-01-02\n"
    (folder / "orders.csv").write_text(f"order_no,member_no,amount,date\n{rows}")
    assert run("import", "orders", "orders.csv").code == 0
    return folder
