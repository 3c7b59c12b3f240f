"""Kills, too little of something, damaged files: a few of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reliability.disks import DAMAGES, asked, row
from tests.reliability.writers import lost_or_doubled
from tests.sample import write_sample


def test_nothing_acknowledged_is_lost_and_no_damage_is_silent() -> None:
    found = row(1, is_quick=True)

    assert found.failures == ()


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_in_all_that_is_tried() -> None:
    assert row(2, is_quick=False).failures == ()


def test_a_note_that_is_not_there_and_half_a_file_are_noticed(tmp_path: Path) -> None:
    file = write_sample(tmp_path / "desk.json")

    lost = lost_or_doubled(file, ["0-0.0"])
    file.write_bytes(file.read_bytes()[:-40])
    cut = lost_or_doubled(file, [])

    assert lost == ["lost: 0-0.0"]
    assert cut[0].startswith("corrupt: ")


def test_a_damaged_file_names_both_ways_back(tmp_path: Path) -> None:
    file = write_sample(tmp_path / "desk.json")
    file.with_name("desk.json.bak").write_bytes(file.read_bytes())
    file.write_bytes(DAMAGES["a log row that is none"](file.read_bytes()))

    _, _, says = asked(file, "find", "")

    assert f"{file}, log.1: is no row" in says
    assert f"{file}.bak: copy it in its place; helpdesk fixture reset" in says
