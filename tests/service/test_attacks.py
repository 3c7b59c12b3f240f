"""Calls as they have really been made to help desks.

Each is blocked, or put before a second person.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpdesk.domain.actions import (
    ChangeMobile,
    ResetAll,
    ResetFactor,
    Reveal,
    TakeTicket,
    TurnOffMfa,
)
from helpdesk.domain.errors import NeedsMore, Refused
from helpdesk.domain.proofs import Method
from helpdesk.domain.search import Query
from helpdesk.service.local import LocalDesk
from tests.conftest import Clock
from tests.proving import needs, prove
from tests.sample import NOW, sample

At = Callable[[str], LocalDesk]


@pytest.fixture
def at(desk_as: Callable[..., LocalDesk]) -> At:
    """Open the sample desk as somebody."""
    return desk_as


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Give the world of a story its beginning."""
    tables = sample()
    change(tables)
    path.write_text(json.dumps(tables, ensure_ascii=False), "utf-8")


async def test_the_administrator_who_calls_from_the_casino(at: At) -> None:
    """Somebody knows the administrator's name, birthday and manager.

    And asks for a reset of everything.
    """
    desk = at("product-administrator")
    await at("lee").perform(
        TakeTicket(user="u5", subject="lost my phone, board meeting in ten minutes")
    )
    ticket = (await desk.case("u5")).open_tickets[0].id

    reset = ResetAll(user="u5", reason="urgent, board meeting", ticket=ticket)

    assert await needs(desk, reset) == ["proof", "second-person"]


async def test_the_number_was_changed_an_hour_ago(at: At, sample_file: Path) -> None:
    """The thief first moves the number, then asks to be called back on it."""

    def world(tables: dict[str, Any]) -> None:
        tables["timelines"]["1"]["events"].append(
            {
                "at": "2026-05-04T13:04:00Z",
                "kind": "factor",
                "change": "number-changed",
                "by": "user",
            }
        )

    rewrite(sample_file, world)
    desk = at("sam")

    with pytest.raises(Refused, match="72 hours"):
        await desk.ask_proof("u1", Method.CALL_BACK, ticket="4821")
    with pytest.raises(Refused, match="72 hours"):
        await desk.ask_proof("u1", Method.CODE, ticket="4821")

    wish = TurnOffMfa(user="u1", reason="the number is new", ticket="4821")
    assert "proof" in await needs(desk, wish)


async def test_number_and_factors_in_one_call(at: At, clock: Clock) -> None:
    """One friendly call, two wishes: move the number, then reset what is left."""
    manager, lead = at("sam"), at("lee")
    await prove(manager, "u1", Method.IN_PERSON, "4821")
    move = ChangeMobile(user="u1", mobile="+447700900177", reason="new SIM", ticket="4821")
    await needs(manager, move)
    await lead.approve((await lead.approvals())[0].id, is_granted=True)
    await manager.perform(move)
    clock.go_on(minutes=3)

    off = TurnOffMfa(user="u1", reason="and turn it off", ticket="4821")
    with pytest.raises(Refused, match="72 hours"):
        await manager.ask_proof("u1", Method.CODE, ticket="4821")

    assert await needs(manager, off) == ["proof", "second-person"]


async def test_six_resets_in_twenty_minutes(at: At, sample_file: Path, clock: Clock) -> None:
    """An agent is bribed, or tricked six times in a row."""

    def world(tables: dict[str, Any]) -> None:
        for number in range(6):
            user = f"u{20 + number}"
            tables["users"][str(20 + number)] = {
                "id": user, "name": f"Person {number}", "login": f"p{number}@lakes.example",
                "account": "a2", "product": "constant-contact", "role": "user",
                "factors": [
                    {"id": "f1", "kind": "sms", "state": "active", "to": f"+44770090014{number}"},
                    {"id": "f2", "kind": "push", "state": "active", "to": "Pixel 8"},
                ],
            }  # fmt: skip
            tables["timelines"][str(20 + number)] = {"user": user, "events": []}
            tables["tickets"][str(20 + number)] = {
                "id": str(5000 + number), "user": user, "subject": "lost", "opened_at": NOW,
            }  # fmt: skip

    rewrite(sample_file, world)
    desk = at("dana")
    results = []
    for number in range(6):
        user, ticket = f"u{20 + number}", str(5000 + number)
        await prove(desk, user, Method.PUSH, ticket)
        wish = ResetFactor(user=user, factor="f1", reason="new phone", ticket=ticket)
        try:
            await desk.perform(wish)
            results.append("done")
        except NeedsMore as stopped:
            results.append(stopped.decision.needs[0].what)
        clock.go_on(minutes=3)

    assert results == ["done"] * 5 + ["limit"]
    assert "many-resets" in {alarm.what for alarm in await at("lee").alarms()}


async def test_the_name_that_looks_alike(at: At, sample_file: Path) -> None:
    """Two people with one name, but for a letter: the proof of the one is none of the other."""

    def world(tables: dict[str, Any]) -> None:
        tables["users"]["2"]["name"] = "M\u0430yank Rao"  # a Cyrillic letter

    rewrite(sample_file, world)
    desk = at("dana")
    await prove(desk, "u1", Method.CODE, "4821")

    wish = ResetFactor(user="u2", factor="u2-f2", reason="new phone", ticket="4822")

    assert await needs(desk, wish) == ["proof"]


async def test_the_agent_who_resets_themselves(at: At) -> None:
    """The agent's own user, with a ticket of their own making."""
    desk = at("dana")

    with pytest.raises(Refused, match="own user"):
        await desk.perform(TakeTicket(user="u3", subject="my phone"))
    with pytest.raises(Refused, match="own user"):
        await desk.perform(ResetAll(user="u3", reason="mine", ticket="1"))


async def test_the_agent_who_resets_a_colleague(at: At) -> None:
    """A favour among colleagues: the user is an agent of this desk."""
    desk = at("lee")
    await desk.perform(TakeTicket(user="u3", subject="Dana lost her phone"))
    ticket = (await desk.case("u3")).open_tickets[0].id
    await prove(desk, "u3", Method.CODE, ticket)

    wish = ResetFactor(user="u3", factor="u3-f1", reason="a favour", ticket=ticket)

    assert await needs(desk, wish) == ["proof", "second-person"], "the code went over what is reset"


async def test_the_second_person_who_is_the_first(at: At) -> None:
    """One person, two consoles."""
    manager = at("sam")
    await prove(manager, "u1", Method.CODE, "4821")
    await needs(manager, TurnOffMfa(user="u1", reason="asked", ticket="4821"))
    request = (await manager.approvals())[0]

    with pytest.raises(Refused, match="your own request"):
        await at("sam").approve(request.id, is_granted=True)


async def test_the_ticket_of_somebody_else(at: At) -> None:
    """A real ticket, but not of this caller."""
    desk = at("dana")
    with pytest.raises(NeedsMore, match="not an open ticket of this user"):
        await desk.ask_proof("u2", Method.CODE, channel="u2-f1", ticket="4821")


async def test_the_curious_agent_leaves_a_trace(at: At) -> None:
    """Looking at personal data is an act."""
    desk = at("dana")

    await desk.perform(Reveal(user="u5"))

    assert [row.act for row in (await desk.log(Query(words=("reveal",)))).rows] == ["reveal"]
