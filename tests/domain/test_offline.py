"""What may wait while the line is down, cell by cell, and how old what one sees is."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from helpdesk.domain.actions import (
    ACTIONS,
    AnyAction,
    CloseTicket,
    Flag,
    Note,
    SuspendFactor,
    TakeTicket,
)
from helpdesk.domain.cases import Case
from helpdesk.domain.feed import Freshness
from helpdesk.domain.offline import (
    NEVER_REACHED,
    PURGED_AFTER,
    READ_ONLY_AFTER,
    WHEN_DOWN,
    WRITES_WHEN_DOWN,
    Fact,
    Late,
    State,
    Wish,
    banner,
    bound,
    facts,
    freshness,
    late_of,
    refused_when_down,
    skewed,
    why_never,
)
from helpdesk.products import load_cards
from helpdesk.service.desk import Desk
from helpdesk.service.local import LocalDesk
from tests.conftest import NOW

CELLS = {
    "note": Late.QUEUED,
    "take-ticket": Late.QUEUED,
    "close-ticket": Late.QUEUED,
    "flag": Late.QUEUED,
    "suspend-factor": Late.URGENT,
    "end-sessions": Late.URGENT,
    "send-code": Late.NEVER,
    "reset-factor": Late.NEVER,
    "reset-all": Late.NEVER,
    "turn-off-mfa": Late.NEVER,
    "turn-on-mfa": Late.NEVER,
    "change-address": Late.NEVER,
    "change-mobile": Late.NEVER,
    "unlock": Late.NEVER,
    "resume-factor": Late.NEVER,
    "temporary-pass": Late.NEVER,
    "enrol-totp": Late.NEVER,
    "route": Late.NEVER,
    "reveal": Late.NEVER,
}


@pytest.mark.parametrize(("act", "late"), CELLS.items())
def test_every_act_has_its_cell(act: str, late: Late) -> None:
    assert late_of(ACTIONS[act](user="u1")) is late
    assert bool(why_never(act)) is (late is Late.NEVER)


def test_no_act_is_without_a_cell_and_every_cell_says_why() -> None:
    assert set(WHEN_DOWN) == set(ACTIONS.values())
    assert CELLS.keys() == ACTIONS.keys()
    assert all(why.endswith(".") for _, why in WHEN_DOWN.values())


def test_no_other_write_of_a_desk_is_queued() -> None:
    with_key = {
        name
        for name, method in vars(Desk).items()
        if "key" in getattr(method, "__annotations__", {})
    } - {"perform", "operation", "withdraw", "inspect_log"}

    assert WRITES_WHEN_DOWN.keys() == with_key


def test_the_answer_to_what_is_never_queued_says_why_and_what_instead() -> None:
    decision = refused_when_down("reset-all")

    assert decision.is_refused
    assert "Reset all factors is never left for later" in decision.why
    assert "ten minutes" in decision.why
    assert decision.instead


# What a wish rests on


async def case_of(desk: LocalDesk, user: str = "u1") -> Case:
    return await desk.case(user)


async def test_a_wish_names_what_it_is_about_before_it_waits(desk: LocalDesk) -> None:
    await desk.perform(TakeTicket(user="u2", subject="Calls"))
    case = await case_of(desk, "u2")
    case = replace(case, tickets=case.open_tickets[:1])
    number, card = case.open_tickets[0].id, load_cards()[case.user.product]
    plain: list[AnyAction] = [CloseTicket(user="u2"), Note(user="u2", text="x")]

    named = [bound(action, card, case, "dana") for action in plain]

    assert [one.ticket for one in named] == [number, number]
    assert bound(SuspendFactor(user="u2", factor="u2-f2"), card, case, "dana").ticket == ""


async def test_of_several_tickets_a_note_names_none(desk: LocalDesk) -> None:
    for subject in ("One", "Two"):
        await desk.perform(TakeTicket(user="u2", subject=subject))
    case = await case_of(desk, "u2")

    note = bound(Note(user="u2", text="x"), load_cards()[case.user.product], case, "dana")

    assert note == Note(user="u2", text="x")


async def test_what_a_wish_rests_on_changes_with_the_ticket(desk: LocalDesk) -> None:
    await desk.perform(TakeTicket(user="u2", subject="Calls"))
    before = await case_of(desk, "u2")
    close = CloseTicket(user="u2", ticket=before.open_tickets[0].id)

    after = (await desk.perform(close)).case

    seen, found = facts(close, before), facts(close, after)
    assert seen[0] == Fact(what=f"#{close.ticket} state", value="open")
    assert found[0].value.startswith("closed at ")
    assert [one.what for one in seen] == [one.what for one in found]


async def test_a_note_rests_on_nothing(desk: LocalDesk) -> None:
    assert facts(Note(user="u1", text="x"), await case_of(desk)) == ()


async def test_a_flag_rests_on_there_being_none(desk: LocalDesk) -> None:
    case = await case_of(desk)
    flagged = replace(case, user=replace(case.user, flagged="Asked for a pass"))

    assert facts(Flag(user="u1"), case) != facts(Flag(user="u1"), flagged)


# How old what one sees is


@pytest.mark.parametrize(
    ("contact", "is_up", "live", "read_only", "words"),
    [
        (NOW, True, True, False, ""),
        (NOW - timedelta(minutes=3), False, False, False, "not live"),
        (NOW - READ_ONLY_AFTER + timedelta(seconds=1), False, False, False, "not live"),
        (NOW - READ_ONLY_AFTER, False, False, True, "read only"),
        (NOW - PURGED_AFTER, False, False, True, "read only"),
        (None, False, False, True, "never reached"),
    ],
)
def test_the_header_says_how_old_it_is(
    contact: datetime | None, is_up: bool, live: bool, read_only: bool, words: str
) -> None:
    found = freshness(contact, NOW, is_up=is_up)

    assert (found.is_live, found.is_read_only) == (live, read_only)
    assert found.says.endswith(words)


def test_what_is_shown_from_here_while_the_desk_is_asked_is_marked_too() -> None:
    shown = NOW - timedelta(minutes=2)

    found = freshness(NOW, NOW, is_up=True, shown=shown)

    assert found.is_live
    assert found.says == f"as of {shown:%H:%M}, asking"


def test_yesterday_is_said_with_its_day() -> None:
    at = NOW - timedelta(days=1)

    assert f"{at:%a %H:%M}" in freshness(at, NOW, is_up=False).says


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, ""),
        (30, ""),
        (-30, ""),
        (31, "31 s ahead of the desk's."),
        (-45, "45 s behind the desk's."),
        (300, "5 min ahead of the desk's."),
        (301, "Nothing can be changed"),
        (-3_600, "60 min behind the desk's. Nothing can be changed"),
    ],
)
def test_clocks_that_differ_are_said_and_then_stop_all_changes(seconds: int, words: str) -> None:
    said = skewed(timedelta(seconds=seconds))

    assert words in said
    assert bool(said) is bool(words)
    assert ("Nothing can be changed" in said) is (abs(seconds) > 300)


# The banner

LIVE = Freshness()
OLD = Freshness(is_live=False, says="as of 08:00, read only", is_read_only=True)
YET = Freshness(is_live=False, says=NEVER_REACHED, is_read_only=True)


def wish(state: State, late: Late = Late.QUEUED, title: str = "Note") -> Wish:
    expires = NOW + timedelta(minutes=9) if late is Late.URGENT else None
    return Wish(
        key=f"k-{state}-{title}", agent="dana", title=title, user="u12", at=NOW, state=state,
        late=late, expires_at=expires,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wishes", "fresh", "skew", "words", "is_loud"),
    [
        ([], LIVE, "", "", False),
        ([wish(State.DONE)], LIVE, "", "", False),
        ([wish(State.QUEUED)], LIVE, "", "1 waits to be sent.", False),
        ([wish(State.QUEUED), wish(State.QUEUED, title="Flag")], LIVE, "", "2 wait", False),
        ([wish(State.UNKNOWN)], LIVE, "", "1 not known whether done.", True),
        ([wish(State.CONFLICT), wish(State.EXPIRED)], LIVE, "", "1 in conflict, 1 expired.", True),
        ([wish(State.LOST), wish(State.REFUSED)], LIVE, "", "1 not done, 1 refused.", True),
        ([], OLD, "", "Not reached for 15 min: nothing can be changed", True),
        ([], YET, "", "Not reached yet: nothing can be changed", True),
        ([wish(State.UNKNOWN)], LIVE, "The clock is off.", "The clock is off.", True),
        (
            [wish(State.UNKNOWN), wish(State.QUEUED, Late.URGENT, "End sessions")],
            OLD,
            "The clock is off.",
            "NOT DONE YET: End sessions on u12; tried until 09:09. Call a colleague.",
            True,
        ),
    ],
)
def test_the_banner_says_the_worst_first(
    wishes: list[Wish], fresh: Freshness, skew: str, words: str, is_loud: bool
) -> None:
    says, loud = banner(wishes, fresh, skew, NOW)

    assert words in says
    assert bool(says) is bool(words)
    assert loud is is_loud


def test_an_ended_wish_has_no_words_left() -> None:
    one = replace(
        wish(State.SENT), action=Note(user="u12", text="x"), seen=(Fact(what="a", value="b"),)
    )

    done = one.ended(State.DONE, "Done.", NOW)

    assert (done.action, done.seen, done.found, done.says) == (None, (), (), "Done.")
    assert not done.is_waiting
