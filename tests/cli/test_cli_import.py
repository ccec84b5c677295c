"""``scrmkit import orders`` and ``scrmkit db``, on a database of the test's own."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from scrmkit.cli.orders_csv import OrderRow
from scrmkit.cli.orders_touchpoints import Origin, touchpoint_of
from scrmkit.domain.identity import Identity
from scrmkit.domain.kinds import OrderPaid, OrderRefunded
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import InvalidValueError

NOON = datetime(2026, 1, 2, 12, tzinfo=ZoneInfo("Asia/Shanghai"))
ORIGIN = Origin(tenant="main", source="erp", file="orders", openid_scope="wx1")
FILE = """\
order_no,phone,paid_amount,paid_at
A1,13900000001,5.00,2026-01-02
A2,1.39E+10,5.00,2026-01-02

A1,13900000001,5.00,2026-01-02
A3,13900000002,-2.50,2026-01-03
"""


@pytest.fixture
def ready(run, folder):
    """A folder with settings, a database and a file of orders."""
    run("init")
    run("db", "upgrade")
    (folder / "orders.csv").write_text(FILE, encoding="utf-8")
    return folder


def row(**changes):
    defaults = {"line": 7, "order_no": "A1", "amount_fen": 500, "paid_at": NOON, "member": "M1"}
    return OrderRow(**{**defaults, **changes})


def test_a_sale_becomes_a_paid_order():
    made = touchpoint_of(
        row(line_no="2", shop="S1", guide="G1", quantity=3, phone="+8613900000001", openid="oX"), ORIGIN
    )

    assert made == Touchpoint(
        kind="order.paid",
        key="erp:A1:2",
        occurred_at=NOON,
        payload=OrderPaid(order_no="A1", amount_fen=500, quantity=3),
        tenant="main",
        identities=(
            Identity(kind="member", value="M1"),
            Identity(kind="phone", value="+8613900000001"),
            Identity(kind="openid", value="oX", scope="wx1"),
        ),
        source="erp",
        shop="S1",
        guide="G1",
    )


@pytest.mark.parametrize(
    ("changes", "payload"),
    [
        pytest.param({}, ("A1", "A1"), id="of its own number"),
        pytest.param({"original_order_no": "A0"}, ("A0", "A1"), id="of another order"),
        pytest.param({"line_no": "2"}, ("A1", "A1:2"), id="of one line"),
    ],
)
def test_a_refund_names_the_order_that_it_is_for(changes, payload):
    made = touchpoint_of(row(is_refund=True, **changes), ORIGIN)

    order_no, refund_no = payload
    assert made.kind == "order.refunded"
    assert made.payload == OrderRefunded(order_no=order_no, refund_no=refund_no, amount_fen=500)


def test_without_an_order_number_the_line_is_the_key():
    made = touchpoint_of(row(order_no=None), ORIGIN)

    assert (made.key, made.payload.order_no) == ("erp:orders#7", "orders-7")


def test_a_source_that_is_too_long_is_refused():
    with pytest.raises(InvalidValueError, match="source has at most 64"):
        Origin(tenant="main", source="x" * 65, file="orders")


def test_good_rows_come_in_and_bad_ones_are_put_aside(run, ready):
    ran = run("import", "orders", "orders.csv", "--json")

    assert ran.code == 3
    assert ran.json == {
        "file": "orders.csv",
        "rows": 4,
        "recorded": 2,
        "already_there": 0,
        "repeated": 1,
        "put_aside": 1,
        "paid_fen": 500,
        "refunded_fen": 250,
        "rejects": "orders.rejects.csv",
    }
    aside = (ready / "orders.rejects.csv").read_text(encoding="utf-8-sig").splitlines()
    assert aside[0] == "line,reason,order_no,phone,paid_amount,paid_at"
    assert aside[1].startswith('3,"phone is in scientific notation')
    assert len(aside) == 2
    if os.name == "posix":
        assert (ready / "orders.rejects.csv").stat().st_mode & 0o077 == 0


def test_a_second_run_changes_nothing(run, ready):
    run("import", "orders", "orders.csv")

    ran = run("import", "orders", "orders.csv", "--json")

    assert ran.code == 3
    assert (ran.json["recorded"], ran.json["already_there"]) == (0, 2)


def test_a_file_that_grew_brings_in_what_is_new(run, ready):
    run("import", "orders", "orders.csv")
    with (ready / "orders.csv").open("a", encoding="utf-8") as file:
        file.write("A4,13900000004,1,2026-01-04\n")

    ran = run("import", "orders", "orders.csv", "--json")

    assert (ran.json["recorded"], ran.json["already_there"]) == (1, 2)


def test_a_file_without_bad_rows_leaves_no_side_file(run, ready):
    (ready / "orders.csv").write_text("phone,amount,date\n13900000001,5,2026-01-02\n")

    ran = run("import", "orders", "orders.csv", "--json")

    assert ran.code == 0
    assert ran.json["rejects"] is None
    assert not (ready / "orders.rejects.csv").exists()


def test_a_file_of_bad_rows_alone_has_failed(run, ready):
    (ready / "orders.csv").write_text("phone,amount,date\n1,5,2026-01-02\n")

    assert run("import", "orders", "orders.csv", "--rejects", "bad.csv").code == 1
    assert (ready / "bad.csv").exists()


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("order_no,phone,amount,date", id="with order numbers"),
        pytest.param("order_no,line_no,phone,amount,date", id="with line numbers"),
        pytest.param("phone,amount,date", id="with neither"),
    ],
)
def test_a_row_that_was_put_right_in_the_side_file_counts_once(run, ready, header):
    cells = {"order_no": "A1", "line_no": "1", "phone": "139", "amount": "5", "date": "2026-01-02"}
    row = ",".join(cells[name] for name in header.split(","))
    good = row.replace("139", "13900000001")
    path, aside = ready / "orders.csv", ready / "orders.rejects.csv"
    path.write_text(f"{header}\n{row}\n")
    run("import", "orders", "orders.csv")
    aside.write_text(aside.read_text(encoding="utf-8-sig").replace(row, good))

    put_right = run("import", "orders", "orders.rejects.csv", "--json")
    path.write_text(f"{header}\n{good}\n")
    again = run("import", "orders", "orders.csv", "--json")

    assert (put_right.json["recorded"], again.json["recorded"], again.json["already_there"]) == (1, 0, 1)
    assert "means nothing here" not in put_right.err


def test_a_row_that_stays_bad_is_put_aside_again_with_its_first_line(run, ready):
    run("import", "orders", "orders.csv")

    assert run("import", "orders", "orders.rejects.csv").code == 1

    first = (ready / "orders.rejects.csv").read_text()
    assert (ready / "orders.rejects.rejects.csv").read_text() == first


def test_a_file_that_cannot_be_read_leaves_the_side_file_of_an_earlier_run(run, ready):
    run("import", "orders", "orders.csv")
    before = (ready / "orders.rejects.csv").read_text()
    (ready / "orders.csv").write_text("no,such,columns\n")

    assert run("import", "orders", "orders.csv").code == 1

    assert (ready / "orders.rejects.csv").read_text() == before


def test_what_comes_before_a_quote_that_is_not_closed_is_recorded(run, ready):
    (ready / "orders.csv").write_text(FILE + '"A4,13900000002,2.50,2026-01-03\n')

    ran = run("import", "orders", "orders.csv")

    assert ran.code == 1
    assert "line 7: a quote is opened" in ran.err
    assert run("status", "--json").json["tenants"][0]["touchpoints"] == 2


def test_many_rows_are_recorded_in_several_transactions(run, ready):
    rows = "".join(f"M{number % 97},1,2026-01-02\n" for number in range(1_203))
    (ready / "orders.csv").write_text("member_no,amount,date\n" + rows)

    ran = run("import", "orders", "orders.csv", "--json")

    assert (ran.code, ran.json["recorded"], ran.json["paid_fen"]) == (0, 1_203, 120_300)


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        pytest.param(["nowhere.csv"], 2, "does not exist", id="no file"),
        pytest.param(["orders.csv", "--column", "paid_at"], 2, "COLUMN=HEADER", id="no header"),
        pytest.param(["orders.csv", "--column", "paid=x"], 2, "known: order_no", id="no column"),
        pytest.param(["orders.csv", "--tenant", "other"], 2, "name one of the tenants", id="tenant"),
        pytest.param(["orders.csv", "--rejects", "orders.csv"], 2, "FILE itself", id="the file as side file"),
        pytest.param(["orders.csv", "--rejects", "no/where.csv"], 1, "No such file", id="side file"),
    ],
)
def test_a_wrong_call_is_one_message(run, ready, arguments, code, problem):
    ran = run("import", "orders", *arguments)

    assert ran.code == code
    assert problem in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.skipif(os.name != "posix", reason="there are no named pipes")
def test_a_pipe_is_no_file(run, ready):
    os.mkfifo(ready / "pipe.csv")

    ran = run("import", "orders", "pipe.csv")

    assert ran.code == 2
    assert "no pipe" in ran.err


def test_an_openid_needs_to_know_its_app(run, ready):
    (ready / "orders.csv").write_text("openid,member_no,amount,date\noX,M1,5,2026-01-02\n")

    assert "--openid-scope" in run("import", "orders", "orders.csv").err
    assert "--openid-scope" not in run("import", "orders", "orders.csv", "--openid-scope", "wx1").err


def test_orders_are_not_imported_into_an_old_database(run, folder):
    run("init")
    (folder / "orders.csv").write_text(FILE, encoding="utf-8")

    ran = run("import", "orders", "orders.csv")

    assert ran.code == 1
    assert "scrmkit db upgrade" in ran.err


def test_looking_at_a_database_that_is_not_there_makes_none(run, folder):
    run("init")

    assert run("db", "current", "--json").json["current"] is None
    assert run("db", "check").code == 1
    assert not (folder / "scrmkit.db").exists()


@pytest.mark.parametrize("command", [["doctor"], ["outbox", "list"], ["status"], ["customer", "show", "1"], ["digest"]])
def test_a_damaged_database_is_told_of_and_shows_no_traceback(run, folder, command):
    run("init")
    run("db", "upgrade")
    with contextlib.closing(sqlite3.connect(folder / "scrmkit.db")) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in tables:
            if not name.startswith("sqlite_") and "version" not in name:
                connection.execute(f"DROP TABLE {name}")
        connection.commit()

    ran = run(*command)

    assert ran.code == 1
    assert "the database refused a statement" in ran.out + ran.err


def test_the_database_is_made_once(run, folder):
    run("init")

    first, second = run("db", "upgrade", "--json").json, run("db", "upgrade", "--json").json

    assert first == {"before": None, "after": second["after"]}
    assert second["before"] == second["after"]
    assert run("db", "check", "--json").json["good"] is True
    assert run("db", "current").out.strip() == second["after"]
