"""The command line in a folder of the test's own: for the commands of plugins as for the core's."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

SETTINGS_VARIABLES = ("SCRMKIT_SETTINGS", "SCRMKIT_DATABASE", "SCRMKIT_ZONE")
SECRET = "correct-horse-battery"
"""What ``SCRMKIT_SECRET`` is in such a folder."""


@attrs.frozen
class Ran:
    """What a command left behind: its exit code and what it printed."""

    code: int
    out: str = attrs.field(repr=False)
    err: str = attrs.field(repr=False)

    @property
    def json(self) -> Any:
        """The last line of standard output."""
        return json.loads(self.out.splitlines()[-1])


Run = Callable[..., Ran]
"""Runs one command, its words one by one."""


def prepare(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to *folder*, with the secret in the environment and nothing else that settings are read from."""
    for name in SETTINGS_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SCRMKIT_SECRET", SECRET)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(folder)
    return folder


def runner(capsys: pytest.CaptureFixture[str]) -> Run:
    """What runs commands in this process."""
    from scrmkit.cli import run_command

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run_command(list(arguments))
        return Ran(code, *capsys.readouterr())

    return run
