"""``status``, ``outbox list`` and quarantine, over what two plugins left behind."""

from __future__ import annotations

import pytest

from scrmkit.cli import context as cli_context


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


def set_status(ready, status):
    context = cli_context.CliContext(
        path=ready / "scrmkit.toml", environ={"SCRMKIT_SECRET": "x" * 16}
    )
    with context.database(context.settings()) as database, database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE outgoing SET status = ?, code = 'gone'", (status,))


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ([], 2),
        (["--connector", "letters", "--code", "gone", "--status", "dead"], 2),
        (["--connector", "other"], 0),
        (["--status", "lost"], 0),
    ],
)
def test_dead_letters_are_sent_again(run, ready, arguments, count):
    set_status(ready, "dead")

    assert run("outbox", "redrive", *arguments, "--json").json == {"redriven": count}

    rows = run("outbox", "list", "--status", "planned", "--json").json
    assert [row["code"] for row in rows] == ["redriven"] * count


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("done", "delivered"), ("not-done", "planned"), ("given-up", "lost")],
)
def test_a_person_says_what_became_of_something_unknown(run, ready, outcome, status):
    set_status(ready, "unknown")
    number = str(run("outbox", "list", "--json").json[0]["id"])

    assert run("outbox", "settle", number, outcome).code == 0

    assert run("outbox", "list", "--json").json[0]["status"] == status
    assert run("outbox", "settle", number, outcome).code == 1


def test_only_what_was_sent_can_be_settled(run, ready):
    ran = run("outbox", "settle", "4711", "done")

    assert ran.code == 1
    assert "4711" in ran.err


def test_a_replay_rebuilds_the_same_state(run, ready):
    ran = run("replay", "--json")

    assert ran.code == 0
    assert ran.json == {
        "touchpoints": 3,
        "before": run("digest").out.strip(),
        "after": run("digest").out.strip(),
        "same": True,
        "differences": [],
    }
    assert "The same came of it." in run("replay").err


def test_a_replay_says_what_was_changed_behind_the_back(run, ready):
    set_status(ready, "dead")

    ran = run("replay", "--json")

    assert ran.code == 1
    assert ran.json["same"] is False
    assert "outgoing" in ran.json["differences"]


def test_a_replay_can_be_kept(run, ready):
    url = f"sqlite:///{ready}/kept.db"

    assert run("replay", "--into", url).code == 0

    assert (ready / "kept.db").exists()
    assert run("replay", "--into", url).code == 1


def test_why_a_message_was_planned(run, ready):
    number = run("outbox", "list", "--json").json[0]["id"]

    told = run("why", "member:M2", f"message:{number}", "--json").json

    assert told["words"] == (f"message:{number} is planned; thanks: thanks, at order.paid from csv")
    assert told["outgoing"]["because"] == "thanks"
    assert told["outgoing"]["verdict"]["code"] == "ok"
    told = run("why", "member:M2", f"message:{number}")
    assert "decided by thanks: thanks" in told.out
    assert "canary" not in told.out


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        pytest.param(["member:M1", "tag:a/b"], 1, "no tag:a/b", id="no such tag"),
        pytest.param(["member:M9", "tag:a/b"], 1, "of this member", id="no such customer"),
        pytest.param(["member:M1", "tag"], 2, "tag:GROUP/NAME", id="no effect"),
    ],
)
def test_what_has_no_reason_is_one_message(run, ready, arguments, code, problem):
    ran = run("why", *arguments)

    assert ran.code == code
    assert problem in ran.err


def test_a_journey_tells_what_happened_and_what_was_decided(run, ready):
    told = run("customer", "journey", "member:M2", "--json").json

    assert [entry["what"] for entry in told["entries"]] == ["touchpoint", "decision", "message"]
    ran = run("customer", "journey", "member:M2")
    assert "order.paid from csv" in ran.out
    assert "thanks: thanks" in ran.out
    assert "canary" not in ran.out
