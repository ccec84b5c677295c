"""``status``, ``outbox list`` and quarantine, over what two plugins left behind."""

from __future__ import annotations

import pytest

from scrmkit.cli import context as cli_context

PLUGINS = """
    import attrs
    from scrmkit.domain.decisions import Decision
    from scrmkit.domain.effects import Propose
    from scrmkit.domain.messages import Accepted, Message, Operation, Purpose

    @attrs.frozen(kw_only=True)
    class Text:
        text: str

    class Letters:
        operations = {"send": Operation(body=Text)}

        def __init__(self, context):
            pass

        def send(self, operation, batch):
            return [Accepted() for _ in batch]

        def ask(self, operation, batch):
            return [Accepted() for _ in batch]

        def reach(self, identities):
            return identities[0] if identities else None

        def receive(self, request):
            raise NotImplementedError

    class Thanks:
        kinds = frozenset({"order.paid"})

        def __init__(self, context):
            pass

        def needs(self, touchpoint):
            return ()

        def decide(self, touchpoint, known, now):
            if touchpoint.payload.amount_fen == 666:
                raise RuntimeError("canary")
            message = Message(
                channel="letters", content=Text(text="canary"), purpose=Purpose.TRANSACTIONAL
            )
            effect = Propose(message=message, once=touchpoint.payload.order_no)
            return Decision(reason="thanks", effects=(effect,))
"""
SETTINGS = """
[scrmkit]
calls.quarantine_after = 1
[plugins.letters]
use = "channel.letters"
[plugins.thanks]
use = "rule.thanks"
"""


@pytest.fixture
def ready(run, install, folder):
    """A database with three orders; two of them are thanked for."""
    points = {"channel.letters": "Letters", "rule.thanks": "Thanks"}
    install("scrmkit-letters", points, PLUGINS)
    (folder / "scrmkit.toml").write_text(SETTINGS, encoding="utf-8")
    run("db", "upgrade")
    rows = "A1,M1,1,2026-01-02\nA2,M2,1,2026-01-02\nA3,M3,6.66,2026-01-02\n"
    (folder / "orders.csv").write_text(f"order_no,member_no,amount,date\n{rows}")
    assert run("import", "orders", "orders.csv").code == 0
    return folder


def test_status_counts_what_there_is(run, ready):
    told = run("status", "--json").json

    assert [row["plugin"] for row in told["quarantined"]] == ["thanks"]
    assert told["closed_lanes"] == []
    (tenant,) = told["tenants"]
    (lane,) = tenant.pop("outgoing")
    assert tenant == {
        "tenant": "main",
        "customers": 3,
        "touchpoints": 3,
        "kinds": {"order.paid": 3},
        "instances": {},
        "parked": 0,
        "timers": 0,
    }
    assert (lane["connector"], lane["status"], lane["count"]) == ("letters", "planned", 2)
    assert "letters/send  planned  ok    2" in run("status").out


def test_status_of_an_unknown_tenant_is_refused(run, ready):
    ran = run("status", "--tenant", "other")

    assert ran.code == 1
    assert "name one of the tenants main" in ran.err


def test_status_needs_a_database(run, folder):
    run("init")

    ran = run("status")

    assert ran.code == 1
    assert "scrmkit db upgrade" in ran.err
    assert not (folder / "scrmkit.db").exists()


def test_status_can_be_asked_while_another_process_writes(run, ready):
    context = cli_context.CliContext(
        path=ready / "scrmkit.toml", environ={"SCRMKIT_SECRET": "x" * 16}
    )

    with context.engine() as engine, engine.database.writing():
        assert run("status", "--json").json["tenants"][0]["customers"] == 3


def test_the_outbox_is_listed_without_anything_personal(run, ready):
    ran = run("outbox", "list", "--json")

    assert [(row["connector"], row["status"], row["purpose"]) for row in ran.json] == [
        ("letters", "planned", "transactional")
    ] * 2
    assert "canary" not in ran.out


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        (["--status", "planned", "--status", "dead"], 2),
        (["--status", "dead"], 0),
        (["--connector", "letters"], 2),
        (["--connector", "other"], 0),
        (["--tenant", "main"], 2),
        (["--limit", "1"], 1),
    ],
)
def test_the_outbox_is_filtered(run, ready, arguments, count):
    ran = run("outbox", "list", *arguments, "--json")

    assert len(ran.json) == count
    assert ("There are more than" in ran.err) is ("--limit" in arguments)


def test_a_plugin_in_quarantine_is_shown_and_let_out(run, ready):
    rows = run("plugin", "list", "--json").json
    (row,) = [row for row in rows if row["configured_as"] == "thanks"]
    assert row["state"].startswith("in quarantine since ")
    assert run("status", "--json").json["quarantined"][0]["plugin"] == "thanks"
    doctor = run("doctor", "--json")
    assert doctor.code == 1
    assert "scrmkit plugin release thanks" in doctor.out
    assert "canary" not in doctor.out

    assert run("plugin", "release", "thanks").code == 0

    assert run("status", "--json").json["quarantined"] == []
    assert run("doctor").code == 0


def test_releasing_what_is_not_configured_is_refused(run, ready):
    assert "did you mean 'thanks'" in run("plugin", "release", "thank").err


def test_the_digest_is_one_hash_that_changes_with_the_state(run, ready):
    first = run("digest")
    again = run("digest", "--json").json
    (ready / "more.csv").write_text("member_no,amount,date\nM9,1,2026-01-02\n")
    run("import", "orders", "more.csv")

    assert first.out == f"{again['digest']}\n"
    assert set(again["tenants"]) == {"main"}
    assert run("digest").out != first.out
    assert run("digest", "--tenant", "other").code == 1
