"""What is public, and that importing it costs nothing."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import scrmkit

PUBLIC = tuple(Path(__file__).with_name("public_names.txt").read_text().split())
"""Pinned: a name that goes, or changes what it means, is a change of the minor version."""

HEAVY = {"alembic", "attrs", "cattrs", "click", "httpx", "pluggy", "sqlalchemy", "starlette"}
HEAVY |= {"structlog", "uvicorn"}


def modules_after(code: str) -> set[str]:
    """The modules that a fresh process has loaded after *code*, top level ones."""
    told = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"],
        check=True,
        capture_output=True,
        text=True,
    )
    return {name.partition(".")[0] for name in json.loads(told.stdout)}


def plugins() -> set[str]:
    """The packages of all plugins that are installed."""
    return {name for name in packages_distributions() if name.startswith("scrmkit_")}


def test_the_public_names_are_these():
    assert scrmkit.__all__ == PUBLIC


def test_each_public_name_leads_to_something():
    assert [name for name in PUBLIC if getattr(scrmkit, name, None) is None] == []
    assert set(PUBLIC) <= set(dir(scrmkit))


def test_type_checkers_are_told_the_same_names():
    stub = ast.parse(Path(scrmkit.__file__).with_suffix(".pyi").read_text())
    told = [ast.literal_eval(node.value) for node in stub.body if isinstance(node, ast.Assign)]

    assert told == [PUBLIC]


def test_each_public_name_comes_from_the_module_that_the_stub_names():
    scrmkit.Engine  # noqa: B018 - loads it

    assert scrmkit._modules()["Engine"] == "scrmkit.engine"
    assert scrmkit.Engine is sys.modules["scrmkit.engine"].Engine


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'scrmkit' has no attribute 'Enginee'"):
        scrmkit.Enginee  # noqa: B018


def test_a_star_import_is_all_of_them():
    found: dict[str, object] = {}
    exec("from scrmkit import *", found)

    assert set(found) - {"__builtins__"} == set(PUBLIC)


def test_importing_the_package_loads_nothing_that_is_heavy():
    loaded = modules_after("import scrmkit")

    assert loaded & (HEAVY | plugins()) == set()


def test_what_a_plugin_needs_loads_no_database_and_no_web():
    needed = "Decision, Rule, Touchpoint, TouchpointKind, AddTag, Tags, hookimpl, ScrmkitError"
    loaded = modules_after(f"from scrmkit import {needed}")

    assert loaded & ((HEAVY | plugins()) - {"attrs", "pluggy"}) == set()
