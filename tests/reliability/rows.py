"""What a row of the table of tries is: so many tried, so many failed, with which seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple


class Tried(NamedTuple):
    """What became of one kind of try.

    Attributes:
        tried: How many there were.
        failures: Each in one line, with what is needed to try it again.
    """

    tried: int
    failures: tuple[str, ...] = ()


Row = Callable[[int, bool], Tried]
"""Tries something: with this seed; all of it, or (True) the quick part that CI runs."""

TABLE: Final[dict[str, tuple[str, str]]] = {
    "planted": ("secrets planted in every flow, and looked for", "tests.reliability.planted"),
    "disks": ("kills, full disks, damaged files and databases", "tests.reliability.disks"),
    "keys": ("random keys and clicks on every screen", "tests.reliability.keys"),
    "hostile": (
        "hostile text, everywhere it can come from and go",
        "tests.reliability.hostile_text",
    ),
    "longrun": ("a long run, a restore and an upgrade", "tests.reliability.longrun"),
    "mutations": ("guards taken away, one by one", "tests.reliability.mutations"),
    "lines": ("lines that fail, cheat and lead astray", "tests.reliability.lines"),
    "attacks": ("a gateway under attack, by plain HTTP", "tests.reliability.attacks"),
}
"""By name: what is tried, and the module whose `row` tries it."""
