"""Reading orders: every trap of a file that a till or a spreadsheet wrote."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scrmkit.cli import orders_cells as cells
from scrmkit.cli.orders_csv import OrderRow, OrdersFile, Reject, Repeated, encoding_of
from scrmkit.errors import InvalidValueError

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
HEADER = "order_no,member_no,paid_amount,paid_at"


def read(text, **chosen):
    return list(OrdersFile(io.StringIO(text, newline=""), zone=ZONE, chosen=chosen, now=NOW))


def one(row, header=HEADER):
    (found,) = read(f"{header}\n{row}\n")
    return found


def reason_of(row, header=HEADER):
    found = one(row, header)
    assert isinstance(found, Reject)
    assert found.line == 2
    return found.reason


def test_a_row_with_every_column_is_read():
    header = (
        "order_no,line_no,type,store_code,guide_code,member_no,phone,openid,unionid,sku,title,qty,"
        "price,amount,discount,paid_amount,pay_method,paid_at,orig_order_no"
    )
    row = "A1,2,sale,S1,G1,M1,13900000001,oX,uX,K1,毛衣,2,100,200,20,180.00,wechat,2026-01-02 11:04:05,A0"

    assert one(row, header) == OrderRow(
        line=2,
        order_no="A1",
        line_no="2",
        is_refund=False,
        amount_fen=18_000,
        quantity=2,
        paid_at=datetime(2026, 1, 2, 11, 4, 5, tzinfo=ZONE),
        shop="S1",
        guide="G1",
        pay_method="wechat",
        original_order_no="A0",
        member="M1",
        phone="+8613900000001",
        openid="oX",
        unionid="uX",
    )


def test_the_order_of_the_columns_makes_no_difference():
    assert one("2026-01-02,M1,5,A1", "paid_at,member_no,paid_amount,order_no") == one("A1,M1,5,2026-01-02")


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("订单号,会员号,实付金额,支付时间", id="Chinese"),
        pytest.param(" Order_No ,MEMBER NO,Paid Amount,paid_at", id="capitals and blanks"),
        pytest.param('"order_id";"customer_id";"paid";"date"', id="semicolons and quotes"),
        pytest.param("order_no\tmember_no\tpaid_amount\tpaid_at", id="tabs"),
        pytest.param("ｏｒｄｅｒ＿ｎｏ,member_no,paid_amount,paid_at", id="full width"),
    ],
)
def test_headers_have_other_names(header):
    separator = next(mark for mark in ";\t," if mark in header)

    found = one(separator.join(["A1", "M1", "5", "2026-01-02"]), header)

    assert (found.order_no, found.member, found.amount_fen) == ("A1", "M1", 500)


def test_a_header_can_be_chosen():
    (found,) = read("nr,member_no,paid_amount,paid_at\nA1,M1,5,2026-01-02\n", order_no="nr")

    assert found.order_no == "A1"


def test_a_column_can_be_left_out():
    (found,) = read(f"{HEADER},phone\nA1,M1,5,2026-01-02,139****0001\n", phone="")

    assert found.phone is None


@pytest.mark.parametrize(
    ("header", "chosen", "problem"),
    [
        pytest.param("", {}, "line 1 is empty", id="empty"),
        pytest.param("order_no,member_no,paid_at", {}, "no column paid_amount", id="no amount"),
        pytest.param("order_no,member_no,amount", {}, "no column paid_at", id="no moment"),
        pytest.param("order_no,amount,paid_at", {}, "none of the columns member_no", id="nobody"),
        pytest.param(HEADER + ",实付金额", {}, "both mean paid_amount", id="twice"),
        pytest.param(HEADER, {"order_no": "nr"}, "no column 'nr'", id="chosen and not there"),
        pytest.param(HEADER, {"number": "nr"}, "no column is called 'number'", id="unknown"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused(header, chosen, problem):
    with pytest.raises(InvalidValueError, match=problem):
        read(f"{header}\n", **chosen)


def test_headers_that_mean_nothing_are_named():
    file = OrdersFile(io.StringIO(f"{HEADER},weather\n", newline=""), zone=ZONE, chosen={}, now=NOW)

    assert file.columns.ignored == ("weather",)


@pytest.mark.parametrize(
    ("encoding", "found"),
    [("utf-8", "utf-8-sig"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("gbk", "gb18030")],
)
def test_the_encoding_is_found_out(tmp_path, encoding, found):
    path = tmp_path / "orders.csv"
    path.write_bytes("订单号,会员号,实付金额,支付时间\nA1,张三,5,2026-01-02\n".encode(encoding))

    assert encoding_of(path) == found
    with path.open(encoding=found, newline="") as text:
        (row,) = OrdersFile(text, zone=ZONE, chosen={}, now=NOW)
    assert row.member == "张三"


def test_a_file_in_no_known_encoding_is_refused(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_bytes(b"\xff\xff\xff\xff")

    with pytest.raises(InvalidValueError, match="neither UTF-8 nor GB18030"):
        encoding_of(path)


@pytest.mark.parametrize(
    ("cell", "fen"),
    [
        ("179.00", 17_900),
        ("179", 17_900),
        ("0", 0),
        ("1234567.89", 123_456_789),
        pytest.param('"1,234.50"', 123_450, id="thousands separator"),
        pytest.param("１７９．５０", 17_950, id="full width"),
        pytest.param('"１，２３４．５０"', 123_450, id="full width with separator"),
        pytest.param("'179.00", 17_900, id="apostrophe"),
        pytest.param("¥179.00", 17_900, id="currency"),
        pytest.param("179.00元", 17_900, id="yuan"),
        pytest.param("0.005", 1, id="half a fen goes up"),
        pytest.param("0.0049", 0, id="less than half a fen goes down"),
        pytest.param("2.675", 268, id="half of a number that no float can hold"),
        pytest.param(".5", 50, id="no leading zero"),
    ],
)
def test_an_amount_becomes_fen(cell, fen):
    assert one(f"A1,M1,{cell},2026-01-02").amount_fen == fen


@pytest.mark.parametrize(
    "cell", ["-12.50", "\N{MINUS SIGN}12.50", "－12.50", "(12.50)", '"-1,212.50"'.replace("1,2", "")]
)
def test_a_negative_amount_is_a_refund(cell):
    found = one(f"A1,M1,{cell},2026-01-02")

    assert (found.is_refund, found.amount_fen) == (True, 1250)


@pytest.mark.parametrize(
    ("word", "amount", "is_refund"),
    [("sale", "5", False), ("", "5", False), ("refund", "5", True), ("退货", "-5", True), ("SALE", "-5", True)],
)
def test_the_type_says_whether_money_went_back(word, amount, is_refund):
    found = one(f"A1,M1,{amount},2026-01-02,{word}", HEADER + ",type")

    assert (found.is_refund, found.amount_fen) == (is_refund, 500)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        pytest.param("1.39E+10,M1,5,2026-01-02", "order_no is in scientific", id="order number"),
        pytest.param("A1,1.39e+10,5,2026-01-02", "member_no is in scientific", id="member"),
        pytest.param("A1,M1,1.2E+3,2026-01-02", "paid_amount is in scientific", id="amount"),
        pytest.param("A1,M1,,2026-01-02", "there is no amount", id="no amount"),
        pytest.param("A1,M1,five,2026-01-02", "paid_amount is no amount", id="a word"),
        pytest.param('A1,M1,"1,23",2026-01-02', "paid_amount is no amount", id="decimal comma"),
        pytest.param("A1,M1,99999999999999,2026-01-02", "too large", id="too large"),
        pytest.param("A1,,5,2026-01-02", "nobody is named", id="nobody"),
        pytest.param("A1,M1,5,", "paid_at is no moment", id="no moment"),
        pytest.param("A1,M1,5,1/2/2026", "year first", id="year last"),
        pytest.param("A1,M1,5,46024.5", "year first", id="a spreadsheet's number"),
        pytest.param("A1,M1,5,2026-02-30", "calendar", id="no such day"),
        pytest.param("A1,M1,5,2026-01-02 25:00", "calendar", id="no such hour"),
        pytest.param("A1,M1,5,0026-01-02", "between 1970 and 2200", id="two-digit year"),
        pytest.param("A1,M1,5,2026-07-02", "future", id="future"),
        pytest.param("A1,M1,5,2026-01-02,x", "more cells than the header", id="a cell too many"),
        pytest.param("A1,M1,-0.00,2026-01-02", None, id="minus nothing is no refund"),
        pytest.param(f"{'A' * 65},M1,5,2026-01-02", "longer than 64", id="too long"),
        pytest.param("A\x001,M1,5,2026-01-02", "not printable", id="NUL"),
    ],
)
def test_what_is_not_clear_is_put_aside(row, reason):
    if reason is None:
        assert one(row).is_refund is False
        return
    told = reason_of(row)

    assert reason in told


def test_a_refund_of_nothing_is_put_aside():
    assert "refund of 0" in reason_of("A1,M1,0,2026-01-02,refund", HEADER + ",type")


def test_an_unknown_type_is_put_aside():
    assert "neither sale nor refund" in reason_of("A1,M1,5,2026-01-02,gift", HEADER + ",type")


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("13900000001", "+8613900000001"),
        ("+86 139-0000-0001", "+8613900000001"),
        ("008613900000001", "+8613900000001"),
        ("8613900000001", "+8613900000001"),
        ("'13900000001", "+8613900000001"),
        ('"=""13900000001"""', "+8613900000001"),
        ("１３９０００００００１", "+8613900000001"),
        ("+852 5123 4567", "+85251234567"),
    ],
)
def test_a_phone_is_written_in_one_way(cell, phone):
    assert one(f"A1,{cell},5,2026-01-02", "order_no,phone,paid_amount,paid_at").phone == phone


@pytest.mark.parametrize(
    "cell", ["1.39E+10", "1.39e10", "139****0001", "1390000000", "12900000001", "13900000001.0", "+8621"]
)
def test_a_phone_that_is_not_whole_is_put_aside_and_not_repeated(cell):
    reason = reason_of(f"A1,{cell},5,2026-01-02", "order_no,phone,paid_amount,paid_at")

    assert reason.startswith("phone ")
    assert cell not in reason


@pytest.mark.parametrize(
    ("cell", "at"),
    [
        ("2026/1/2 11:04", datetime(2026, 1, 2, 11, 4, tzinfo=ZONE)),
        ("2026-01-02 11:04:05", datetime(2026, 1, 2, 11, 4, 5, tzinfo=ZONE)),
        ("2026-01-02T11:04:05.678", datetime(2026, 1, 2, 11, 4, 5, tzinfo=ZONE)),
        ("2026.1.2", datetime(2026, 1, 2, tzinfo=ZONE)),
        ("20260102", datetime(2026, 1, 2, tzinfo=ZONE)),
        ("2026年1月2日 11:04", datetime(2026, 1, 2, 11, 4, tzinfo=ZONE)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02 11:04:05+0900", datetime(2026, 1, 2, 11, 4, 5, tzinfo=timezone(timedelta(hours=9)))),
        ("２０２６／１／２　１１：０４", datetime(2026, 1, 2, 11, 4, tzinfo=ZONE)),
    ],
)
def test_a_moment_is_read_on_the_clock_of_the_zone(cell, at):
    assert one(f"A1,M1,5,{cell}").paid_at == at


@pytest.mark.parametrize("cell", ["1.5", "two", "1e3"])
def test_a_quantity_that_is_no_whole_number_is_put_aside(cell):
    assert reason_of(f"A1,M1,5,2026-01-02,{cell}", HEADER + ",qty").startswith("qty is no")


@pytest.mark.parametrize(("cell", "quantity"), [("", 1), ("0", 0), ("2.0", 2), ("-3", 3)])
def test_a_quantity_is_0_or_more(cell, quantity):
    assert one(f"A1,M1,5,2026-01-02,{cell}", HEADER + ",qty").quantity == quantity


def test_the_order_amount_counts_where_the_paid_amount_is_empty():
    assert one("A1,M1,,2026-01-02,7", HEADER + ",amount").amount_fen == 700


def test_lines_are_counted_as_an_editor_counts_them():
    text = f'{HEADER},title\n\nA1,M1,5,2026-01-02,"two\nlines"\n , ,,\nA2,M1,5,2026-01-02\nx\n'

    assert [row.line for row in read(text)] == [3, 6, 7]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_line_ending_is_read(ending):
    text = ending.join([HEADER, "A1,M1,5,2026-01-02", "A2,M1,5,2026-01-02", ""])
    # As a file is opened for csv: the reader sees the endings as they are.
    found = list(OrdersFile(io.StringIO(text, newline=""), zone=ZONE, chosen={}, now=NOW))

    assert [row.order_no for row in found] == ["A1", "A2"]


def test_a_row_that_is_there_twice_counts_once():
    row = "A1,M1,5,2026-01-02"

    found = read(f"{HEADER}\n{row}\n'A1,M1,５,2026-01-02\n")

    assert found[1:] == [Repeated(line=3, first_line=2)]


def test_two_rows_of_one_order_that_differ_need_a_line_number():
    found = read(f"{HEADER}\nA1,M1,5,2026-01-02\nA1,M1,6,2026-01-02\n")

    assert isinstance(found[1], Reject)
    assert "line 2 has the same order_no" in found[1].reason


def test_rows_of_one_order_are_told_apart_by_line_number_and_type():
    header = HEADER + ",line_no,type"
    text = f"{header}\nA1,M1,5,2026-01-02,1,\nA1,M1,5,2026-01-02,2,\nA1,M1,5,2026-01-02,1,refund\n"

    assert [type(row) for row in read(text)] == [OrderRow] * 3


def test_without_an_order_number_equal_rows_are_different_orders():
    found = read("member_no,paid_amount,paid_at\nM1,5,2026-01-02\nM1,5,2026-01-02\n")

    assert [(row.line, row.order_no) for row in found] == [(2, None), (3, None)]


@pytest.mark.parametrize("lines", [0, 1, 99, 300])
def test_a_quote_that_is_never_closed_ends_the_reading(lines):
    rows = "\n".join(f"A{number},M1,5,2026-01-02" for number in range(lines))

    with pytest.raises(InvalidValueError, match="line 3: a quote is opened"):
        read(f'{HEADER}\nB,M1,5,2026-01-02\n"C,M1,5,2026-01-02\n{rows}\n')


def test_a_row_of_a_side_file_has_the_line_that_it_had():
    text = f'line,reason,{HEADER}\n7,"no amount",A1,M1,5,2026-01-02\nx,,A2,M1,5,2026-01-02\n'

    found = read(text)

    assert (found[0].line, found[0].order_no, found[0].line_no) == (7, "A1", "")
    assert (found[1].line, found[1].cells) == (3, ("A2", "M1", "5", "2026-01-02"))


def test_personal_cells_stand_in_no_repr():
    found = one("A1,canary-member,5,2026-01-02"), one("A1,canary-member,x,2026-01-02")

    assert "canary" not in repr(found)


@given(st.integers(min_value=-(10**12), max_value=10**12))
def test_every_amount_is_read_exactly(fen):
    sign = "-" if fen < 0 else ""
    yuan = f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"

    assert cells.fen("amount", yuan) == fen


@given(st.lists(st.lists(st.text(max_size=12), max_size=6), max_size=6))
def test_no_row_breaks_the_reading(rows):
    lines = [",".join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row) for row in rows]

    for found in read("\n".join([HEADER, *lines, ""])):
        assert isinstance(found, OrderRow | Reject | Repeated)
