"""Where `styles/` and `fixtures/` lie: inside the package in a wheel, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE = Path(__file__).resolve().parent


def asset(name: str) -> Path:
    """Return the path of `styles/…` or `fixtures/…`, whichever way the program was installed."""
    inside = _PACKAGE / name
    return inside if inside.exists() else _PACKAGE.parent / name


DEMO = asset("fixtures/demo.json")
"""The bundled fixture; never written, always copied first."""

THEMES: Final = ("dark", "light", "high-contrast", "monochrome")
"""The names of the looks, known here so that no command has to load the console to know them."""
