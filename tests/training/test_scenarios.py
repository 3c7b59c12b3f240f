"""The bundled scenarios: the model answer gets everything, the bad one loses what it should."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpdesk.domain.agents import Role
from helpdesk.domain.diagnosis.questions import PAIRS
from tests.factories import CARDS
from tests.training.stage import BUNDLED, Played, bundled

NAMES = sorted(path.stem for path in BUNDLED.glob("*.toml"))


@pytest.mark.parametrize("name", NAMES)
def test_the_model_answer_gets_full_marks(name: str, tmp_path: Path) -> None:
    told = bundled(name)

    played = Played(tmp_path / "world", told, told.scenario.model)

    assert [mark.says for mark in played.score.marks if mark.got < mark.of] == []
    assert played.score.total == 100
    # What is taught is what is: the desk itself comes to this cause, by these questions.
    saws = played.lines("saw")
    assert saws[-1].causes[0][0] in {told.scenario.cause, *told.scenario.also}
    assert set(told.scenario.asks) <= {saw.ask for saw in saws}


@pytest.mark.parametrize("name", NAMES)
def test_the_bad_answer_loses_the_right_marks(name: str, tmp_path: Path) -> None:
    told = bundled(name)
    assert told.scenario.bad is not None

    played = Played(tmp_path / "world", told, told.scenario.bad.steps)

    assert set(played.score.lost) == set(told.scenario.bad.loses)


def test_they_cover_what_a_desk_meets() -> None:
    found = [bundled(name).scenario for name in NAMES]

    assert len(found) >= 30
    assert {one.product for one in found} == set(CARDS)
    assert {one.cause[0] for one in found} == set("ABCDEF")
    assert {ask for one in found for ask in one.asks} == set(PAIRS)
    assert {one.difficulty for one in found} == {1, 2, 3}
    assert {one.cause for one in found if one.caller.is_attacker} == {"F3"}
    assert "F4" in {one.cause for one in found}
    managed = [one for one in found if one.agent is Role.ACCOUNT_MANAGER]
    assert ["turn-off-mfa"] in [list(one.acts.right) for one in managed]
    assert {fault.kind for one in found for fault in one.faults} == {
        "late-mail", "too-many", "line-down", "conflict",
    }  # fmt: skip
