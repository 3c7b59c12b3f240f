"""The commands about rehearsing: listing, checking, playing and starting scenarios, and marks."""

from __future__ import annotations

import argparse
import asyncio
import getpass
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpdesk import answers
from helpdesk.commands import bytes_of
from helpdesk.config import config_directory, data_directory
from helpdesk.domain.errors import BadFile, BadInput, NotFound
from helpdesk.domain.text import clean
from helpdesk.saying import fail, say, warn

if TYPE_CHECKING:
    from helpdesk.domain.products import Product
    from helpdesk.domain.training.debriefing import Result
    from helpdesk.domain.training.scenario import Step
    from helpdesk.domain.training.scoring import Score
    from helpdesk.fixture.training import Told

LEVELS = ("", "easy", "fair", "hard")
"""Difficulties in words."""

LEFT = re.compile(r'"(?P<what><[^"<>]+>)"')
"""What `new` leaves to be written."""


def listing(given: argparse.Namespace) -> int:
    """Say which scenarios there are, how hard each is, and the trainee's best.

    By number and by what the caller complains of: a name or a title would give the cause away.
    """
    from helpdesk.staging import scenario_files

    best = {row.scenario: row for row in _results(_trainee(given))}
    numbers = {path.stem: number for number, path in enumerate(scenario_files(), 1)}
    for name, told in scenarios().items():
        one = told.scenario
        done = f"{best[name].total:>3} of 100" if name in best else "  –       "
        level, product = LEVELS[one.difficulty], one.product
        line = f"{numbers[name]:>3}  {level:<5} {done}  {product:<17} {clean(one.subject)}"
        if given.trainer:
            line += f"  [{clean(name)}: {one.cause}, {clean(one.title)}]"
        say(line)
    return 0


def check(given: argparse.Namespace) -> int:
    """Say of each scenario file that it is right, or what is wrong with it; exit code 2 then."""
    from helpdesk.fixture.training import read_scenario
    from helpdesk.staging import scenario_files

    cards = product_cards()
    code = 0
    for path in given.files or scenario_files():
        try:
            told = read_scenario(path, cards)
            _check_written(path)
            tried = _tried(path, told) if given.play else ""
        except BadInput as error:
            code = fail(error, is_json=False)
            continue
        say(f"{clean(str(path))}: right. {clean(told.scenario.title)}{tried and ' –'}{tried}")
    return code


def _check_written(path: Path) -> None:
    """Raise `BadFile` where something that `new` left to be written still stands there."""
    for line in path.read_text("utf-8").splitlines():
        if left := LEFT.search(line):
            says = f"is still to be written: {left['what']}"
            raise BadFile(str(path), line.partition("=")[0].strip(" {"), says)


def play(given: argparse.Namespace) -> int:
    """Open the console on a scenario, as often as the trainee wants; say the marks at the end."""
    is_on_a_page = bool(os.environ.get("TEXTUAL_DRIVER"))
    if not (is_on_a_page or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise BadInput("A play needs a terminal. Without one: helpdesk train check --play FILE")
    from helpdesk.config import load_config
    from helpdesk.service.rehearsal import AGAIN
    from helpdesk.staging import open_stage
    from helpdesk.stores.plays import Plays
    from helpdesk.tui.training import run

    told, cards, plays = (
        named(given.name),
        product_cards(),
        Plays(class_directory(), _trainee(given)),
    )
    theme = given.theme or load_config(os.environ).theme or None
    while True:
        with plays.begun(told.name) as (world, write, path):
            stage = open_stage(told, cards, world, write)
            try:
                code, is_again, found = run(stage, theme=theme)
            finally:
                stage.close()
        if is_on_a_page:  # the page speaks with one console a process
            return AGAIN if is_again else code
        if found is not None:
            say(f"{score_text(found)}\nRecord: {clean(str(path))}")
        if not is_again:
            return code


def new(given: argparse.Namespace) -> int:
    """Begin a scenario from a case file or a case bundle, made anonymous."""
    from helpdesk.domain.diagnosis.casefile import decode_case
    from helpdesk.domain.training.drafting import draft

    case = decode_case(bytes_of(given.case), file=str(given.case))
    text = draft(case, product_cards(), file=str(given.case))
    try:
        with given.out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise BadFile(str(given.out), "", "is there already; it is not written over") from error
    except OSError as error:
        raise BadFile(str(given.out), "", f"cannot be written: {error.strerror}") from error
    out = clean(str(given.out))
    say(f"{out}: begun. Write what stands in <…>, then: helpdesk train check {out}")
    return 0


def named(name: str) -> Told:
    """Return the scenario of this name, of this number in the list, or of this file.

    Raises:
        NotFound: There is none.
    """
    from helpdesk.fixture.training import read_scenario
    from helpdesk.staging import scenario_files

    files = {path.stem: path for path in scenario_files()}
    by_number = {str(number): path for number, path in enumerate(scenario_files(), 1)}
    own = Path(name) if name.endswith(".toml") else None
    path = files.get(name) or by_number.get(name) or own
    if path is None:
        raise NotFound(f"There is no scenario {clean(name)}. Try: helpdesk train")
    return read_scenario(path, product_cards())


def score(given: argparse.Namespace) -> int:
    """Say the marks of a recorded play, and what happened when; from the record alone."""
    from helpdesk.domain.training.recording import read_record
    from helpdesk.domain.training.scoring import score as score_of

    data, file = bytes_of(given.record), str(given.record)
    found = score_of(data, file=file)
    if given.json:
        say(answers.as_json(found))
        return 0
    say(score_text(found))
    from helpdesk.domain.training.debriefing import replay
    from helpdesk.domain.training.spans import clock_words

    say("")
    for moment in replay(read_record(data, file=file)):
        say(f"{clock_words(moment.at):>6}  {moment.who:<7} {clean(moment.says)}")
    return 0


def table(given: argparse.Namespace) -> int:
    """Say the marks of a class as a table, or who plays what in it.

    The class is the one that is named, else the one that is on, else all trainees of this machine.
    """
    from helpdesk.domain.training.debriefing import class_csv, standings_text
    from helpdesk.stores.classes import Classbook, class_named, running
    from helpdesk.stores.plays import trainees

    data = data_directory()
    directory = class_named(data, given.of) if given.of else running(data)
    if directory is None and given.now:
        raise NotFound("No class is on. One begins with: helpdesk web --training")
    if directory is None:
        rows = [row for name in trainees(class_directory()) for row in _results(name)]
    else:
        book = Classbook(directory, warn)
        if given.now:
            found = book.standings()
            say(answers.as_json(found) if given.format == "json" else standings_text(found))
            return 0
        rows = book.results()
    if given.format == "json":
        say(answers.as_json(rows))
    else:
        say(class_csv(rows).rstrip("\r\n"))
    return 0


def score_text(found: Score) -> str:
    """Return the marks as lines, each with its sentence."""
    lines = [f"{clean(found.title)}: {found.total} of 100"]
    lines += [
        f"{mark.part.value:<10} {mark.got:>3} of {mark.of:<3} {clean(mark.says)}"
        for mark in found.marks
    ]
    return "\n".join([*lines, f"To remember: {clean(found.points_out)}"])


def _results(trainee: str) -> list[Result]:
    """The trainee's best; a record that cannot be read is told of and left out."""
    from helpdesk.domain.training.debriefing import results
    from helpdesk.domain.training.scoring import score as score_of
    from helpdesk.stores.plays import Plays

    found = []
    for path in Plays(class_directory(), trainee).records():
        try:
            found.append(score_of(bytes_of(path), file=str(path)))
        except BadFile as error:
            warn(f"left out: {error}")
    return results(trainee, found)


def _trainee(given: argparse.Namespace) -> str:
    return str(given.trainee or getpass.getuser())


def class_directory() -> Path:
    """Return where plays are kept, a directory a trainee."""
    return data_directory() / "training"


def product_cards() -> dict[str, Product]:
    """Return the products there are, the trainer's own among them."""
    from helpdesk.products import load_cards

    return load_cards(config_directory() / "products")


def scenarios() -> dict[str, Told]:
    """Return the scenarios by name; a file that is wrong is told of and left out."""
    from helpdesk.fixture.training import read_scenario
    from helpdesk.staging import scenario_files

    cards, found = product_cards(), {}
    for path in scenario_files():
        try:
            found[path.stem] = read_scenario(path, cards)
        except BadFile as error:
            warn(f"left out: {error}")
    return found


def _tried(path: Path, told: Told) -> str:
    """Play the model answer and the bad one; give, in sentences, how they went.

    Raises:
        BadFile: The model loses marks, or the bad one other marks than it says.
    """
    scenario, said = told.scenario, ""
    if scenario.model:
        found = played(told, scenario.model)
        lost = [mark for mark in found.marks if mark.got < mark.of]
        if lost:
            says = " ".join(f"{mark.part.value}: {mark.says}" for mark in lost)
            raise BadFile(str(path), "model", f"gets {found.total} of 100. {says}")
        said += f" The model answer gets {found.total} of 100."
    if scenario.bad is not None:
        lost_parts = set(played(told, scenario.bad.steps).lost)
        if lost_parts != set(scenario.bad.loses):
            names = ", ".join(sorted(part.value for part in lost_parts)) or "nothing"
            raise BadFile(str(path), "bad.loses", f"it loses {names}")
        said += " The bad one loses what it should."
    return said or " There is no answer in it to play."


def played(told: Told, steps: Sequence[Step]) -> Score:
    """Return the marks of steps, played in a world that is thrown away."""
    from helpdesk.service.playing import play
    from helpdesk.staging import open_stage

    with tempfile.TemporaryDirectory() as place:
        stage = open_stage(told, product_cards(), Path(place), lambda line: None)
        try:
            return asyncio.run(play(stage, steps, tick=timedelta(seconds=60)))
        finally:
            stage.close()


def add_train(to: Any) -> Any:
    """Add `train` with its steps; give what others are added to."""
    says = "Rehearse: play a call on invented data, and be marked"
    train = to.add_parser(
        "train", help=says, description=f"{says}. Without a step: list the scenarios."
    )
    train.add_argument("--trainee", default="", metavar="NAME", help="whose marks (the user's)")
    train.add_argument(
        "--trainer", action="store_true", help="list names, causes and titles, which give it away"
    )
    train.set_defaults(run=listing)
    steps = train.add_subparsers(metavar="play|check|new|score|class|export")
    says = "open the console on a scenario: somebody is on the line"
    command = steps.add_parser("play", help=says, description=f"{says.capitalize()}.")
    command.add_argument("name", metavar="NAME", help="number, name or file.toml")
    command.set_defaults(run=play)
    says = "say whether scenario files are right, or which table and key is wrong"
    command = steps.add_parser("check", help=says, description=f"{says.capitalize()}.")
    command.add_argument("files", nargs="*", type=Path, metavar="FILE", help="(all)")
    command.add_argument("--play", action="store_true", help="play their answers as well")
    command.set_defaults(run=check)
    says = "begin a scenario from a case file or bundle, made anonymous"
    command = steps.add_parser("new", help=says, description=f"{says.capitalize()}.")
    command.add_argument("case", type=Path, metavar="CASE", help="what helpdesk bundle --out wrote")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new .toml file")
    command.set_defaults(run=new)
    says = "say the marks of a recorded play, and what happened when"
    command = steps.add_parser("score", help=says, description=f"{says.capitalize()}.")
    command.add_argument("record", type=Path, metavar="RECORD")
    command.add_argument("--json", action="store_true", help="answer in JSON")
    command.set_defaults(run=score)
    says = "say the best of every trainee, of the class that is on or else of this machine"
    command = steps.add_parser("class", help=says, description=f"{says.capitalize()}.")
    command.add_argument("--format", choices=["csv", "json"], default="csv", help="(csv)")
    command.add_argument("--of", default="", metavar="CLASS", help="another class, or: last")
    command.add_argument("--now", action="store_true", help="say who plays what just now")
    command.set_defaults(run=table)
    return steps
