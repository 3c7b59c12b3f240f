"""F: from a letter typed into the search to the frame that shows whom it finds, and how many."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.run import CROWD, Run, row
from tests.bench.screen import ESCAPE, Painted, Screen
from tests.bench.table import Goal, Line, Printed, Sample, Skipped, line, processor, wall

CLEAR: dict[str, bytes] = {"ours": ESCAPE, "fzf": b"\x15"}
"""The key that clears what was typed."""

GOALS = {
    "F1": Goal(most=2, most_p99=1.25),
    "F2": Goal(most=1.25, most_p99=0.5),
    "F3": Goal(most=0.5, most_p99=0.75),
}

SMALL = 1_000
"""With so many names, memory is that of the programs alone."""

FRAME_MS = 1000 / 60


@dataclass(frozen=True)
class Typing:
    """What is typed and what must be shown after each part of a word."""

    words: tuple[str, ...]
    shown: dict[str, dict[str, str]]
    names: tuple[str, ...]


@row("F1")
def few(run: Run) -> Iterator[Printed]:
    """A letter of a search among 1,000 and 10,000 users: key to the frame with their number."""
    for users in (1_000, 10_000):
        yield from _letters("F1", run, users)


@row("F2")
def many(run: Run) -> Iterator[Printed]:
    """A letter of a search among 100,000 users: key to the frame with their number."""
    if run.biggest < 100_000:
        yield Skipped("F2", "--biggest is less than its 100,000 users")
    else:
        yield from _letters("F2", run, 100_000)


@row("F3")
def crowd(run: Run) -> Iterator[Printed]:
    """A letter among 1,000,000 users: key to the frame with a full window and, F4, their number."""
    if run.biggest < CROWD:
        yield Skipped("F3", f"--biggest is less than its {CROWD:,} users; so is that of F4")
        return
    lines = [*_letters("F3", run, CROWD)]
    yield from lines
    for one in lines:  # both are in one frame
        if isinstance(one, Line) and "fzf" in one.goals:
            yield replace(one, code="F4", goals={"fzf": Goal(most=1.5, most_p99=3)})


@row("F5")
def held(run: Run) -> Iterator[Printed]:
    """The longest stretch that a search of each letter holds the loop which paints."""
    for users in run.sizes:
        argument = [str(run.fixture(users)), str(run.count(60))]
        count = [sys.executable, "-m", "tests.bench.holding", *argument]
        environment = run.environment(run.home())
        done = subprocess.run(count, check=True, capture_output=True, env=environment)
        found = {"ours": Sample(json.loads(done.stdout)), "a frame": Sample([FRAME_MS])}
        yield line("F5", "held by a search", found, {"a frame": Goal(most_p99=1)}, users)


@row("M2")
def memory(run: Run) -> Iterator[Printed]:
    """Resident memory with the search ready, beside fzf with the same names."""
    if not shutil.which("fzf"):
        yield Skipped("M2", "fzf is not there: apt-get install fzf")
        return
    for users in (size for size in run.sizes if size > SMALL):
        typing = _typing(run, users)
        with run.console(users) as ours, _fzf(run, typing.names) as fzf:
            word = typing.words[0]
            ours.press(b"/")
            for letter in word:
                ours.press(letter.encode())
                ours.settle(0.2)
            found = {"ours": ours.memory_mb(), "fzf": fzf.memory_mb()}
        told = {name: Sample([each], "MiB") for name, each in found.items()}
        yield line("M2", "memory, search ready", told, {"fzf": Goal(most=1)}, users)


def _letters(code: str, run: Run, users: int) -> Iterator[Printed]:
    typing = _typing(run, users)
    with ExitStack() as open_:
        screens = {"ours": open_.enter_context(run.console(users))}
        screens["ours"].press(b"/")
        if shutil.which("fzf"):
            screens["fzf"] = open_.enter_context(_fzf(run, typing.names))
        else:
            yield Skipped(code, "fzf is not there: apt-get install fzf")
        taken: dict[str, list[Painted]] = {name: [] for name in screens}
        for word in typing.words[: run.count(len(typing.words))]:
            for name, screen in screens.items():
                taken[name] += _typed(screen, word, typing.shown[name], CLEAR[name])
    yield line(code, "letter → hits", wall(taken), {"fzf": GOALS[code]}, users)
    yield line(code, "letter → hits, processor", processor(taken), {}, users)


def _typed(screen: Screen, word: str, shown: dict[str, str], clear: bytes) -> Iterator[Painted]:
    """Type a word; give the letters after which another number is shown, and clear it."""
    before = ""
    for end in range(1, len(word) + 1):
        after = shown[word[:end]]
        screen.settle(0.12)
        time.sleep(random.random() * 0.02)
        if after == before:  # nothing else would be drawn than the letter
            screen.press(word[end - 1].encode())
        else:
            yield screen.press(word[end - 1].encode(), after)
        before = after
    screen.press(clear)
    screen.settle()


def _typing(run: Run, users: int) -> Typing:
    count = [sys.executable, "-m", "tests.bench.counting", str(run.fixture(users))]
    environment = run.environment(run.home())
    done = subprocess.run(count, check=True, capture_output=True, env=environment)
    found = json.loads(done.stdout)
    total = len(found["names"])
    shown = {
        "ours": {part: f"{number:,} found" for part, number in found["ours"].items()},
        "fzf": {part: f"{number}/{total}" for part, number in found["plain"].items()},
    }
    return Typing(tuple(found["words"]), shown, tuple(found["names"]))


def _fzf(run: Run, names: tuple[str, ...]) -> Screen:
    file = Path(run.home()) / "names"
    file.write_text("\n".join(names) + "\n", "utf-8")
    screen = Screen(["sh", "-c", f"exec fzf --exact --literal -i --no-mouse < {file}"])
    screen.until(f"{len(names)}/{len(names)}")
    return screen
