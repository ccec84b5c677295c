"""``python -m scrmkit.cli`` is ``scrmkit``."""

from __future__ import annotations

from scrmkit.cli import main

main()
