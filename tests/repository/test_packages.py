"""The core and its plugins: one version, and nothing forgotten anywhere."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
PROGRAMS = {"scrmkit-demo"}
"""These run an engine, as an integrator's program does; they are no plugins to be run by one."""

EXTENSIONS = {"scrmkit-audience", "scrmkit-insight", "scrmkit-worker"}
"""These are given an engine: parts of the core in distributions of their own, of its version."""

PRIVATE_TO_THE_CORE = {"cli", "engine", "persistence", "web"}
FOR_COMMANDS = ("scrmkit.cli.context.", "scrmkit.cli.output.")
"""Public all the same: what a plugin's command needs."""

each_plugin = pytest.mark.parametrize("plugin", [pytest.param(plugin, id=plugin.name) for plugin in PLUGINS])


def metadata(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text())


def package(project: Path) -> Path:
    module: str = metadata(project)["tool"]["flit"]["module"]["name"]
    return project / "src" / module


def requirements(project: Path) -> list[Requirement]:
    """What a distribution needs, with its extras and, for the core, its dependency groups."""
    tables = metadata(project)
    lines = list(tables["project"].get("dependencies", ()))
    for extra in tables["project"].get("optional-dependencies", {}).values():
        lines += extra
    for group in tables.get("dependency-groups", {}).values():
        lines += group
    return [Requirement(line) for line in lines]


def outside_requirements() -> dict[str, list[Requirement]]:
    """What is needed from others, by canonical name, with every range that is asked for."""
    needed: dict[str, list[Requirement]] = {}
    for requirement in [each for project in (ROOT, *PLUGINS) for each in requirements(project)]:
        name = canonicalize_name(requirement.name)
        if not name.startswith("scrmkit"):
            needed.setdefault(name, []).append(requirement)
    tox = re.search(r"^tox.*$", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    assert tox is not None
    return {**needed, "tox": [Requirement(tox[0])]}


@each_plugin
def test_a_plugin_has_the_cores_version(plugin: Path):
    version = metadata(ROOT)["project"]["version"]

    assert metadata(plugin)["project"]["version"] == version


@each_plugin
def test_a_plugin_asks_for_this_minor_version_of_the_core(plugin: Path):
    version = metadata(ROOT)["project"]["version"]
    major, minor, *_ = version.split(".")
    wanted = f"<{major}.{int(minor) + 1},>={major}.{minor}"
    needed = map(Requirement, metadata(plugin)["project"]["dependencies"])
    core = [each.specifier for each in needed if each.name == "scrmkit"]

    assert [str(each) for each in core] == [f"=={version}" if plugin.name in EXTENSIONS else wanted]


@pytest.mark.parametrize("project", [pytest.param(p, id=p.name) for p in (ROOT, *PLUGINS)])
def test_a_package_says_the_version_of_its_distribution(project: Path):
    text = (package(project) / "__init__.py").read_text()
    said = re.findall(r'^__version__ = "(.+)"$', text, re.MULTILINE)

    assert said in ([], [metadata(project)["project"]["version"]])


@each_plugin
def test_a_plugin_is_whole(plugin: Path):
    """Typed, described, installed for development, and known to the import contracts."""
    assert (package(plugin) / "py.typed").is_file()
    assert (plugin / "README.md").is_file()
    assert metadata(plugin)["project"]["entry-points"]["scrmkit"]
    assert list(plugin.glob("tests/**/test_*.py"))
    requirements_dev = (ROOT / "requirements-dev.txt").read_text().splitlines()
    assert f"-e plugins/{plugin.name}" in requirements_dev
    assert package(plugin).name in metadata(ROOT)["tool"]["importlinter"]["root_packages"]


@each_plugin
def test_a_plugin_imports_what_the_core_makes_public(plugin: Path):
    private = []
    for path in sorted(package(plugin).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if plugin.name in PROGRAMS | EXTENSIONS:
                continue
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module is not None:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            private += [
                f"{path.relative_to(plugin)}: {name}"
                for name in names
                if (parts := name.split("."))[0] == "scrmkit"
                and not name.startswith(FOR_COMMANDS)
                and (
                    PRIVATE_TO_THE_CORE & set(parts[1:2])
                    or any(part.startswith("_") and part != "__version__" for part in parts)
                )
            ]

    assert private == []


def test_every_dependency_says_why_it_is_here():
    page = (ROOT / "docs" / "dependencies.md").read_text()
    said = {canonicalize_name(name) for name in re.findall(r"^\| ([\w.-]+) \|", page, re.MULTILINE)}

    assert said - {"package"} == set(outside_requirements())


def test_every_dependency_is_pinned_inside_its_range():
    pins: dict[str, str] = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate(dict(default_environment())):
            pins[canonicalize_name(pin.name)] = str(pin.specifier).removeprefix("==")

    outside = {
        f"{requirement} is pinned to {pins.get(name)}"
        for name, needed in outside_requirements().items()
        for requirement in needed
        if requirement.marker is None or requirement.marker.evaluate()
        if name not in pins or pins[name] not in requirement.specifier
    }

    assert outside == set(), "run `tox -e pins`"


def test_the_pins_name_no_index_and_no_reason():
    lines = (ROOT / "constraints.txt").read_text().splitlines()

    assert [line for line in lines if not re.match(r"^[a-z0-9-]+==[\w.]+( ; .+)?$", line)] == []


def test_the_changelog_has_this_version():
    version = metadata(ROOT)["project"]["version"]

    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text()
