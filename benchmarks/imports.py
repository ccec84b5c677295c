"""
How long ``import scrmkit`` takes, and what it brings along.

    python -m benchmarks.imports --json
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.measuring import middle, parser_of, say

HEAVY = frozenset(
    {"alembic", "cattrs", "http", "httpx", "pluggy", "psycopg", "sqlalchemy", "starlette"} | {"structlog", "uvicorn"}
)
"""What must load on first use and not before, beside every plugin."""

_PROGRAM = """
import json, sys, time
before, start = set(sys.modules), time.perf_counter()
{statement}
took = time.perf_counter() - start
print(json.dumps([took, sorted(set(sys.modules) - before)]))
"""


def imported(statement: str) -> tuple[float, list[str]]:
    """Seconds and new modules of a statement in a new interpreter."""
    program = _PROGRAM.format(statement=statement)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    took, modules = json.loads(done.stdout)
    return took, modules


def _is_heavy(module: str) -> bool:
    top = module.partition(".")[0]
    return top in HEAVY or top.startswith("scrmkit_")


def measure(rounds: int) -> dict[str, Any]:
    """Both imports in turn; the first of each only fills the caches."""
    ours, attrs = [], []
    for number in range(rounds + 1):
        took, modules = imported("import scrmkit")
        baseline, _ = imported("import attrs")
        if number:
            ours.append(took * 1000)
            attrs.append(baseline * 1000)
    engine, everything = imported("import scrmkit; scrmkit.Engine")
    return {
        "ms": middle(ours),
        "modules": len(modules),
        "heavy": sorted(filter(_is_heavy, modules)),
        "attrs_ms": middle(attrs),
        "ratio_attrs": middle([a / b for a, b in zip(attrs, ours, strict=True)]),
        "engine_ms": round(engine * 1000),
        "engine_modules": len(everything),
    }


def main(given: Sequence[str] | None = None) -> None:
    """Run it from the command line."""
    arguments = parser_of(__doc__).parse_args(given)
    say(measure(arguments.rounds), as_json=arguments.json)


if __name__ == "__main__":
    main()
