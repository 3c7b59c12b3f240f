"""The first thing that runs, before anything else is loaded.

What is loaded stays: looking through it for what could be let go, again and again while it grows,
is a seventh of the time to the first frame. The console begins to look when it is shown; every
other command at once.

The console is painted empty first, and comes without what only commands need; all it loads after
that is found with one look each.
"""

from __future__ import annotations

import gc
import os
import sys

from helpdesk import opening


def main() -> int:
    """Run the command that was given; return its exit code."""
    gc.disable()
    wish = opening.wished(sys.argv[1:])
    if wish is None:
        from helpdesk.cli import main as run  # noqa: PLC0415  (loaded after that)

        return run()
    opening.paint(wish, os.environ)
    try:
        from helpdesk.modules import hasten  # noqa: PLC0415

        hasten()
        from helpdesk.commands import console  # noqa: PLC0415
        from helpdesk.saying import ended, forgive  # noqa: PLC0415

        forgive()
        return ended(wish, lambda: console(wish))
    finally:
        opening.give_back()
