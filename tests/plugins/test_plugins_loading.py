"""Loading: what the settings enable is made in their order, or every fault is said."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest

from scrmkit.clock import VirtualClock
from scrmkit.domain.identity import CORE_IDENTITY_KINDS
from scrmkit.domain.kinds import CORE_KINDS
from scrmkit.errors import PluginError, SettingsError, UnknownNameError
from scrmkit.hooks import hookimpl
from scrmkit.plugins import Found, load_plugins
from scrmkit.settings import Secret

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
CLOCK = VirtualClock(NOON)
RULE = """
    class Fake:
        kinds = frozenset({"order.paid"})

        def __init__(self, context):
            self.context = context

        def needs(self, touchpoint):
            return ()

        def decide(self, touchpoint, known, now):
            return None
"""


class Rule:
    """A rule that has nothing to say."""

    kinds = frozenset({"order.paid"})

    def __init__(self, context):
        self.context = context

    def needs(self, touchpoint):
        return ()

    def decide(self, touchpoint, known, now):
        return None


class Quiet:
    """A plugin without any hook."""

    def __init__(self, context):
        self.context = context


def test_nothing_configured_loads_nothing_but_the_core(load):
    plugins = load({})

    assert plugins.plugins == ()
    assert plugins.kinds == {kind.name: kind for kind in CORE_KINDS}
    assert plugins.identity_kinds == CORE_IDENTITY_KINDS


def test_plugins_are_made_in_the_order_of_the_settings(install, load):
    install("scrmkit-fake", {"rule.fake": "{module}:Fake"}, RULE, version="2.0")

    plugins = load(
        {
            "second": {"use": "rule.fake", "tenant": "main"},
            "off": {"use": "rule.nowhere", "enabled": False},
            "first": {"use": "rule.mine"},
        },
        extra={"rule.mine": Rule},
    )

    told = [
        (plugin.name, plugin.family, plugin.type, plugin.whose, plugin.tenant, plugin.rank)
        for plugin in plugins.plugins
    ]
    assert told == [
        ("second", "rule", "fake", "scrmkit-fake 2.0", "main", 0),
        ("first", "rule", "mine", "this program", None, 1),
    ]
    assert plugins.named("first").plugin.context.clock.now() == NOON
    assert plugins.by_family("channel") == ()
    assert plugins.named("second").serves("main")
    assert not plugins.named("second").serves("other")


def test_one_type_can_be_configured_twice(load):
    plugins = load({"one": {"use": "rule.mine"}, "two": {"use": "rule.mine"}}, extra={"rule.mine": Rule})

    assert plugins.named("one").plugin is not plugins.named("two").plugin


def test_a_class_in_a_file_beside_the_settings_can_be_used(tmp_path, monkeypatch, settings_for):
    (tmp_path / "shop_rules_4711.py").write_text(
        "from __future__ import annotations\n" + "\n".join(line[4:] for line in RULE.splitlines())
    )
    monkeypatch.setattr("sys.path", ["/nowhere", *__import__("sys").path])
    settings = attrs.evolve(settings_for({"mine": {"use": "rule.shop_rules_4711:Fake"}}), folder=tmp_path)

    plugins = load_plugins(settings, CLOCK)

    assert plugins.named("mine").type == "mine"


def test_a_program_may_bring_a_function_that_makes_the_plugin(load):
    made = []

    def make(context):
        made.append(Rule(context))
        return made[0]

    assert load({"mine": {"use": "rule.mine"}}, extra={"rule.mine": make}).plugins[0].plugin is made[0]


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        pytest.param(lambda context: None, "it made nothing", id="nothing"),
        pytest.param(lambda context: object(), "it lacks the method 'decide'", id="no rule"),
    ],
)
def test_a_function_that_makes_no_plugin_is_refused(make, problem, problems_of):
    found = problems_of({"mine": {"use": "rule.mine"}}, extra={"rule.mine": make})

    assert problem in found[0]
    assert all(one.startswith("plugins.mine (this program): ") for one in found)


@attrs.frozen(kw_only=True)
class Options:
    """Settings of a plugin."""

    corp: str
    token: Secret


class Configured(Rule):
    """A rule with settings."""

    Settings = Options


def test_a_plugin_gets_its_typed_settings(load):
    plugins = load(
        {"mine": {"use": "rule.mine", "corp": "ww1", "token": {"env": "TOKEN"}}},
        extra={"rule.mine": Configured},
        TOKEN="t-1",
    )

    assert plugins.named("mine").plugin.context.settings == Options(corp="ww1", token=Secret("t-1"))


def test_problems_of_a_plugins_settings_have_toml_paths(problems_of):
    found = problems_of({"mine": {"use": "rule.mine", "crop": "ww1", "token": "t-1"}}, extra={"rule.mine": Configured})

    assert [problem.partition(": ")[0] for problem in found] == [
        "plugins.mine.crop",
        "plugins.mine.corp",
        "plugins.mine.token",
    ]


def test_a_plugin_without_settings_takes_none(problem_of):
    assert problem_of(Rule, corp="ww1") == "plugins.mine.corp: unknown setting"


@pytest.mark.parametrize(
    ("use", "problem"),
    [
        pytest.param("rule.fakee", "did you mean 'rule.fake'?", id="misspelt type"),
        pytest.param("rul.fake", "did you mean 'rule'?", id="misspelt family"),
        pytest.param("command.fake", "needs no settings", id="a command"),
        pytest.param("rule.nothing_4711:Fake", "No module named 'nothing_4711'", id="no module"),
        pytest.param("rule.json:Fake", "json has no Fake", id="no class"),
    ],
)
def test_a_use_that_leads_nowhere_is_refused(install, use, problem, problems_of):
    install("scrmkit-fake", {"rule.fake": "{module}:Fake"}, RULE)

    (found,) = problems_of({"x": {"use": use}})

    assert found.startswith("plugins.x")
    assert problem in found


def test_a_plugin_made_for_another_version_is_refused_before_its_import(install, problems_of):
    install("scrmkit-old", {"rule.old": "{module}:Old"}, "raise SystemExit", requires=["scrmkit<0.1"])

    assert problems_of({"old": {"use": "rule.old"}}) == [
        "plugins.old.use: scrmkit-old 1.0: it is made for scrmkit<0.1, and this is 0.1.0; install another"
    ]


def test_a_type_of_two_distributions_is_refused_with_both_names(install, problems_of):
    install("scrmkit-one", {"rule.fake": "{module}:Fake"}, RULE)
    install("scrmkit-two", {"rule.fake": "{module}:Fake"}, RULE)

    assert problems_of({"x": {"use": "rule.fake"}}) == [
        "plugins.x.use: 'rule.fake' is provided by scrmkit-one 1.0 and scrmkit-two 1.0; uninstall all but one"
    ]


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        pytest.param("import nothing_4711", "No module named 'nothing_4711'", id="import"),
        pytest.param("raise ValueError('canary')", "ValueError", id="another error"),
        pytest.param("raise SystemExit('canary')", "SystemExit", id="exit"),
        pytest.param("Fake = 1", "is no class", id="no class"),
        pytest.param("", "AttributeError", id="nothing there"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_named(install, source, problem, problems_of):
    install("scrmkit-fake", {"rule.fake": "{module}:Fake"}, source)

    (found,) = problems_of({"x": {"use": "rule.fake"}})

    assert found.startswith("plugins.x (scrmkit-fake 1.0): ")
    assert problem in found
    assert "canary" not in found


def test_a_constructor_that_raises_is_named_without_its_text(problem_of):
    class Raising(Rule):
        def __init__(self, context):
            raise RuntimeError("canary")

    assert problem_of(Raising) == ("plugins.mine (this program): its constructor failed: RuntimeError")


def test_a_constructor_that_refuses_its_settings_names_their_path(problem_of):
    class Refusing(Rule):
        def __init__(self, context):
            raise SettingsError(["provider: there is none of this name"])

    assert problem_of(Refusing) == "plugins.mine.provider: there is none of this name"


def test_settings_that_cannot_be_read_are_the_plugins_fault(problem_of):
    class Wrong(Rule):
        Settings = int

    assert "plugins.mine" in problem_of(Wrong)


def test_an_argument_with_a_default_is_handed_over_as_well(load):
    class Late(Quiet):
        @hookimpl
        def scrmkit_committed(self, touchpoint, *, outcome=None):
            pass

    plugins = load({"x": {"use": "hooks.x"}}, extra={"hooks.x": Late})

    (found,) = plugins.implementations("scrmkit_committed")
    assert found.argnames == ("touchpoint", "outcome")


class Observer(Quiet):
    """A plugin with one hook."""

    @hookimpl
    def scrmkit_committed(self, outcome):
        pass


def test_implementations_come_in_the_order_of_the_settings(load):
    plugins = load(
        {"b": {"use": "hooks.o"}, "a": {"use": "hooks.o"}, "c": {"use": "hooks.quiet"}},
        extra={"hooks.o": Observer, "hooks.quiet": Quiet},
    )

    found = plugins.implementations("scrmkit_committed")

    assert [(one.plugin.name, one.argnames) for one in found] == [("b", ("outcome",)), ("a", ("outcome",))]
    assert found[0].function == plugins.named("b").plugin.scrmkit_committed
    assert plugins.implementations("scrmkit_route") == ()
    with pytest.raises(UnknownNameError):
        plugins.implementations("scrmkit_nothing")


def test_the_scorer_of_the_stage_must_be_there(problems_of):
    assert problems_of({}, core={"stage_from": "value"}) == ["scrmkit.stage_from: no scorer of this name is enabled"]


TABLES = {"regulars": {"expression": {"tag": {"group": "loyalty"}}}}


def read_segments(settings):
    """Stands for the distribution that reads segments, and refuses them."""
    raise SettingsError([f"segments.{name}: no good" for name in settings.segments])


def break_down(settings):
    raise RuntimeError("canary")


@pytest.mark.parametrize(
    ("installed", "problem"),
    [
        pytest.param(
            (),
            "segments: nothing that is installed provides 'settings.segments'; install scrmkit-audience",
            id="nobody",
        ),
        pytest.param((read_segments,), "segments.regulars: no good", id="one who refuses them"),
        pytest.param((break_down,), "segments (this program): cannot be read: RuntimeError", id="one that is broken"),
        pytest.param(
            (read_segments, break_down),
            "segments: 'settings.segments' is provided by this program and this program; uninstall all but one",
            id="two",
        ),
    ],
)
def test_segments_are_read_by_who_provides_that(settings_for, monkeypatch, installed, problem):
    found = tuple(Found(name="settings.segments", load=lambda one=one: one) for one in installed)
    monkeypatch.setattr("scrmkit.plugins.loading.discover", lambda: found)

    with pytest.raises(PluginError) as caught:
        load_plugins(attrs.evolve(settings_for({}), segments=TABLES), CLOCK)

    assert list(caught.value.problems) == [problem]


def test_settings_without_segments_need_nobody_to_read_them(settings_for, monkeypatch):
    monkeypatch.setattr("scrmkit.plugins.loading.discover", lambda: ())

    assert load_plugins(settings_for({}), CLOCK).plugins == ()


def test_all_problems_of_all_plugins_are_said_at_once(install, problems_of):
    install("scrmkit-fake", {"rule.fake": "{module}:Fake"}, "import nothing_4711")

    found = problems_of(
        {"a": {"use": "rule.fake"}, "b": {"use": "rule.nothing"}, "c": {"use": "rule.mine", "x": 1}},
        extra={"rule.mine": Rule},
    )

    assert [problem[:9] for problem in found] == ["plugins.a", "plugins.b", "plugins.c"]


def test_a_plugin_whose_members_raise_is_named(problem_of):
    class Raising(Rule):
        @property
        def kinds(self):
            raise RuntimeError("canary")

    assert problem_of(Raising) == ("plugins.mine (this program): it cannot be checked: RuntimeError")


def test_a_name_that_is_not_configured_is_refused(load):
    with pytest.raises(UnknownNameError, match="did you mean 'mine'"):
        load({"mine": {"use": "rule.mine"}}, extra={"rule.mine": Rule}).named("mien")
