"""The commands about rehearsing: listing, checking, playing and starting scenarios, and marks."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpdesk.commands import fail, say
from helpdesk.config import config_directory
from helpdesk.domain.errors import BadFile, BadInput
from helpdesk.domain.text import clean

if TYPE_CHECKING:
    from helpdesk.domain.products import Product
    from helpdesk.domain.training.scenario import Step
    from helpdesk.domain.training.scoring import Score
    from helpdesk.fixture.training import Told


def check(given: argparse.Namespace) -> int:
    """Say of each scenario file that it is right, or what is wrong with it; exit code 2 then."""
    from helpdesk.fixture.training import read_scenario

    cards = _cards()
    code = 0
    for path in given.files or _all_files():
        try:
            told = read_scenario(path, cards)
            if given.play:
                _tried(path, told)
        except BadInput as error:
            code = fail(error, is_json=False)
            continue
        say(f"{clean(str(path))}: right. {clean(told.scenario.title)}")
    return code


def _cards() -> dict[str, Product]:
    from helpdesk.products import load_cards

    return load_cards(config_directory() / "products")


def _all_files() -> list[Path]:
    from helpdesk.staging import scenario_places

    return [path for place in scenario_places() for path in sorted(place.glob("*.toml"))]


def _tried(path: Path, told: Told) -> None:
    """Play the model answer and the bad one.

    Raises:
        BadFile: The model loses marks, or the bad one other marks than it says.
    """
    scenario = told.scenario
    if scenario.model:
        found = played(told, scenario.model)
        lost = [mark for mark in found.marks if mark.got < mark.of]
        if lost:
            says = " ".join(f"{mark.part.value}: {mark.says}" for mark in lost)
            raise BadFile(str(path), "model", f"gets {found.total} of 100. {says}")
    if scenario.bad is not None:
        lost_parts = set(played(told, scenario.bad.steps).lost)
        if lost_parts != set(scenario.bad.loses):
            names = ", ".join(sorted(part.value for part in lost_parts)) or "nothing"
            raise BadFile(str(path), "bad.loses", f"it loses {names}")


def played(told: Told, steps: Sequence[Step]) -> Score:
    """Return the marks of steps, played in a world that is thrown away."""
    from helpdesk.service.playing import play
    from helpdesk.staging import open_stage

    cards = _cards()
    with tempfile.TemporaryDirectory() as place:
        stage = open_stage(told, cards, Path(place), lambda line: None)
        try:
            return asyncio.run(play(stage, steps, tick=timedelta(seconds=60)))
        finally:
            stage.desk.close()
            stage.colleague.close()


def add_train(to: Any) -> None:
    """Add `train` with its steps."""
    says = "Rehearse: play a call on invented data, and be marked"
    train = to.add_parser("train", help=says, description=f"{says}.")
    steps = train.add_subparsers(metavar="check", required=True)
    says = "say whether scenario files are right, or which table and key is wrong"
    command = steps.add_parser("check", help=says)
    command.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="all, if none is given"
    )
    command.add_argument("--play", action="store_true", help="play their answers as well")
    command.set_defaults(run=check)
