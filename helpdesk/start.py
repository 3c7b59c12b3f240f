"""The first thing that runs, before anything else is loaded.

What is loaded stays: looking through it for what could be let go, again and again while it grows,
is a seventh of the time to the first frame. The console begins to look when it is shown; every
other command at once.
"""

from __future__ import annotations

import gc


def main() -> int:
    """Run the command that was given; return its exit code."""
    gc.disable()
    from helpdesk.cli import main as run  # noqa: PLC0415  (loaded after that)

    return run()
