"""What a row of the table of tries is: so many tried, so many failed, with which seed.

A row that takes long tells how far it is on standard error. Told to stop (SIGTERM, or Ctrl+C), it
ends what it is about, and gives what was tried until then.
"""

from __future__ import annotations

import signal
import sys
import threading
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
    "bursts": ("random keys typed ahead at every dialog", "tests.reliability.bursts"),
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

_over = threading.Event()


def stops_when_told() -> None:
    """Let SIGTERM and Ctrl+C end a row where it is, from now on."""
    for kind in signal.SIGTERM, signal.SIGINT:
        signal.signal(kind, lambda *_: _over.set())


def is_over() -> bool:
    """Whether a row is to end: it was told to."""
    return _over.is_set()


def tell(line: str) -> None:
    """Say on standard error how far a row is."""
    sys.stderr.write(f"    {line}\n")
    sys.stderr.flush()
