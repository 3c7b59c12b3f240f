"""K: from a key in the list to the end of the frame that answers it."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from tests.bench.run import Run, peer, row
from tests.bench.screen import DOWN, END, ENTER, HOME, PAGE_DOWN, PAGE_UP, UP, Painted, Screen
from tests.bench.table import Goal, Line, Printed, Sample, in_turn, line, processor, wall, written

CURSOR = "▌"
"""What stands on the row that a key came to."""

NAMED = 14
"""Letters of a row by which it is known."""

TTY, LIST, STOCK = "raw tty", "minimal list", "DataTable"
STOCK_MOST = 10_000
"""Rows of the DataTable that a run waits for: it loads a hundred thousand in ten seconds."""


class Held:
    """Lists side by side on the same number of rows, each in a terminal of its own."""

    def __init__(self, run: Run, users: int, open_: ExitStack) -> None:
        self.users = users
        ours = open_.enter_context(run.console(users))
        ours.press(b"/sort:name", f"{users:,} found")  # everybody, as the others have
        ours.press(ENTER, CURSOR)
        self.screens = {
            "ours": ours,
            TTY: open_.enter_context(_peer("tty", 400)),
            LIST: open_.enter_context(_peer("minimal", users)),
        }
        if users <= STOCK_MOST:
            self.screens[STOCK] = open_.enter_context(Screen(peer("stock", users)))
            self.screens[STOCK].until("User 0000001")
        if shutil.which("htop"):
            self.screens["htop"] = open_.enter_context(Screen(["htop"]))
            self.screens["htop"].until("Quit")
        for screen in self.screens.values():
            screen.settle()

    def press(self, count: int, *keys: bytes) -> dict[str, list[Painted]]:
        """Press these keys, one after the other and all over again, in each list in turn."""
        turns = dict.fromkeys(self.screens, 0)

        def one(name: str) -> Painted:
            screen, key = self.screens[name], keys[turns[name] % len(keys)]
            turns[name] += 1
            screen.settle(0.12)  # the case has come
            time.sleep(random.random() * 0.02)
            wanted = [CURSOR] if name in {"ours", TTY, LIST} else []
            return screen.press(key, *wanted)

        return in_turn(count, {name: partial(one, name) for name in self.screens})


def _peer(name: str, *arguments: object) -> Screen:
    screen = Screen(peer(name, *arguments))
    screen.until(CURSOR)
    return screen


@row("K1")
def cursor(run: Run) -> Iterator[Printed]:
    """Cursor down: key to frame, at each size, and how many bytes that frame has."""
    of_size: dict[int, Sample] = {}
    for users in run.sizes:
        with ExitStack() as open_:
            held = Held(run, users, open_)
            taken = held.press(run.count(100), *[DOWN] * 12, *[UP] * 12)
            of_size[users] = wall(taken)["ours"]
            goals = {TTY: Goal(most=5), STOCK: Goal(most=0.5)}
            yield line("K1", "cursor down", wall(taken), goals, users)
            yield line("K1", "cursor down, processor", processor(taken), {}, users)
            yield line("K1", "cursor down, bytes", written(taken), {LIST: Goal(most=2)}, users)
            yield from _even("K1", wall(taken)["ours"], users)
    least, *more = of_size
    for users in more:
        name = f"that of {least:,} users"
        medians = {"ours": _middle(of_size[users]), name: _middle(of_size[least])}
        yield line("K4", "median of K1", medians, {name: Goal(most=1.15)}, users)


@row("K2")
def page(run: Run) -> Iterator[Printed]:
    """A page, the end, the beginning: key to frame, at each size."""
    for users in run.sizes:
        with ExitStack() as open_:
            held = Held(run, users, open_)
            taken = held.press(run.count(60), PAGE_DOWN, PAGE_DOWN, END, PAGE_UP, HOME)
            goals = {TTY: Goal(most=7), STOCK: Goal(most=0.15)}
            yield line("K2", "page, end, home", wall(taken), goals, users)
            yield line("K2", "page, end, home, processor", processor(taken), {}, users)
            yield from _even("K2", wall(taken)["ours"], users)


@row("K6")
def following(run: Run) -> Iterator[Printed]:
    """Cursor down, to the last frame of the case that follows it."""
    with run.console(1_000) as console:
        times = [_to(console, DOWN, UP, quiet_s=0.15) for _ in range(run.count(40))]
        found = {"ours": Sample([one.ms for one in times]), "50 ms": Sample([50.0])}
        yield line("K6", "cursor down → its case settled", found, {"50 ms": Goal(most=1)})


@row("K5")
def burst(run: Run) -> Iterator[Printed]:
    """Forty keys in one write: to the frame that shows the row, beside one key and one page."""
    with run.console(1_000) as console:
        console.press(b"/sort:name", "1,000 found")
        console.press(ENTER, CURSOR)
        ways = {
            "ours": (DOWN * 40, UP * 40),
            "one key": (DOWN, UP),
            "one page": (PAGE_DOWN, PAGE_UP),
        }
        cases = {
            name: partial(_shown, console, keys, back, _comes_to(console, keys, back))
            for name, (keys, back) in ways.items()
        }
        found = wall(in_turn(run.count(30), cases))
        goals = {"one key": Goal(most=15), "one page": Goal(most=4)}
        yield line("K5", "40 keys in one write", found, goals)


def _comes_to(console: Screen, keys: bytes, back: bytes) -> str:
    """Give what stands on the row that keys come to: they are pressed once, and back."""
    console.settle()
    console.press_all(keys, 0.5)
    console.press_all(UP, 0.5)
    last = console.press(DOWN, CURSOR).text  # nothing but two rows is painted
    console.press_all(back, 0.5)
    return last[last.rindex(CURSOR) :][:NAMED]


def _shown(console: Screen, keys: bytes, back: bytes, row: str) -> Painted:
    """Press keys and give when the row is painted that they come to; go back."""
    console.settle()
    painted = console.press(keys, row)
    console.settle()
    console.press_all(back)
    return painted


def _to(console: Screen, keys: bytes, back: bytes, *, quiet_s: float) -> Painted:
    """Press keys and give when all was painted that they ask for; go back."""
    console.settle(0.15)
    painted = console.press_all(keys, quiet_s)
    console.settle(0.15)
    console.press_all(back)
    return painted


def _even(code: str, ours: Sample, users: int) -> Iterator[Line]:
    """How much longer than the median the slowest of a hundred takes, and the slowest of all."""
    name = f"its own median ({code})"
    slowest = {"ours": Sample([ours.p99]), name: _middle(ours)}
    yield line("K3", f"p99 of {code}", slowest, {name: Goal(most=2.5)}, users)
    longest = {"ours": Sample([max(ours.figures)]), "33 ms": Sample([33.0])}
    yield line("K3", f"slowest of {code}", longest, {"33 ms": Goal(most=1)}, users)


def _middle(ours: Sample) -> Sample:
    return Sample([ours.median])
