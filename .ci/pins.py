"""
The versions that the project is developed and tested with, by uv.

``pins.py write`` renews ``constraints.txt``: the newest versions that every
requirement and dependency group allows, on each supported Python.
``pins.py lowest`` installs the project into this environment with the lowest
versions that it says it works with.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST_PYTHON = "3.11"


@contextmanager
def unpinned() -> Iterator[str]:
    """A file with ``requirements-dev.txt`` but for the constraints, which pin to the newest."""
    lines = (ROOT / "requirements-dev.txt").read_text().splitlines(keepends=True)
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory, "requirements.txt")
        file.write_text("".join(line for line in lines if not line.startswith("-c")))
        yield str(file)


def uv(*arguments: str) -> str:
    """What ``uv pip`` prints, run where the paths in the requirements start."""
    command = [sys.executable, "-m", "uv", "pip", *arguments]
    # The machine's own certificates, as pip takes them; older versions know the second name.
    certificates = {"UV_SYSTEM_CERTS": "true", "UV_NATIVE_TLS": "true"}
    done = subprocess.run(
        command, cwd=ROOT, env=certificates | os.environ, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout


def write() -> None:
    """Renew ``constraints.txt``."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    options = ["--quiet", "--universal", "--no-header", "--no-annotate"]
    options += [f"--python-version={OLDEST_PYTHON}", *(f"--group={name}" for name in groups)]
    with unpinned() as file:
        compiled = uv("compile", *options, file)
    pins = [line for line in compiled.splitlines() if "==" in line]
    (ROOT / "constraints.txt").write_text("\n".join(pins) + "\n")


def lowest() -> None:
    """Install the lowest versions."""
    with unpinned() as file:
        uv(
            "install",
            f"--python={sys.executable}",
            "--resolution=lowest-direct",
            "--group=tests",
            f"--requirements={file}",
        )


if __name__ == "__main__":
    {"write": write, "lowest": lowest}[sys.argv[1]]()
