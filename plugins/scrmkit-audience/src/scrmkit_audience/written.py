"""
Segments as they are written down, the same in TOML and in JSON.

Every expression is a table with one key, its word: ``{tag = {group = "source"}}``,
``{not = {…}}``, ``{and = [{…}, {…}]}``. The keys below are the fields of the
expression's class; what equals a field's default may be left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from scrmkit.errors import SettingsError
from scrmkit.settings import Settings
from scrmkit.settings.structure import did_you_mean, expected, join, structure_options
from scrmkit_audience.expressions import EXPRESSIONS, And, Expression, Not, Or, Segment

DEEPEST = 32
_WORDS = {kind.word: kind for kind in EXPRESSIONS}


def segments_of(settings: Settings) -> tuple[Segment, ...]:
    """
    The ``[segments.NAME]`` tables: each has an ``expression``, and may be of one ``tenant``.

    Raises:
        SettingsError: With every problem and its path.
    """
    problems: list[str] = []
    made = []
    for name, table in settings.segments.items():
        where = join("segments", str(name))
        if not isinstance(table, Mapping):
            problems.append(f"{where}: {expected('a table', table)}")
            continue
        made_of = _expression(table.get("expression", {}), join(where, "expression"), problems)
        try:
            given = {**table, "name": name, "expression": made_of}
            segment = structure_options(Segment, given, where, {})
            if segment.tenant not in (None, *settings.tenants):
                hint = did_you_mean(str(segment.tenant), settings.tenants)
                problems.append(f"{where}.tenant: unknown tenant{hint}")
            made.append(segment)
        except SettingsError as error:
            problems += error.problems
    if problems:
        raise SettingsError(problems)
    return tuple(made)


def expression_from(written: Any, path: str = "expression") -> Expression:
    """
    Read one expression.

    Args:
        path: Where it stands, for messages.

    Raises:
        SettingsError: With every problem and its path.
    """
    problems: list[str] = []
    made = _expression(written, path, problems)
    if problems:
        raise SettingsError(problems)
    return made


def table_of(expression: Expression) -> dict[str, Any]:
    """An expression as it is written down, in values of TOML and of JSON."""
    if isinstance(expression, And | Or):
        return {expression.word: [table_of(one) for one in expression.of]}
    if isinstance(expression, Not):
        return {expression.word: table_of(expression.of)}
    told: dict[str, Any] = {}
    for field in attrs.fields(type(expression)):
        value = getattr(expression, field.name)
        if value != field.default:
            told[field.name] = list(value) if isinstance(value, tuple) else value
    return {expression.word: told}


def _expression(value: Any, path: str, problems: list[str], depth: int = 0) -> Expression:
    """What *value* says; where that is wrong, a problem more, and something in its place."""
    if not isinstance(value, Mapping) or len(value) != 1:
        table = isinstance(value, Mapping)
        wrong = "write one key, such as {tag = {…}}" if table else expected("a table", value)
        problems.append(f"{path}: {wrong}")
        return And()
    word, inside = next(iter(value.items()))
    where, kind = join(path, str(word)), _WORDS.get(word)
    if kind is None:
        hint = did_you_mean(str(word), _WORDS, "known here:")
        problems.append(f"{where}: unknown expression{hint}")
    elif depth == DEEPEST:
        problems.append(f"{where}: expressions stand in one another {DEEPEST} deep at most")
    elif kind is Not:
        return Not(_expression(inside, where, problems, depth + 1))
    elif kind in (And, Or):
        if isinstance(inside, list | tuple):
            numbered = [(f"{where}[{number}]", one) for number, one in enumerate(inside)]
            return kind(tuple(_expression(one, at, problems, depth + 1) for at, one in numbered))
        problems.append(f"{where}: {expected('a list', inside)}")
    else:
        try:
            return structure_options(kind, inside, where, {})
        except SettingsError as error:
            problems += error.problems
    return And()
