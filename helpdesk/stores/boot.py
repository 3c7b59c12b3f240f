"""Time that nobody can set back: since this machine was started."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def since_boot() -> float:
    """Return seconds that never go back, those in which the machine slept among them where known.

    Counted from an arbitrary moment; the same one in all processes until the machine starts anew.
    """
    boot_time = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot_time is None else time.clock_gettime(boot_time)


def boot() -> str:
    """Return a name for this start of the machine; empty where it has none."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
