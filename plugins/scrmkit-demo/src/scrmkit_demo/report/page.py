"""Turns the report's data into one HTML file that asks nobody for anything."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import date
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any

import attrs
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from scrmkit.errors import InvalidValueError
from scrmkit_demo.report import palette
from scrmkit_demo.report.data import ReportData, Step

SCRIPTS = ("echarts/echarts.min.js", "charts.js", "page.js")
FOLD_FROM = 3
"""More touchpoints in a row than this, none of which led to anything, fold into one line."""

_WHOLE_PHONE = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")


def render(report: ReportData) -> str:
    """
    The report as one HTML file: charts, tables, styles and scripts inside.

    All texts are escaped. The file's own content policy forbids every request
    and every script but ours.

    Raises:
        InvalidValueError: A text holds a whole phone number; the message names
            the field. Use `mask_phone`.
    """
    values = attrs.asdict(report)
    _refuse_phones(values)
    scripts = [_asset(name) for name in SCRIPTS]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            chart_data={
                "palette": {"light": palette.LIGHT, "dark": palette.DARK},
                "funnel": values["funnel"],
                "messages": values["messages"],
                "scores": {"bins": values["score_bins"], "bands": values["bands"]},
                "rfm": values["rfm_grid"],
                "cohorts": values["cohorts"],
                "bargains": values["bargains"]["shown"],
                "journey": values["journey"]["steps"] if values["journey"] else [],
            },
            light=Markup(palette.as_css(palette.LIGHT)),
            dark=Markup(palette.as_css(palette.DARK)),
            style=Markup(_asset("style.css")),
            scripts=[Markup(script) for script in scripts],
            script_sources=Markup(" ".join(_csp_source(script) for script in scripts)),
            runs=_runs(report.journey.steps) if report.journey else (),
            fold_from=FOLD_FROM,
        )
    )


def mask_phone(phone: str) -> str:
    """*phone* with its middle four digits hidden, or all of it where it is no mainland mobile."""
    if not _WHOLE_PHONE.fullmatch(phone):
        return "****"
    return f"{phone[:3]}****{phone[-4:]}"


def _runs(steps: tuple[Step, ...]) -> list[list[Step]]:
    """Bare touchpoints that follow each other as one run, every other step as a run of its own."""
    runs: list[list[Step]] = []
    was_bare = False
    for step in steps:
        bare = step.kind == "touchpoint" and not step.why
        if bare and was_bare:
            runs[-1].append(step)
        else:
            runs.append([step])
        was_bare = bare
    return runs


@cache
def _asset(name: str) -> str:
    return (resources.files("scrmkit_demo.report") / "assets" / name).read_text("utf-8")


def _csp_source(script: str) -> str:
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("scrmkit_demo.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=lambda number: f"{number:,}",
        yuan=_yuan,
        whole_yuan=lambda fen: f"¥{fen // 100:,}",
        points=lambda hundredths: f"{hundredths / 100:.2f}",
        percent=_percent,
        day=_day,
        share=lambda part, of: _percent(100 * part / of if of else 0),
    )
    return environment


def _yuan(fen: int) -> str:
    sign = "-" if fen < 0 else ""
    return f"{sign}¥{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def _percent(number: float) -> str:
    return f"{number:.0f} %" if number == 0 or number >= 10 else f"{number:.1f} %"


def _day(iso: str) -> str:
    day = date.fromisoformat(iso)
    return f"{day.day} {day:%B %Y}"


def _refuse_phones(values: dict[str, Any]) -> None:
    for name, value in values.items():
        if name == "digest":  # hexadecimal may look like a phone by chance
            continue
        if any(_WHOLE_PHONE.search(text) for text in _texts(value)):
            raise InvalidValueError(f"report.{name} holds a whole phone number; pass it through mask_phone first")


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _texts(item)
