"""``scrmkit demo``: real orders, platforms on loopback, campaigns, scores and a report."""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from scrmkit_demo.buying import by_time, record_orders
from scrmkit_demo.collecting import Summary, summarise, write_report
from scrmkit_demo.invented import invent
from scrmkit_demo.judging import SCORERS, judge
from scrmkit_demo.meeting import meet
from scrmkit_demo.playing import play
from scrmkit_demo.world import SEED, world
from scrmkit_insight import Insight

AFTER = datetime(1998, 7, 1, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
"""When the orders are over and people begin to come by: a Wednesday morning."""


@click.command()
@click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path),
    help="Where to keep the state; a fresh directory unless given.",
)  # fmt: skip
@click.option(
    "--customers", type=click.IntRange(600, 23_570), default=23_570, show_default=True,
    help="Take only the orders of the first so many customers.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object as the last line.")
def demo(data: Path | None, customers: int, as_json: bool) -> None:
    """
    Run the main job on 69,659 real orders, in about a minute, with no server and no network.

    Orders are recorded with all plugins on; customers scan WeCom codes and are
    welcomed; bargains and group-buys are played; everybody is scored, segmented
    and written to as far as the contact policy allows. Run again with the same
    --data, it changes nothing and sends nothing.
    """
    started = time.monotonic()
    # Millions of values live until the end here; looking through them again and again is slow.
    gc.set_threshold(100_000, 50, 1_000)
    folder = (data or Path(tempfile.mkdtemp(prefix="scrmkit-demo-"))).absolute()
    orders = by_time(invent(SEED), customers)
    with world(folder, orders[0][0], _progress) as opened:
        record_orders(opened, orders)
        opened.clock.move_to(AFTER)
        meet(opened, customers)
        opened.clock.move_to(AFTER + timedelta(hours=3))
        bargains = play(opened)
        judge(opened)
        rfm, value = (dict(opened.audience.scores(scorer)) for scorer in SCORERS)
        summary = summarise(opened, started, value)
        write_report(opened, summary, orders, bargains, rfm, value)
        parked = Insight(opened.engine).counts().parked
    _show(summary, as_json, folder)
    if parked:
        raise click.ClickException(f"{parked} touchpoints were put aside; the log says why")


def _progress(label: str, length: int) -> Any:
    return click.progressbar(length=max(length, 1), label=f"{label:>10}", file=sys.stderr)


def _show(summary: Summary, as_json: bool, folder: Path) -> None:
    if as_json:
        click.echo(json.dumps(summary.as_json(), ensure_ascii=False))
        return
    line: Callable[[str, object], None] = lambda name, value: click.echo(f"{name:>12}  {value}")  # noqa: E731
    line("customers", f"{summary.customers:,}")
    line("orders", f"{summary.orders:,}")
    line("touchpoints", f"{summary.touchpoints:,} ({summary.duplicates_ignored:,} repetitions ignored)")
    line("bargains", ", ".join(f"{count} {name}" for name, count in summary.bargains.items()))
    line("groups", ", ".join(f"{count} {name}" for name, count in summary.groups.items()))
    line("scored", f"{summary.scored:,}")
    line("messages", ", ".join(f"{count:,} {name}" for name, count in summary.messages.items()))
    line("seconds", summary.seconds)
    line("digest", summary.digest)
    line("data", folder)
    line("report", summary.report)
    if not any(summary.messages.values()):
        click.echo("Everything was there already: nothing was sent, nothing changed.")
