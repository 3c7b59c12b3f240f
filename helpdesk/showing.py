"""The commands that show how it is done: a demo on a stage, its notes, a run for slides."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from helpdesk.commands import bytes_of
from helpdesk.domain.errors import BadFile, BadInput
from helpdesk.domain.text import clean, counted
from helpdesk.saying import say
from helpdesk.training import class_directory, named, product_cards

if TYPE_CHECKING:
    from helpdesk.fixture.training import Told
    from helpdesk.service.rehearsing import Stage

USUAL: Final = "truly-a-lost-phone"
"""What is shown where no scenario is named: it has a question, a proof, an act and words."""

LEAST, MOST = (60, 15), (300, 100)
"""Columns and lines of the smallest and of the largest film."""


def demo(given: argparse.Namespace) -> int:
    """Open the console on a stage, as often as the presenter begins it anew; or only the notes."""
    if not os.environ.get("TEXTUAL_DRIVER") and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput("A demo needs a terminal. Without one: helpdesk train export")
    from helpdesk.stores.prompts import Prompts

    prompts = Prompts(class_directory())
    if given.notes:
        from helpdesk.tui.demo import notes

        return notes.run(prompts.read, theme=given.theme or None)
    from helpdesk.tui.demo.app import run

    told = _with_model(named(given.name))
    try:
        while True:
            with _stage(told) as stage:
                code, is_again = run(stage, theme=given.theme or None, tell=prompts.tell)
            if not is_again:
                return code
    finally:
        prompts.end()


def export(given: argparse.Namespace) -> int:
    """Write a run, or a scenario's model answer, as a film strip and as a cast."""
    if given.strip is None and given.cast is None:
        raise BadInput("Say where to: --strip FILE.svg, --cast FILE.cast, or both.")
    from helpdesk.tui.demo.filming import filmed
    from helpdesk.tui.film.cast import recorded
    from helpdesk.tui.film.strip import drawn

    told = _of_run(Path(given.what)) if given.what.endswith(".jsonl") else named(given.what)
    with _stage(_with_model(told)) as stage:
        film = asyncio.run(filmed(stage, size=given.size, theme=given.theme or None))
    title = clean(told.scenario.title)
    if given.strip is not None:
        _write(given.strip, drawn(film.looks, title=title))
        say(f"{clean(str(given.strip))}: {counted(len(film.looks), 'frame')}.")
    if given.cast is not None:
        _write(given.cast, recorded(film.frames, film.seconds, title=title))
        frames = counted(len(film.frames), "frame")
        say(f"{clean(str(given.cast))}: {frames}, {sum(film.seconds):.0f} s.")
    return 0


@contextmanager
def _stage(told: Told) -> Iterator[Stage]:
    """Give a stage in a world of its own, of which nothing stays."""
    from helpdesk.staging import open_stage

    place = class_directory()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix=".demo-") as world:
        stage = open_stage(told, product_cards(), Path(world), lambda line: None)
        try:
            yield stage
        finally:
            stage.close()


def _with_model(told: Told) -> Told:
    if not told.scenario.model:
        raise BadInput(f"There is no model answer in {clean(told.name)} that could be shown.")
    return told


def _of_run(path: Path) -> Told:
    """The scenario of a record, with the run in the place of its model answer."""
    from helpdesk.domain.training.recording import read_record
    from helpdesk.domain.training.replaying import replayed

    found = read_record(bytes_of(path), file=str(path))
    told = named(found.key.scenario)
    scenario = replayed(found, told.scenario, told.sha256, file=str(path))
    return msgspec.structs.replace(told, scenario=scenario)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise BadFile(str(path), "", f"cannot be written: {error.strerror}") from error


def size(text: str) -> tuple[int, int]:
    """Return what `80x24` means, as an argument of the command line."""
    found = re.fullmatch(r"(\d{1,3})x(\d{1,3})", text)
    wide, high = (int(part) for part in found.groups()) if found else (0, 0)
    if not (LEAST[0] <= wide <= MOST[0] and LEAST[1] <= high <= MOST[1]):
        says = f"{clean(text)} is no size from {LEAST[0]}x{LEAST[1]} to {MOST[0]}x{MOST[1]}"
        raise argparse.ArgumentTypeError(says)
    return wide, high


def add_demo(to: Any) -> None:
    """Add `demo`."""
    says = "Show a call to many people: the model answer, a step a key, on a stage"
    command = to.add_parser("demo", help=says, description=f"{says}.")
    command.add_argument(
        "name", nargs="?", default=USUAL, metavar="SCENARIO", help=f"in the list ({USUAL})"
    )
    command.add_argument(
        "--notes", action="store_true", help="the presenter's notes of a demo beside this terminal"
    )
    command.set_defaults(run=demo)


def add_export(to: Any) -> None:
    """Add `export` to the steps of `train`."""
    says = "write a run, or a scenario's model answer, as pictures for slides"
    command = to.add_parser("export", help=says, description=f"{says.capitalize()}.")
    command.add_argument("what", metavar="RUN|SCENARIO", help="a record.jsonl, or a scenario")
    command.add_argument("--strip", type=Path, metavar="FILE", help="a film strip in one SVG")
    command.add_argument("--cast", type=Path, metavar="FILE", help="an asciicast, for asciinema")
    command.add_argument(
        "--size", type=size, default=(80, 24), metavar="COLUMNSxLINES", help="(80x24)"
    )
    command.set_defaults(run=export)
