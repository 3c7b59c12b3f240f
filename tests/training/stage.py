"""A short way to a stage: a scenario with a few words changed, played in a place of the test's."""

from __future__ import annotations

import asyncio
import hashlib
import tomllib
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from helpdesk.assets import asset
from helpdesk.domain.training.scenario import Scenario, Step, scenario_of
from helpdesk.domain.training.scoring import Score
from helpdesk.fixture.training import Told, read_scenario
from helpdesk.service.playing import play
from helpdesk.service.rehearsing import Stage
from helpdesk.staging import open_stage
from tests.factories import CARDS

BUNDLED = asset("fixtures/training")
PLAIN = BUNDLED / "the-second-mail.toml"


def changed(**tables: Any) -> dict[str, Any]:
    """The plain scenario as its file tells it, with some keys put in their place."""
    return tomllib.loads(PLAIN.read_text("utf-8")) | tables


def told_of(**tables: Any) -> Told:
    """The plain scenario, read, with some keys put in their place."""
    return Told("plain", hashlib.sha256(b"plain").hexdigest(), scenario_of(changed(**tables)))


def bundled(name: str) -> Told:
    """One of the bundled scenarios."""
    return read_scenario(BUNDLED / f"{name}.toml", CARDS)


def steps(*raws: dict[str, Any]) -> tuple[Step, ...]:
    """Steps as a file writes them."""
    return scenario_of(changed(model=list(raws))).model


class Played:
    """A play that was carried out to its end.

    Attributes:
        record: All its bytes.
    """

    def __init__(self, place: Path, told: Told, way: Sequence[Step], tick_s: int = 60) -> None:
        lines: list[bytes] = []
        place.mkdir(exist_ok=True)
        self.scenario: Scenario = told.scenario
        self.stage: Stage = open_stage(told, CARDS, place, lines.append)
        try:
            tick = timedelta(seconds=tick_s)
            self.score: Score = asyncio.run(play(self.stage, way, tick=tick))
        finally:
            self.stage.close()
        self.record = b"".join(lines)

    @property
    def marks(self) -> dict[str, int]:
        """What was got for each part."""
        return {mark.part.value: mark.got for mark in self.score.marks}

    def lines(self, what: str) -> list[Any]:
        """The lines of the record of one kind."""
        return [one for one in self.stage.lines if one.__struct_config__.tag == what]
