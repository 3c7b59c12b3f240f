"""The concrete parts of a rehearsal: where scenarios lie, and the stage each is played on.

Nothing here reads the settings of a desk, or makes anything that reaches beyond this machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from helpdesk.assets import asset
from helpdesk.config import config_directory
from helpdesk.connectors.demo import DemoConnector
from helpdesk.connectors.rehearsed import RehearsedConnector
from helpdesk.domain.products import Product
from helpdesk.domain.training.recording import key_of
from helpdesk.fixture.training import Told, world
from helpdesk.service.cutting import FrontDesk
from helpdesk.service.local import LocalDesk
from helpdesk.service.rehearsal import TRAINING
from helpdesk.service.rehearsed import RehearsedDesk
from helpdesk.service.rehearsing import Stage
from helpdesk.stores.directory import TinyDirectory
from helpdesk.stores.keys import Keys
from helpdesk.stores.private import write_private
from helpdesk.stores.replica import Replica
from helpdesk.stores.seen import Seen
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile
from helpdesk.wiring import agent_named

L = TypeVar("L", bound=LocalDesk)

COLLEAGUE: Final = "greta"
"""Who is the second person in a rehearsal."""


def scenario_files() -> list[Path]:
    """Return the scenario files by name: ours, and the trainer's own before ours of the name."""
    places = [asset("fixtures/training"), config_directory() / "training"]
    found = {path.stem: path for place in places for path in sorted(place.glob("*.toml"))}
    return [found[name] for name in sorted(found)]


def open_stage(
    told: Told, cards: Mapping[str, Product], directory: Path, write: Callable[[bytes], None]
) -> Stage:
    """Return a play of a scenario in a world of its own, which is laid down in *directory*.

    Args:
        told: The scenario.
        cards: The products there are.
        directory: Empty, and nobody else's.
        write: Takes each line of the record.
    """
    scenario = told.scenario
    stage = Stage(key_of(told.name, told.sha256, scenario), scenario, write)
    path = directory / "world.json"
    write_private(path, msgspec.json.encode(world(scenario)))

    def desk(who: str, make: type[L], connector: DemoConnector, file: TinyFile) -> L:
        store = TinyStore(file)
        store.load()
        return make(
            agent=agent_named(who, store.agents),
            cards=cards,
            connector=connector,
            store=store,
            directory=TinyDirectory(file, store),
            clock=stage.clock,
            label=TRAINING,
            is_demo=True,
            keys=Keys(directory),
            witness=Seen(directory, path),
        )

    theirs = TinyFile(path, stage.clock)
    stage.colleague = desk(COLLEAGUE, LocalDesk, DemoConnector(theirs), theirs)
    own = TinyFile(path, stage.clock)
    stage.connector = RehearsedConnector(own, stage.late)
    stage.desk = desk(scenario.agent, RehearsedDesk, stage.connector, own)
    stage.desk.stage = stage
    stage.desk.fall_by(scenario.seed)
    breaks = any(fault.kind == "line-down" for fault in scenario.faults)
    stage.front = FrontDesk(stage, Replica(directory / "here")) if breaks else stage.desk
    return stage
