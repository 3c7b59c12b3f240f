"""The line that breaks in a rehearsal: the real offline desk queues, refuses, replays, disputes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from helpdesk.domain.actions import TakeTicket
from helpdesk.domain.errors import Unreachable
from helpdesk.domain.offline import State
from helpdesk.domain.training.scenario import PERSON, TICKET
from helpdesk.service.cutting import FrontDesk
from helpdesk.service.offline import OfflineDesk
from helpdesk.staging import open_stage
from tests.factories import CARDS
from tests.training.stage import Played, bundled, steps, told_of

END = {"at": "4m", "end": "D2"}
CUT = {"kind": "line-down", "at": "10s", "lasts": "60s"}
NOTE = {"at": "20s", "act": "note", "set": {"text": "Calls again."}}


def did(played: Played) -> list[tuple[int, str, str]]:
    """The acts of a play: when, what, and what became of them."""
    return [(one.at, one.act, one.result) for one in played.lines("did")]


def test_what_may_wait_waits_and_is_sent_when_the_line_is_back(tmp_path: Path) -> None:
    played = Played(tmp_path / "world", told_of(faults=[CUT]), steps(NOTE, END))

    assert isinstance(played.stage.front, OfflineDesk)
    assert did(played) == [(20, "note", "queued"), (70, "note", "done")]
    assert [wish.state for wish in played.stage.front.wishes] == [State.DONE]


def test_what_opens_a_way_in_never_waits(tmp_path: Path) -> None:
    send = {"at": "20s", "act": "send-code"}

    played = Played(tmp_path / "world", told_of(faults=[CUT]), steps(send, END))

    assert did(played) == [(20, "send-code", "failed")]
    assert "A code that comes late" in played.lines("did")[0].why


def test_what_rests_on_something_else_by_then_is_in_conflict(tmp_path: Path) -> None:
    meets = {"kind": "conflict", "at": "30s", "lasts": "1m"}
    take = {"at": "20s", "act": "take-ticket"}

    played = Played(tmp_path / "world", told_of(faults=[CUT, meets]), steps(take, END))

    assert did(played) == [(20, "take-ticket", "queued"), (70, "take-ticket", "failed")]
    assert isinstance(played.stage.front, FrontDesk)
    assert [wish.state for wish in played.stage.front.wishes] == [State.CONFLICT]


def test_what_the_log_tells_meanwhile_is_known_when_the_line_is_back(tmp_path: Path) -> None:
    then = [{"at": "30s", "kind": "lock", "from": "0s", "until": "20m", "failures": 5}]

    played = Played(tmp_path / "world", told_of(faults=[CUT], then=then), steps(END))

    assert [came.at for came in played.lines("came")] == [30]
    assert [saw.at for saw in played.lines("saw")] == [0, 70]


def test_it_is_the_same_to_the_byte_at_any_speed(tmp_path: Path) -> None:
    told = bundled("between-two-tunnels")

    slow = Played(tmp_path / "1", told, told.scenario.model, tick_s=1)
    fast = Played(tmp_path / "60", told, told.scenario.model, tick_s=60)

    assert slow.record == fast.record
    assert b'"result":"queued"' in slow.record


async def test_the_case_is_still_shown_without_a_line_and_marked(tmp_path: Path) -> None:
    stage: Any = open_stage(told_of(faults=[CUT]), CARDS, tmp_path, lambda line: None)
    await stage.begin()
    case = await stage.front.case(PERSON)

    await stage.front.cut(is_cut=True)

    with pytest.raises(Unreachable, match="line to the desk is down"):
        await stage.front.changes()
    assert (await stage.front.case(PERSON)).user == case.user
    assert stage.front.freshness.says == "as of 14:05, not live"
    outcome = await stage.front.perform(TakeTicket(user=PERSON, ticket=TICKET))
    assert outcome.says.startswith("Queued")
    await stage.leave()
    await stage.desk.settle()
