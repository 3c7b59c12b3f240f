"""Rows, effects and notices belong together; letters are sent, again if need be, and only once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpdesk.domain.actions import (
    ACTIONS,
    AnyAction,
    ChangeAddress,
    Note,
    ResetAll,
    SuspendFactor,
    TurnOffMfa,
    own_fields,
)
from helpdesk.domain.audit import Result
from helpdesk.domain.errors import BadInput, HelpdeskError, Refused, Unreachable
from helpdesk.domain.notices import Channel, Notice, Posted, is_told
from helpdesk.domain.search import Query, parse
from helpdesk.service.local import LocalDesk
from tests.conftest import Clock
from tests.desks import fixture_desk

Open = Callable[..., LocalDesk]
OFF = TurnOffMfa(user="u1", reason="asked in writing", ticket="4821")
VALUES: dict[str, Any] = {
    "address": "new@lakes.example", "mobile": "+447700900555", "text": "called", "subject": "It",
}  # fmt: skip


class Postbox:
    """A sender that keeps what it is given, or fails as told."""

    def __init__(self, *fails: HelpdeskError) -> None:
        self.fails = list(fails)
        self.letters: list[Notice] = []

    async def send(self, notice: Notice) -> None:
        await asyncio.sleep(0)
        if self.fails:
            raise self.fails.pop(0)
        self.letters.append(notice)


@pytest.fixture
def free_as(desk_as: Open) -> Open:
    """Open the sample desk without the gate: what is told is the same, whoever was proven."""
    return lambda who: desk_as(who, is_gated=False)


@pytest.fixture
def mailing(sample_file: Path, clock: Clock, places: Path) -> Callable[..., LocalDesk]:
    """Open the sample desk with a sender."""

    def open_with(sender: Postbox, who: str = "sam") -> LocalDesk:
        return fixture_desk(
            sample_file, clock, places / "keys", who,
            label="MAIL", sender=sender, contact="Call +44 20 7946 0000", is_gated=False,
        )  # fmt: skip

    return open_with


def every_act(user: str, ticket: str) -> list[AnyAction]:
    """Return each act once, with all that it may ask for."""
    return [
        kind(user=user, reason="asked on the phone", ticket=ticket,
             **{name: VALUES[name] for name in own_fields(kind) if name in VALUES})
        for kind in ACTIONS.values()
    ]  # fmt: skip


async def test_every_effect_has_one_row_and_its_notices(free_as: Open, sample_file: Path) -> None:
    tickets = {"u1": "4821", "u2": "4822", "u4": "4823", "u6": "4824", "u7": "4825", "u8": "4826"}
    done = 0
    for who in ("dana", "sam", "pia"):
        desk = free_as(who)
        for user, ticket in tickets.items():
            for action in every_act(user, ticket):
                try:
                    await desk.perform(action)
                except HelpdeskError:
                    continue
                done += 1

    reader = free_as("ari")
    rows = (await reader.log(Query(), limit=10_000)).rows
    effects = [row for row in rows if row.result is Result.DONE]
    told = {row.seq for row in effects if is_told(ACTIONS[row.act](user="x"))}
    notices = (await reader.tray(limit=10_000)).rows
    assert len(effects) == done > 30
    assert {notice.seq for notice in notices} == told
    assert len(told) > 5
    assert all(notice.act == by_seq(rows)[notice.seq] for notice in notices)


def by_seq(rows: Any) -> dict[int, str]:
    return {row.seq: row.act for row in rows}


async def test_what_did_not_happen_is_told_nobody(desk_as: Open) -> None:
    desk = desk_as("dana")

    with pytest.raises(Refused):
        await desk.perform(OFF)
    await desk.perform(Note(user="u1", text="called"))

    assert (await desk.tray()).total == 0


async def test_the_old_address_hears_of_the_next_change_too(free_as: Open, clock: Clock) -> None:
    desk = free_as("dana")
    move = ChangeAddress(user="u6", address="new@agency.example", reason="moved", ticket="4824")
    await desk.perform(move)
    clock.go_on(hours=1)
    await desk.perform(
        ChangeAddress(user="u6", address="third@agency.example", reason="again", ticket="4824")
    )

    rows = (await desk.tray("u6")).rows
    second = max(row.seq for row in rows)
    outbox = [n.to for n in await desk._view.store.select(Notice) if n.seq == second]

    assert {"mfa@agency.example", "new@agency.example", "third@agency.example"} <= set(outbox)


async def test_the_preview_tells_whom_the_act_then_tells(free_as: Open) -> None:
    desk = free_as("sam")

    weighed = await desk.weigh(OFF)
    await desk.perform(OFF)

    rows = (await desk.tray("u1")).rows
    assert rows
    assert all(row.to in weighed.preview.told for row in rows)


async def test_on_a_desk_without_mail_they_lie_in_the_tray(free_as: Open) -> None:
    desk = free_as("sam")

    await desk.perform(OFF)
    await desk.settle()

    assert {row.state for row in (await desk.tray("u1")).rows} == {Posted.TRAY}


async def sends(desk: LocalDesk) -> None:
    """Let a desk send what is due now, as its chores do."""
    await desk._telling_all.deliver()


async def test_letters_are_sent_once_and_marked(mailing: Callable[..., LocalDesk]) -> None:
    post = Postbox()
    desk = mailing(post)

    await desk.perform(OFF)
    await sends(desk)
    await sends(desk)
    await sends(mailing(post, "dana"))

    assert [letter.to for letter in post.letters] == ["mayank@rao.example"]
    assert "Call +44 20 7946 0000" in post.letters[0].body
    by_channel = {row.channel: row for row in (await desk.tray("u1")).rows}
    assert by_channel[Channel.EMAIL].state is Posted.SENT
    assert by_channel[Channel.SMS].state is Posted.TRAY
    assert "no way to send an SMS" in by_channel[Channel.SMS].says


async def test_two_consoles_send_a_letter_once(mailing: Callable[..., LocalDesk]) -> None:
    post = Postbox()
    one, two = mailing(post), mailing(post, "dana")
    await one.perform(OFF)

    await asyncio.gather(sends(one), sends(two))

    assert len(post.letters) == 1


async def test_a_letter_that_fails_is_tried_again_later(
    mailing: Callable[..., LocalDesk], clock: Clock
) -> None:
    post = Postbox(Unreachable("The mail server cannot be reached."))
    desk = mailing(post)
    await desk.perform(OFF)

    await sends(desk)
    waiting = (await desk.tray("u1")).rows
    await sends(desk)
    too_soon = len(post.letters)
    clock.go_on(minutes=1)
    await sends(desk)

    mail = next(row for row in waiting if row.channel is Channel.EMAIL)
    assert (mail.state, mail.tries, mail.says) == (
        Posted.WAITING, 1, "The mail server cannot be reached.",
    )  # fmt: skip
    assert too_soon == 0
    assert len(post.letters) == 1


async def test_a_letter_is_given_up_after_five_tries(
    mailing: Callable[..., LocalDesk], clock: Clock
) -> None:
    desk = mailing(Postbox(*[Unreachable("Not now.")] * 9))
    await desk.perform(OFF)

    for _ in range(7):
        await sends(desk)
        clock.go_on(hours=3)

    mail = next(r for r in (await desk.tray("u1")).rows if r.channel is Channel.EMAIL)
    assert (mail.state, mail.tries) == (Posted.FAILED, 5)
    assert mail.says == "Given up after 5 tries: Not now."


async def test_what_can_never_arrive_is_not_tried_again(mailing: Callable[..., LocalDesk]) -> None:
    desk = mailing(Postbox(BadInput("The mail server will not deliver there (550).")))
    await desk.perform(OFF)

    await sends(desk)

    mail = next(r for r in (await desk.tray("u1")).rows if r.channel is Channel.EMAIL)
    assert (mail.state, mail.tries) == (Posted.FAILED, 1)


async def test_the_end_of_a_desk_sends_what_waits(mailing: Callable[..., LocalDesk]) -> None:
    post = Postbox()
    desk = mailing(post)
    await desk.perform(OFF)

    await desk.aclose()

    assert len(post.letters) == 1


async def test_an_act_that_fails_leaves_neither_effect_nor_notice(
    desk_as: Open, sample_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_as("dana")
    before = json.loads(sample_file.read_text("utf-8"))["users"]

    with pytest.raises(HelpdeskError):
        await desk.perform(SuspendFactor(user="u2", factor="nope"))
    with pytest.raises(HelpdeskError):
        await desk.perform(ResetAll(user="u1", reason="lost", ticket="4821"))

    after = json.loads(sample_file.read_text("utf-8"))
    assert after["users"] == before
    assert "outbox" not in after


async def test_the_tray_of_an_administrator_is_of_their_account(free_as: Open) -> None:
    await free_as("sam").perform(OFF)

    assert (await free_as("pia").tray()).total == 0
    assert (await free_as("pia").log(parse("", []))).total == 0
