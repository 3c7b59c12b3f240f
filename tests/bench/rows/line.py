"""N: the console over a line that takes 200 ms each way, as ssh to another continent does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.bench.delayed import Delayed
from tests.bench.run import READY, Run, helpdesk, row
from tests.bench.screen import DOWN, ENTER, Painted, Screen
from tests.bench.table import Goal, Line, Printed, Sample

DELAY_S = 0.2
ROUND_MS = 2e3 * DELAY_S
KEYS = 20
APART_S = 0.125
"""Seconds from one key to the next: who types eight a second."""

SEARCH = "product:lead sort:na"
"""Twenty letters of a search."""

CURSOR = re.compile("▌([^ ]+ [^ ]+)")
ALONE = "the line alone, there and back"


@dataclass(frozen=True)
class Typed:
    """What came of keys that were typed: of the last of them, and of all."""

    last: Painted
    size: int
    asked: int


@row("N1")
def far_away(run: Run) -> Iterator[Printed]:
    """The console over a line of 200 ms each way: its start, twenty keys, twenty letters."""
    with Screen(helpdesk(), run.home("line")) as near:
        plain = near.until(*READY)
        near.settle()
        name = _named([near.press(DOWN, "▌").text for _ in range(KEYS)])
    starts: list[Painted] = []
    moves: list[Typed] = []
    letters: list[Typed] = []
    asked = 0
    for _ in range(run.count(5)):
        with Screen(helpdesk(), run.home("line")) as near:
            plain = min(plain, near.until(*READY), key=lambda one: one.ms)
        with Delayed(DELAY_S, helpdesk(), run.home("line")) as far:
            starts.append(far.until(*READY))
            far.settle(1)
            asked = far.asked
            moves.append(_typed(far, [DOWN] * KEYS, f"▌{name}"))
            far.press(b"/")
            far.settle(1)
            letters.append(_typed(far, [letter.encode() for letter in SEARCH], SEARCH[-8:]))
            far.press(ENTER)
            far.settle(1)
    whole = {"without the line, and once there and back": Sample([plain.ms + ROUND_MS])}
    started, goals = Sample([one.ms for one in starts]), {next(iter(whole)): Goal(most=1.25)}
    says = f"the terminal was asked {asked} questions"
    yield Line("N1", "command → first frame", started, whole, goals, says=says)
    for what, taken in (("key down", moves), ("letter of a search", letters)):
        yield from _lines(what, taken)


def _named(frames: Sequence[str]) -> str:
    """Who the cursor is on after the last of these frames."""
    found = CURSOR.findall(frames[-1])
    assert found, frames[-1]
    return str(found[-1])


def _typed(far: Delayed, keys: Sequence[bytes], wanted: str) -> Typed:
    """Type keys at a person's pace; give when the frame was there that the last one asks for."""
    before, asked = far.written, far.asked
    for key in keys[:-1]:
        far.send(key)
        far.rest(APART_S)
    last = far.press(keys[-1], wanted)
    far.settle(1)
    return Typed(last, far.written - before, far.asked - asked)


def _lines(what: str, taken: Sequence[Typed]) -> Iterator[Printed]:
    last = Sample([one.last.ms for one in taken])
    beside = {ALONE: Sample([ROUND_MS])}
    yield Line("N1", f"last {what} → its frame", last, beside, {ALONE: Goal(most=1.25)})
    sizes = Sample([one.size / KEYS for one in taken], "bytes")
    asked = sum(one.asked for one in taken)
    yield Line("N1", f"bytes of a {what}", sizes, says=f"the terminal was asked {asked} questions")
