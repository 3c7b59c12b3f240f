"""Runs a command in a terminal of its own until the console is drawn, then quits it.

`python -m tests.first_frame COMMAND`; exit code 0 when the frame came and the console ended well.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.tui.pseudo import Terminal

FRAME = "DEMO DATA"
"""What the header of the demo desk says."""


def main(command: str) -> int:
    """Run *command* with `sh`, wait for the frame, press Ctrl+Q, and tell how long it took."""
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as home,
        Terminal(["sh", "-c", command], Path(home), size=(130, 34), patience_s=600) as terminal,
    ):
        terminal.until(FRAME)
        took = time.monotonic() - began
        terminal.send(b"\x11")
        code = terminal.end()
        is_restored = terminal.settings == terminal.before
    sys.stdout.write(f"first frame after {took:.1f} s, exit code {code}\n")
    return code if is_restored else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
