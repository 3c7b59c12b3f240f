"""Several processes that play on one machine: what they leave, and what they never touch."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from helpdesk.domain.training.scoring import score
from helpdesk.stores.plays import WORLD, Plays
from tests.training.stage import PLAIN

HOLDS = """
import sys
from pathlib import Path
from helpdesk.stores.plays import Plays

with Plays(Path(sys.argv[1]), sys.argv[2]).begun("mine") as (world, write, path):
    (world / "world.json").write_text("{}")
    write(b"line\\n")
    print(world, flush=True)
    sys.stdin.read()
"""
"""Plays until its input ends."""

PLAYS = """
import asyncio, sys
from datetime import timedelta
from pathlib import Path
from helpdesk.service.playing import play
from helpdesk.staging import open_stage
from helpdesk.stores.plays import Plays
from tests.factories import CARDS
from tests.training.stage import bundled

told = bundled("the-second-mail")
plays = Plays(Path(sys.argv[1]), sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
with plays.begun(told.name) as (world, write, path):
    stage = open_stage(told, CARDS, world, write)
    try:
        asyncio.run(play(stage, told.scenario.model, tick=timedelta(seconds=1)))
    finally:
        stage.close()
"""
"""Plays the model answer, when it is told to begin."""


@contextlib.contextmanager
def process(script: str, directory: Path, trainee: str) -> Iterator[subprocess.Popen[str]]:
    """Run a script for a trainee."""
    started = subprocess.Popen(
        [sys.executable, "-c", script, str(directory), trainee],
        cwd=PLAIN.parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with started:
        try:
            yield started
        finally:
            started.kill()


def first_line(of: subprocess.Popen[str]) -> str:
    assert of.stdout is not None
    return of.stdout.readline().strip()


def test_the_next_start_sweeps_what_a_killed_play_left_and_nothing_that_is_played(
    tmp_path: Path,
) -> None:
    with process(HOLDS, tmp_path, "kim") as killed, process(HOLDS, tmp_path, "robin") as played:
        left, live = Path(first_line(killed)), Path(first_line(played))
        killed.kill()
        killed.wait()
        assert left.is_dir()

        with Plays(tmp_path, "sam").begun("mine") as (world, _, _):
            found = {each.name for each in tmp_path.glob(f"*/{WORLD}*")}

            assert found == {live.name, world.name}
            assert (live / "world.json").exists()
            assert [path.parent.name for path in Plays(tmp_path, "robin").playing()] == ["robin"]
            assert Plays(tmp_path, "kim").playing() == []
    # Records are never swept: a call that was cut off can still be looked at.
    assert Plays(tmp_path, "kim").records()[0].read_bytes() == b"line\n"


def test_two_processes_that_play_at_once_do_not_touch_each_other(tmp_path: Path) -> None:
    with process(PLAYS, tmp_path, "kim") as first, process(PLAYS, tmp_path, "robin") as second:
        players = (first, second)
        assert [first_line(each) for each in players] == ["ready"] * 2
        for each in players:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.close()
        codes = [each.wait() for each in players]

    records = [path.read_bytes() for name in ("kim", "robin") for path in
               Plays(tmp_path, name).records()]  # fmt: skip
    assert codes == [0, 0]
    assert len(records) == 2
    assert len(set(records)) == 1
    assert score(records[0]).total == 100
    assert list(tmp_path.glob(f"*/{WORLD}*")) == []
