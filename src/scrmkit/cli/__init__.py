"""
The command line ``scrmkit``.

Data goes to standard output, progress and logs to standard error. The exit
code is 0 for done, 1 for failed, 2 for a wrong call or wrong settings, 3 for
done in part.
"""

from __future__ import annotations

import gc
import io
import sys
from collections.abc import Sequence

from scrmkit.cli.root import run_command


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code; *arguments* are those of the process."""
    # A batch makes many objects and no cycles: looking through them so often finds nothing.
    gc.set_threshold(50_000, 20, 20)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What the locale cannot write is shown by its number; no command fails for it.
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run_command(arguments))


__all__ = ["main", "run_command"]
