"""Every cause is found in its own story, in a rich log and in a poor one."""

from __future__ import annotations

import pytest

from helpdesk.domain.actions import ACTIONS
from helpdesk.domain.diagnosis import CAUSES, STOP
from tests.domain.diagnosis.stories import STORIES
from tests.domain.diagnosis.telling import ids

RESETS = {"reset-factor", "reset-all"}
NO_RESET = {"E1", "E5", "D4b", "C5", "A1", "A2", "A3", "A4", "A5", "A6", "A7"}
NO_CODE = {"C3", "C10", "D9"}
ALLOWED_WHEN_HOSTILE = {STOP, "flag", "end-sessions", "suspend-factor", "route"}


def test_there_is_a_story_for_every_cause() -> None:
    assert set(STORIES) == set(CAUSES)


@pytest.mark.parametrize("cause", STORIES)
def test_in_a_rich_log_the_cause_comes_first(cause: str) -> None:
    verdict = STORIES[cause].verdict

    assert ids(verdict, 1) == [cause]
    assert verdict.causes[0].evidence


@pytest.mark.parametrize("cause", STORIES)
def test_in_a_poor_log_the_cause_is_among_the_first_three(cause: str) -> None:
    verdict = STORIES[cause].poor.verdict

    assert cause in ids(verdict, 3)


@pytest.mark.parametrize("cause", STORIES)
@pytest.mark.parametrize("log", ["rich", "poor"])
def test_no_act_is_advised_that_would_do_harm(cause: str, log: str) -> None:
    told = STORIES[cause] if log == "rich" else STORIES[cause].poor

    act = told.verdict.act

    assert act is None or act == STOP or act in ACTIONS
    if cause in NO_RESET:
        assert act not in RESETS
    if cause in NO_CODE:
        assert act != "send-code"
    if cause.startswith("F"):
        assert act in ALLOWED_WHEN_HOSTILE


@pytest.mark.parametrize("cause", [one for one in STORIES if one[0] != "F"])
@pytest.mark.parametrize("log", ["rich", "poor"])
def test_a_harmless_case_is_not_called_hostile(cause: str, log: str) -> None:
    told = STORIES[cause] if log == "rich" else STORIES[cause].poor

    verdict = told.verdict

    assert not verdict.is_hostile


@pytest.mark.parametrize("cause", [one for one in STORIES if one[0] == "F"])
@pytest.mark.parametrize("log", ["rich", "poor"])
def test_a_hostile_case_is_stopped(cause: str, log: str) -> None:
    told = STORIES[cause] if log == "rich" else STORIES[cause].poor

    verdict = told.verdict

    assert verdict.is_hostile
    assert verdict.act == STOP


@pytest.mark.parametrize("cause", [one for one in STORIES if one[0] == "A"])
def test_what_asks_by_design_is_said_to_be_whole(cause: str) -> None:
    verdict = STORIES[cause].verdict

    assert verdict.nothing_is_broken
    assert {no.act for no in verdict.will_not_help} >= RESETS


@pytest.mark.parametrize("cause", ["C5", "D4b", "E2", "B8"])
def test_what_many_share_is_said_in_each_case(cause: str) -> None:
    verdict = STORIES[cause].verdict

    assert cause in verdict.also_others
    assert "users" in verdict.also_others


@pytest.mark.parametrize("cause", STORIES)
def test_each_line_of_evidence_points_at_events_that_are_there(cause: str) -> None:
    told = STORIES[cause]
    known = {f"e{n}" for n in range(len(told.rows))}

    named = {
        event
        for one in told.verdict.causes
        for line in (*one.evidence, *one.against)
        for event in line.events
    }

    assert named <= known
