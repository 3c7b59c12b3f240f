"""What is taken over from one moment to the next is what one finds who looks anew."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from helpdesk.domain.agents import Agent, Role
from helpdesk.domain.tickets import LoopReport, Ticket
from helpdesk.stores import atomic
from helpdesk.stores import kept as keeping
from helpdesk.stores.directory import TinyDirectory
from helpdesk.stores.listed import AT_ONCE, Listed
from helpdesk.stores.tiny import TinyStore
from helpdesk.stores.tinyfile import TinyFile
from tests.conftest import Clock

USERS, LONG = 80, 100_000

AT = datetime(2026, 5, 4, tzinfo=UTC)

SOME = tuple(
    Ticket(id=str(number), user=f"u{number % 7}", subject="Codes", opened_at=AT)
    for number in range(3 * AT_ONCE)
)


def changed(tickets: tuple[Ticket, ...], chance: random.Random) -> tuple[Ticket, ...]:
    """Some of these closed, some another's, some gone, or some new ones behind them."""
    some = [*tickets]
    for place in chance.sample(range(len(some)), 2):
        some[place] = replace(some[place], closed_at=AT)
    if chance.random() < 0.3:
        some[chance.randrange(len(some))] = replace(some[0], user="u9")
    if chance.random() < 0.3:
        del some[chance.randrange(len(some))]
    if chance.random() < 0.5:
        some.append(replace(some[0], id="new", user=chance.choice(("u1", "u8"))))
    return tuple(some)


@pytest.mark.parametrize("seed", range(8))
def test_the_records_of_a_user_are_the_same_taken_over_as_looked_for(seed: int) -> None:
    chance, listed = random.Random(seed), Listed(SOME)
    listed.of("u1")

    for _ in range(12):
        before, listed = listed, Listed(changed(listed.all, chance), listed)

        anew = {f"u{n}": [one for one in listed.all if one.user == f"u{n}"] for n in range(10)}
        assert {user: listed.of(user) for user in anew} == anew
        places = listed.others(before)
        if places is not None:
            same = [p for p in range(len(before.all)) if p not in places]
            assert [listed.all[p] for p in same] == [before.all[p] for p in same]


def known_of(users: TinyDirectory) -> list[object]:
    """What a directory knows of what is open, by the place of each user."""
    opened, places = users._known.opened, range(USERS)
    each = [(opened.at(place), opened.of(place), opened.rounds(place)) for place in places]
    return [each, [*opened.ticketed], opened.numbers, [*opened.named()]]


def records_of(store: TinyStore, user: str) -> list[object]:
    """The tickets and loops of a user."""
    return [*store.listed(Ticket).of(user), *store.listed(LoopReport).of(user)]


@pytest.mark.parametrize("is_kept", [False, True])
async def test_a_directory_that_goes_on_knows_what_one_knows_that_begins(
    long_file: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, is_kept: bool
) -> None:
    monkeypatch.setattr(atomic, "FROM", LONG)
    monkeypatch.setattr(keeping, "SETTLED_NS", 0)
    kept = tmp_path / "read" if is_kept else None
    agents = [Agent(id="dana", name="Dana", role=role) for role in Role]

    async def begun(kept: Path | None) -> tuple[TinyStore, TinyDirectory]:
        file = TinyFile(long_file, clock, kept)
        store = TinyStore(file)
        store.load()
        users = TinyDirectory(file, store)
        await users.refresh()
        return store, users

    await begun(kept)
    store, on = await begun(kept)
    async with store.transaction():  # the first one writes the file whole
        await store.keep(replace(SOME[0], id="9000", user="u3"))
    await begun(kept)
    store, on = await begun(kept)
    assert store.listed(Ticket).is_read is not is_kept
    listed = TinyStore(TinyFile(long_file, clock))
    listed.load()
    first, second, *_ = [one for one in listed.listed(Ticket).all if one.is_open]
    acts = (
        replace(first, notes=("Called.",)),
        replace(first, closed_at=clock.now),
        replace(second, id="9001"),
        replace(second, id="9001", notes=("Called back.",)),
        replace(second, id="9002", user="nobody"),
        replace(second, closed_at=clock.now),
        replace(first, user=second.user),
    )

    for act in acts:
        async with store.transaction():
            await store.keep(act)
        await on.refresh()

        fresh, anew = await begun(None)
        next_, there = await begun(kept)
        assert next_.listed(Ticket).is_read is not is_kept
        assert known_of(on) == known_of(there) == known_of(anew)
        for agent in agents:
            asked = agent, clock.now
            queue = await anew.queue(*asked, offset=0, limit=USERS)
            assert await on.queue(*asked, offset=0, limit=USERS) == queue
            assert await there.queue(*asked, offset=0, limit=USERS) == queue
        assert await on.entries([act.user]) == await anew.entries([act.user])
        users = {"nobody", *(one.user for one in fresh.listed(Ticket).all)}
        for user in users:
            theirs = records_of(fresh, user)
            assert records_of(store, user) == records_of(next_, user) == theirs
    assert store.listed(Ticket).is_read is not is_kept
    for one in (store, next_):
        assert await one.select(Ticket) == await fresh.select(Ticket)
        assert await one.get(Ticket, act.id) == act
        assert await one.next_ticket() == await fresh.next_ticket()
        assert len([ticket for ticket in one.listed(Ticket).all if ticket.id == act.id]) == 1
