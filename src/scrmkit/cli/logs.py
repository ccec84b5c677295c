"""Logs on standard error: lines for people at a terminal, JSON elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping

import structlog

from scrmkit.errors import SettingsError

_LEVELS = ("debug", "info", "warning", "error")


def log_to_stderr(environ: Mapping[str, str], default: str = "warning") -> None:
    """
    Write the engine's log, from the level that ``SCRMKIT_LOG_LEVEL`` names, to standard error.

    Raises:
        SettingsError: There is no such level.
    """
    level = environ.get("SCRMKIT_LOG_LEVEL") or default
    if level not in _LEVELS:
        raise SettingsError([f"SCRMKIT_LOG_LEVEL is one of {', '.join(_LEVELS)}"])
    people = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.dev.ConsoleRenderer() if people else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=_current_stderr,
        cache_logger_on_first_use=False,
    )


def _current_stderr(*_: object) -> structlog.PrintLogger:
    return structlog.PrintLogger(sys.stderr)
