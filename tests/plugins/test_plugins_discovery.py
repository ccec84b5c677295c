"""What is installed is read from metadata, and nothing is imported."""

from __future__ import annotations

import sys

import pytest

from scrmkit.cli.plugin import conflicts
from scrmkit.plugins import discover


def found(name):
    (one,) = [one for one in discover() if one.name == name]
    return one


def test_an_entry_point_is_found_with_its_distribution(install):
    install("scrmkit-fake", {"rule.fake": "{module}:Fake"}, version="2.3")

    one = found("rule.fake")

    assert (one.family, one.type, one.whose) == ("rule", "fake", "scrmkit-fake 2.3")
    assert one.range == "<0.2,>=0.1"
    assert one.problem == ""


def test_finding_imports_nothing(install):
    module = install("scrmkit-fake", {"rule.fake": "{module}:Fake"}, "raise RuntimeError('imported')")

    assert found("rule.fake").problem == ""
    assert module not in sys.modules


@pytest.mark.parametrize(
    ("requires", "fits"),
    [
        pytest.param(["scrmkit>=0.1,<0.2"], True, id="this version"),
        pytest.param(["scrmkit>=0.1.0"], True, id="from this version"),
        pytest.param(["SCRMkit[web]~=0.1.0"], True, id="with an extra, otherwise spelt"),
        pytest.param(["scrmkit>=0.2,<0.3"], False, id="the next version"),
        pytest.param(["scrmkit<0.1"], False, id="an earlier version"),
        pytest.param(['scrmkit>=9; extra == "later"'], True, id="only for an extra"),
        pytest.param(["scrmkit-other>=9"], True, id="another distribution"),
        pytest.param([], True, id="no range"),
        pytest.param(["!nonsense", "scrmkit<0.1"], False, id="behind a line that nobody can read"),
    ],
)
def test_the_range_is_checked_before_import(install, requires, fits):
    install("scrmkit-fake", {"rule.fake": "{module}:Fake"}, requires=requires)

    assert (found("rule.fake").problem == "") is fits


@pytest.mark.parametrize("version", ["0.1.0.dev3", "0.1.0rc1", "0.1.0.post1"])
def test_a_development_version_counts_as_its_release(install, monkeypatch, version):
    monkeypatch.setattr("scrmkit.plugins.discovery.__version__", version)
    install("scrmkit-fake", {"rule.fake": "{module}:Fake"})

    assert found("rule.fake").problem == ""


def test_an_unknown_family_is_named(install):
    install("scrmkit-fake", {"chanel.fake": "{module}:Fake"})

    assert "did you mean 'channel'?" in found("chanel.fake").problem


def test_a_name_without_a_type_is_refused(install):
    install("scrmkit-fake", {"channel": "{module}:Fake"})

    assert "family.type" in found("channel").problem


def test_a_name_that_two_distributions_provide_is_a_conflict(install):
    install("scrmkit-one", {"rule.fake": "{module}:Fake"})
    install("scrmkit-two", {"rule.fake": "{module}:Fake"})

    assert conflicts(discover()) == {"rule.fake": "scrmkit-one 1.0 and scrmkit-two 1.0"}


@pytest.mark.parametrize(
    ("file", "text"),
    [
        pytest.param("entry_points.txt", "[scrmkit]\nrule.fake\n", id="entry points"),
        pytest.param("METADATA", "Metadata-Version: 2.1\n", id="no name"),
    ],
)
def test_metadata_that_cannot_be_read_is_a_problem_of_its_own(install, tmp_path, file, text):
    install("scrmkit-good", {"rule.good": "{module}:Good"})
    install("scrmkit-fake", {"rule.fake": "{module}:Fake"})
    (info,) = (tmp_path / "site-scrmkit-fake").glob("*.dist-info")
    (info / file).write_text(text, encoding="utf-8")

    told = {one.distribution: one.problem for one in discover()}

    assert told["scrmkit_fake"] == "its metadata cannot be read; install it again"
    assert told["scrmkit-good"] == ""


def test_of_two_copies_the_first_on_the_path_counts(install, tmp_path):
    install("scrmkit-fake", {"rule.fake": "{module}:Fake"}, version="1.0")
    (tmp_path / "site-scrmkit-fake").rename(tmp_path / "site-scrmkit-old")
    sys.path.append(str(tmp_path / "site-scrmkit-old"))
    install("scrmkit-fake", {"rule.fake": "{module}:Fake"}, version="2.0")

    assert found("rule.fake").version == "2.0"
