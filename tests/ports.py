"""Ports for servers that take theirs by number, a moment after it was chosen."""

from __future__ import annotations

import contextlib
import random
import socket
from typing import Final

BELOW: Final = range(15_000, 30_000)
"""Where no system takes the ports of outgoing lines from: they come from 32768 on, or 49152."""


def free_port() -> int:
    """Return a port of this machine that nobody uses, and that no outgoing line will take."""
    while True:
        port = random.SystemRandom().choice(BELOW)
        with contextlib.suppress(OSError), socket.socket() as tried:
            tried.bind(("127.0.0.1", port))
            return port
