"""Data on standard output: as a table for people, as one line of JSON for programs."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def json_option(command: F) -> F:
    """The option ``--json``, as the argument ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")(command)


def tenant_option(command: F) -> F:
    """The option ``--tenant``, None where it is not given."""
    return click.option("--tenant", metavar="ID", help="Of this tenant alone.")(command)


def print_json(value: Any) -> None:
    """Print *value* as one line of JSON; moments as ISO 8601, escapes for what the locale cannot write."""
    text = json.dumps(value, ensure_ascii=False, default=_plain)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, default=_plain)
    click.echo(text)


def print_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows in columns; wide Chinese characters count two."""
    lines = [list(map(str.upper, headers)), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [cell + " " * (size - _width(cell)) for cell, size in zip(line, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


def note(text: str) -> None:
    """Say something on standard error."""
    click.echo(text, err=True)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"no JSON for {type(value).__name__}")
