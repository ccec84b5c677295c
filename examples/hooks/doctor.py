"""Tells ``scrmkit doctor`` whether the folder of a nightly export can be written to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import attrs

from scrmkit import Finding, PluginContext, hookimpl


@attrs.frozen(kw_only=True)
class ExportSettings:
    """Settings of ``hooks.export``; a relative folder starts beside the settings file."""

    folder: Path


class Export:
    """Looks after the export's folder."""

    Settings = ExportSettings

    def __init__(self, context: PluginContext[ExportSettings]) -> None:
        self.name = context.name
        self.folder = context.settings.folder

    @hookimpl
    def scrmkit_doctor(self) -> Sequence[Finding]:
        subject = f"plugins.{self.name}"
        if self.folder.is_dir() and os.access(self.folder, os.W_OK):
            return [Finding(level="ok", subject=subject, text="the folder can be written to")]
        return [
            Finding(
                level="error",
                subject=subject,
                text=f"{self.folder} cannot be written to",
                next_step=f"Make the folder: mkdir {self.folder}",
            )
        ]
