"""``scrmkit plugin``, ``hooks`` and ``doctor`` tell what is there and what is wrong."""

from __future__ import annotations

import pytest

FAKE = """
    import attrs
    from scrmkit.hooks import Finding, hookimpl

    @attrs.frozen(kw_only=True)
    class Options:
        corp: str
        tries: int = 3

    class Fake:
        '''Says something about everything.

        At length.
        '''

        Settings = Options
        kinds = frozenset({"order.paid"})

        def __init__(self, context):
            self.corp = context.settings.corp

        def needs(self, touchpoint):
            return ()

        def decide(self, touchpoint, known, now):
            return None

        @hookimpl
        def scrmkit_committed(self):
            pass

        @hookimpl
        def scrmkit_doctor(self):
            if self.corp == "bad":
                raise RuntimeError("canary")
            return [Finding(level="warning", subject="fake", text="is only a fake")]
"""


@pytest.fixture
def settings(folder):
    def write(text):
        (folder / "scrmkit.toml").write_text(text, encoding="utf-8")

    return write


def mine(rows, name):
    return [row for row in rows if row.get("name") == name]


def test_the_list_tells_what_is_installed_and_how_it_is_configured(run, install, settings):
    install("scrmkit-fake", {"rule.fake": "Fake", "rule.other": "Fake", "command.fake": "x"}, FAKE)
    settings(
        '[plugins.one]\nuse = "rule.fake"\n[plugins.two]\nuse = "rule.fake"\nenabled = false\n'
        '[plugins.three]\nuse = "rule.nowhere"\n'
    )

    rows = run("plugin", "list", "--json").json

    told = {(row["name"], row["configured_as"], row["state"]) for row in rows}
    assert told >= {
        ("rule.fake", "one", "enabled"),
        ("rule.fake", "two", "switched off"),
        ("rule.other", "", "not configured"),
        ("command.fake", "", "ready"),
        ("rule.nowhere", "three", "not installed"),
    }


def test_the_list_tells_what_cannot_be_used(run, install):
    install("scrmkit-old", {"rule.old": "Fake"}, requires="scrmkit<0.1")
    install("scrmkit-one", {"rule.same": "Fake"})
    install("scrmkit-two", {"rule.same": "Fake"})

    rows = run("plugin", "list", "--json").json

    assert "made for scrmkit<0.1" in mine(rows, "rule.old")[0]["state"]
    assert "scrmkit-one 1.0 and scrmkit-two 1.0" in mine(rows, "rule.same")[0]["state"]


def test_the_list_is_there_with_broken_settings(run, install, settings):
    install("scrmkit-fake", {"rule.fake": "Fake"})
    settings("[scrmkit]\nzonee = 1\n")

    ran = run("plugin", "list")

    assert ran.code == 0
    assert "rule.fake" in ran.out
    assert "did you mean 'zone'" in ran.err


@pytest.mark.parametrize("name", ["rule.fake", "mine"])
def test_a_plugin_is_described(run, install, settings, name):
    install("scrmkit-fake", {"rule.fake": "Fake"}, FAKE)
    settings('[plugins.mine]\nuse = "rule.fake"\n')

    ran = run("plugin", "info", name, "--json")

    assert ran.json == {
        "name": "rule.fake",
        "distribution": "scrmkit-fake",
        "version": "1.0",
        "range": "<0.2,>=0.1",
        "about": "Says something about everything.",
        "settings": [
            {"name": "corp", "type": "str", "required": True, "default": None},
            {"name": "tries", "type": "int", "required": False, "default": "3"},
        ],
        "touchpoint_kinds": [],
        "listens_to": ["order.paid"],
        "hooks": ["scrmkit_committed", "scrmkit_doctor"],
    }
    assert "corp     str   required" in run("plugin", "info", name).out


def test_an_unknown_plugin_is_refused_with_a_hint(run, install):
    install("scrmkit-fake", {"rule.fake": "Fake"}, FAKE)

    ran = run("plugin", "info", "rule.fakee")

    assert ran.code == 1
    assert "did you mean 'rule.fake'?" in ran.err


def test_hooks_tell_the_order_of_calls_and_why(run, install, settings):
    install("scrmkit-fake", {"rule.fake": "Fake"}, FAKE)
    settings('[plugins.b]\nuse = "rule.fake"\ncorp = "1"\n[plugins.a]\nuse = "rule.fake"\ncorp = "2"\n')

    ran = run("hooks", "--json")

    (row,) = [row for row in ran.json if row["hook"] == "scrmkit_committed"]
    assert row["kind"] == "observe"
    assert row["arguments"] == ["touchpoint", "outcome"]
    assert [(one["plugin"], one["why"]) for one in row["implementations"]] == [
        ("b", "number 1 of those that are enabled in scrmkit.toml"),
        ("a", "number 2 of those that are enabled in scrmkit.toml"),
    ]
    assert "1. b (scrmkit-fake 1.0): number 1" in run("hooks").out


def test_hooks_are_listed_without_settings(run):
    ran = run("hooks", "--json")

    assert ran.code == 0
    assert len(ran.json) == 8
    assert "scrmkit init" in ran.err


def test_hooks_name_every_problem_of_the_plugins(run, install, settings):
    install("scrmkit-fake", {"rule.fake": "Fake"}, FAKE)
    settings('[plugins.a]\nuse = "rule.fake"\nx = 1\n')

    ran = run("hooks")

    assert ran.code == 2
    assert "plugins.a.x: unknown setting" in ran.err
    assert "plugins.a.corp: this setting is missing" in ran.err


def test_doctor_finds_nothing_wrong_after_init(run):
    run("init")

    ran = run("doctor", "--json")

    assert ran.code == 0
    assert {one["level"] for one in ran.json} <= {"ok", "warning"}


def test_doctor_asks_the_plugins(run, install, settings):
    install("scrmkit-fake", {"rule.fake": "Fake"}, FAKE)
    settings('[plugins.a]\nuse = "rule.fake"\ncorp = "good"\n[plugins.b]\nuse = "rule.fake"\ncorp = "bad"\n')

    ran = run("doctor", "--json")

    told = [(one["level"], one["subject"], one["text"]) for one in ran.json]
    assert ("warning", "fake", "is only a fake") in told
    assert ("error", "plugins.b", "its scrmkit_doctor failed: RuntimeError") in told
    assert ran.code == 1
    assert "canary" not in ran.out + ran.err


def test_doctor_says_all_that_is_wrong(run, install, settings, monkeypatch):
    monkeypatch.setenv("SCRMKIT_DATABSE", "sqlite://")
    install("scrmkit-fake", {"rule.fake": "Fake"}, "import nothing_4711")
    install("scrmkit-old", {"rule.old": "Fake"}, requires="scrmkit<0.1")
    install("scrmkit-any", {"rule.any": "Fake"}, requires="attrs")
    settings('[plugins.a]\nuse = "rule.fake"\n[plugins.b]\nuse = "rule.old"\n')

    ran = run("doctor", "--json")

    told = {(one["level"], one["subject"]) for one in ran.json}
    assert ran.code == 1
    assert told >= {
        ("error", "rule.old (scrmkit-old 1.0)"),
        ("warning", "rule.any (scrmkit-any 1.0)"),
        ("warning", "environment"),
        ("error", "plugin"),
    }
    texts = [one["text"] for one in ran.json if one["subject"] == "plugin"]
    assert len(texts) == 2


def test_doctor_says_what_is_wrong_with_settings_and_with_plugins_at_once(run, install, settings):
    install("scrmkit-fake", {"rule.fake": "Fake"}, FAKE)
    settings('[scrmkit]\nzone = 1\n[plugins.a]\nuse = "rule.fake"\ncrop = "x"\n[plugins.b]\nuse = "rule.fake1"\n')

    ran = run("doctor", "--json")

    told = {(one["subject"], one["text"].partition(":")[0]) for one in ran.json if one["level"] == "error"}
    assert told >= {("settings", "scrmkit.zone"), ("plugin", "plugins.a.crop"), ("plugin", "plugins.b.use")}


def test_doctor_says_it_in_words(run, settings):
    settings("[scrmkit]\nzone = 1\n")

    ran = run("doctor")

    assert ran.code == 1
    assert "ERROR    settings: scrmkit.zone: expected a text, found a whole number" in ran.out
