"""``status``, ``digest``, ``replay``, ``why`` and ``customer``, over what plugins left behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scrmkit.cli.context import CliContext
from scrmkit.domain.decisions import Decision
from scrmkit.domain.effects import AddTag, Propose, SetAttribute
from scrmkit.domain.identity import MEMBER, Identity
from scrmkit.domain.messages import Message, Purpose
from scrmkit.domain.profile import TagSource
from scrmkit.testing import FakeChannel, FakeRule, FakeText, engine_in, make_identity
from scrmkit.testing import make_order_paid as order

CANARY = "canary"


def thanked(touchpoint: Any, known: Any, now: Any) -> Decision:
    """Thank for an order, and break at one of 6.66 yuan."""
    if touchpoint.payload.amount_fen == 666:
        raise RuntimeError(CANARY)
    content = FakeText(text=CANARY)
    message = Message(channel="letters", content=content, purpose=Purpose.TRANSACTIONAL)
    return Decision(reason="thanks", effects=(Propose(message=message, once=touchpoint.key),))


def who(number: int) -> Iterable[Identity]:
    """What two platforms call somebody."""
    member = make_identity(f"M-{number}111222{number}", kind=MEMBER)
    return member, make_identity(f"+861390000000{number}")


def record(folder: Path, *orders: tuple[str, int, int]) -> None:
    """Record orders of somebody, of so many fen."""
    plugins = {"channel.letters": FakeChannel(), "rule.thanks": FakeRule("order.paid", decide=thanked)}
    with engine_in(folder, plugins, calls={"quarantine_after": 1}) as engine:
        for order_no, number, fen in orders:
            engine.record(order(order_no, fen, identities=who(number), source="csv"))


@pytest.fixture
def ready(folder: Path) -> Path:
    """A database with three orders; two of them are thanked for."""
    record(folder, ("A1", 1, 100), ("A2", 2, 100), ("A3", 3, 666))
    return folder


@pytest.fixture
def tagged(folder: Path) -> Path:
    """A database of two tenants; in one of them somebody has a tag."""
    tag = AddTag(group="buys", name="much", source=TagSource.INTERACTION)
    said = Decision(reason="buys much", effects=(tag, SetAttribute(name="best", value=9)))
    tenants = ["main", "other"]
    (folder / "scrmkit.toml").write_text(f'[scrmkit]\ndatabase = "sqlite:///engine.db"\ntenants = {tenants}\n')
    rules = {"rule.tagger": FakeRule("order.paid", decide=said)}
    with engine_in(folder, rules, tenants=tenants) as engine:
        engine.record(order(identities=who(1), tenant="main"))
    return folder


def in_the_table(ready: Path, statement: str) -> list[Any]:
    """Change or read the tables behind the engine's back."""
    with closing(sqlite3.connect(ready / "engine.db", isolation_level=None)) as connection:
        return connection.execute(statement).fetchall()


# --- status ------------------------------------------------------------------------------


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
    ran = run("status")
    assert "letters/send  planned  ok    2" in ran.out
    assert "plugin thanks is in quarantine since" in ran.out


def test_status_of_an_unknown_tenant_is_refused(run, ready):
    ran = run("status", "--tenant", "other")

    assert ran.code == 2
    assert "name one of the tenants main" in ran.err


def test_status_needs_a_database(run, folder):
    ran = run("status")

    assert ran.code == 1
    assert "scrmkit db upgrade" in ran.err
    assert not (folder / "engine.db").exists()


def test_status_can_be_asked_while_another_process_writes(run, ready):
    context = CliContext(path=ready / "scrmkit.toml", environ={"SCRMKIT_SECRET": "x" * 16})

    with context.engine() as engine, engine.database.writing():
        assert run("status", "--json").json["tenants"][0]["customers"] == 3


# --- digest and replay -------------------------------------------------------------------


def test_the_digest_is_one_hash_that_changes_with_the_state(run, ready):
    first = run("digest")
    again = run("digest", "--json").json
    record(ready, ("A4", 4, 1))

    assert first.out == f"{again['digest']}\n"
    assert set(again["tenants"]) == {"main"}
    assert run("digest").out != first.out
    assert run("digest", "--tenant", "other").code == 2


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
    in_the_table(ready, "UPDATE scrmkit_outgoing SET status = 'dead'")

    ran = run("replay", "--json")

    assert ran.code == 1
    assert ran.json["same"] is False
    assert "outgoing" in ran.json["differences"]


def test_a_replay_can_be_kept(run, ready):
    url = f"sqlite:///{ready}/kept.db"

    assert run("replay", "--into", url).code == 0

    assert (ready / "kept.db").exists()
    assert run("replay", "--into", url).code == 1


# --- why ---------------------------------------------------------------------------------


def test_why_a_message_was_planned(run, ready):
    number = in_the_table(ready, "SELECT id FROM scrmkit_outgoing ORDER BY id")[1][0]

    told = run("why", "member:M-21112222", f"message:{number}", "--json").json

    assert told["words"] == (f"message:{number} is planned; thanks: thanks, at order.paid from csv")
    assert told["outgoing"]["because"] == "thanks"
    assert told["outgoing"]["verdict"]["code"] == "ok"
    ran = run("why", "member:M-21112222", f"message:{number}")
    assert "decided by thanks: thanks" in ran.out
    assert CANARY not in ran.out


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        pytest.param(["member:M-11112221", "tag:a/b"], 1, "no tag:a/b", id="no such tag"),
        pytest.param(["member:M9", "tag:a/b"], 1, "of this member", id="no such customer"),
        pytest.param(["member:M-11112221", "tag"], 2, "tag:GROUP/NAME", id="no effect"),
    ],
)
def test_what_has_no_reason_is_one_message(run, ready, arguments, code, problem):
    ran = run("why", *arguments)

    assert ran.code == code
    assert problem in ran.err


# --- customer ----------------------------------------------------------------------------


def test_a_journey_tells_what_happened_and_what_was_decided(run, ready):
    told = run("customer", "journey", "member:M-21112222", "--json").json

    assert [entry["what"] for entry in told["entries"]] == ["touchpoint", "decision", "message"]
    ran = run("customer", "journey", str(told["customer"]))
    assert "order.paid from csv" in ran.out
    assert "thanks: thanks" in ran.out
    assert CANARY not in ran.out


@pytest.mark.parametrize("name", ["phone:+8613900000001", "member:M-11112221"])
def test_a_customer_is_found_by_what_a_platform_calls_them(run, tagged, name):
    told = run("customer", "show", name, "--tenant", "main", "--json").json

    assert told["identities"] == [
        {"kind": "member", "scope": "", "value": "M-1…21"},
        {"kind": "phone", "scope": "", "value": "+86…01"},
    ]
    assert told["attributes"] == {"tagger.best": 9}
    assert [(tag["group"], tag["name"], tag["plugin"]) for tag in told["tags"]] == [("buys", "much", "tagger")]


def test_a_customer_is_found_by_id(run, tagged):
    first = run("customer", "show", "phone:+8613900000001", "--tenant", "main", "--json").json

    ran = run("customer", "show", str(first["id"]), "--tenant", "main")

    assert ran.out.startswith(f"Customer {first['id']} of main\n")
    assert "13900000001" not in ran.out


def test_names_of_platforms_are_shown_when_asked_for(run, tagged):
    ran = run("customer", "show", "member:M-11112221", "--tenant", "main", "--personal")

    assert "phone: +8613900000001" in ran.out


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        pytest.param(["phone:+861", "--tenant", "main"], 1, "of this phone", id="unknown"),
        pytest.param(["4711", "--tenant", "main"], 1, "no customer 4711", id="unknown id"),
        pytest.param(["nonsense", "--tenant", "main"], 2, "KIND:VALUE", id="no identity"),
        pytest.param(["13900000001", "--tenant", "main"], 2, "phone:+86", id="a bare phone"),
        pytest.param(["phone:", "--tenant", "main"], 2, "1 to 256", id="empty value"),
        pytest.param(["4711"], 2, "--tenant", id="no tenant"),
        pytest.param(["phone:+8613900000001", "--tenant", "other"], 1, "of this", id="another's"),
    ],
)
def test_a_customer_who_is_not_there_is_one_message(run, tagged, arguments, code, problem):
    ran = run("customer", "show", *arguments)

    assert ran.code == code
    assert problem in ran.err
