"""S: from the command to what can be used, and back to the shell."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from tests.bench.run import READY, Run, helpdesk, installed, peer, row
from tests.bench.screen import CTRL_Q, Painted, Screen
from tests.bench.table import Goal, Printed, Skipped, in_turn, line, processor, wall

NO_POSTING = "posting is not there: make an environment DATA/posting with it (pip install posting)"


@row("S1")
def first_paint(run: Run) -> Iterator[Printed]:
    """From the command to the first that is painted at all."""
    nothing = [sys.executable, "-c", "pass"]
    cases = {
        "ours": partial(_started, run, helpdesk()),
        "python -c pass": partial(_gone, run, nothing),
        "Textual hello": partial(_started, run, peer("hello")),
    }
    taken = in_turn(run.count(15), cases)
    yield line("S1", "first paint", wall(taken), {"python -c pass": Goal(most=1.5)})


@row("S2")
def first_frame(run: Run) -> Iterator[Printed]:
    """From the command to the list that can be used: demo, and the biggest fixture."""
    posting = installed("posting", run.data)
    for users, goal in ((0, Goal(most=1.25)), (run.sizes[-1], Goal(most=1.4))):
        desk = ["--desk", str(run.fixture(users))] if users else []
        cases = {
            "ours": partial(_started, run, helpdesk(*desk), *READY),
            "Textual hello": partial(_started, run, peer("hello"), "READY"),
        }
        if posting and not users:
            cases["posting"] = partial(_started, run, [posting], "Collection")
        for case in cases.values():
            case()  # what is compiled or copied once is so now
        taken = in_turn(run.count(15 if not users else 5), cases)
        what = f"first frame, {'fixture' if users else 'demo'}"
        goals = {"Textual hello": goal, "posting": Goal(most=0.35)}
        yield line("S2", what, wall(taken), goals, users)
        yield line("S2", f"{what}, processor", processor(taken), goals, users)
    if not posting:
        yield Skipped("S2", NO_POSTING)


@row("S3")
def installed_for_reading(run: Run) -> Iterator[Printed]:
    """The first frame of what pip installed where nothing can be written, beside S2.

    pip, and pipx by it, compile what they install; uv does not unless it is told to: what that
    costs where no cache can be written either is told beside it.
    """
    place = run.scratch / "installed"
    make = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-m", *make, "--target", str(place), str(root)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        yield Skipped("S3", "it could not be installed: pip install hatchling, which builds it")
        return
    command = [sys.executable, "-P", "-m", "helpdesk"]  # not what lies where this began
    reads = {"PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    bare = reads | {"PYTHONPYCACHEPREFIX": str(run.home())}
    cases = {
        "ours": partial(_started, run, command, *READY, environment=reads),
        "a cache that can be written (S2)": partial(_started, run, helpdesk(), *READY),
        "nothing compiled at all": partial(_started, run, command, *READY, environment=bare),
    }
    for case in cases.values():
        case()
    taken = in_turn(run.count(10), cases)
    goals = {"a cache that can be written (S2)": Goal(most=1.05)}
    yield line("S3", "first frame, read-only install", wall(taken), goals)
    yield line("S3", "first frame, read-only install, processor", processor(taken), goals)


@row("S4")
def quitting(run: Run) -> Iterator[Printed]:
    """From the key that quits to the shell."""
    cases = {
        "ours": partial(_quit, run, helpdesk(), *READY),
        "Textual hello": partial(_quit, run, peer("hello"), "READY"),
    }
    taken = in_turn(run.count(10), cases)
    yield line("S4", "quit → shell", wall(taken), {"Textual hello": Goal(most=0.8)})


def _started(
    run: Run, command: list[str], *wanted: str, environment: Mapping[str, str] | None = None
) -> Painted:
    """Give how a command came to its first frame with these words."""
    with Screen(command, run.home("starting"), environment) as screen:
        return screen.until(*wanted)


def _gone(run: Run, command: list[str]) -> Painted:
    with Screen(command, run.home("starting")) as screen:
        return screen.ended(b"")


def _quit(run: Run, command: list[str], *wanted: str) -> Painted:
    with Screen(command, run.home("starting")) as screen:
        screen.until(*wanted)
        screen.settle()
        return screen.ended(CTRL_Q)
