"""The bundled scenarios: the model answer gets everything, the bad one loses what it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.stage import BUNDLED, Played, bundled

NAMES = sorted(path.stem for path in BUNDLED.glob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_the_model_answer_gets_full_marks(name: str, tmp_path: Path) -> None:
    told = bundled(name)

    played = Played(tmp_path / "world", told, told.scenario.model)

    assert [
        f"{mark.part.value}: {mark.says}" for mark in played.score.marks if mark.got < mark.of
    ] == []
    assert played.score.total == 100


@pytest.mark.parametrize("name", NAMES)
def test_the_bad_answer_loses_the_right_marks(name: str, tmp_path: Path) -> None:
    told = bundled(name)
    assert told.scenario.bad is not None

    played = Played(tmp_path / "world", told, told.scenario.bad.steps)

    assert set(played.score.lost) == set(told.scenario.bad.loses)
