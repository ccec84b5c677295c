"""What a plugin's class must be: its protocol, its hooks and its kinds."""

from __future__ import annotations

import attrs
import pytest

from scrmkit import protocols
from scrmkit.domain.identity import CORE_IDENTITY_KINDS
from scrmkit.domain.touchpoint import TouchpointKind
from scrmkit.hooks import hookimpl
from scrmkit.settings import Secret

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


@attrs.frozen(kw_only=True)
class Options:
    """Settings of a plugin."""

    corp: str
    token: Secret


class Configured(Rule):
    """A rule with settings."""

    Settings = Options


class Nothing:
    """A plugin that lacks everything."""

    def __init__(self, context):
        pass


@pytest.mark.parametrize(
    ("family", "members"),
    [
        ("rule", {"kinds", "needs", "decide"}),
        ("mechanic", {"Rules", "State", "kinds", "address", "needs", "open", "act", "due", "violations"}),
        ("connector", {"operations", "send", "ask"}),
        ("channel", {"operations", "send", "ask", "reach", "receive"}),
        ("scorer", {"kinds", "empty", "fold", "combine", "calibrate", "score"}),
        ("hooks", set()),
    ],
)
def test_every_missing_member_of_a_family_is_named(family, members, load, problems_of):
    if not members:
        assert load({"x": {"use": f"{family}.x"}}, extra={f"{family}.x": Nothing}).plugins
        return
    found = problems_of({"x": {"use": f"{family}.x"}}, extra={f"{family}.x": Nothing})

    assert {problem.split("'")[1] for problem in found} == members


def test_a_method_that_does_not_take_its_arguments_is_refused(problem_of):
    class Short(Rule):
        def decide(self, touchpoint):
            return None

    assert problem_of(Short).endswith("its method 'decide' does not take (touchpoint, known, now)")


def test_a_method_inherited_from_the_protocol_itself_is_missing(problem_of):
    class Inheriting(protocols.Rule):
        kinds = frozenset({"order.paid"})

        def __init__(self, context):
            pass

        def needs(self, touchpoint):
            return ()

    assert problem_of(Inheriting).endswith("it lacks the method 'decide' of a rule")


def test_a_class_is_checked_even_where_no_object_could_be_made(problems_of):
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
def test_a_wrong_hook_is_refused(cls, problem, problem_of):
    assert problem_of(cls, "hooks").startswith(f"plugins.mine (this program): {problem}")


def test_an_optional_hook_may_be_unknown(load):
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
def test_a_plugin_registers_kinds_that_start_with_its_type(name, load):
    plugins = load(
        {"x": {"use": "rule.group-buy"}, "y": {"use": "rule.group-buy"}}, extra={"rule.group-buy": with_kinds(name)}
    )

    assert plugins.kinds[name].payload is Payload
    assert plugins.identity_kinds == CORE_IDENTITY_KINDS | {"badge"}


def test_a_kind_of_another_type_is_refused(problem_of):
    assert problem_of(with_kinds("yours.won")).endswith(
        "its kind 'yours.won' does not start with its type; call it mine.…"
    )


def test_a_kind_that_two_register_otherwise_is_refused_with_both_names(install, problems_of):
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
        "plugins.b (scrmkit-two 1.0): its kind 'fake.won' is registered otherwise by scrmkit-one 1.0"
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
def test_listening_to_a_kind_that_cannot_come_is_refused(kind, fits, load, problem_of):
    cls = with_kinds("mine.won", listens=frozenset({kind}))

    if fits:
        assert load({"mine": {"use": "rule.mine"}}, extra={"rule.mine": cls})
    else:
        assert "did you mean" in problem_of(cls)
