"""The report's colours, once for the style sheet and the charts."""

from __future__ import annotations

LIGHT = {
    "paper": "#f6f5f1",
    "card": "#ffffff",
    "ink": "#191c20",
    "soft": "#565e68",
    "line": "#e2dfd8",
    "track": "#eeece6",
    "accent": "#0f6e6e",
    "heat-0": "#edf3f1",
    "heat-1": "#8cc3bb",
    "heat-2": "#0c4f52",
    "on-heat": "#ffffff",
    "first": "#e9e6df",
    "warm": "#c8551f",
    "plum": "#70519a",
    "sand": "#a07c1c",
    "good": "#23794c",
    "bad": "#b83a3a",
    "mute": "#8e97a1",
}
"""On paper and on bright screens. Texts stand at 4.5:1 or better on *paper* and *card*."""

DARK = {
    "paper": "#101417",
    "card": "#181d21",
    "ink": "#e9ebec",
    "soft": "#a3adb6",
    "line": "#2c343a",
    "track": "#242b30",
    "accent": "#5cc0b8",
    "heat-0": "#1d2a2c",
    "heat-1": "#2f7f7d",
    "heat-2": "#93e3d8",
    "on-heat": "#0c1517",
    "first": "#2a3137",
    "warm": "#f0894f",
    "plum": "#b79be0",
    "sand": "#d9b44a",
    "good": "#5cc48c",
    "bad": "#ef7b78",
    "mute": "#7d8891",
}
"""On dark screens; the heat runs from dark (few) to bright (many)."""


def as_css(colours: dict[str, str]) -> str:
    """The colours as declarations of custom properties."""
    return "".join(f"--{name}:{value};" for name, value in colours.items())
