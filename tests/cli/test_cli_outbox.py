"""``outbox`` and quarantine, over what two plugins left behind."""

from __future__ import annotations

import pytest

from scrmkit.cli import context as cli_context


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
    doctor = run("doctor", "--json")
    assert doctor.code == 1
    assert "scrmkit plugin release thanks" in doctor.out
    assert "canary" not in doctor.out

    assert run("plugin", "release", "thanks").code == 0

    (row,) = [row for row in run("plugin", "list", "--json").json if row["configured_as"] == "thanks"]
    assert row["state"] == "enabled"
    assert run("doctor").code == 0


def test_releasing_what_is_not_configured_is_refused(run, ready):
    assert "did you mean 'thanks'" in run("plugin", "release", "thank").err


def set_status(ready, status):
    context = cli_context.CliContext(path=ready / "scrmkit.toml", environ={"SCRMKIT_SECRET": "x" * 16})
    with context.database(context.settings()) as database, database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE scrmkit_outgoing SET status = ?, code = 'gone'", (status,))


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


@pytest.mark.parametrize(("outcome", "status"), [("done", "delivered"), ("not-done", "planned"), ("given-up", "lost")])
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
