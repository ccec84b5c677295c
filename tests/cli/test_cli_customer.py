"""``customer show``, over imported orders and a tag."""

from __future__ import annotations

import pytest

PLUGINS = """
    from scrmkit.domain.decisions import Decision
    from scrmkit.domain.effects import AddTag, SetAttribute
    from scrmkit.domain.profile import TagSource

    class Tagger:
        kinds = frozenset({"order.paid"})

        def __init__(self, context):
            pass

        def needs(self, touchpoint):
            return ()

        def decide(self, touchpoint, known, now):
            tag = AddTag(group="buys", name="much", source=TagSource.INTERACTION)
            large = touchpoint.payload.amount_fen > 500
            return Decision(
                reason="buys much",
                effects=(tag, SetAttribute(name="best", value=9)) if large else (),
            )
"""
SETTINGS = """
[scrmkit]
tenants = ["main", "other"]
[plugins.tagger]
use = "rule.tagger"
"""
ORDERS = """\
order_no,phone,member_no,amount,date
A1,13900000001,M-11112222,9.00,2026-01-02
A2,13900000002,M-33334444,1.00,2026-01-02
"""


@pytest.fixture
def ready(run, install, folder):
    install("scrmkit-tagger", {"rule.tagger": "Tagger"}, PLUGINS)
    (folder / "scrmkit.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / "orders.csv").write_text(ORDERS, encoding="utf-8")
    run("db", "upgrade")
    assert run("import", "orders", "orders.csv", "--tenant", "main").code == 0
    return folder


@pytest.mark.parametrize("who", ["phone:+8613900000001", "member:M-11112222"])
def test_a_customer_is_found_by_what_a_platform_calls_them(run, ready, who):
    told = run("customer", "show", who, "--tenant", "main", "--json").json

    assert told["identities"] == [
        {"kind": "member", "scope": "", "value": "M-1…22"},
        {"kind": "phone", "scope": "", "value": "+86…01"},
    ]
    assert told["attributes"] == {"tagger.best": 9}
    assert [(tag["group"], tag["name"], tag["plugin"]) for tag in told["tags"]] == [
        ("buys", "much", "tagger")
    ]


def test_a_customer_is_found_by_id(run, ready):
    first = run("customer", "show", "phone:+8613900000001", "--tenant", "main", "--json").json

    ran = run("customer", "show", str(first["id"]), "--tenant", "main")

    assert ran.out.startswith(f"Customer {first['id']} of main\n")
    assert "13900000001" not in ran.out


def test_names_of_platforms_are_shown_when_asked_for(run, ready):
    ran = run("customer", "show", "member:M-11112222", "--tenant", "main", "--personal")

    assert "phone: +8613900000001" in ran.out


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        pytest.param(["phone:+861", "--tenant", "main"], 1, "of this phone", id="unknown"),
        pytest.param(["4711", "--tenant", "main"], 1, "no customer 4711", id="unknown id"),
        pytest.param(["nonsense", "--tenant", "main"], 2, "KIND:VALUE", id="no identity"),
        pytest.param(["phone:", "--tenant", "main"], 2, "1 to 256", id="empty value"),
        pytest.param(["4711"], 1, "--tenant", id="no tenant"),
        pytest.param(["phone:+8613900000001", "--tenant", "other"], 1, "of this", id="another's"),
    ],
)
def test_a_customer_who_is_not_there_is_one_message(run, ready, arguments, code, problem):
    ran = run("customer", "show", *arguments)

    assert ran.code == code
    assert problem in ran.err
