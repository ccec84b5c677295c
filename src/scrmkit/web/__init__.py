"""The web side (extra ``web``): platforms' callbacks in, and whether the process is well."""

from __future__ import annotations

from scrmkit.web.app import create_app

__all__ = ["create_app"]
