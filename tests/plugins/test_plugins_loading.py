"""Loading: what the settings enable is made in their order, or every fault is said."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest

from scrmkit.clock import VirtualClock
from scrmkit.domain.identity import CORE_IDENTITY_KINDS
from scrmkit.domain.kinds import CORE_KINDS
from scrmkit.domain.touchpoint import TouchpointKind
from scrmkit.errors import PluginError, UnknownNameError
from scrmkit.hooks import hookimpl
from scrmkit.plugins import load_plugins
from scrmkit.settings import Secret, settings_from

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


def settings_for(plugins, core=None, **environ):
    environ = {"SCRMKIT_SECRET": "correct-horse-battery", **environ}
    return settings_from({"scrmkit": core or {}, "plugins": plugins}, environ)


def load(plugins, core=None, extra=None, **environ):
    return load_plugins(settings_for(plugins, core, **environ), CLOCK, extra=extra or {})


def problems_of(*args, **options):
    with pytest.raises(PluginError) as caught:
        load(*args, **options)
    return list(caught.value.problems)


def problem_of(cls, family="rule", **options):
    (problem,) = problems_of(
        {"mine": {"use": f"{family}.mine", **options}}, extra={f"{family}.mine": cls}
    )
    return problem


def test_nothing_configured_loads_nothing_but_the_core():
    plugins = load({})

    assert plugins.plugins == ()
    assert plugins.kinds == {kind.name: kind for kind in CORE_KINDS}
    assert plugins.identity_kinds == CORE_IDENTITY_KINDS


def test_plugins_are_made_in_the_order_of_the_settings(install):
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
    assert plugins.named("first").plugin.context.clock is CLOCK
    assert plugins.by_family("channel") == ()
    assert plugins.named("second").serves("main")
    assert not plugins.named("second").serves("other")


def test_one_type_can_be_configured_twice():
    plugins = load(
        {"one": {"use": "rule.mine"}, "two": {"use": "rule.mine"}}, extra={"rule.mine": Rule}
    )

    assert plugins.named("one").plugin is not plugins.named("two").plugin


def test_a_class_in_a_file_beside_the_settings_can_be_used(tmp_path, monkeypatch):
    (tmp_path / "shop_rules_4711.py").write_text(
        "from __future__ import annotations\n" + "\n".join(line[4:] for line in RULE.splitlines())
    )
    monkeypatch.setattr("sys.path", ["/nowhere", *__import__("sys").path])
    settings = attrs.evolve(
        settings_for({"mine": {"use": "rule.shop_rules_4711:Fake"}}), folder=tmp_path
    )

    plugins = load_plugins(settings, CLOCK)

    assert plugins.named("mine").type == "mine"


@attrs.frozen(kw_only=True)
class Options:
    """Settings of a plugin."""

    corp: str
    token: Secret


class Configured(Rule):
    """A rule with settings."""

    Settings = Options


def test_a_plugin_gets_its_typed_settings():
    plugins = load(
        {"mine": {"use": "rule.mine", "corp": "ww1", "token": {"env": "TOKEN"}}},
        extra={"rule.mine": Configured},
        TOKEN="t-1",
    )

    assert plugins.named("mine").plugin.context.settings == Options(corp="ww1", token=Secret("t-1"))


def test_problems_of_a_plugins_settings_have_toml_paths():
    found = problems_of(
        {"mine": {"use": "rule.mine", "crop": "ww1", "token": "t-1"}},
        extra={"rule.mine": Configured},
    )

    assert [problem.partition(": ")[0] for problem in found] == [
        "plugins.mine.crop",
        "plugins.mine.corp",
        "plugins.mine.token",
    ]


def test_a_plugin_without_settings_takes_none():
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
def test_a_use_that_leads_nowhere_is_refused(install, use, problem):
    install("scrmkit-fake", {"rule.fake": "{module}:Fake"}, RULE)

    (found,) = problems_of({"x": {"use": use}})

    assert found.startswith("plugins.x")
    assert problem in found


def test_a_plugin_made_for_another_version_is_refused_before_its_import(install):
    install(
        "scrmkit-old", {"rule.old": "{module}:Old"}, "raise SystemExit", requires=["scrmkit<0.1"]
    )

    assert problems_of({"old": {"use": "rule.old"}}) == [
        "plugins.old.use: scrmkit-old 1.0: it is made for scrmkit<0.1, and this is 0.1.0;"
        " install another"
    ]


def test_a_type_of_two_distributions_is_refused_with_both_names(install):
    install("scrmkit-one", {"rule.fake": "{module}:Fake"}, RULE)
    install("scrmkit-two", {"rule.fake": "{module}:Fake"}, RULE)

    assert problems_of({"x": {"use": "rule.fake"}}) == [
        "plugins.x.use: 'rule.fake' is provided by scrmkit-one 1.0 and scrmkit-two 1.0;"
        " uninstall all but one"
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
def test_a_plugin_that_cannot_be_imported_is_named(install, source, problem):
    install("scrmkit-fake", {"rule.fake": "{module}:Fake"}, source)

    (found,) = problems_of({"x": {"use": "rule.fake"}})

    assert found.startswith("plugins.x (scrmkit-fake 1.0): ")
    assert problem in found
    assert "canary" not in found


def test_a_constructor_that_raises_is_named_without_its_text():
    class Raising(Rule):
        def __init__(self, context):
            raise RuntimeError("canary")

    assert problem_of(Raising) == (
        "plugins.mine (this program): its constructor failed: RuntimeError"
    )


def test_settings_that_cannot_be_read_are_the_plugins_fault():
    class Wrong(Rule):
        Settings = int

    assert "plugins.mine" in problem_of(Wrong)


class Nothing:
    """A plugin that lacks everything."""

    def __init__(self, context):
        pass


@pytest.mark.parametrize(
    ("family", "members"),
    [
        ("rule", {"kinds", "needs", "decide"}),
        (
            "mechanic",
            {"Rules", "State", "kinds", "address", "needs", "open", "act", "due", "violations"},
        ),
        ("connector", {"operations", "send", "ask"}),
        ("channel", {"operations", "send", "ask", "reach", "receive"}),
        ("scorer", {"kinds", "empty", "fold", "combine", "calibrate", "score"}),
        ("hooks", set()),
    ],
)
def test_every_missing_member_of_a_family_is_named(family, members):
    if not members:
        assert load({"x": {"use": f"{family}.x"}}, extra={f"{family}.x": Nothing}).plugins
        return
    found = problems_of({"x": {"use": f"{family}.x"}}, extra={f"{family}.x": Nothing})

    assert {problem.split("'")[1] for problem in found} == members


def test_a_method_that_does_not_take_its_arguments_is_refused():
    class Short(Rule):
        def decide(self, touchpoint):
            return None

    assert problem_of(Short).endswith("its method 'decide' does not take (touchpoint, known, now)")


def test_a_class_is_checked_even_where_no_object_could_be_made():
    class Broken(Configured):
        decide = None

        @hookimpl
        def scrmkit_comitted(self, touchpoint):
            pass

    found = problems_of({"mine": {"use": "rule.mine"}}, extra={"rule.mine": Broken})

    assert [problem.partition(": ")[0] for problem in found] == [
        "plugins.mine.corp",
        "plugins.mine.token",
        "plugins.mine (this program)",
        "plugins.mine (this program)",
    ]


class Observer(Quiet):
    """A plugin with one hook."""

    @hookimpl
    def scrmkit_committed(self, outcome):
        pass


def test_implementations_come_in_the_order_of_the_settings():
    plugins = load(
        {"b": {"use": "hooks.o"}, "a": {"use": "hooks.o"}, "c": {"use": "hooks.quiet"}},
        extra={"hooks.o": Observer, "hooks.quiet": Quiet},
    )

    found = plugins.implementations("scrmkit_committed")

    assert [(one.plugin.name, one.argnames) for one in found] == [
        ("b", ("outcome",)),
        ("a", ("outcome",)),
    ]
    assert found[0].function == plugins.named("b").plugin.scrmkit_committed
    assert plugins.implementations("scrmkit_route") == ()
    with pytest.raises(UnknownNameError):
        plugins.implementations("scrmkit_nothing")


def hooks_with(**functions):
    return type("Hooks", (Quiet,), functions)


def marked(function, **options):
    return hookimpl(**options)(function)


@pytest.mark.parametrize(
    ("cls", "problem"),
    [
        pytest.param(
            hooks_with(scrmkit_comitted=marked(lambda self, outcome: None)),
            "unknown hook scrmkit_comitted; did you mean 'scrmkit_committed'?",
            id="unknown hook",
        ),
        pytest.param(
            hooks_with(scrmkit_committed=marked(lambda self, outcom: None)),
            "unknown argument 'outcom' of hook scrmkit_committed; did you mean 'outcome'?",
            id="unknown argument",
        ),
        pytest.param(
            hooks_with(scrmkit_committed=marked(lambda self: None, tryfirst=True)),
            "hook scrmkit_committed is marked tryfirst, which means nothing here:"
            " the order is the settings' own: move its table up or down in the file",
            id="tryfirst",
        ),
        pytest.param(
            hooks_with(scrmkit_committed=marked(lambda self: None, trylast=True)),
            "hook scrmkit_committed is marked trylast",
            id="trylast",
        ),
        pytest.param(
            hooks_with(scrmkit_committed=marked(lambda self: (yield), wrapper=True)),
            "hook scrmkit_committed is marked wrapper",
            id="wrapper",
        ),
        pytest.param(
            hooks_with(scrmkit_committed=marked(lambda self: (yield), hookwrapper=True)),
            "hook scrmkit_committed is marked hookwrapper",
            id="old wrapper",
        ),
        pytest.param(
            hooks_with(other=marked(lambda self: None, specname="scrmkit_rout")),
            "unknown hook scrmkit_rout; did you mean 'scrmkit_route'?",
            id="under another name",
        ),
        pytest.param(
            hooks_with(scrmkit_committed=lambda self, outcome: None),
            "scrmkit_committed is not marked with @hookimpl, and would never be called",
            id="not marked",
        ),
    ],
)
def test_a_wrong_hook_is_refused(cls, problem):
    assert problem_of(cls, "hooks").startswith(f"plugins.mine (this program): {problem}")


def test_an_optional_hook_may_be_unknown():
    cls = hooks_with(scrmkit_from_the_future=marked(lambda self: None, optionalhook=True))

    assert load({"x": {"use": "hooks.x"}}, extra={"hooks.x": cls}).named("x")


@attrs.frozen
class Payload:
    """What happened."""


@attrs.frozen
class Other:
    """Something else."""


def with_kinds(*names, payload=Payload, listens=frozenset()):
    kinds = tuple(TouchpointKind(name=name, payload=payload) for name in names)
    members = {"touchpoint_kinds": kinds, "kinds": listens, "identity_kinds": {"badge"}}
    return type("WithKinds", (Rule,), members)


@pytest.mark.parametrize("name", ["group-buy.opened", "group_buy.opened"])
def test_a_plugin_registers_kinds_that_start_with_its_type(name):
    plugins = load(
        {"x": {"use": "rule.group-buy"}, "y": {"use": "rule.group-buy"}},
        extra={"rule.group-buy": with_kinds(name)},
    )

    assert plugins.kinds[name].payload is Payload
    assert plugins.identity_kinds == CORE_IDENTITY_KINDS | {"badge"}


def test_a_kind_of_another_type_is_refused():
    assert problem_of(with_kinds("yours.won")).endswith(
        "its kind 'yours.won' does not start with its type; call it mine.…"
    )


def test_a_kind_that_two_register_otherwise_is_refused_with_both_names(install):
    source = (
        RULE
        + """
        import attrs
        from scrmkit.domain.touchpoint import TouchpointKind
        payload = attrs.make_class("Payload", [])
        touchpoint_kinds = (TouchpointKind(name="fake.won", payload=payload),)
    """
    )
    install("scrmkit-one", {"rule.fake": "{module}:Fake"}, source)
    install("scrmkit-two", {"scorer.fake": "{module}:Fake", "hooks.fake": "{module}:Fake"}, source)

    assert problems_of({"a": {"use": "rule.fake"}, "b": {"use": "hooks.fake"}}) == [
        "plugins.b (scrmkit-two 1.0): its kind 'fake.won' is registered otherwise by"
        " scrmkit-one 1.0"
    ]


@pytest.mark.parametrize(
    ("kind", "fits"),
    [
        pytest.param("order.paid", True, id="the core's"),
        pytest.param("order.payed", False, id="misspelt"),
        pytest.param("bargain.won", True, id="of a plugin that is not there"),
        pytest.param("mine.won", True, id="its own"),
        pytest.param("mine.one", False, id="its own, misspelt"),
    ],
)
def test_listening_to_a_kind_that_cannot_come_is_refused(kind, fits):
    cls = with_kinds("mine.won", listens=frozenset({kind}))

    if fits:
        assert load({"mine": {"use": "rule.mine"}}, extra={"rule.mine": cls})
    else:
        assert "did you mean" in problem_of(cls)


def test_the_scorer_of_the_stage_must_be_there():
    assert problems_of({}, core={"stage_from": "value"}) == [
        "scrmkit.stage_from: no scorer of this name is enabled"
    ]


def test_all_problems_of_all_plugins_are_said_at_once(install):
    install("scrmkit-fake", {"rule.fake": "{module}:Fake"}, "import nothing_4711")

    found = problems_of(
        {
            "a": {"use": "rule.fake"},
            "b": {"use": "rule.nothing"},
            "c": {"use": "rule.mine", "x": 1},
        },
        extra={"rule.mine": Rule},
    )

    assert [problem[:9] for problem in found] == ["plugins.a", "plugins.b", "plugins.c"]


def test_a_plugin_whose_members_raise_is_named():
    class Raising(Rule):
        @property
        def kinds(self):
            raise RuntimeError("canary")

    assert problem_of(Raising) == (
        "plugins.mine (this program): it cannot be checked: RuntimeError"
    )


def test_a_name_that_is_not_configured_is_refused():
    with pytest.raises(UnknownNameError, match="did you mean 'mine'"):
        load({"mine": {"use": "rule.mine"}}, extra={"rule.mine": Rule}).named("mien")
