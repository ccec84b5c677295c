"""
Run the code blocks of one Markdown page, top to bottom, in one program.

``python`` is run; ``console`` runs the lines that start with ``$`` and, where
output follows one, compares it (``...`` stands for anything); ``toml`` and
``json`` are parsed. A block whose first line is a comment with nothing but a
file's name becomes that file instead. Line numbers are the page's own.
"""

from __future__ import annotations

import doctest
import json
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)")
FILE = re.compile(r"^# (?P<name>[\w./-]+\.(?:py|toml|csv))$")
SIMILAR = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Block(NamedTuple):
    """One fenced block; *line* is the number of its first line on the page, from 1."""

    language: str
    line: int
    text: str


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page in their order."""
    opened: Block | None = None
    lines: list[str] = []
    for number, line in enumerate(page.splitlines(), start=1):
        fence = FENCE.match(line)
        if opened is None and fence is not None:
            opened, lines = Block(fence["language"], number + 1, ""), []
        elif opened is not None and line.strip() == "```":
            yield opened._replace(text=textwrap.dedent("\n".join(lines)) + "\n")
            opened = None
        elif opened is not None:
            lines.append(line)
    if opened is not None:
        raise SystemExit(f"line {opened.line}: this block is never closed")


def run(block: Block, page: str) -> None:
    """Do what the block's language asks for."""
    file = FILE.match(block.text.partition("\n")[0])
    if file is not None:
        Path(file["name"]).parent.mkdir(parents=True, exist_ok=True)
        # A table has no comments.
        whole = not file["name"].endswith(".csv")
        Path(file["name"]).write_text(block.text if whole else block.text.partition("\n")[2])
    elif block.language == "python":
        source = "\n" * (block.line - 1) + block.text
        # In the main module's own namespace, where typing finds what a page defines.
        exec(compile(source, page, "exec", dont_inherit=True), sys.modules["__main__"].__dict__)
    elif block.language == "console":
        type_in(block)
    elif block.language == "toml":
        tomllib.loads(block.text)
    elif block.language == "json":
        json.loads(block.text)


def type_in(block: Block) -> None:
    """Run each command of a console block."""
    for typed in re.split(r"^\$ ", block.text.replace("\\\n", " "), flags=re.MULTILINE)[1:]:
        command, _, expected = typed.partition("\n")
        done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise SystemExit(f"$ {command}\nended with {done.returncode}:\n{done.stdout}")
        if expected.strip() and not doctest.OutputChecker().check_output(expected, done.stdout, SIMILAR):
            raise SystemExit(f"$ {command}\nshould print\n{expected}and prints\n{done.stdout}")


if __name__ == "__main__":
    for each in blocks(Path(sys.argv[1]).read_text()):
        run(each, sys.argv[1])
