"""The kernel stays small, and so does every file."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable
from pathlib import Path

import pytest

KERNEL_LINES = 6_000
FILE_LINES = 400
OUTSIDE_THE_KERNEL = ("cli", "web", "testing")
NOT_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}


def code_lines(source: str) -> int:
    """How many lines hold code: not blank, not only a comment, not part of a docstring."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NOT_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        pytest.param("", 0, id="nothing"),
        pytest.param("\n\n# why\n", 0, id="blanks and comments"),
        pytest.param('"""What it is."""\n', 0, id="a docstring"),
        pytest.param('LIMIT = 3\n"""In fen.\n\nSource: none."""\n', 1, id="a constant's docstring"),
        pytest.param("x = 1  # why\n", 1, id="code with a comment"),
        pytest.param('SQL = """\nSELECT 1\n"""\n', 3, id="a long text in an expression"),
        pytest.param("f(\n    1,\n\n    2,\n)\n", 4, id="one call on several lines"),
    ],
)
def test_code_lines_are_counted(source: str, count: int):
    assert code_lines(source) == count


def test_the_kernel_stays_small(root: Path, record_property: Callable[[str, object], None]):
    package = root / "src" / "scrmkit"
    counts = {
        path.relative_to(package): code_lines(path.read_text())
        for path in package.rglob("*.py")
        if path.relative_to(package).parts[0] not in OUTSIDE_THE_KERNEL
    }
    total = sum(counts.values())

    record_property("says", f"the kernel has {total:,} lines of code; {KERNEL_LINES:,} are too many")
    assert total < KERNEL_LINES, "what does not fit becomes a plugin or waits"


def test_no_file_is_long(root: Path, tracked: tuple[Path, ...]):
    long = {
        str(path.relative_to(root)): count
        for path in tracked
        if path.suffix == ".py" and (count := len(path.read_text().splitlines())) > FILE_LINES
    }

    assert long == {}, f"a file has one job and at most {FILE_LINES} lines"
