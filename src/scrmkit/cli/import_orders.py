"""``scrmkit import orders FILE.csv``."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import attrs
import click

from scrmkit.cli.context import CliContext
from scrmkit.cli.orders_columns import require_known
from scrmkit.cli.orders_csv import ASIDE, OrderRow, OrdersFile, Reject, Repeated, encoding_of
from scrmkit.cli.orders_touchpoints import Origin, touchpoint_of
from scrmkit.cli.output import json_option, note, print_json
from scrmkit.domain.touchpoint import Touchpoint
from scrmkit.errors import InvalidValueError, ScrmkitError

if TYPE_CHECKING:
    from scrmkit.engine import Engine

_CHUNK = 500


@attrs.define
class Count:
    """
    What became of a file's rows; the first is the sum of the others.

    Attributes:
        rows: Not counting empty ones.
        recorded: New in the database.
        already_there: Recorded by an earlier run.
        repeated: Say again what an earlier row of the file said.
        put_aside: In the side file, with line and reason.
        paid_fen: Of the orders that are in the database now, in fen.
    """

    rows: int = 0
    recorded: int = 0
    already_there: int = 0
    repeated: int = 0
    put_aside: int = 0
    paid_fen: int = 0
    refunded_fen: int = 0

    @property
    def adds_up(self) -> bool:
        """Whether every row is accounted for."""
        parts = self.recorded + self.already_there + self.repeated + self.put_aside
        return self.rows == parts


@click.group("import")
def import_group() -> None:
    """Bring in what other systems know."""


def _chosen(context: click.Context, option: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    if not all(mark for _, mark, _ in pairs):
        raise click.BadParameter("write it as COLUMN=HEADER, such as paid_at=付款日期")
    try:
        require_known(column.strip() for column, _, _ in pairs)
    except InvalidValueError as error:
        raise click.BadParameter(str(error)) from None
    return {column.strip(): header.strip() for column, _, header in pairs}


@import_group.command("orders")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", default="csv", show_default=True, help="The system that it comes from.")
@click.option("--tenant", default="", help="Whose orders they are; needed if there are several.")
@click.option(
    "--column",
    "chosen",
    multiple=True,
    callback=_chosen,
    metavar="COLUMN=HEADER",
    help="The header to use for a column; COLUMN= leaves the column out.",
)
@click.option("--member-scope", default="", help="Where member numbers are unique.")
@click.option("--openid-scope", default="", help="The app id that openids belong to.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where rows that are put aside go; FILE.rejects.csv by default.",
)
@json_option
@click.pass_context
def orders(
    click_context: click.Context,
    /,
    file: Path,
    rejects: Path | None,
    chosen: dict[str, str],
    as_json: bool,
    **names: Any,
) -> None:
    """
    Record a CSV file of orders, UTF-8 or GB18030.

    An order counts once, however often its file is read: after an interruption
    run the same command again. Rows that cannot be read are put aside with line
    and reason, and the exit code is then 3.
    """
    if names["openid_scope"] == "" and "openid" not in chosen:
        chosen = {**chosen, "openid": ""}
    if not file.is_file():
        raise click.BadParameter("it is read twice, and so is a file and no pipe", param_hint="FILE")
    side = rejects or file.with_suffix(".rejects.csv")
    if side.exists() and side.samefile(file):
        raise click.BadParameter("FILE itself is no place for its rejects", param_hint="--rejects")
    context: CliContext = click_context.obj
    with context.engine() as engine:
        origin = Origin(file=file.stem, **names)
        count = _import(engine, file, side, origin, chosen)
    _tell(count, file, side, as_json)
    if not count.adds_up:
        raise ScrmkitError(f"{count.rows} rows were read, and not each is accounted for")
    good = count.rows - count.put_aside
    click_context.exit(0 if count.put_aside == 0 else 3 if good else 1)


def _import(engine: Engine, path: Path, side: Path, origin: Origin, chosen: dict[str, str]) -> Count:
    count = Count()
    with path.open("rb") as raw:
        text = io.TextIOWrapper(raw, encoding=encoding_of(path), newline="")
        file = OrdersFile(text, zone=engine.settings.zone, chosen=chosen, now=engine.clock.now())
        for name in file.columns.ignored:
            hint = " without --openid-scope" if name.lower() == "openid" else ""
            note(f"The column {name!r} means nothing here{hint} and is left out.")
        stem = origin.file.removesuffix(".rejects") if file.is_aside else origin.file
        origin = attrs.evolve(origin, tenant=engine.intake.tenant(origin.tenant), file=stem)
        with _Aside(side, file.header) as aside, _progress(path) as bar:
            for chunk in _chunks(file, origin, count, aside):
                _record(engine, chunk, count, aside)
                bar.update(raw.tell() - bar.pos)
            bar.update(bar.length - bar.pos)
    return count


Chunk = list[tuple[OrderRow, Touchpoint[Any]]]


def _chunks(file: OrdersFile, origin: Origin, count: Count, aside: _Aside) -> Iterator[Chunk]:
    """
    Rows to record together; the others are counted and put aside.

    Raises:
        InvalidValueError: The rest cannot be read; what comes before it was handed out.
    """
    chunk: Chunk = []
    try:
        for read in file:
            count.rows += 1
            match read:
                case Repeated():
                    count.repeated += 1
                case Reject(line=line, reason=reason, cells=cells):
                    count.put_aside += 1
                    aside.put(line, reason, cells)
                case OrderRow():
                    chunk.append((read, touchpoint_of(read, origin)))
            if len(chunk) == _CHUNK:
                yield chunk
                chunk = []
    except InvalidValueError:
        yield chunk
        raise
    yield chunk


def _record(engine: Engine, chunk: Chunk, count: Count, aside: _Aside) -> None:
    outcomes = engine.record_many([touchpoint for _, touchpoint in chunk])
    for (row, _), outcome in zip(chunk, outcomes, strict=True):
        if outcome.parked is not None:
            count.put_aside += 1
            aside.put(row.line, f"the database refused it: {outcome.parked}", ())
            continue
        if outcome.duplicate:
            count.already_there += 1
        else:
            count.recorded += 1
        if row.is_refund:
            count.refunded_fen += row.amount_fen
        else:
            count.paid_fen += row.amount_fen


class _Aside:
    """
    The side file: made for the first row that is put aside, and gone when all is read and there was none.

    It is for its owner alone, since rows are personal.
    """

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self._path = path
        self._header = header
        self._file: IO[str] | None = None

    def put(self, line: int, reason: str, cells: Sequence[str]) -> None:
        """Put a row aside."""
        if self._file is None:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._file = open(descriptor, "w", encoding="utf-8-sig", newline="")  # noqa: SIM115 - closed at exit
            csv.writer(self._file).writerow([*ASIDE, *self._header])
        csv.writer(self._file).writerow([line, reason, *cells])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        elif kind is None:
            self._path.unlink(missing_ok=True)


def _progress(path: Path) -> Any:
    return click.progressbar(length=max(path.stat().st_size, 1), label=path.name, file=sys.stderr)


def _tell(count: Count, file: Path, side: Path, as_json: bool) -> None:
    told = attrs.asdict(count)
    aside = str(side) if count.put_aside else None
    if as_json:
        print_json({"file": str(file), **told, "rejects": aside})
        return
    for name, value in told.items():
        click.echo(f"{name.replace('_', ' '):>14}  {value}")
    if aside:
        note(f"{count.put_aside} rows were put aside, with line and reason: {aside}")
