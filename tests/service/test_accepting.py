"""A log put back on purpose: the alarm stays until a lead accepts it, with both roots on record."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk.domain.actions import Note, ResetAll
from helpdesk.domain.audit import ACCEPT
from helpdesk.domain.checkpoints import read_checkpoint
from helpdesk.domain.errors import NeedsMore, Refused, Tampered
from helpdesk.domain.search import Query
from helpdesk.service.inspecting import inspected
from helpdesk.service.local import LocalDesk
from tests.conftest import Clock
from tests.service.test_log import made_anew, put, tables_of

Open = Callable[..., LocalDesk]
WHY = "the backup of Monday was put back"


@pytest.fixture
async def restored(desk_as: Open, sample_file: Path) -> tuple[str, str]:
    """A desk whose older copy was put back; the checkpoint of then, and the one that was seen."""
    desk = desk_as("dana")
    for number in range(5):
        await desk.perform(Note(user="u1", text=f"call {number}"))
    then, older = await desk.checkpoint(), sample_file.read_bytes()
    for number in range(3):
        await desk.perform(Note(user="u1", text=f"lost {number}"))
    seen = await desk.checkpoint()
    sample_file.write_bytes(older)
    return then, seen


def root_of(note: str) -> str:
    """Return a checkpoint's root as it is written."""
    return base64.b64encode(read_checkpoint(note).root).decode()


async def test_the_alarm_stays_until_a_lead_accepts_the_log(
    restored: tuple[str, str], desk_as: Open
) -> None:
    lead = desk_as("lee")
    await lead.perform(Note(user="u1", text="work goes on"))
    before = lead.alarm

    await lead.accept_log(WHY)

    again = desk_as("dana")
    await again.perform(Note(user="u1", text="and on"))
    (told,) = await desk_as("lee").alarms()
    assert (told.what, told.agent) == ("other-log", "lee")
    assert "rows were cut off" in before
    assert (lead.alarm, again.alarm) == ("", "")
    assert read_checkpoint(await again.checkpoint()).size == 8
    found = await inspected(again)
    assert found.is_sound
    assert any("The checkpoint this console holds fits" in one for one in found.proven)


async def test_the_row_names_both_logs_by_length_and_root(
    restored: tuple[str, str], desk_as: Open
) -> None:
    then, seen = restored
    lead = desk_as("lee")

    said = await lead.accept_log(WHY)

    row = (await lead.log(Query(words=(ACCEPT,)))).rows[0]
    assert (row.seq, row.agent, row.reason, row.says) == (6, "lee", WHY, said)
    assert f"5 rows, root {root_of(then)}, in the place of" in said
    assert f"8 rows, root {root_of(seen)}." in said


async def test_what_was_accepted_is_told_after_everything_old_was_erased(
    restored: tuple[str, str], desk_as: Open, clock: Clock
) -> None:
    lead = desk_as("lee")
    said = await lead.accept_log(WHY)
    clock.go_on(days=9)

    await lead.erase_log(clock.now)

    row = (await lead.log(Query(words=(ACCEPT,)))).rows[0]
    assert (row.says, row.reason) == (said, WHY)


@pytest.mark.parametrize("who", ["dana", "sam", "ari", "tess", "pia"])
async def test_only_a_lead_accepts_a_log(
    restored: tuple[str, str], desk_as: Open, who: str
) -> None:
    desk = desk_as(who)

    with pytest.raises(Refused, match="Only a lead may do that"):
        await desk.accept_log(WHY)

    await desk.watch()
    assert "rows were cut off" in desk.alarm


async def test_a_log_is_accepted_with_a_reason_only(
    restored: tuple[str, str], desk_as: Open
) -> None:
    lead = desk_as("lee")

    with pytest.raises(NeedsMore, match="Say why this log is the right one"):
        await lead.accept_log("  ")

    await lead.watch()
    assert lead.alarm


async def test_a_log_that_nothing_is_wrong_with_is_not_accepted(desk_as: Open) -> None:
    lead = desk_as("lee")
    await lead.perform(Note(user="u1", text="a call"))

    with pytest.raises(Refused, match="nothing to accept"):
        await lead.accept_log(WHY)

    assert (await lead.log(Query())).total == 1


async def test_a_log_that_does_not_fit_itself_is_never_accepted(
    restored: tuple[str, str], desk_as: Open, sample_file: Path
) -> None:
    tables = tables_of(sample_file)
    made_anew(tables, None)  # the checkpoints in the file still tell of the rows before
    put(sample_file, tables)
    before, lead = sample_file.read_bytes(), desk_as("lee")

    with pytest.raises(Tampered, match="does not fit itself, so it cannot be accepted"):
        await lead.accept_log(WHY)

    await lead.watch()
    assert lead.alarm
    assert sample_file.read_bytes() == before


async def test_a_dangerous_act_during_the_alarm_does_not_stand_in_the_way(
    restored: tuple[str, str], desk_as: Open
) -> None:
    lead = desk_as("lee", is_gated=False)
    await lead.perform(ResetAll(user="u2", reason="lost her phone", ticket="4822"))

    await lead.accept_log(WHY)

    assert (await inspected(lead)).is_sound


async def test_another_consoles_alarm_is_its_own(
    restored: tuple[str, str], desk_as: Open, places: Path, sample_file: Path
) -> None:
    kept = next((places / "keys" / "seen").glob("*.checkpoint"))
    other = kept.read_bytes()
    await desk_as("lee").accept_log(WHY)
    kept.write_bytes(other)  # as a console that was not there

    desk = desk_as("dana")
    await desk.watch()

    assert "is of 8 rows, and the log has 6" in desk.alarm


async def test_a_witness_that_cannot_be_read_is_replaced_by_accepting(
    restored: tuple[str, str], desk_as: Open, places: Path
) -> None:
    for kept in (places / "keys" / "seen").iterdir():
        kept.write_text("nothing", "utf-8")
    lead = desk_as("lee")

    said = await lead.accept_log(WHY)

    assert "one whose checkpoint cannot be read" in said
    assert lead.alarm == ""


async def test_what_was_accepted_is_watched_as_what_was_seen_before(
    restored: tuple[str, str], desk_as: Open, sample_file: Path
) -> None:
    older = sample_file.read_bytes()
    await desk_as("lee").accept_log(WHY)
    sample_file.write_bytes(older)

    desk = desk_as("dana")
    await desk.watch()

    assert "is of 6 rows, and the log has 5" in desk.alarm
