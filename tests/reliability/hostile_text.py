"""Hostile text everywhere: every place × every field × every trick, and none of them gets out.

python -m tests.reliability hostile            all of it, for hours
python -m tests.reliability hostile --quick    what CI runs
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from tests.reliability import hostile_commands as command_line
from tests.reliability.corpus import ALL, MIXED, QUICK
from tests.reliability.hostile_answers import going_on, problems
from tests.reliability.hostile_screens import screens
from tests.reliability.hostile_sources import files, providers, tickets
from tests.reliability.hostile_terminal import answered_in_tmux, in_terminal, in_tmux
from tests.reliability.hostile_words import all_words
from tests.reliability.rows import Tried, is_over

Texts = list[tuple[str, str]]
Part = Callable[[Texts, bool, Path], tuple[int, list[str]]]
"""Tries texts, all or (True) a few of the cells, in a place of its own."""


def counted(cells: Iterable[tuple[str, str]]) -> tuple[int, list[str]]:
    """Count cells, and keep those in which something was wrong."""
    tried, failures = 0, []
    for where, wrong in cells:
        tried += 1
        if wrong:
            failures.append(f"{where}: {wrong}")
    return tried, failures


def gathered(cells: AsyncIterator[tuple[str, str]]) -> tuple[int, list[str]]:
    """Count cells that come from a line."""

    async def gather() -> list[tuple[str, str]]:
        return [cell async for cell in cells]

    return counted(asyncio.run(gather()))


def _files(texts: Texts, is_quick: bool, place: Path) -> tuple[int, list[str]]:
    count = 1 if is_quick else 4

    def cells() -> Iterator[tuple[str, str]]:
        for turn, (kind, text) in enumerate(texts):
            for where, wrong in files(place, text, turn, count):
                yield f"{where}, {kind} {text[:40]!r}", wrong

    return counted(cells())


PARTS: Final[Mapping[str, Part]] = {
    "words": lambda texts, is_quick, place: all_words(texts),
    "files": _files,
    "arguments": lambda texts, is_quick, place: counted(
        command_line.arguments(place, texts, 40 if is_quick else 5)
    ),
    "outputs": lambda texts, is_quick, place: counted(
        command_line.outputs(place, texts, 30 if is_quick else 5)
    ),
    "going on": lambda texts, is_quick, place: counted(
        [] if is_quick else going_on(place, texts, 5)
    ),
    "problems": lambda texts, is_quick, place: counted(
        problems(texts[:4] if is_quick else texts, is_quick=is_quick)
    ),
    "providers": lambda texts, is_quick, place: gathered(providers(texts, 0 if is_quick else 2)),
    "tickets": lambda texts, is_quick, place: gathered(tickets(texts)),
    "terminals": lambda texts, is_quick, place: counted(
        []
        if is_quick
        else [*in_terminal(place, texts), *in_tmux(place, texts), *answered_in_tmux(place)]
    ),
    "screens": lambda texts, is_quick, place: asyncio.run(
        screens([("all of them", MIXED)] if is_quick else texts, is_timed=not is_quick)
    ),
}
"""By what they try: the parts of the row."""


def tried(name: str, texts: Texts, *, is_quick: bool) -> tuple[int, list[str]]:
    """Try one part in a directory of its own."""
    with tempfile.TemporaryDirectory() as directory, command_line.place_of(Path(directory)) as deep:
        return PARTS[name](texts, is_quick, deep)


def row(seed: int, is_quick: bool) -> Tried:
    """Try all parts; the seed chooses which texts meet which cells where not all meet all."""
    texts = [one for one in QUICK if one[0] != "a megabyte"] if is_quick else list(ALL)
    random.Random(seed).shuffle(texts)
    total = 0
    failures: list[str] = []
    for name in PARTS:
        if is_over():
            break
        count, found = tried(name, texts, is_quick=is_quick)
        total, failures = total + count, [*failures, *(f"{name}: {one}" for one in found)]
        sys.stdout.write(f"    {name:<10} {count:>9,} tried {len(found):>4} failed\n")
        sys.stdout.flush()
    return Tried(total, tuple(failures))
