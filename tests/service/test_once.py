from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyotp
import pytest

from helpdesk.domain.actions import (
    AnyAction,
    EnrolTotp,
    Note,
    ResetFactor,
    Reveal,
    TemporaryPass,
    TurnOffMfa,
)
from helpdesk.domain.audit import Result
from helpdesk.domain.errors import (
    BadInput,
    KeyExpired,
    KeyTaken,
    NeedsMore,
    NotFound,
    Refused,
    StillRunning,
    Unreachable,
)
from helpdesk.domain.operations import Operation
from helpdesk.domain.proofs import Method
from helpdesk.domain.records import Record
from helpdesk.domain.search import Query
from helpdesk.domain.users import FactorState
from helpdesk.service.local import LocalDesk
from helpdesk.stores.tiny import TinyStore
from tests.conftest import NOW, Clock
from tests.proving import needs, prove
from tests.waiting import PATIENCE_S

Open = Callable[..., LocalDesk]
KEY, OTHER = "k-0123456789abcdef", "k-fedcba9876543210"
NOTE = Note(user="u2", text="called twice")
PASS = TemporaryPass(user="u2", reason="phone lost", ticket="4822")
RESET = ResetFactor(user="u2", factor="u2-f2", reason="new phone", ticket="4822")


async def rows(desk: LocalDesk, act: str) -> list[Result]:
    """How each act of a kind ended, newest first."""
    return [row.result for row in (await desk.log(Query())).rows if row.act == act]


async def test_the_same_key_again_gives_the_first_answer_and_changes_nothing(
    desk: LocalDesk, desk_as: Open
) -> None:
    await prove(desk, "u2", Method.CODE, "4822", "u2-f1")
    first = await desk.perform(RESET, key=KEY)
    told = (await desk.tray("u2")).rows
    again = await desk.perform(RESET, key=KEY)
    elsewhere = await desk_as("dana").perform(RESET, key=KEY)

    assert first.says == again.says == elsewhere.says
    assert await rows(desk, "reset-factor") == [Result.DONE]
    assert (await desk.tray("u2")).rows == told


async def test_another_key_or_another_agent_is_another_wish(desk: LocalDesk, desk_as: Open) -> None:
    await desk.perform(NOTE, key=KEY)
    await desk.perform(NOTE, key=OTHER)
    await desk_as("lee").perform(NOTE, key=KEY)

    assert await rows(desk, "note") == [Result.DONE] * 3


async def test_without_a_key_nothing_is_promised(desk: LocalDesk) -> None:
    await desk.perform(NOTE)
    await desk.perform(NOTE)

    assert await rows(desk, "note") == [Result.DONE] * 2


async def test_the_same_key_for_something_else_is_not_taken(desk: LocalDesk) -> None:
    await desk.perform(NOTE, key=KEY)

    for other in (Note(user="u2", text="called thrice"), Note(user="u1", text="called twice")):
        with pytest.raises(KeyTaken):
            await desk.perform(other, key=KEY)
    with pytest.raises(KeyTaken):
        await desk.ask_proof("u2", Method.IN_PERSON, ticket="4822", key=KEY)

    assert await rows(desk, "note") == [Result.DONE]
    assert await rows(desk, "prove") == []


@pytest.mark.parametrize("key", ["short", "x" * 256, "has a space in it", "ünïcödé-key-of-20-"])
async def test_a_key_that_is_none_is_said_so(desk: LocalDesk, key: str) -> None:
    with pytest.raises(BadInput, match="16 to 255"):
        await desk.perform(NOTE, key=key)


async def test_of_two_at_once_one_is_carried_out_and_the_other_told_to_wait(
    desk: LocalDesk,
) -> None:
    ended = await asyncio.gather(
        *(desk.perform(NOTE, key=KEY) for _ in range(5)), return_exceptions=True
    )

    assert [type(one) for one in ended].count(StillRunning) == 4
    assert await rows(desk, "note") == [Result.DONE]


async def test_after_seven_days_the_key_answers_no_more_and_does_nothing(
    desk: LocalDesk, clock: Clock
) -> None:
    await desk.perform(NOTE, key=KEY)
    clock.go_on(days=6, hours=23)
    await desk.perform(NOTE, key=KEY)
    clock.go_on(hours=1)

    with pytest.raises(KeyExpired):
        await desk.perform(NOTE, key=KEY)

    assert await rows(desk, "note") == [Result.DONE]


async def test_a_refusal_is_given_again_as_it_was(desk: LocalDesk, desk_as: Open) -> None:
    off = TurnOffMfa(user="u1", reason="asked in writing", ticket="4821")
    with pytest.raises(Refused) as first:
        await desk.perform(off, key=KEY)
    with pytest.raises(Refused) as again:
        await desk_as("dana").perform(off, key=KEY)

    assert first.value.decision == again.value.decision
    assert await rows(desk, "turn-off-mfa") == [Result.REFUSED]


async def test_a_lack_is_given_again_as_it_was(desk: LocalDesk) -> None:
    bare = ResetFactor(user="u2", factor="u2-f2")
    with pytest.raises(NeedsMore) as first:
        await desk.perform(bare, key=KEY)
    with pytest.raises(NeedsMore) as again:
        await desk.perform(bare, key=KEY)

    assert first.value.decision == again.value.decision
    assert await rows(desk, "reset-factor") == [Result.NEEDS]


async def test_a_pass_asked_for_again_shows_no_secret(desk: LocalDesk, sample_file: Path) -> None:
    await prove(desk, "u2", Method.CODE, "4822", "u2-f1")
    first = await desk.perform(PASS, key=KEY)
    again = await desk.perform(PASS, key=KEY)

    assert first.handover is not None
    assert again.handover is None
    assert "shown once and is not shown again" in again.says
    assert first.handover.secret not in sample_file.read_text("utf-8")
    assert first.handover.secret not in (await desk.operation(KEY)).answer
    users = json.loads(sample_file.read_text("utf-8"))["users"].values()
    assert [len(user.get("passes", ())) for user in users if user["id"] == "u2"] == [1]


async def test_what_was_revealed_is_masked_when_asked_for_again(desk: LocalDesk) -> None:
    reveal: AnyAction = Reveal(user="u2", reason="to compare")
    first = await desk.perform(reveal, key=KEY)
    again = await desk.perform(reveal, key=KEY)

    assert not first.case.is_masked
    assert again.case.is_masked


async def test_an_asking_and_its_answer_are_given_again(desk: LocalDesk) -> None:
    ask = {"ticket": "4822", "key": KEY}
    first = await desk.ask_proof("u2", Method.IN_PERSON, **ask)
    again = await desk.ask_proof("u2", Method.IN_PERSON, **ask)
    proof = await desk.answer_proof("u2", "passport", asking=first.id, key=OTHER)
    proven = await desk.answer_proof("u2", "passport", asking=first.id, key=OTHER)

    assert first == again
    assert proof == proven
    assert await rows(desk, "prove") == [Result.DONE] * 2


async def test_a_wrong_answer_is_counted_once_however_often_it_is_sent(desk: LocalDesk) -> None:
    asking = await desk.ask_proof("u2", Method.CODE, channel="u2-f1", ticket="4822")
    for _ in range(4):
        with pytest.raises(BadInput, match="not right"):
            await desk.answer_proof("u2", "000000", asking=asking.id, key=KEY)

    shown = await desk.phone("u2")
    proof = await desk.answer_proof("u2", shown[-1].secret, asking=asking.id, key=OTHER)

    assert proof.id == asking.id


async def test_undoing_is_given_again(desk_as: Open) -> None:
    desk = desk_as("dana", hold_minutes=10)
    await prove(desk, "u2", Method.CODE, "4822", "u2-f1")
    await desk.perform(RESET)
    hold = (await desk.holds())[0]
    first = await desk.undo(hold.id, key=KEY)
    again = await desk.undo(hold.id, key=KEY)

    assert first == again
    assert await rows(desk, "undo") == [Result.DONE]
    with pytest.raises(NotFound, match="done already"):
        await desk.undo(hold.id, key=OTHER)


async def test_a_yes_is_given_again_also_when_the_request_is_not_of_the_last_day(
    desk_as: Open, clock: Clock
) -> None:
    manager, lead = desk_as("sam"), desk_as("lee")
    await prove(manager, "u1", Method.CODE, "4821")
    wanted = TurnOffMfa(user="u1", reason="asked", ticket="4821")
    assert await needs(manager, wanted) == ["second-person"]
    request = (await lead.approvals())[0].id
    first = await lead.approve(request, is_granted=True, key=KEY)
    clock.go_on(days=2)

    assert await lead.approve(request, is_granted=True, key=KEY) == first
    with pytest.raises(KeyTaken):
        await lead.approve(request, is_granted=False, key=KEY)
    with pytest.raises(NotFound):
        await lead.approve(request, is_granted=True, key=OTHER)


async def test_erasing_is_given_again(desk_as: Open, clock: Clock) -> None:
    desk = desk_as("lee")
    await desk.perform(NOTE)
    clock.go_on(days=1)
    before = clock()
    first = await desk.erase_log(before, key=KEY)
    again = await desk.erase_log(before, key=KEY)

    assert first == again
    assert first.rows == 1
    assert await rows(desk, "erase-log") == [Result.DONE]


async def test_a_drift_is_measured_once_under_one_key(desk: LocalDesk) -> None:
    await prove(desk, "u2", Method.CODE, "4822", "u2-f1")
    begun = await desk.perform(EnrolTotp(user="u2", reason="new phone", ticket="4822"))
    assert begun.handover is not None
    totp = pyotp.parse_uri(begun.handover.uri)
    assert isinstance(totp, pyotp.TOTP)
    code, ticket = totp.at(NOW), "4822"
    await desk.perform(EnrolTotp(user="u2", code=code, reason="new phone", ticket=ticket))
    first = await desk.drift("u2", "u2-f3", [totp.at(NOW)], key=KEY)
    again = await desk.drift("u2", "u2-f3", [totp.at(NOW)], key=KEY)

    assert first == again
    assert await rows(desk, "drift") == [Result.DONE]


async def test_what_became_of_a_write_can_be_asked(desk: LocalDesk, desk_as: Open) -> None:
    outcome = await desk.perform(NOTE, key=KEY)
    found = await desk.operation(KEY)

    assert (found.id, found.agent, found.result) == (KEY, "dana", Result.DONE)
    assert found.answered.says == outcome.says
    assert (await desk.log(Query())).rows[0].seq == found.seq
    for who, key in (("lee", KEY), ("dana", OTHER)):
        with pytest.raises(NotFound, match="Nothing of yours"):
            await desk_as(who).operation(key)


async def test_what_ran_when_it_is_asked_for_is_said_to_run(desk: LocalDesk) -> None:
    running = asyncio.create_task(desk.perform(NOTE, key=KEY))
    await asyncio.sleep(0)

    with pytest.raises(StillRunning):
        await desk.operation(KEY)

    await running
    assert (await desk.operation(KEY)).result is Result.DONE


class Forgetful(TinyStore):
    """A store that dies when it is to keep what a write answered."""

    async def keep(self, record: Record) -> None:
        if isinstance(record, Operation):
            raise Unreachable("The disk is full.")
        await super().keep(record)


async def test_an_effect_whose_answer_cannot_be_kept_does_not_happen(
    desk: LocalDesk, desk_as: Open
) -> None:
    await prove(desk, "u2", Method.CODE, "4822", "u2-f1")
    dying = desk_as("dana", store=Forgetful)
    with pytest.raises(Unreachable, match="disk is full"):
        await dying.perform(RESET, key=KEY)

    factors = (await desk.case("u2")).user.factors
    with pytest.raises(NotFound):
        await desk.operation(KEY)
    done = await desk.perform(RESET, key=KEY)

    assert [factor.state for factor in factors] == [FactorState.ACTIVE] * 2
    assert done.case.user.factors[1].state is FactorState.REMOVED
    assert await rows(desk, "reset-factor") == [Result.DONE, Result.FAILED]


async def test_after_a_crash_between_effect_and_answer_the_answer_is_there(
    desk: LocalDesk, desk_as: Open
) -> None:
    await prove(desk, "u2", Method.CODE, "4822", "u2-f1")

    class Lost(Exception):
        pass

    async def perform_and_die(desk: Any) -> None:
        await desk.perform(RESET, key=KEY)
        raise Lost  # the process dies before anybody is told

    with pytest.raises(Lost):
        await perform_and_die(desk)
    told = await desk_as("dana").operation(KEY)
    again = await desk_as("dana").perform(RESET, key=KEY)

    assert told.result is Result.DONE
    assert told.answered.says == again.says
    assert await rows(desk, "reset-factor") == [Result.DONE]


async def test_what_became_of_a_write_is_told_while_another_is_under_way(desk: LocalDesk) -> None:
    await desk.perform(NOTE, key=KEY)
    async with desk._changing:
        async with asyncio.timeout(PATIENCE_S):
            found = await desk.operation(KEY)

    assert found.result is Result.DONE
