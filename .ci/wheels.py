"""
Build every wheel, install them into an empty environment, and run the demo from there.

Each wheel is built from its sdist, so what an sdist leaves out is missed here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEMO_KEYS = {
    "customers",
    "orders",
    "touchpoints",
    "bargains",
    "groups",
    "scored",
    "duplicates_ignored",
    "messages",
    "seconds",
    "digest",
    "report",
}


def main() -> None:
    """Do all of it in a temporary directory."""
    with tempfile.TemporaryDirectory() as directory:
        wheels = build(Path(directory, "dist"))
        environment = Path(directory, "environment")
        install(wheels, environment)
        elsewhere = Path(directory, "elsewhere")
        elsewhere.mkdir()
        check_origin(environment, elsewhere)
        run_demo(environment, elsewhere)


def build(dist: Path) -> list[Path]:
    """Build all distributions; return their wheels."""
    projects = [ROOT, *sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
    for project in projects:
        command = [sys.executable, "-m", "build", "--no-isolation", f"--outdir={dist}"]
        built = subprocess.run([*command, str(project)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if built.returncode != 0:
            sys.exit(f"{project.relative_to(ROOT)} cannot be built:\n{built.stdout}")
    wheels = sorted(dist.glob("*.whl"))
    expected = {f"{name(project)}-{version()}-py3-none-any.whl" for project in projects}
    if {wheel.name for wheel in wheels} != expected:
        sys.exit(f"expected the wheels {sorted(expected)}, built {[w.name for w in wheels]}")
    print(f"built {len(wheels)} wheels of version {version()}", flush=True)
    return wheels


def name(project: Path) -> str:
    """The distribution's name as wheels spell it."""
    metadata = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    return str(metadata["name"]).replace("-", "_")


def version() -> str:
    """The one version of all distributions."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def install(wheels: list[Path], environment: Path) -> None:
    """Make an empty environment with the wheels and what they depend on."""
    venv.create(environment, with_pip=False)
    command = [sys.executable, "-m", "pip", f"--python={environment}", "install", "--quiet"]
    command += [f"--constraint={ROOT / 'constraints.txt'}", *map(str, wheels)]
    subprocess.run(command, check=True)


def check_origin(environment: Path, elsewhere: Path) -> None:
    """Make sure that the checkout has no part in what runs."""
    python = environment / "bin" / "python"
    code = "import scrmkit; print(scrmkit.__file__)"
    origin = Path(run([str(python), "-c", code], elsewhere).strip())
    if environment.resolve() not in origin.resolve().parents:
        sys.exit(f"scrmkit was imported from {origin}, not from its wheel")


def run_demo(environment: Path, elsewhere: Path) -> None:
    """Run the demo and check that its last line is the object that it promises."""
    output = run([str(environment / "bin" / "scrmkit"), "demo", "--json"], elsewhere)
    result = json.loads(output.splitlines()[-1])
    missing = DEMO_KEYS - result.keys()
    if missing:
        sys.exit(f"the demo's result lacks {sorted(missing)}")
    if not Path(result["report"]).is_file():
        sys.exit("the demo's report does not exist")
    print(f"the demo ran from the wheels: {json.dumps(result)}")


def run(command: list[str], elsewhere: Path) -> str:
    """What a command prints, run away from the checkout."""
    environment = {key: os.environ[key] for key in os.environ if not key.startswith("PYTHON")}
    done = subprocess.run(command, cwd=elsewhere, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    main()
