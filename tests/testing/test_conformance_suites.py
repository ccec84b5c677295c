"""Every check of every suite is failed by the broken plugin that it names, and by no other."""

from __future__ import annotations

import pkgutil
from collections import defaultdict
from importlib import import_module
from xml.etree import ElementTree as ET

import attrs
import pytest

from scrmkit.testing import broken, suites
from scrmkit.testing.suites.base import Suite

pytest_plugins = ("pytester",)

SUITES = [
    value
    for module in pkgutil.iter_modules(suites.__path__)
    for value in vars(import_module(f"{suites.__name__}.{module.name}")).values()
    if isinstance(value, type) and issubclass(value, Suite)
    if value.__module__ == f"{suites.__name__}.{module.name}"
]
CHECKS = [
    pytest.param(suite, name, id=f"{suite.__name__}.{name}")
    for suite in SUITES
    for name in vars(suite)
    if name.startswith("test")
]


def broken_by(suite: type, name: str) -> tuple[str, str]:
    """The module of broken plugins, and the one in it that fails the check."""
    module, _, plugin = vars(suite)[name].scrmkit_broken.partition(":")
    return module, plugin


def by_module() -> dict[str, dict[str, set[str]]]:
    """For each module of broken plugins: which check each of them fails."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for suite in SUITES:
        for name in vars(suite):
            if name.startswith("test"):
                module, plugin = broken_by(suite, name)
                found[module][plugin].add(name)
    return found


@attrs.frozen
class Ran:
    """Which tests passed and which failed, by class."""

    passed: dict[str, set[str]]
    failed: dict[str, set[str]]


def run(pytester: pytest.Pytester, module: str, plugins: list[str]) -> Ran:
    """Run the harness of a module: with its good plugin, and with each of *plugins*."""
    lines = [f"from scrmkit.testing.broken import {module} as broken"]
    lines += ["class TestGood(broken.Harness): pass"]
    lines += [f"class Test{name}(broken.Harness):\n    plugin_class = broken.{name}" for name in plugins]
    pytester.makepyfile("\n".join(lines))
    # In a process of its own: what an inner run imports is forgotten afterwards, and
    # SQLAlchemy cannot be imported twice.
    pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:xdist", "--tb=no", "-q", "--junitxml=ran.xml")
    ran = Ran(defaultdict(set), defaultdict(set))
    for case in ET.parse(pytester.path / "ran.xml").iter("testcase"):
        outcomes = {each.tag for each in case} & {"failure", "error", "skipped"}
        found = ran.failed if outcomes & {"failure", "error"} else ran.passed
        if outcomes != {"skipped"}:
            found[case.attrib["classname"].rpartition(".")[2]].add(case.attrib["name"])
    return ran


def test_there_are_suites():
    assert {suite.__name__ for suite in SUITES} >= {"Suite", "ConnectorSuite"}
    assert all(suite.__name__.endswith("Suite") for suite in SUITES)


@pytest.mark.parametrize(("suite", "name"), CHECKS)
def test_the_check_names_a_broken_plugin(suite, name):
    assert hasattr(vars(suite)[name], "scrmkit_broken"), "mark it with @check(broken=...)"
    module, plugin = broken_by(suite, name)
    found = getattr(import_module(f"{broken.__name__}.{module}"), plugin)
    assert found.__doc__, "its docstring says what is broken about it"


@pytest.mark.parametrize("module", sorted(by_module()))
def test_each_broken_plugin_fails_its_own_check_alone(pytester, module):
    expected = by_module()[module]

    ran = run(pytester, module, sorted(expected))

    assert ran.failed == {f"Test{plugin}": names for plugin, names in expected.items()}
    assert len(ran.passed["TestGood"]) >= len(set().union(*expected.values()))


def test_each_plugin_of_a_module_of_broken_ones_is_named_by_a_check():
    for module, expected in by_module().items():
        there = vars(import_module(f"{broken.__name__}.{module}"))
        harness = there["Harness"]
        plugins = {
            name
            for name, value in there.items()
            if isinstance(value, type)
            and issubclass(value, harness.plugin_class)
            and value is not harness.plugin_class
            and not name.startswith("_")
        }
        assert plugins == set(expected)


def test_a_subclass_that_overrides_nothing_is_told_what_to_do(pytester):
    pytester.makepyfile(
        "from scrmkit.testing.suites.connectors import ConnectorSuite\nclass TestMine(ConnectorSuite): pass\n"
    )

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:xdist")

    result.stdout.fnmatch_lines(["*override the fixture 'connector' in your test class*"])
    assert "passed" not in result.stdout.lines[-1]


def test_assertions_of_the_suites_show_their_values(pytester):
    pytester.makepyfile(
        "from scrmkit.testing.broken.connectors import Harness, ShowsItself\n"
        "class TestMine(Harness):\n    plugin_class = ShowsItself\n"
    )

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")

    assert "AssertionError: the plugin's repr shows a secret" in result.stdout.str()
    assert "assert ['s3cret-of-the-account'] == []" in result.stdout.str()


def test_stories_may_be_a_strategy(pytester):
    pytester.makepyfile(
        """
        import attrs, pytest
        from hypothesis import strategies as st
        from scrmkit.testing import Story
        from scrmkit.testing.broken.mechanics import ClubRules, CountsTwice, Harness, at

        class TestMine(Harness):
            plugin_class = CountsTwice

            @pytest.fixture
            def stories(self):
                base = Harness.stories.__wrapped__(self, self.plugin_class())[0]
                joining = st.lists(st.integers(2, 9), max_size=4).map(
                    lambda people: [at("founded", 1, 0), *(at("joined", p, p) for p in people)]
                )
                return joining.map(lambda told: attrs.evolve(base, touchpoints=told))
        """
    )

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:xdist", "-k", "order")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*violations() named a broken invariant*"])
